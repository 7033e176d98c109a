import { setImmediate as nextRound } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { answerStage, endingStage, LOT, leavesTogether, requestStage, Stage } from './round.ts';
import { flushSoon } from './turn.ts';

describe('a round of the event loop', () => {
  it('works on requests, then on what upstreams sent, then on whole answers, whatever came first', async () => {
    const order: string[] = [];
    const note = (what: string) => ({ proceed: () => void order.push(what) });
    endingStage.add(note('ending'));
    answerStage.add(note('answer 1'));
    requestStage.add(note('request 1'));
    answerStage.add(note('answer 2'));
    requestStage.add(note('request 2'));
    expect(order).toEqual([]);
    await nextRound();
    expect(order).toEqual(['request 1', 'request 2', 'answer 1', 'answer 2', 'ending']);
  });

  it('lets what requests make leave together, a lot at a time, and answers each by itself', async () => {
    const order: string[] = [];
    for (let index = 0; index < LOT + 1; index += 1) {
      requestStage.add({
        proceed: () => {
          expect(leavesTogether()).toBe(true);
          order.push('request');
          flushSoon({ flush: () => void order.push('left') });
        },
      });
    }
    answerStage.add({ proceed: () => void order.push(leavesTogether() ? 'together' : 'alone') });
    await nextRound();
    expect(order).toEqual([
      ...Array<string>(LOT).fill('request'),
      ...Array<string>(LOT).fill('left'),
      'request',
      'left',
      'alone',
    ]);
  });

  it('ends in the same round what a stage before it brought to an end', async () => {
    const order: string[] = [];
    const ending = { proceed: () => void order.push('ending') };
    answerStage.add({ proceed: () => endingStage.add(ending) });
    await nextRound();
    expect(order).toEqual(['ending']);
  });

  it('leaves the others for another round when one fails', async () => {
    const stage = new Stage();
    const order: string[] = [];
    stage.add({ proceed: () => void order.push('first') });
    stage.add({
      proceed: () => {
        throw new Error('planted');
      },
    });
    stage.add({ proceed: () => void order.push('third') });
    expect(() => stage.run(LOT)).toThrow('planted');
    expect(order).toEqual(['first']);
    expect(stage.run(LOT)).toBe(false);
    expect(order).toEqual(['first', 'third']);
    await nextRound();
  });
});

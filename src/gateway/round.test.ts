import { setImmediate as nextRound } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import {
  answerStage,
  chargeStage,
  endingStage,
  forwardStage,
  goOnIn,
  LOT,
  leavesTogether,
  recordStage,
  requestStage,
  reserveStage,
  Stage,
} from './round.ts';
import { flushSoon } from './turn.ts';

describe('a round of the event loop', () => {
  it('takes each step for all before the next for any, whatever came first', async () => {
    const order: string[] = [];
    const stages = {
      ...{ request: requestStage, reserve: reserveStage, forward: forwardStage },
      ...{ answer: answerStage, ending: endingStage, charge: chargeStage, record: recordStage },
    };
    for (const [name, stage] of Object.entries(stages).toReversed()) {
      for (const turn of [1, 2]) stage.add({ proceed: () => void order.push(`${name} ${turn}`) });
    }
    expect(order).toEqual([]);
    await nextRound();
    expect(order).toEqual(Object.keys(stages).flatMap((name) => [`${name} 1`, `${name} 2`]));
  });

  it('goes on in a stage of the round under way, in the next where that has passed, and at once outside', async () => {
    const order: string[] = [];
    const note = (what: string) => ({ proceed: () => void order.push(what) });
    goOnIn(recordStage, note('outside'));
    expect(order).toEqual(['outside']);
    chargeStage.add({
      proceed: () => {
        goOnIn(recordStage, note('later'));
        goOnIn(reserveStage, note('next round'));
        order.push('inside');
      },
    });
    await nextRound();
    expect(order).toEqual(['outside', 'inside', 'later']);
    await nextRound();
    expect(order.at(-1)).toBe('next round');
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

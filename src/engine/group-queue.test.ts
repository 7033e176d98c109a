import { describe, expect, it } from 'vitest';

import { GroupQueue } from './group-queue.ts';

/** A queue whose groups end when the test says so. */
function open(pauseMs: number) {
  const groups: (readonly number[])[] = [];
  const ends: (() => void)[] = [];
  const queue = new GroupQueue<number>({
    perform: (group) => {
      groups.push(group);
      return new Promise((resolve) => ends.push(resolve));
    },
    groupMax: 3,
    waitingMax: 5,
    pauseMs,
  });
  return { queue, groups, ends };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('GroupQueue', () => {
  it('works on what came in one round together, and on what came meanwhile afterwards, in order', async () => {
    const { queue, groups, ends } = open(0);
    expect([1, 2].map((item) => queue.add(item))).toEqual([true, true]);
    expect(groups).toEqual([]);
    await turn();
    queue.add(3);
    await turn();
    expect(groups).toEqual([[1, 2]]);
    ends.shift()?.();
    await turn();
    await turn();
    expect(groups).toEqual([[1, 2], [3]]);
  });

  it('has at most so many in a group and so many waiting; the next is turned away', async () => {
    const { queue, groups, ends } = open(0);
    const taken = [1, 2, 3, 4, 5, 6].map((item) => queue.add(item));
    expect(taken).toEqual([true, true, true, true, true, false]);
    await turn();
    expect(groups).toEqual([[1, 2, 3]]);
    ends.shift()?.();
    await turn();
    await turn();
    expect(groups).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
  });

  it('leaves a pause after each group, also when it is the next item that comes late', async () => {
    const { queue, groups, ends } = open(60_000);
    queue.add(1);
    await turn();
    ends.shift()?.();
    await turn();
    queue.add(2);
    await turn();
    await turn();
    expect(groups).toEqual([[1]]);
  });
});

import { expect, it } from 'vitest';

import { Memo } from './memo.ts';

it('computes once what it remembers', () => {
  const asked: number[] = [];
  const memo = new Memo<number, string>(2, (key) => {
    asked.push(key);
    return `of ${key}`;
  });
  expect([memo.get(1), memo.get(1), memo.get(2), memo.get(1)]).toEqual([
    'of 1',
    'of 1',
    'of 2',
    'of 1',
  ]);
  expect(asked).toEqual([1, 2]);
});

it('holds no more than its bound: the oldest goes', () => {
  const asked: number[] = [];
  const memo = new Memo<number, number>(3, (key) => {
    asked.push(key);
    return key;
  });
  for (let key = 0; key < 100; key += 1) {
    memo.get(key);
    expect(memo.size).toBeLessThanOrEqual(3);
  }
  memo.get(99);
  memo.get(97);
  expect(asked).toHaveLength(100);
  memo.get(96);
  expect(asked.at(-1)).toBe(96);
});

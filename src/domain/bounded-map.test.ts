import { expect, it } from 'vitest';

import { BoundedMap } from './bounded-map.ts';

it('holds no more than its bound: what was set longest ago leaves', () => {
  const map = new BoundedMap<number, string>(3);
  for (let key = 0; key < 100; key += 1) {
    map.set(key, `of ${key}`);
    expect(map.size).toBeLessThanOrEqual(3);
  }
  expect([...map.keys()]).toEqual([97, 98, 99]);
});

it('what is set again is the newest, and pushes nothing out', () => {
  const map = new BoundedMap<string, number>(2).set('a', 1).set('b', 2).set('a', 3);
  expect([...map]).toEqual([
    ['b', 2],
    ['a', 3],
  ]);
  map.set('c', 4);
  expect([...map.keys()]).toEqual(['a', 'c']);
  map.delete('a');
  map.set('d', 5);
  expect([...map.keys()]).toEqual(['c', 'd']);
});

import fc from 'fast-check';
import { expect, it } from 'vitest';

import { type BurnCandidate, compareBurnOrder, type GrantCategory } from './grant.ts';

const base: BurnCandidate = {
  id: 'b',
  priority: 50,
  category: 'paid',
  expiresAt: undefined,
  createdAt: 10,
};
const candidates = fc.record({
  id: fc.string({ maxLength: 2 }),
  priority: fc.integer({ min: 0, max: 2 }),
  category: fc.constantFrom<GrantCategory>('included', 'promotional', 'paid'),
  expiresAt: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  createdAt: fc.integer({ min: 1, max: 3 }),
});

it.each<[string, Partial<BurnCandidate>, Partial<BurnCandidate>]>([
  [
    'lower priority number, even when the other expires sooner',
    { priority: 1 },
    { priority: 2, expiresAt: 5 },
  ],
  [
    'soonest expiry, even when it is paid',
    { expiresAt: 5 },
    { expiresAt: 6, category: 'included' },
  ],
  ['an expiry before never', { expiresAt: 5 }, { category: 'promotional' }],
  ['included before paid, even when it is newer', { category: 'included', createdAt: 20 }, {}],
  ['promotional before paid', { category: 'promotional' }, {}],
  [
    'included and promotional alike: the oldest',
    { category: 'promotional', createdAt: 9 },
    { category: 'included' },
  ],
  ['the oldest', { createdAt: 9, id: 'c' }, {}],
  ['the id', { id: 'a' }, {}],
])('I6: burns first: %s', (_title, first, second) => {
  expect(compareBurnOrder({ ...base, ...first }, { ...base, ...second })).toBe(-1);
  expect(compareBurnOrder({ ...base, ...second }, { ...base, ...first })).toBe(1);
});

it('I6: the burn order is total: antisymmetric, transitive, equal only for the same rank and id', () => {
  fc.assert(
    fc.property(candidates, candidates, candidates, (a, b, c) => {
      expect(compareBurnOrder(a, b) + compareBurnOrder(b, a)).toBe(0);
      const chained = compareBurnOrder(a, b) <= 0 && compareBurnOrder(b, c) <= 0;
      expect(!chained || compareBurnOrder(a, c) <= 0).toBe(true);
      expect(a.id === b.id || compareBurnOrder(a, b) !== 0).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

it('I6: the burn order does not depend on the order grants are read in', () => {
  const lists = fc.uniqueArray(candidates, { selector: (candidate) => candidate.id });
  fc.assert(
    fc.property(lists, fc.infiniteStream(fc.nat()), (list, random) => {
      const shuffled = list
        .map((candidate) => ({ candidate, key: random.next().value }))
        .toSorted((left, right) => left.key - right.key)
        .map((entry) => entry.candidate);
      expect(shuffled.toSorted(compareBurnOrder)).toEqual(list.toSorted(compareBurnOrder));
    }),
  );
});

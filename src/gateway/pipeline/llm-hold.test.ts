import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  AT,
  buildHolder,
  buildLimit,
  buildModel,
  buildPlan,
} from '../../../test/support/build-catalog.ts';
import { accountsFor, type AccountSpec, ANY_CALL } from '../../domain/accounts.ts';
import { amountFor, NO_TAKE } from '../../domain/take.ts';
import type { Model } from '../../domain/catalog.ts';
import { costOf } from '../../domain/pricing.ts';
import {
  affordableOutputTokens,
  boundTake,
  type CallPrice,
  freeUnits,
  mightFitExactly,
  type Shortage,
  usageTake,
} from './llm-hold.ts';

const [REQUESTS, TOKENS, BALANCE] = accountsFor(
  buildPlan('p', {
    limits: [buildLimit(1), buildLimit(1, { id: 'tokens_per_month', unit: 'tokens' })],
  }),
  buildHolder(),
  ANY_CALL,
  { asset: 'USD', at: AT },
);

const priceOf = (model: Model, tiers: CallPrice['tiers'] = []): CallPrice => ({
  model,
  prepaid: true,
  tiers,
});

function shortOf(account: AccountSpec | undefined, free: number): Shortage {
  if (account === undefined) throw new Error('no such account');
  return { need: { account, amount: 1 }, free, unspent: free };
}

const USED = {
  inputTokens: 10,
  cachedInputTokens: 4,
  outputTokens: 5,
  bytesIn: 0,
  bytesOut: 0,
  estimated: false,
};

describe('what a call sets aside (LLM-08)', () => {
  const model = buildModel('m', {
    perRequest: 1000n,
    perInputToken: 2000n,
    perCachedInputToken: 500n,
    perOutputToken: 8000n,
  });

  it('input and output of every choice at the full price', () => {
    expect(boundTake(priceOf(model), { inputTokens: 10, outputTokensEach: 5, choices: 3 })).toEqual(
      {
        ...NO_TAKE,
        inputTokens: 10,
        outputTokens: 15,
        nano: 1 + 20 + 120,
      },
    );
  });

  it('of the used part what it costs, cached input cheaper', () => {
    expect(usageTake(priceOf(model), USED, 1)).toEqual({
      ...NO_TAKE,
      inputTokens: 10,
      outputTokens: 5,
      nano: 1 + 12 + 2 + 40,
    });
  });

  it('no money on a plan that covers the calls', () => {
    expect(usageTake({ ...priceOf(model), prepaid: false }, USED, 1)).toMatchObject({
      inputTokens: 10,
      outputTokens: 5,
      nano: 0,
    });
  });

  it('the bound is never below the cost of what stays within it, whatever comes from a cache', () => {
    const price = fc.bigInt({ min: 0n, max: 10_000_000n });
    fc.assert(
      fc.property(
        fc.record({
          perRequest: price,
          perInputToken: price,
          perCachedInputToken: price,
          perOutputToken: price,
        }),
        fc.record({
          inputTokens: fc.nat(9999),
          outputTokensEach: fc.nat(9999),
          choices: fc.integer({ min: 1, max: 8 }),
        }),
        fc.tuple(fc.nat(100), fc.nat(100), fc.nat(100)),
        (prices, bounds, [input, cached, output]) => {
          const inputTokens = Math.floor((bounds.inputTokens * input) / 100);
          const usage = {
            ...USED,
            inputTokens,
            cachedInputTokens: Math.floor((inputTokens * cached) / 100),
            outputTokens: Math.floor((bounds.outputTokensEach * bounds.choices * output) / 100),
          };
          const priced = buildModel('m', prices);
          const bound = boundTake(priceOf(priced), bounds);
          expect(BigInt(bound.nano) >= costOf(priced.price, usage)).toBe(true);
          expect(bound.inputTokens).toBeGreaterThanOrEqual(usage.inputTokens);
          expect(bound.outputTokens).toBeGreaterThanOrEqual(usage.outputTokens);
        },
      ),
    );
  });
});

describe('affordableOutputTokens (C402-06)', () => {
  it('is the largest count whose bound fits what is free', () => {
    const price = fc.oneof(
      fc.bigInt({ min: 0n, max: 3000n }),
      fc.bigInt({ min: 0n, max: 10_000_000n }),
    );
    fc.assert(
      fc.property(
        fc.record({
          perRequest: price,
          perInputToken: price,
          perCachedInputToken: price,
          perOutputToken: price,
        }),
        fc.record({
          inputTokens: fc.nat(200),
          outputTokensEach: fc.nat(200),
          choices: fc.integer({ min: 1, max: 4 }),
        }),
        fc.oneof(fc.nat(500), fc.nat(Number.MAX_SAFE_INTEGER)),
        fc.constantFrom('tokens', 'USD'),
        (prices, bounds, free, unit) => {
          const model = buildModel('m', prices);
          const need = (outputTokensEach: number) =>
            amountFor(unit, boundTake(priceOf(model), { ...bounds, outputTokensEach }));
          const short = shortOf(unit === 'tokens' ? TOKENS : BALANCE, free);
          const found = affordableOutputTokens(priceOf(model), bounds, short);
          expect(found).toBeLessThanOrEqual(bounds.outputTokensEach);
          expect(found < 1 || need(found) <= free).toBe(true);
          expect(found === bounds.outputTokensEach || need(Math.max(0, found) + 1) > free).toBe(
            true,
          );
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('free output is affordable as soon as the input is', () => {
    const model = buildModel('m', { perInputToken: 1000n });
    const bounds = { inputTokens: 10, outputTokensEach: 100, choices: 1 };
    expect(affordableOutputTokens(priceOf(model), bounds, shortOf(BALANCE, 10))).toBe(100);
    expect(affordableOutputTokens(priceOf(model), bounds, shortOf(BALANCE, 9))).toBe(0);
  });

  it('fewer tokens make no room in a quota of requests', () => {
    const bounds = { inputTokens: 1, outputTokensEach: 1, choices: 1 };
    expect(affordableOutputTokens(priceOf(buildModel('m')), bounds, shortOf(REQUESTS, 100))).toBe(
      0,
    );
  });
});

describe('mightFitExactly: counting is worth it when an eighth of the input bound would fit', () => {
  const model = buildModel('m', { perInputToken: 1000n, perOutputToken: 1000n });
  const bounds = { inputTokens: 81, outputTokensEach: 10, choices: 1 };
  it.each([
    ['money', BALANCE, 21, true],
    ['money', BALANCE, 20, false],
    ['tokens', TOKENS, 21, true],
    ['tokens', TOKENS, 20, false],
  ])('%s: 81 bytes and 10 tokens of output', (_what, account, unspent, fits) => {
    const short = { ...shortOf(account, 0), unspent };
    expect(mightFitExactly(priceOf(model), bounds, short)).toBe(fits);
  });
});

it.each([
  [100, 60, 30, 10],
  [100, 60, 0, 40],
  [10, 60, 0, 0],
])('of %i with %i spent and %i under open holds, %i are free', (allowance, spent, held, free) => {
  expect(freeUnits({ allowance, spent, reserved: 99 }, held)).toBe(free);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { buildPrice } from '../../test/support/build-catalog.ts';
import { costOf, type Usage } from './pricing.ts';

const NOTHING: Usage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  bytesIn: 0,
  bytesOut: 0,
  estimated: false,
};

describe('costOf (BILL-06)', () => {
  it.each([
    ['nothing used, nothing priced', {}, {}, 0n],
    [
      'a flat price whatever is used',
      { perRequest: 1_000_000_000n },
      { inputTokens: 9 },
      1_000_000n,
    ],
    ['1 pico rounds up to 1 nano', { perRequest: 1n }, {}, 1n],
    [
      'input and output',
      { perInputToken: 2000n, perOutputToken: 8000n },
      { inputTokens: 10, outputTokens: 5 },
      60n,
    ],
    [
      'cached input instead of input, not on top',
      { perInputToken: 2000n, perCachedInputToken: 500n },
      { inputTokens: 10, cachedInputTokens: 8 },
      8n,
    ],
    [
      'bytes of both ways',
      { perByteIn: 10n, perByteOut: 90n },
      { bytesIn: 100, bytesOut: 100 },
      10n,
    ],
    [
      'parts of a nano add up before they are rounded',
      { perInputToken: 400n, perOutputToken: 400n, perByteIn: 200n },
      { inputTokens: 1, outputTokens: 1, bytesIn: 1 },
      1n,
    ],
  ])('%s', (_what, price, usage, nano) => {
    expect(costOf(buildPrice(price), { ...NOTHING, ...usage })).toBe(nano);
  });

  it('is the exact sum in pico, rounded up once', () => {
    const price = fc.bigInt({ min: 0n, max: 10n ** 15n });
    const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
    const prices = fc.record({
      perRequest: price,
      perInputToken: price,
      perCachedInputToken: price,
      perOutputToken: price,
      perByteIn: price,
      perByteOut: price,
    });
    const usages = fc.record({
      fresh: count.map((tokens) => Math.floor(tokens / 2)),
      cachedInputTokens: count.map((tokens) => Math.floor(tokens / 2)),
      outputTokens: count,
      bytesIn: count,
      bytesOut: count,
    });
    fc.assert(
      fc.property(prices, usages, (each, { fresh, ...used }) => {
        const usage = { ...NOTHING, ...used, inputTokens: fresh + used.cachedInputTokens };
        // Exact: every term apart, and the quotient bounded from both sides instead of computed.
        const pico = [
          each.perRequest,
          each.perInputToken * BigInt(fresh),
          each.perCachedInputToken * BigInt(used.cachedInputTokens),
          each.perOutputToken * BigInt(used.outputTokens),
          each.perByteIn * BigInt(used.bytesIn),
          each.perByteOut * BigInt(used.bytesOut),
        ].reduce((sum, term) => sum + term, 0n);
        const nano = costOf(buildPrice(each), usage);
        expect(nano * 1000n >= pico && nano * 1000n < pico + 1000n).toBe(true);
      }),
    );
  });
});

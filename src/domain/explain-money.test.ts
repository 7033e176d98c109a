import { describe, expect, it } from 'vitest';

import { buildApi, buildPrice, buildRoute } from '../../test/support/build-catalog.ts';
import { CATALOG, OUTCOME, facts, noCredit, view } from '../../test/support/explained-facts.ts';
import type { Api } from './catalog.ts';
import { describeArithmetic } from './explain-money.ts';
import { explain } from './explain.ts';
import type { Facts, OutcomeFact } from './facts.ts';
import type { Price } from './pricing.ts';

function pricedApi(price: Partial<Price>): Api {
  return buildApi({
    id: 'llm',
    routes: [buildRoute({ id: 'chat', apiId: 'llm', kind: 'chat', price: buildPrice(price) })],
  });
}

describe('money: hold -> settle -> release', () => {
  it('shows units times unit price and what went back', () => {
    const { money } = view(facts());
    expect(money?.lines).toEqual([
      { what: 'input tokens', units: 1204, unitPrice: '2.00 USD per 1M', amount: '0.002408 USD' },
      { what: 'output tokens', units: 350, unitPrice: '8.00 USD per 1M', amount: '0.0028 USD' },
    ]);
    expect(money?.releasedNano).toBe(42_000_000 - 5_208_000);
    expect(money && describeArithmetic(money)).toBe(
      '0.0420 USD held - 0.005208 USD charged = 0.036792 USD released.',
    );
    expect(money?.source).toBe('The upstream reported the token counts.');
  });

  it.each<[string, Partial<OutcomeFact>, string]>([
    [
      'a stream whose hold grew',
      { holdNano: 5_000_000 },
      '0.0050 USD held + 0.000208 USD held while it ran = 0.005208 USD charged.',
    ],
    [
      'an overrun',
      { holdNano: 5_000_000, overrunNano: 208_000 },
      '0.0050 USD held - 0.0050 USD charged = 0.0000 USD released. The call cost 0.005208 USD; the provider pays the other 0.000208 USD.',
    ],
    [
      'a failure after the hold',
      { costNano: 0 },
      '0.0420 USD held - 0.0000 USD charged = 0.0420 USD released.',
    ],
  ])('adds up: %s', (_title, members, text) => {
    const { money } = view(facts({ outcome: { ...OUTCOME, ...members } }));
    expect(money && describeArithmetic(money)).toBe(text);
  });

  it.each<[string, Partial<OutcomeFact>, readonly string[]]>([
    [
      'a flat price',
      { model: undefined, costNano: 1_000_000 },
      ['request: 1 x 0.0010 USD each = 0.0010 USD'],
    ],
    [
      'a flat price on top of the model',
      { costNano: 6_208_000 },
      [
        'request: 1 x 0.0010 USD each = 0.0010 USD',
        'input tokens: 1204 x 2.00 USD per 1M = 0.002408 USD',
        'output tokens: 350 x 8.00 USD per 1M = 0.0028 USD',
      ],
    ],
  ])('finds the price of the route: %s', (_title, members, expected) => {
    const catalog = { ...CATALOG, apis: [pricedApi({ perRequest: 1_000_000_000n })] };
    const { money } = explain(facts({ outcome: { ...OUTCOME, ...members } }), {
      catalog,
      formatTime: String,
    });
    const lines = money?.lines.map(
      ({ what, units, unitPrice, amount }) => `${what}: ${units} x ${unitPrice} = ${amount}`,
    );
    expect(lines).toEqual(expected);
  });

  it('says so when nothing was served', () => {
    const { money } = view(facts({ outcome: { ...OUTCOME, costNano: 0 } }));
    expect(money?.rounding).toBe('No successful answer was served, so nothing was charged.');
    expect(money?.lines).toEqual([]);
  });

  it('says who counted, and that the output was clamped', () => {
    const outcome = { ...OUTCOME, estimated: true, clampedOutputTokens: 1500 };
    expect(view(facts({ outcome })).money?.source).toBe(
      'The upstream reported no usage, so the gateway counted the tokens itself. The output was limited to 1,500 tokens, which is what the balance afforded.',
    );
  });

  it.each<[string, Partial<Facts>, RegExp]>([
    [
      'another configuration decided',
      { catalogVersion: 'ffffffffffff' },
      /^Decided under .*ffffffffffff/,
    ],
    [
      'the prices do not give what was charged',
      { outcome: { ...OUTCOME, costNano: 77 } },
      /^The cost was rounded once/,
    ],
    ['the model is gone', { outcome: { ...OUTCOME, model: 'gone' } }, /^The cost was rounded once/],
  ])('shows no price lines when %s', (_title, members, rounding) => {
    const { money } = view(facts(members));
    expect(money?.lines).toEqual([]);
    expect(money?.rounding).toMatch(rounding);
  });

  it('speaks of no hold when the hold was refused', () => {
    expect(view(noCredit).money).toBeUndefined();
  });
});

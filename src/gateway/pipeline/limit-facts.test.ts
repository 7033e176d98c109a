import { expect, it } from 'vitest';

import { AT, buildHolder, buildLimit, buildPlan } from '../../../test/support/build-catalog.ts';
import { buildExchange } from '../../../test/support/memory-exchange.ts';
import { accountsFor, ANY_CALL } from '../../domain/accounts.ts';
import { limitFactsOf } from './limit-facts.ts';

it('QUOTA-03: how much a quota allows is for the plan to say, how much there is of a balance for the books', () => {
  const exchange = buildExchange();
  const plan = buildPlan('free', { limits: [buildLimit(3)] });
  const specs = accountsFor(plan, buildHolder(), ANY_CALL, { asset: 'USD', at: AT });
  exchange.needs = specs.map((account) => ({ account, amount: 1 }));
  // As they were under another plan.
  const before = { allowance: 900, spent: 2, reserved: 0 };
  expect(limitFactsOf(exchange, () => before).limits).toMatchObject([
    { kind: 'quota', allowance: 3, spent: 2 },
    { kind: 'balance', allowance: 900, spent: 2 },
  ]);
  expect(limitFactsOf(exchange, () => undefined).limits).toMatchObject([
    { kind: 'quota', allowance: 3, spent: 0 },
    { kind: 'balance', allowance: 0, spent: 0 },
  ]);
});

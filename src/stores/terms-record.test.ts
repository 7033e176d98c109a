import fc from 'fast-check';
import { expect, it } from 'vitest';

import { buildLimit } from '../../test/support/build-catalog.ts';
import { type KeyTerms, PLAIN_KEY_TERMS } from '../domain/key-terms.ts';
import { PLAIN_TERMS, type TenantTerms } from '../domain/tenant-terms.ts';
import { formatTerms, parseKeyTerms, parseTenantTerms } from './terms-record.ts';

const name = fc.string({ maxLength: 12 });
const time = fc.option(fc.maxSafeNat(), { nil: undefined });

const someTenantTerms: fc.Arbitrary<TenantTerms> = fc.record({
  parentId: fc.option(name, { nil: undefined }),
  pooled: fc.boolean(),
  timeZone: name,
  billingAnchorAt: time,
  subscription: fc.record({
    state: fc.constantFrom('trialing', 'active', 'paused', 'canceled'),
    endsAt: time,
  }),
  payment: fc.record({
    method: fc.constantFrom('not_required', 'valid', 'missing', 'unverified', 'invalid'),
    failedAt: time,
    overdueInvoices: fc.array(name),
    disputed: fc.boolean(),
    reauthorizationRequired: fc.boolean(),
  }),
  account: fc.constantFrom('active', 'unverified', 'suspended', 'pending_approval'),
  overrides: fc.array(fc.record({ limitId: name, amount: fc.maxSafeNat(), expiresAt: time })),
  purchases: fc.array(fc.record({ id: name, addOnId: name, at: fc.maxSafeNat(), expiresAt: time })),
  overageAuthorizedUntil: time,
  budgetNano: time,
  budgetWindow: fc.constantFrom('lifetime', 'month', 'day'),
  enforcement: fc.constantFrom(undefined, 'observe', 'enforce'),
});

const someKeyTerms: fc.Arbitrary<KeyTerms> = fc.record({
  apis: fc.array(name),
  models: fc.array(name),
  operations: fc.array(name),
  addresses: fc.array(name),
  roles: fc.array(name),
  contextTokensMax: time,
  budgetWindow: fc.constantFrom('lifetime', 'month', 'day'),
  limits: fc.array(
    fc
      .record({
        id: name,
        amount: fc.maxSafeNat(),
        soft: fc.boolean(),
        overage: fc.oneof(
          fc.constant({ kind: 'block' as const }),
          fc.record({
            kind: fc.constantFrom('bill' as const, 'authorize' as const),
            // Beyond 2^53: a number would round it.
            unitPico: fc.bigInt({ min: 0n, max: 2n ** 80n }),
          }),
        ),
      })
      .map((members) => buildLimit(members.amount, { ...members, scope: 'key' })),
  ),
});

it('terms come back as they were written, prices beyond 2^53 to the last digit', () => {
  fc.assert(
    fc.property(someTenantTerms, (terms) => {
      expect(parseTenantTerms(formatTerms(terms))).toEqual(terms);
    }),
  );
  fc.assert(
    fc.property(someKeyTerms, (terms) => {
      expect(parseKeyTerms(formatTerms(terms))).toEqual(terms);
    }),
  );
});

it('a row of an earlier version reads as plain where it says nothing', () => {
  expect(parseTenantTerms('{}')).toStrictEqual(PLAIN_TERMS);
  expect(parseKeyTerms('{}')).toStrictEqual(PLAIN_KEY_TERMS);
  const older = '{"payment":{"disputed":true},"overrides":[{"limitId":"a","amount":5}]}';
  expect(parseTenantTerms(older)).toStrictEqual({
    ...PLAIN_TERMS,
    payment: { ...PLAIN_TERMS.payment, disputed: true },
    overrides: [{ limitId: 'a', amount: 5, expiresAt: undefined }],
  });
  const limit = '{"id":"a","unit":"requests","window":"day","scope":"key","amount":5}';
  expect(parseKeyTerms(`{"limits":[${limit}]}`).limits).toStrictEqual([
    buildLimit(5, { id: 'a', window: 'day', scope: 'key' }),
  ]);
});

it('a member that only a later version knows is kept when the row is written again', () => {
  const later = parseTenantTerms('{"colour":"green"}');
  expect(JSON.parse(formatTerms(later))).toMatchObject({ colour: 'green' });
});

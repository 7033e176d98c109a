import { describe, expect, it } from 'vitest';

import { AT, buildFacts, READ_ONLY } from '../../test/support/build-catalog.ts';
import type { DegradedProfile } from './catalog.ts';
import { type CallKind, standOf } from './standing.ts';
import { standUnder } from './stand-under.ts';
import { PLAIN_TERMS, type TenantTerms } from './tenant-terms.ts';

const DAY_MS = 86_400_000;
const OWES: Partial<TenantTerms> = {
  payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] },
};
const ENDED: Partial<TenantTerms> = { subscription: { state: 'trialing', endsAt: 1 } };
const FROM = { graceDays: 7, degraded: READ_ONLY };

function factsOf(terms: Partial<TenantTerms>, call: CallKind, members = {}) {
  const standing = standOf({ ...PLAIN_TERMS, ...terms }, FROM, call, AT);
  return buildFacts({ method: call === 'read' ? 'GET' : 'POST', standing, ...members });
}

describe('standUnder', () => {
  it('of nothing known nothing is known', () => {
    const to = { graceDays: 0, degraded: undefined };
    expect(standUnder(buildFacts(), { from: FROM, to }, undefined)).toBeUndefined();
  });

  it('a subscription that had ended runs again; what is owed beside it stays owed', () => {
    const change = { from: FROM, to: FROM };
    expect(standUnder(factsOf(ENDED, 'write'), change, undefined)).toBeUndefined();
    const both = standUnder(factsOf({ ...ENDED, ...OWES }, 'write'), change, undefined);
    expect(both).toMatchObject({ standing: 'delinquent', stillServed: false });
  });

  it.each<[string, CallKind, DegradedProfile | undefined, boolean]>([
    ['reading, as before', 'read', READ_ONLY, true],
    ['nothing', 'read', undefined, false],
    ['no more than it refuses now', 'write', { ...READ_ONLY, readOnly: false }, false],
  ])('who owes is served by the new plan: %s', (_what, call, degraded, stillServed) => {
    const change = { from: FROM, to: { graceDays: 7, degraded } };
    expect(standUnder(factsOf(OWES, call), change, undefined)).toMatchObject({ stillServed });
  });

  it('DEG-03: features that rest and contexts that are too long under the new plan are not served', () => {
    const to = (members: Partial<DegradedProfile>) => ({
      from: FROM,
      to: { graceDays: 7, degraded: { ...READ_ONLY, ...members } },
    });
    const feature = [{ kind: 'feature', id: 'reports', granted: true }];
    const context = [{ kind: 'context', id: 'plan', granted: true, needed: 50 }];
    const served = (entitlements: object, members: Partial<DegradedProfile>) =>
      standUnder(factsOf(OWES, 'read', { entitlements }), to(members), undefined)?.stillServed;
    expect(served(feature, { withheldFeatures: ['search'] })).toBe(true);
    expect(served(feature, { withheldFeatures: ['reports'] })).toBe(false);
    expect(served(context, { contextTokensMax: 50 })).toBe(true);
    expect(served(context, { contextTokensMax: 49 })).toBe(false);
  });

  it.each([
    [4, undefined],
    [3, 'PAYMENT_METHOD_INVALID'],
  ])('three days after a failure a plan that forgives %i says %s', (graceDays, code) => {
    const payment = { ...PLAIN_TERMS.payment, failedAt: AT - 3 * DAY_MS };
    const change = { from: FROM, to: { graceDays, degraded: undefined } };
    expect(standUnder(factsOf({ payment }, 'read'), change, undefined)?.code).toBe(code);
  });

  it('what a route says of itself counts', () => {
    const facts = factsOf(OWES, 'read');
    const change = { from: FROM, to: FROM };
    const under = (degradedAccess: 'allow' | 'refuse') =>
      standUnder(facts, change, { degradedAccess })?.stillServed;
    expect(under('allow')).toBe(true);
    expect(under('refuse')).toBe(false);
  });
});

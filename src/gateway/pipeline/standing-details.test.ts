import { describe, expect, it } from 'vitest';

import { AT, buildCatalog, buildPlan } from '../../../test/support/build-catalog.ts';
import { buildKeyWithTenant, buildTenant } from '../../../test/support/build-key.ts';
import { describeFacts } from '../../../test/support/describe-facts.ts';
import type { ProblemDetails } from '../../contract/problem-document.ts';
import type { DegradedProfile } from '../../domain/catalog.ts';
import type { Facts } from '../../domain/facts.ts';
import { standOf } from '../../domain/standing.ts';
import { PLAIN_TERMS, type TenantTerms } from '../../domain/tenant-terms.ts';
import type { KeyWithTenant } from '../../stores/store.ts';

const DAY_MS = 86_400_000;
const CATALOG = buildCatalog([buildPlan('free', { graceDays: 3 })]);
const PROFILE: DegradedProfile = {
  readOnly: true,
  duringGrace: true,
  contextTokensMax: undefined,
  rate: undefined,
  substitutes: new Map(),
  withheldFeatures: [],
};

function detailsOf(
  terms: Partial<TenantTerms>,
  more: {
    readonly facts?: Partial<Facts>;
    readonly degraded?: DegradedProfile;
    readonly found?: KeyWithTenant;
  } = {},
): ProblemDetails {
  const { degraded } = more;
  const standing = standOf({ ...PLAIN_TERMS, ...terms }, { graceDays: 3, degraded }, 'write', AT);
  return describeFacts(
    { standing, ...more.facts },
    {
      catalog: CATALOG,
      change: (exchange) => (exchange.degraded = degraded),
      ...(more.found === undefined ? {} : { found: more.found }),
    },
  );
}

const payment = (members: Partial<TenantTerms['payment']>): Partial<TenantTerms> => ({
  payment: { ...PLAIN_TERMS.payment, ...members },
});

describe('details of a standing', () => {
  it('what has ended, and when (SUB-13)', () => {
    const endsAt = AT - DAY_MS;
    const ended = { current_plan: 'free', current_plan_end_date: '2027-01-14T08:00:00.000Z' };
    expect(detailsOf({ subscription: { state: 'active', endsAt } })).toMatchObject(ended);
    expect(detailsOf({ subscription: { state: 'trialing', endsAt } })).toMatchObject(ended);
  });

  it('a failed charge: when the grace was over', () => {
    expect(detailsOf(payment({ failedAt: AT - 5 * DAY_MS }))).toMatchObject({
      grace_ended_at: '2027-01-13T08:00:00.000Z',
    });
    expect(detailsOf(payment({ method: 'invalid' }))).not.toHaveProperty('grace_ended_at');
  });

  it('the invoices by their ids (BILL-17)', () => {
    expect(detailsOf(payment({ overdueInvoices: ['inv_1', 'inv_2'] }))).toMatchObject({
      invoices: [{ id: 'inv_1' }, { id: 'inv_2' }],
    });
    expect(detailsOf(payment({ disputed: true }))).not.toHaveProperty('invoices');
  });

  it('SUB-15: whose subscription it is, when it is not the caller', () => {
    const pooled = { ...PLAIN_TERMS, pooled: true, parentId: 'ten_0' };
    const found = {
      ...buildKeyWithTenant(),
      tenant: buildTenant({ terms: pooled }),
      ancestors: [buildTenant({ id: 'ten_0', name: 'University' })],
    };
    const owes = payment({ disputed: true });
    expect(detailsOf(owes, { found })).toMatchObject({ account: 'University' });
    expect(detailsOf(owes)).not.toHaveProperty('account');
  });

  it('DEG-05: what is still served', () => {
    const owes = payment({ disputed: true });
    expect(detailsOf(owes, { degraded: PROFILE }).service_level).toBe('read_only');
    const writing = { ...PROFILE, readOnly: false };
    const entitlements = [{ kind: 'feature', id: 'x', granted: false }] as const;
    const other = detailsOf(owes, { degraded: writing, facts: { entitlements } });
    expect(other).toMatchObject({ service_level: 'degraded', feature: 'x' });
    expect(other).not.toHaveProperty('account');
    expect(detailsOf(owes)).not.toHaveProperty('service_level');
  });
});

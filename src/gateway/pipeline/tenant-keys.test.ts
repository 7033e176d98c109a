import { describe, expect, it } from 'vitest';

import {
  AT,
  buildCatalog,
  buildLimit,
  buildPlan,
  buildRateLimit,
} from '../../../test/support/build-catalog.ts';
import { buildKeyWithTenant, buildTenant } from '../../../test/support/build-key.ts';
import { ANY_CALL } from '../../domain/accounts.ts';
import type { Plan } from '../../domain/catalog.ts';
import { PLAIN_KEY_TERMS } from '../../domain/key-terms.ts';
import { PLAIN_TERMS } from '../../domain/tenant-terms.ts';
import type { ApiKey } from '../../stores/store.ts';
import { KeyAccess } from './key-access.ts';

const LIMITS = [buildLimit(1000), buildLimit(10, { id: 'tokens_per_day', unit: 'tokens' })];

/** Two keys of one tenant, the second found when the first was known. */
function openTwo(members: Partial<Plan>, second: Partial<ApiKey> = {}) {
  const catalog = buildCatalog([buildPlan('free', members)]);
  const one = new KeyAccess(buildKeyWithTenant(), catalog, AT);
  const found = buildKeyWithTenant({ id: 'key_2', ...second });
  return [one, new KeyAccess(found, catalog, AT, one.siblings)] as const;
}
const idsOf = ({ accounts }: KeyAccess) =>
  accounts.accountsAt(ANY_CALL, AT).map(({ spec }) => spec.id);

describe('TenantKeys (PERF-01: as fast with 100,000 keys as with one)', () => {
  it('keys of one tenant count in the same accounts, worked out once', () => {
    const [one, other] = openTwo({ limits: LIMITS, rateLimits: [buildRateLimit()] });
    expect(other.accounts).toBe(one.accounts);
    expect(other.rates).toBe(one.rates);
    expect([other.plan, other.tenant, other.key.terms]).toEqual([
      one.plan,
      one.tenant,
      PLAIN_KEY_TERMS,
    ]);
    expect([one.identity, other.identity]).toMatchObject([{ keyId: 'key_1' }, { keyId: 'key_2' }]);
  });

  it.each([
    ['a limit of each key', { limits: [buildLimit(1, { scope: 'key' })] }, {}],
    ['a budget of its own', { limits: LIMITS }, { budgetNano: 7 }],
    ['a quota of its own', { limits: LIMITS }, { terms: ownLimit() }],
  ] as const)('%s is counted by itself', (_what, plan, key) => {
    const [one, other] = openTwo(plan as Partial<Plan>, key);
    expect(other.accounts).not.toBe(one.accounts);
    expect(idsOf(other).some((id) => id.includes('key_2'))).toBe(true);
    expect(idsOf(one).some((id) => id.includes('key_2'))).toBe(false);
  });

  it('a rate of each key is taken from its own bucket', () => {
    const rate = buildRateLimit({ id: 'key_rate', scope: 'key' });
    const [one, other] = openTwo({ rateLimits: [rate] });
    expect([one, other].map(({ rates }) => rates[0]?.bucketId)).toEqual([
      'rate:key_1:key_rate',
      'rate:key_2:key_rate',
    ]);
  });

  it('holds for a key that is found with the same tenant, until something of it ends', () => {
    const override = { limitId: 'requests_per_month', amount: 5, expiresAt: AT + 10 };
    const tenant = buildTenant({ terms: { ...PLAIN_TERMS, overrides: [override] } });
    const found = { ...buildKeyWithTenant(), tenant };
    const { siblings } = new KeyAccess(found, buildCatalog([buildPlan('free')]), AT);
    const again = structuredClone(found);
    expect([siblings.holdsFor(again, AT + 9), siblings.holdsFor(again, AT + 10)]).toEqual([
      true,
      false,
    ]);
    const others = [
      { ...again, tenant: { ...tenant, planId: 'pro' } },
      { ...again, ancestors: [buildTenant({ id: 'org' })] },
    ];
    expect(others.map((other) => siblings.holdsFor(other, AT))).toEqual([false, false]);
  });
});

function ownLimit() {
  return { ...PLAIN_KEY_TERMS, limits: [buildLimit(3)] };
}

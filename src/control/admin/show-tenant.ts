import type { AccountSpec } from '../../domain/accounts.ts';
import type { Catalog } from '../../domain/catalog.ts';
import { PLAIN_KEY_TERMS } from '../../domain/key-terms.ts';
import { standOf } from '../../domain/standing.ts';
import { accessOf, type TenantAccess } from '../../domain/tenant-access.ts';
import type { AccountBalance, Store, Tenant } from '../../stores/store.ts';
import { ACCOUNTS_WAIT_MS, balanceOf, viewBalance } from '../public/balance.ts';
import { ancestorsOf } from '../public/tenant-chain.ts';
import {
  type CountedLimit,
  everyLimit,
  ofAccount,
  partsOf,
  viewLimit,
} from '../public/usage-limits.ts';
import { viewStanding } from '../public/usage-terms.ts';
import type { AdminDeps } from './admin-deps.ts';
import { viewTenant } from './view-tenant.ts';

/** Limits of single keys that are listed: those used most. */
const KEY_LIMITS_MAX = 100;
/** No key in particular: what belongs to one is listed once it is used. */
const NO_KEY = { id: '', budgetNano: undefined, terms: PLAIN_KEY_TERMS };

/** A tenant in full: what is agreed, how it stands, and exact numbers of its money and limits. */
export async function describeTenant(deps: AdminDeps, tenant: Tenant): Promise<object> {
  const now = deps.now();
  const catalog = deps.catalog();
  const ancestors = await ancestorsOf(deps.store, tenant);
  const chain = [tenant, ...ancestors];
  const head = viewTenant(tenant, catalog, now);
  // A plan that has left the configuration: its limits are not known, the money is.
  if (chain.some(({ planId }) => !catalog.plans.has(planId))) {
    const accounts = await deps.store.accounts(tenant.id, now, ACCOUNTS_WAIT_MS);
    const balance = viewBalance(balanceOf(accounts, tenant.id, catalog.asset));
    return { ...head, plan_version: null, plan_title: null, balance, limits: [] };
  }
  const access = accessOf({ key: NO_KEY, tenant, ancestors }, catalog, now);
  return { ...head, ...(await describeAccess(deps.store, access, catalog, now)) };
}

async function describeAccess(
  store: Pick<Store, 'accounts'>,
  { plan, payer, holder }: TenantAccess,
  catalog: Catalog,
  now: number,
): Promise<object> {
  const { asset } = catalog;
  const every = everyLimit({ plan, holder, asset, at: now });
  const limits = every.filter(({ label }) => label.scope !== 'key');
  const owners = new Set([payer.id, holder.tenantId, ...limits.map(({ spec }) => spec.tenantId)]);
  const lists = await Promise.all(
    [...owners].map((owner) => store.accounts(owner, now, ACCOUNTS_WAIT_MS)),
  );
  const accounts = lists.flat();
  const byId = new Map(accounts.map((account) => [account.spec.id, account]));
  const listed = limits.flatMap((limit) => partsOf(limit, accounts).parts);
  const ofKeys = keyLimitsOf(accounts, holder.tenantId, now).map((limit) => asOfNow(limit, every));
  return {
    plan_version: plan.version,
    plan_title: plan.title,
    paid_by: payer.id,
    standing: viewStanding(standOf(payer.terms, plan, 'write', now)),
    balance: viewBalance(balanceOf(accounts, payer.id, asset)),
    limits: [...listed, ...ofKeys].map((limit) => ({
      ...viewLimit(limit, byId, asset),
      key_id: limit.label.keyId ?? null,
    })),
  };
}

/** Of windows that are not over. They are its own keys', whoever pays for their calls. */
function keyLimitsOf(
  accounts: readonly AccountBalance[],
  tenantId: string,
  now: number,
): readonly CountedLimit[] {
  return accounts
    .filter(({ spec }) => spec.tenantId === tenantId && isKeyLimit(spec, now))
    .toSorted((left, right) => (left.spent < right.spent ? 1 : -1))
    .slice(0, KEY_LIMITS_MAX)
    .flatMap(({ spec, allowance }) => {
      const { limit: label } = spec;
      if (label === undefined) return [];
      return [{ spec: { ...spec, allowance: Number(allowance) }, label, rule: undefined }];
    });
}

/** As the present plan has it: the account has what an earlier one said until the next call of its key. */
function asOfNow(limit: CountedLimit, every: readonly CountedLimit[]): CountedLimit {
  const { id, from } = limit.label;
  const now = every.find(
    ({ label }) => label.scope === 'key' && label.id === id && label.from === from,
  );
  return now === undefined || from !== undefined ? limit : ofAccount(now, limit.spec);
}

function isKeyLimit({ id, limit, windowEndsAt }: AccountSpec, now: number): boolean {
  if (limit?.scope !== 'key' || id.endsWith(':over')) return false;
  return windowEndsAt === undefined || windowEndsAt > now;
}

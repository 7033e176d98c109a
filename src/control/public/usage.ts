import type { Hono } from 'hono';

import type { Catalog } from '../../domain/catalog.ts';
import { accessOf, type TenantAccess } from '../../domain/tenant-access.ts';
import { formatDecimal } from '../../domain/money.ts';
import { standOf } from '../../domain/standing.ts';
import type { AccountBalance, ApiKey, Tenant } from '../../stores/store.ts';
import { refuseCaller, sendJson } from './answers.ts';
import { ACCOUNTS_WAIT_MS, balanceOf, viewBalance } from './balance.ts';
import type { PublicContext, PublicDeps, PublicEnv } from './public-deps.ts';
import { ancestorsOf } from './tenant-chain.ts';
import { isoTime } from './time-words.ts';
import { everyLimit, partsOf, viewLimit } from './usage-limits.ts';
import { viewAgreed, viewEntitlements, viewRateLimits, viewStanding } from './usage-terms.ts';

/** QUOTA-14: what a key has used and has left, exact, and callable when everything is used up. */
export function mountUsage(app: Hono<PublicEnv>, deps: PublicDeps): void {
  app.get('/v1/usage', (context) => sendUsage(context, deps));
}

async function sendUsage(context: PublicContext, deps: PublicDeps): Promise<Response> {
  const identity = await deps.identify(context.req.raw.headers);
  if (identity.kind === 'refused')
    return refuseCaller(context, deps, identity, { dialect: 'openai' });
  const { key } = identity;
  const at = deps.now();
  const catalog = deps.catalog();
  // What was agreed a moment ago counts, also when the gateway that answers has not heard of it.
  const tenant = (await deps.store.tenant(identity.tenant.id)) ?? identity.tenant;
  const ancestors = await ancestorsOf(deps.store, tenant);
  const head = { tenant_id: tenant.id, as_of: isoTime(at), key: viewKey(key) };
  const chain = [tenant, ...ancestors];
  if (chain.some(({ planId }) => !catalog.plans.has(planId))) {
    return sendJson(context, { ...head, ...(await viewPlanless(deps, tenant, at)) });
  }
  const access = accessOf({ key, tenant, ancestors }, catalog, at);
  return sendJson(context, { ...head, ...(await viewUsage(deps, access, catalog, at)) });
}

/** A plan that has left the configuration: its limits are not known, the money is. */
async function viewPlanless(deps: PublicDeps, tenant: Tenant, at: number): Promise<object> {
  const { asset } = deps.catalog();
  const accounts = await deps.store.accounts(tenant.id, at, ACCOUNTS_WAIT_MS);
  return {
    plan: { id: tenant.planId, version: null, title: null },
    balance: viewBalance(balanceOf(accounts, tenant.id, asset)),
    limits: [],
  };
}

async function viewUsage(
  deps: PublicDeps,
  access: TenantAccess,
  catalog: Catalog,
  at: number,
): Promise<object> {
  const { plan, payer, holder } = access;
  const { asset } = catalog;
  const limits = everyLimit({ plan, holder, asset, at });
  const owners = new Set([payer.id, ...limits.map(({ spec }) => spec.tenantId)]);
  const accounts = await readAccounts(deps, owners, at);
  const byId = new Map(accounts.map((account) => [account.spec.id, account]));
  const listed = limits.map((limit) => partsOf(limit, accounts));
  return {
    ...(payer.id === holder.tenantId ? {} : { paid_by: payer.id }),
    plan: {
      id: plan.id,
      version: plan.version,
      title: plan.title,
      usage: plan.usage,
      enforcement: plan.enforcement,
    },
    balance: viewBalance(balanceOf(accounts, payer.id, asset)),
    standing: viewStanding(standOf(payer.terms, plan, 'write', at)),
    limits: listed.flatMap(({ parts }) => parts.map((part) => viewLimit(part, byId, asset))),
    limits_left_off: listed.reduce((sum, { leftOff }) => sum + leftOff, 0),
    rate_limits: viewRateLimits(access),
    entitlements: viewEntitlements(plan),
    ...viewAgreed(payer.terms, plan, catalog, at),
  };
}

/** Exact once every gateway has answered; all owners are asked at the same time. */
async function readAccounts(
  { store }: PublicDeps,
  owners: ReadonlySet<string>,
  at: number,
): Promise<readonly AccountBalance[]> {
  const lists = await Promise.all(
    [...owners].map((owner) => store.accounts(owner, at, ACCOUNTS_WAIT_MS)),
  );
  return lists.flat();
}

function viewKey(key: ApiKey): object {
  const { apis, models, operations, addresses, roles, contextTokensMax, budgetWindow } = key.terms;
  return {
    id: key.id,
    hint: key.hint,
    environment: key.environment,
    budget: key.budgetNano === undefined ? null : formatDecimal(BigInt(key.budgetNano), 9),
    budget_per: key.budgetNano === undefined ? null : budgetWindow,
    expires_at: key.expiresAt === undefined ? null : isoTime(key.expiresAt),
    // Empty = all.
    may_use: { apis, models, operations, addresses },
    roles,
    context_tokens_max: contextTokensMax ?? null,
  };
}

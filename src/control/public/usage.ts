import type { Hono } from 'hono';

import { accountsFor } from '../../domain/accounts.ts';
import type { AccountSpec } from '../../domain/accounts.ts';
import { formatDecimal, toSafeNumber } from '../../domain/money.ts';
import type { AccountBalance, ApiKey } from '../../stores/store.ts';
import { refuseCaller, sendJson } from './answers.ts';
import { ACCOUNTS_WAIT_MS, balanceOf, viewBalance } from './balance.ts';
import type { PublicContext, PublicDeps, PublicEnv } from './public-deps.ts';
import { isoTime } from './time-words.ts';

/** QUOTA-14: what a key has used and has left, exact, and callable when everything is used up. */
export function mountUsage(app: Hono<PublicEnv>, deps: PublicDeps): void {
  app.get('/v1/usage', (context) => sendUsage(context, deps));
}

async function sendUsage(context: PublicContext, deps: PublicDeps): Promise<Response> {
  const identity = await deps.identify(context.req.raw.headers);
  if (identity.kind === 'refused') return refuseCaller(context, deps, identity, 'openai');
  const { key, tenant } = identity;
  const now = deps.now();
  const { asset, plans } = deps.catalog();
  const plan = plans.get(tenant.planId);
  const holder = { tenantId: tenant.id, keyId: key.id, budgetNano: key.budgetNano };
  const specs = plan === undefined ? [] : accountsFor(plan, holder, asset, now);
  const accounts = await deps.store.accounts(tenant.id, now, ACCOUNTS_WAIT_MS);
  return sendJson(context, {
    tenant_id: tenant.id,
    plan: {
      id: tenant.planId,
      version: plan?.version ?? null,
      title: plan?.title ?? null,
    },
    key: viewKey(key),
    balance: viewBalance(balanceOf(accounts, tenant.id, asset)),
    limits: specs.flatMap((spec) => viewLimit(spec, accounts, asset)),
    as_of: isoTime(now),
  });
}

function viewKey(key: ApiKey): object {
  return {
    id: key.id,
    hint: key.hint,
    budget: key.budgetNano === undefined ? null : formatDecimal(BigInt(key.budgetNano), 9),
    expires_at: key.expiresAt === undefined ? null : isoTime(key.expiresAt),
  };
}

/**
 * None for a balance. A limit nothing has touched yet is there with 0 used: the store learns of an account with
 * its first call.
 */
function viewLimit(
  spec: AccountSpec,
  accounts: readonly AccountBalance[],
  asset: string,
): readonly object[] {
  const { limit, unit, windowEndsAt } = spec;
  if (limit === undefined) return [];
  const account = accounts.find((each) => each.spec.id === spec.id);
  return [
    {
      id: limit.id,
      unit,
      ...(unit === 'spend' ? { asset } : {}),
      window: limit.window,
      scope: limit.scope,
      ...viewNumbers(spec, account?.spent ?? 0n, account?.reserved ?? 0n),
      resets_at: windowEndsAt === undefined ? null : isoTime(windowEndsAt),
    },
  ];
}

/** Counts are numbers and money is a decimal string, as in the 402 contract. */
function viewNumbers(spec: AccountSpec, used: bigint, held: bigint): object {
  const allowed = BigInt(spec.allowance);
  const left = allowed - used - held;
  const quantity = (units: bigint) =>
    spec.unit === 'spend' ? formatDecimal(units, 9) : toSafeNumber(units);
  return {
    limit: quantity(allowed),
    used: quantity(used),
    held: quantity(held),
    // A smaller plan can leave more used than allowed.
    remaining: quantity(left > 0n ? left : 0n),
  };
}

import type { Limit, LimitScope, LimitUnit, LimitWindow, Plan, RateLimit } from './catalog.ts';
import { windowOf } from './window.ts';

/** What an account is. Two processes that mean the same account name it alike: `id` = owner, limit, window. */
export interface AccountSpec {
  readonly id: string;
  readonly tenantId: string;
  /** `balance`: money from grants. `quota`: an allowance of one window. */
  readonly kind: 'balance' | 'quota';
  /** Asset of a balance (`USD`) or unit of a quota. */
  readonly unit: string;
  /** Quota only: what the window allows. */
  readonly allowance: number;
  /** Quota only: when the window ends; undefined = lifetime. */
  readonly windowEndsAt: number | undefined;
  /** Undefined on balances. */
  readonly limit: LimitLabel | undefined;
}

/** How people are told which limit it is. */
export interface LimitLabel {
  /** `requests_per_month`, `key_budget`. */
  readonly id: string;
  readonly unit: LimitUnit;
  readonly window: LimitWindow;
  readonly scope: LimitScope;
  readonly keyId: string | undefined;
}

/** Whose accounts: the members of a tenant and key that accounts depend on. */
export interface AccountHolder {
  readonly tenantId: string;
  readonly keyId: string;
  readonly budgetNano: number | undefined;
}

export function balanceAccount(tenantId: string, asset: string): AccountSpec {
  return {
    id: `bal:${tenantId}:${asset}`,
    tenantId,
    kind: 'balance',
    unit: asset,
    allowance: 0,
    windowEndsAt: undefined,
    limit: undefined,
  };
}

/**
 * Every account a call of this key may touch at `at`: quotas in the plan's order, the key's budget,
 * then the balance. A changed plan keeps the ids, so what is used stays used (QUOTA-03).
 */
export function accountsFor(
  plan: Plan,
  holder: AccountHolder,
  asset: string,
  at: number,
): readonly AccountSpec[] {
  const accounts = plan.limits.map((limit) => quotaAccount(limit, holder, at));
  if (holder.budgetNano !== undefined) accounts.push(budgetAccount(holder.budgetNano, holder));
  if (plan.usage === 'prepaid') accounts.push(balanceAccount(holder.tenantId, asset));
  return accounts;
}

/** Shared GCRA bucket of a protective limit. */
export function bucketId(limit: RateLimit, holder: AccountHolder): string {
  return `rate:${limit.scope === 'key' ? holder.keyId : holder.tenantId}:${limit.id}`;
}

function quotaAccount(limit: Limit, holder: AccountHolder, at: number): AccountSpec {
  const window = windowOf(limit.window, at);
  const keyId = limit.scope === 'key' ? holder.keyId : undefined;
  return {
    id: `quo:${keyId ?? holder.tenantId}:${limit.id}:${window.id}`,
    tenantId: holder.tenantId,
    kind: 'quota',
    unit: limit.unit,
    allowance: limit.amount,
    windowEndsAt: window.endsAt,
    limit: { id: limit.id, unit: limit.unit, window: limit.window, scope: limit.scope, keyId },
  };
}

function budgetAccount(budgetNano: number, holder: AccountHolder): AccountSpec {
  return {
    id: `quo:${holder.keyId}:key_budget:lifetime`,
    tenantId: holder.tenantId,
    kind: 'quota',
    unit: 'spend',
    allowance: budgetNano,
    windowEndsAt: undefined,
    limit: {
      id: 'key_budget',
      unit: 'spend',
      window: 'lifetime',
      scope: 'key',
      keyId: holder.keyId,
    },
  };
}

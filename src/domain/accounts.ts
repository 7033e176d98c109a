import type { BudgetNode } from './budget-tree.ts';
import type {
  Limit,
  LimitClass,
  LimitScope,
  LimitUnit,
  LimitWindow,
  OveragePolicy,
  Plan,
  RateLimit,
} from './catalog.ts';
import { inRefusalOrder } from './refusal-order.ts';
import { isSliding, slidingPeriodMs } from './sliding-window.ts';
import { isSlot } from './take.ts';
import { type Calendar, windowOf } from './window.ts';

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
  /** Quota only: when the window ends; undefined = lifetime, or what slides. */
  readonly windowEndsAt: number | undefined;
  /** Of a quota that slides: what is spent comes free again after so many ms. Absent = it does not. */
  readonly slidingMs?: number;
  /** Undefined on balances. */
  readonly limit: LimitLabel | undefined;
  /** What units beyond the allowance cost; absent = they are refused. No part of the account's identity. */
  readonly overage?: Exclude<OveragePolicy, { kind: 'block' }>;
}

/** How people are told which limit it is. */
export interface LimitLabel {
  /** `requests_per_month`, `key_budget`. */
  readonly id: string;
  readonly unit: LimitUnit;
  readonly window: LimitWindow;
  readonly scope: LimitScope;
  readonly keyId: string | undefined;
  /** The end user, model, route or operation that is counted by itself. */
  readonly of?: string;
  /** Absent = commercial. */
  readonly class?: LimitClass;
  /** Counted and warned about from this many on, never refused: the account's allowance has no end. */
  readonly softAt?: number;
  /** Whose rule it is when it is not the plan's: no purchase of this tenant changes it. */
  readonly from?: 'key' | 'tenant' | 'ancestor' | 'house';
}

/** Whose accounts: the members of a tenant and key that accounts depend on. */
export interface AccountHolder {
  readonly tenantId: string;
  /** Whose plan and balance it draws on: its own, or those of the pool it belongs to (PLAN-16). */
  readonly payerId: string;
  readonly keyId: string;
  /** Of the key, its tenant and all above it, nearest first. */
  readonly budgets: readonly BudgetNode[];
  /** Quotas of the key alone (KEY-02). */
  readonly keyLimits: readonly Limit[];
  readonly calendar: Calendar;
  /** The tenants above who pays, nearest first: their limits hold too. */
  readonly ancestors: readonly LimitHolder[];
  /** The provider's own limits, over all callers. */
  readonly houseLimits: readonly Limit[];
}

export interface LimitHolder {
  readonly tenantId: string;
  readonly limits: readonly Limit[];
  readonly calendar: Calendar;
}

/** What a call is counted as. */
export interface CountedCall {
  readonly routeId: string;
  readonly operation: string;
  readonly model: string | undefined;
  /** As the caller names it; undefined = none named: those are counted together. */
  readonly endUser: string | undefined;
}

/** No call in particular: what is counted whatever is called. */
export const ANY_CALL: CountedCall = {
  routeId: '',
  operation: '',
  model: undefined,
  endUser: undefined,
};

/** Owner of what belongs to no tenant. */
export const HOUSE = 'house';
const THE_HOUSE: Owner = {
  tenantId: HOUSE,
  calendar: { timeZone: 'UTC', billingAnchorAt: undefined },
  from: 'house',
};
/** More than anything counts: an account that only counts. */
const NO_END = Number.MAX_SAFE_INTEGER;

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
 * Every account this call touches at `at`, in the order they refuse in: commercial quotas, the budgets, the
 * balance, then protective quotas (what is exceeded beside money or a commercial limit is 402). Of the quotas the
 * one that opens again last comes before the others (`inRefusalOrder`), so that nobody is told to wait a minute for
 * what is gone for the month. A changed plan keeps the ids, so what is used stays used (QUOTA-03).
 */
export function accountsFor(
  plan: Pick<Plan, 'limits' | 'usage'>,
  holder: AccountHolder,
  call: CountedCall,
  terms: { readonly asset: string; readonly at: number },
): readonly AccountSpec[] {
  const own = { tenantId: holder.payerId, calendar: holder.calendar };
  const counting = { holder, call, ...terms };
  const limits = inRefusalOrder(
    [
      ...quotas(plan.limits, own, counting),
      ...quotas(holder.keyLimits, { ...own, tenantId: holder.tenantId, from: 'key' }, counting),
      ...holder.ancestors.flatMap((each) =>
        quotas(each.limits, { ...each, from: 'ancestor' }, counting),
      ),
      ...quotas(holder.houseLimits, THE_HOUSE, counting),
    ],
    terms.at,
  );
  const budgets = holder.budgets.map((budget) => budgetAccount(budget, terms));
  const money = inRefusalOrder(budgets, terms.at);
  if (plan.usage === 'prepaid') money.push(balanceAccount(holder.payerId, terms.asset));
  const protectsFrom = limits.findIndex(({ limit }) => limit?.class === 'protective');
  if (protectsFrom < 0) return [...limits, ...money];
  return [...limits.slice(0, protectsFrom), ...money, ...limits.slice(protectsFrom)];
}

/** Where units beyond an allowance are counted that are billed one by one (PLAN-11). */
export function overageAccount(spec: AccountSpec): AccountSpec {
  const { id, tenantId, kind, unit, windowEndsAt, slidingMs, limit } = spec;
  const over = { id: `${id}:over`, tenantId, kind, unit, allowance: NO_END, windowEndsAt, limit };
  return slidingMs === undefined ? over : { ...over, slidingMs };
}

/** Shared GCRA bucket of a rate limit. `from`: of a tenant above, whose limit of each key is not the key's own plan's. */
export function bucketId(
  { id, scope }: RateLimit,
  { tenantId, keyId }: Pick<AccountHolder, 'tenantId' | 'keyId'>,
  from?: 'ancestor',
): string {
  if (scope !== 'key') return `rate:${tenantId}:${id}`;
  return from === undefined ? `rate:${keyId}:${id}` : `rate:${tenantId}/key/${keyId}:${id}`;
}

interface Counting {
  readonly holder: AccountHolder;
  readonly call: CountedCall;
  readonly asset: string;
  readonly at: number;
}
interface Owner extends Pick<LimitHolder, 'tenantId' | 'calendar'> {
  readonly from?: NonNullable<LimitLabel['from']>;
}

function quotas(limits: readonly Limit[], owner: Owner, counting: Counting): AccountSpec[] {
  return limits
    .filter((limit) => counts(limit, counting.call))
    .map((limit) => quotaAccount(limit, owner, counting));
}

/** Whether the limit is about this call at all. */
export function counts(limit: Limit, call: Omit<CountedCall, 'endUser'>): boolean {
  if (limit.scope === 'model' && call.model === undefined) return false;
  return (
    includes(limit.models, call.model) &&
    includes(limit.routes, call.routeId) &&
    includes(limit.operations, call.operation)
  );
}

function includes(names: readonly string[], name: string | undefined): boolean {
  return names.length === 0 || (name !== undefined && names.includes(name));
}

function quotaAccount(limit: Limit, owner: Owner, counting: Counting): AccountSpec {
  const { holder, call, asset, at } = counting;
  const window = isSlot(limit.unit)
    ? { id: 'now', endsAt: undefined }
    : windowOf(limit.window, at, owner.calendar);
  const { account, tenantId = owner.tenantId, of } = ownerOf(limit.scope, owner, holder, call);
  return {
    id: `quo:${account}:${countedName(limit)}:${countedIn(window.id, limit.unit, asset)}`,
    tenantId,
    kind: 'quota',
    unit: limit.unit,
    allowance: limit.soft ? NO_END : limit.amount,
    windowEndsAt: window.endsAt,
    ...(isSliding(limit.window) ? { slidingMs: slidingPeriodMs(limit.window) } : {}),
    limit: {
      id: limit.id,
      unit: limit.unit,
      window: limit.window,
      scope: limit.scope,
      keyId: limit.scope === 'key' ? holder.keyId : undefined,
      ...(of === undefined ? {} : { of }),
      ...(limit.class === 'protective' ? { class: limit.class } : {}),
      ...(limit.soft ? { softAt: limit.amount } : {}),
      ...(owner.from === undefined ? {} : { from: owner.from }),
    },
    ...(limit.overage.kind === 'block' ? {} : { overage: limit.overage }),
  };
}

/**
 * An id of somebody's choosing does not say what it counts: the account does, so that a limit that is given another unit
 * begins anew instead of adding bytes to calls.
 */
function countedName({ id, unit, window, scope }: Limit): string {
  const prefix = scope === 'tenant' ? '' : `${scope}_`;
  const saysUnit = id === `${prefix}${unit}_per_${window}` || id === `${prefix}${unit}`;
  return saysUnit ? id : `${id}.${unit}`;
}

/** What was spent in one asset is none of another, which the gateway may be started with. */
function countedIn(windowId: string, unit: LimitUnit, asset: string): string {
  return unit === 'spend' ? `${windowId}.${asset}` : windowId;
}

/** Which of the tenants above has the rule that a quota counts for: its account is named by it. */
export function ruleOwnerOf({ id }: Pick<AccountSpec, 'id'>): string | undefined {
  return /^quo:([^:/]+)/.exec(id)?.[1];
}

interface AccountOwner {
  readonly account: string;
  /** Whose account it is when it is not the limit's owner's. */
  readonly tenantId?: string;
  readonly of?: string;
}

/** Limits of a plan, of a key and of a tenant above may have the same id: each is counted by itself. */
function ownerOf(
  scope: LimitScope,
  owner: Owner,
  holder: AccountHolder,
  call: CountedCall,
): AccountOwner {
  const base = owner.from === 'key' ? `${holder.keyId}/own` : owner.tenantId;
  switch (scope) {
    case 'global':
      return { account: HOUSE, tenantId: HOUSE };
    case 'tenant':
      return { account: base };
    case 'app':
    case 'key':
      return owner.from === 'key' ? { account: base } : below(scope, owner, holder);
    case 'end_user':
      return part(base, 'user', call.endUser);
    case 'model':
      return part(base, 'model', call.model);
    case 'route':
      return part(base, 'route', call.routeId);
    case 'operation':
      return part(base, 'operation', call.operation);
  }
}

/** An account of the key's own tenant, whoever pays: who pays may change, whose account it is may not. */
function below(kind: 'app' | 'key', owner: Owner, holder: AccountHolder): AccountOwner {
  const { tenantId, keyId } = holder;
  const prefix = owner.from === 'ancestor' ? `${owner.tenantId}/${kind}/` : '';
  return { account: `${prefix}${kind === 'key' ? keyId : tenantId}`, tenantId };
}

/** Names that callers choose are escaped: `a:b` of one limit must not be `a` of another. */
function part(base: string, kind: string, name = ''): AccountOwner {
  return { account: `${base}/${kind}/${encodeURIComponent(name)}`, of: name };
}

function budgetAccount(
  budget: BudgetNode,
  { asset, at }: Pick<Counting, 'asset' | 'at'>,
): AccountSpec {
  const { id, ownerId, tenantId, from, amountNano, window, calendar } = budget;
  const { id: windowId, endsAt } = windowOf(window, at, calendar);
  const scope = from === 'key' ? 'key' : 'tenant';
  return {
    id: `quo:${ownerId}:${id}:${countedIn(windowId, 'spend', asset)}`,
    tenantId,
    kind: 'quota',
    unit: 'spend',
    allowance: amountNano,
    windowEndsAt: endsAt,
    limit: {
      id,
      unit: 'spend',
      window,
      scope,
      keyId: from === 'key' ? ownerId : undefined,
      from,
    },
  };
}

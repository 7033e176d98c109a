import {
  type AccountHolder,
  type AccountSpec,
  accountsFor,
  type LimitLabel,
  overageAccount,
} from '../../domain/accounts.ts';
import type { Limit } from '../../domain/catalog.ts';
import type { EffectivePlan } from '../../domain/effective-plan.ts';
import { formatDecimal, formatMoney, toSafeNumber } from '../../domain/money.ts';
import { overageNano } from '../../domain/overage.ts';
import type { AccountBalance } from '../../stores/store.ts';
import { isoTime } from './time-words.ts';

/** End users, models, routes and operations of one limit that are listed by themselves: those used most. */
export const PARTS_MAX = 100;

export interface LimitSource {
  readonly plan: EffectivePlan;
  readonly holder: AccountHolder;
  readonly asset: string;
  /** Epoch ms. */
  readonly at: number;
}

/** One limit that is counted, or may be, with the rule it comes from. */
export interface CountedLimit {
  readonly spec: AccountSpec;
  readonly label: LimitLabel;
  readonly rule: Limit | undefined;
}

/** A call of no model, route and operation in particular: gives each limit's account without its part. */
const EVERY_PART = { routeId: '', operation: '', model: '', endUser: undefined } as const;

/**
 * Every limit that some call of this key counts against, whatever it is restricted to, in the order they refuse in.
 * One that counts end users or models by themselves is there once, for the part that has no name.
 */
export function everyLimit({ plan, holder, asset, at }: LimitSource): readonly CountedLimit[] {
  const specs = accountsFor(
    { ...plan, limits: plan.limits.map(liftRestrictions) },
    {
      ...holder,
      keyLimits: holder.keyLimits.map(liftRestrictions),
      ancestors: holder.ancestors.map((each) => ({
        ...each,
        limits: each.limits.map(liftRestrictions),
      })),
      houseLimits: holder.houseLimits.map(liftRestrictions),
    },
    EVERY_PART,
    { asset, at },
  );
  return specs.flatMap((spec) => {
    const { limit: label } = spec;
    // A balance is no limit.
    return label === undefined
      ? []
      : [{ spec, label, rule: ruleBehind(spec, label, holder, plan) }];
  });
}

function liftRestrictions(limit: Limit): Limit {
  return { ...limit, models: [], routes: [], operations: [] };
}

function ruleBehind(
  { tenantId }: AccountSpec,
  { id, from }: LimitLabel,
  holder: AccountHolder,
  plan: EffectivePlan,
): Limit | undefined {
  const rules = {
    plan: plan.limits,
    key: holder.keyLimits,
    // Its budget: nothing restricts that.
    tenant: [],
    ancestor: holder.ancestors.find((each) => each.tenantId === tenantId)?.limits ?? [],
    house: holder.houseLimits,
  };
  return rules[from ?? 'plan'].find((rule) => rule.id === id);
}

/**
 * Where the store's numbers of a limit are: its account, or one account for each part that was used. What they may be
 * used to is the limit's: the store has what the plan said when their last call came.
 */
export function partsOf(
  limit: CountedLimit,
  accounts: readonly AccountBalance[],
): { readonly parts: readonly CountedLimit[]; readonly leftOff: number } {
  if (limit.label.of === undefined) return { parts: [limit], leftOff: 0 };
  const { before, after } = aroundPart(limit.spec.id);
  const used = accounts
    .filter(({ spec: { id } }) => id.startsWith(before) && id.endsWith(after))
    .toSorted((left, right) => (left.spent < right.spent ? 1 : -1));
  const parts = used.slice(0, PARTS_MAX).map(({ spec }) => ofAccount(limit, spec));
  return { parts: parts.length === 0 ? [limit] : parts, leftOff: used.length - parts.length };
}

/** The same limit, as this account counts it: of another key, or another part of what is called. */
export function ofAccount(limit: CountedLimit, { id, limit: counted }: AccountSpec): CountedLimit {
  const { keyId, of } = counted ?? limit.label;
  const label = { ...limit.label, keyId, ...(of === undefined ? {} : { of }) };
  return { ...limit, spec: { ...limit.spec, id }, label };
}

/** `quo:ten_1/model/:large:2026-11` -> what stands before and after the name of the part. */
function aroundPart(id: string): { readonly before: string; readonly after: string } {
  const end = id.lastIndexOf('/') + 1;
  return { before: id.slice(0, end), after: id.slice(end) };
}

/**
 * One limit in numbers. A limit nothing has touched yet is there with 0 used: the store learns of an account with
 * its first call.
 */
export function viewLimit(
  { spec, label, rule }: CountedLimit,
  accounts: ReadonlyMap<string, AccountBalance>,
  asset: string,
): object {
  const { unit } = spec;
  const account = accounts.get(spec.id);
  const resetsAt = spec.windowEndsAt ?? account?.resetsAt;
  return {
    id: label.id,
    unit,
    ...(unit === 'spend' ? { asset } : {}),
    window: label.window,
    scope: label.scope,
    ...viewPart(label),
    class: label.class ?? 'commercial',
    ...(label.softAt === undefined ? {} : { soft: true }),
    from: label.from ?? 'plan',
    ...viewRestrictions(rule),
    ...viewNumbers(spec, label, account),
    resets_at: resetsAt === undefined ? null : isoTime(resetsAt),
    ...viewOverage(spec, rule, { accounts, asset }),
  };
}

/** `of: null` is the part without a name: calls that named no end user. */
function viewPart({ of }: LimitLabel): object {
  if (of === undefined) return {};
  return { of: of === '' ? null : of };
}

function viewRestrictions(rule: Limit | undefined): object {
  const { models = [], routes = [], operations = [] } = rule ?? {};
  return {
    ...(models.length === 0 ? {} : { models }),
    ...(routes.length === 0 ? {} : { routes }),
    ...(operations.length === 0 ? {} : { operations }),
  };
}

/** Counts are numbers and money is a decimal string, as in the 402 contract. */
function viewNumbers(
  spec: AccountSpec,
  label: LimitLabel,
  account: AccountBalance | undefined,
): object {
  const allowed = BigInt(label.softAt ?? spec.allowance);
  const used = account?.spent ?? 0n;
  const held = account?.reserved ?? 0n;
  const left = allowed - used - held;
  const quantity = (units: bigint) =>
    spec.unit === 'spend' ? formatDecimal(units, 9) : toSafeNumber(units);
  return {
    limit: quantity(allowed),
    used: quantity(used),
    held: quantity(held),
    // A smaller plan can leave more used than allowed, and a soft limit refuses nothing.
    remaining: quantity(left > 0n ? left : 0n),
  };
}

/** Units that are billed one by one beyond the allowance (PLAN-11). */
function viewOverage(
  spec: AccountSpec,
  rule: Limit | undefined,
  { accounts, asset }: { accounts: ReadonlyMap<string, AccountBalance>; asset: string },
): object {
  if (rule === undefined || rule.overage.kind === 'block') return {};
  const { kind, unitPico } = rule.overage;
  const used = toSafeNumber(accounts.get(overageAccount(spec).id)?.spent ?? 0n);
  const cost = BigInt(overageNano(unitPico, used));
  return {
    overage: {
      policy: kind,
      unit_price: `${formatDecimal(unitPico, 12, 4)} ${asset}`,
      used,
      cost: formatMoney({ asset, units: cost }),
    },
  };
}

import { compileRateLimitPolicy, type RateLimitPolicy } from '../../contract/headers.ts';
import { bucketId } from '../../domain/accounts.ts';
import type { Catalog, DegradedProfile, RateLimit } from '../../domain/catalog.ts';
import type { EffectivePlan } from '../../domain/effective-plan.ts';
import type { Fault } from '../../domain/facts.ts';
import {
  findBarred,
  ownNameOf,
  type RatesAbove,
  type TenantAccess,
} from '../../domain/tenant-access.ts';
import type { AccountState, TenantTerms } from '../../domain/tenant-terms.ts';
import type { RateNeed } from '../../engine/engine.ts';
import type { KeyWithTenant } from '../../stores/store.ts';
import { type AddressSet, compileAddressSet } from '../address-set.ts';
import { policyNameOf } from './policy-name.ts';

/** What narrows the calls of one key: compiled with it, so that most keys ask nothing. Undefined = all. */
export interface KeyGate {
  /** Why nobody of this account may call, whatever is paid. */
  readonly account: Fault | undefined;
  readonly apis: ReadonlySet<string> | undefined;
  /** By their own names: what may be called under one name may be under all. */
  readonly models: ReadonlySet<string> | undefined;
  readonly operations: ReadonlySet<string> | undefined;
  readonly allowsAddress: AddressSet | undefined;
  readonly observes: boolean;
  /** What was agreed with the customer wins over what the API says. */
  readonly enforces: boolean;
  readonly fileBytesMax: number | undefined;
  /** Of whoever pays; undefined = nothing can be held against them at any time. */
  readonly standing: TenantTerms | undefined;
  readonly degraded: DegradedService | undefined;
}

/** A plan's profile with what it costs to apply it worked out. */
export interface DegradedService {
  /** While `stand` would refuse. */
  readonly pending: DegradedProfile;
  /** While a failed renewal is forgiven: nothing is refused (SUB-09). */
  readonly forgiven: DegradedProfile;
  /** Those of the plan, and its own slower one. */
  readonly rates: readonly CallRate[];
}

/** A rate that calls of one key count in. */
export interface CallRate extends RateNeed {
  readonly limit: RateLimit;
  readonly policy: RateLimitPolicy;
  /** Of a tenant above. */
  readonly from: 'ancestor' | undefined;
}

/** Whose rates they are: of the payer's plan, for one key, and of all above the payer. */
export interface RateOwners {
  readonly payerId: string;
  readonly keyId: string;
  readonly above: readonly RatesAbove[];
}

/** Whose plan, standing and rates these are is in `access`. Undefined = nothing narrows this key. */
export function compileKeyGate(
  found: KeyWithTenant,
  access: Pick<TenantAccess, 'payer' | 'plan' | 'ratesAbove'>,
  models: Catalog['models'],
): KeyGate | undefined {
  const { payer, plan, ratesAbove } = access;
  const { terms } = found.key;
  const owners = { payerId: payer.id, keyId: found.key.id, above: ratesAbove };
  const gate: KeyGate = {
    account: findAccountFault(found),
    apis: setOf(terms.apis),
    models: setOf(terms.models.map((name) => ownNameOf(name, models))),
    operations: setOf(terms.operations),
    allowsAddress: terms.addresses.length === 0 ? undefined : compileAddressSet(terms.addresses),
    observes: plan.enforcement === 'observe',
    enforces: payer.terms.enforcement === 'enforce',
    fileBytesMax: plan.fileBytesMax,
    standing: isWatched(payer.terms) ? payer.terms : undefined,
    degraded: plan.degraded && compileDegraded(plan, plan.degraded, owners),
  };
  // A profile alone changes nothing before something is held against the tenant.
  const { degraded: _, ...narrowing } = gate;
  return Object.values(narrowing).some((each) => each !== undefined && each !== false)
    ? gate
    : undefined;
}

/** In the order they refuse in: both exceeded is 402 (REQUIREMENTS "402 or 429"). */
export function compileRates(
  limits: readonly RateLimit[],
  { payerId, keyId, above }: RateOwners,
): readonly CallRate[] {
  const rates = [
    ...limits.map((limit) => compileRate(limit, { tenantId: payerId, keyId }, undefined, 1)),
    ...above.flatMap(({ tenantId, rateLimits }, index) =>
      rateLimits.map((limit) => compileRate(limit, { tenantId, keyId }, 'ancestor', index + 1)),
    ),
  ];
  const bought = rates.filter(({ limit }) => limit.class === 'commercial');
  const protecting = rates.filter(({ limit }) => limit.class === 'protective');
  return [...bought, ...protecting];
}

function compileRate(
  limit: RateLimit,
  owner: { readonly tenantId: string; readonly keyId: string },
  from: CallRate['from'],
  place: number,
): CallRate {
  return {
    bucketId: bucketId(limit, owner, from),
    count: limit.count,
    periodMs: limit.periodMs,
    burst: limit.burst,
    limit,
    policy: compileRateLimitPolicy({
      name: policyNameOf(limit.id, from, place),
      quota: Math.max(limit.count, limit.burst),
      windowSeconds: Math.ceil(limit.periodMs / 1000),
      unit: 'requests',
    }),
    from,
  };
}

function setOf(names: readonly string[]): ReadonlySet<string> | undefined {
  return names.length === 0 ? undefined : new Set(names);
}

const ACCOUNT_FAULTS: Readonly<Record<AccountState, Fault | undefined>> = {
  active: undefined,
  suspended: fault('ACCOUNT_SUSPENDED', 'the account is suspended'),
  unverified: fault('ACCOUNT_UNVERIFIED', 'the account has not been verified'),
  pending_approval: fault('SUBSCRIPTION_PENDING_APPROVAL', 'access waits for approval'),
};

function fault(code: Fault['code'], problem: string): Fault {
  return { code, problem, pointer: undefined };
}

function findAccountFault(found: KeyWithTenant): Fault | undefined {
  const barred = findBarred(found);
  return barred && ACCOUNT_FAULTS[barred.terms.account];
}

/** Whether anything is known that is, or with time becomes, a reason to refuse. */
function isWatched({ subscription, payment }: TenantTerms): boolean {
  const runs = subscription.state === 'active' && subscription.endsAt === undefined;
  const { method, failedAt, overdueInvoices, disputed, reauthorizationRequired } = payment;
  const pays = method === 'not_required' || method === 'valid';
  const owes = failedAt !== undefined || overdueInvoices.length > 0;
  return !runs || !pays || owes || disputed || reauthorizationRequired;
}

function compileDegraded(
  plan: EffectivePlan,
  pending: DegradedProfile,
  owners: RateOwners,
): DegradedService {
  const rateLimits =
    pending.rate === undefined ? plan.rateLimits : [...plan.rateLimits, pending.rate];
  return {
    pending,
    forgiven: { ...pending, readOnly: false, withheldFeatures: [] },
    rates: compileRates(rateLimits, owners),
  };
}

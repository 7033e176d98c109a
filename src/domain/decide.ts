import { type Code, CODES } from '../contract/codes.ts';
import type { LimitLabel } from './accounts.ts';
import type { LimitUnit } from './catalog.ts';
import type { EntitlementFact, Facts, LimitFact, ReservationFact } from './facts.ts';
import { isMoney, isSlot } from './take.ts';

export type StepName =
  | 'route'
  | 'identify'
  | 'authorize'
  | 'understand'
  | 'storm'
  | 'stand'
  | 'entitle'
  | 'reserve'
  | 'forward';

export interface Refusal {
  readonly kind: 'refuse';
  readonly step: StepName;
  readonly code: Code;
  /** The limit that refused, when one did. */
  readonly limit: LimitFact | undefined;
  /** The entitlement that refused, when one did. */
  readonly entitlement: EntitlementFact | undefined;
  /** 402 though enough money exists: open holds have it (DESIGN 5 "slow path"). */
  readonly transient: boolean;
  readonly retryAfterMs: number | undefined;
  /** Epoch ms from which waiting alone has lifted it; undefined = it never does. */
  readonly resetsAt: number | undefined;
  /** The call needs more than the limit allows even when nothing of it is used: the same call never fits. */
  readonly neverFits: boolean;
}
export interface Admission {
  readonly kind: 'admit';
}
export type Decision = Admission | Refusal;

/** One line of the explanation. */
export interface TraceLine {
  readonly step: StepName;
  readonly verdict: 'passed' | 'refused' | 'not reached';
  /** Of a step that passed: it was only observed (EVID-01). */
  readonly refusal: Refusal | undefined;
}

const ADMIT: Admission = { kind: 'admit' };
type Check = (facts: Facts) => Refusal | undefined;

/** In evaluation order: the first failing step decides (REQUIREMENTS resolutions, GW-02). */
const STEPS: readonly { readonly name: StepName; readonly check: Check }[] = [
  { name: 'route', check: checkRoute },
  { name: 'identify', check: checkIdentity },
  { name: 'authorize', check: checkAuthorization },
  { name: 'understand', check: checkUnderstanding },
  { name: 'storm', check: checkStorm },
  { name: 'stand', check: checkStanding },
  { name: 'entitle', check: checkEntitlements },
  { name: 'reserve', check: checkReservation },
  { name: 'forward', check: checkForwarding },
];

/** The decision: pure and total. Every view of a request (answer, log, explanation, offers) is made from it. */
export function decide(facts: Facts): Decision {
  for (const step of STEPS) {
    const refusal = step.check(facts);
    if (refusal !== undefined && !isObserved(refusal, facts)) return refusal;
  }
  return ADMIT;
}

/** The same request where nothing is merely observed: what `observe` records (EVID-01). */
export function enforced(facts: Facts): Facts {
  return facts.enforcement === 'enforce' ? facts : { ...facts, enforcement: 'enforce' };
}

const OBSERVED_STEPS: ReadonlySet<StepName> = new Set(['stand', 'entitle', 'reserve']);

/** Refusals for money, entitlements and limits are recorded and let pass; trouble of our own is none of them. */
function isObserved({ step, code }: Refusal, { enforcement }: Facts): boolean {
  return enforcement === 'observe' && OBSERVED_STEPS.has(step) && code !== 'BILLING_UNAVAILABLE';
}

/** The same steps, told one by one (DIAG-01). */
export function traceDecision(facts: Facts): readonly TraceLine[] {
  let stopped = false;
  return STEPS.map(({ name, check }) => {
    if (stopped) return { step: name, verdict: 'not reached', refusal: undefined };
    const refusal = check(facts);
    stopped = refusal !== undefined && !isObserved(refusal, facts);
    return { step: name, verdict: stopped ? 'refused' : 'passed', refusal };
  });
}

function checkRoute(facts: Facts): Refusal | undefined {
  const { routing } = facts;
  if (routing === undefined) return undefined;
  return { ...refuse('route', routing.code), retryAfterMs: routing.retryAfterMs };
}

function checkIdentity(facts: Facts): Refusal | undefined {
  return facts.identity.kind === 'refused' ? refuse('identify', facts.identity.code) : undefined;
}

function checkAuthorization(facts: Facts): Refusal | undefined {
  return facts.authorization === undefined
    ? undefined
    : refuse('authorize', facts.authorization.code);
}

/** A degraded service still does what its profile leaves (DEG-01). */
function checkStanding({ standing }: Facts): Refusal | undefined {
  if (standing?.code === undefined || standing.stillServed) return undefined;
  return refuse('stand', standing.code);
}

function checkUnderstanding(facts: Facts): Refusal | undefined {
  return facts.understanding === undefined
    ? undefined
    : refuse('understand', facts.understanding.code);
}

/** A client that repeats a 402 in a loop is slowed before anything is worked out for it again (QUOTA-13). */
function checkStorm(facts: Facts): Refusal | undefined {
  if (facts.storm === undefined) return undefined;
  return { ...refuse('storm', 'PAYMENT_RETRY_STORM'), retryAfterMs: facts.storm.retryAfterMs };
}

function checkForwarding({ forwarding }: Facts): Refusal | undefined {
  if (forwarding === undefined) return undefined;
  const { code, retryAfterMs = waitMsOf(code) } = forwarding;
  return { ...refuse('forward', code), retryAfterMs };
}

/** Without a Retry-After an SDK repeats a 503 at once, and again: that helps nobody who is out of reach. */
function waitMsOf(code: Code): number | undefined {
  const { retryAfterSeconds } = CODES[code];
  return retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000;
}

/** What each missing entitlement is refused with; the answer turns it into 403 when nothing on sale grants it. */
const ENTITLEMENT_CODES: Readonly<Record<EntitlementFact['kind'], Code>> = {
  model: 'MODEL_NOT_IN_PLAN',
  feature: 'FEATURE_NOT_IN_PLAN',
  purchase: 'PURCHASE_REQUIRED',
  context: 'MCP_CONTEXT_LIMIT_EXCEEDED',
  file_size: 'FILE_SIZE_NOT_IN_PLAN',
};

function checkEntitlements(facts: Facts): Refusal | undefined {
  const missing = facts.entitlements.find((entitlement) => !entitlement.granted);
  if (missing === undefined) return undefined;
  return { ...refuse('entitle', ENTITLEMENT_CODES[missing.kind]), entitlement: missing };
}

/** What the engine found, or, for a hypothetical request, what the numbers say. */
function checkReservation(facts: Facts): Refusal | undefined {
  const reservation = facts.reservation;
  if (reservation === undefined) return refuseFromNumbers(facts);
  switch (reservation.kind) {
    case 'held':
      return undefined;
    case 'limited':
      return refuseLimited(facts, reservation);
    case 'short':
      return refuseShort(facts, reservation);
  }
}

/** Too fast: 429 where it protects, 402 where faster is for sale (QUOTA-09). */
function refuseLimited(
  { at }: Facts,
  { class: limitClass, retryAfterMs }: Extract<ReservationFact, { kind: 'limited' }>,
): Refusal {
  if (limitClass !== 'commercial') return { ...refuse('reserve', 'RATE_LIMITED'), retryAfterMs };
  const resetsAt = at + Math.ceil(retryAfterMs);
  return { ...refuse('reserve', 'RATE_CAPACITY_EXCEEDED'), retryAfterMs, resetsAt };
}

function refuseShort(facts: Facts, short: Extract<ReservationFact, { kind: 'short' }>): Refusal {
  const limit = facts.limits[short.index];
  if (limit === undefined || short.cause === 'stranded' || short.cause === 'unavailable') {
    return { ...refuse('reserve', 'BILLING_UNAVAILABLE'), limit, retryAfterMs: 1000 };
  }
  const refusal = refuseFor(limit, facts);
  // A slot is always held by a call: that it is free again soon is what its code says.
  if (short.cause !== 'held' || isSlot(limit.unit) || refusal.neverFits) return refusal;
  return { ...refusal, transient: true, retryAfterMs: 1000 };
}

function refuseFromNumbers(facts: Facts): Refusal | undefined {
  const short = facts.limits.filter((limit) => isShort(limit, facts));
  // Both exceeded is 402 (REQUIREMENTS "402 or 429").
  const limit = short.find((each) => each.label?.class !== 'protective') ?? short[0];
  return limit && refuseFor(limit, facts);
}

function refuseFor(limit: LimitFact, facts: Facts): Refusal {
  const refused = { ...refuse('reserve', codeOfLimit(limit, facts)), limit };
  // The next window refuses it again, as one that slides does: nobody is told to wait for it (C402-21).
  if (limit.kind === 'quota' && neededOf(limit, facts) > limit.allowance) {
    return { ...refused, neverFits: true };
  }
  const refusal = { ...refused, resetsAt: limit.resetsAt };
  if (isSlot(limit.unit)) return { ...refusal, retryAfterMs: 1000 };
  if (limit.label?.class !== 'protective') return refusal;
  // Not earlier than the window opens again, and not at once when it never does.
  const waitMs = limit.resetsAt === undefined ? DAY_MS : Math.max(1, limit.resetsAt - facts.at);
  return { ...refusal, retryAfterMs: waitMs };
}

const DAY_MS = 86_400_000;

/**
 * Whether what is neither spent nor set aside is less than the request needs. Units beyond an allowance that
 * are billed are no lack of it, but of the money that does not reach for them (PLAN-11).
 */
export function isShort(limit: LimitFact, facts: Pick<Facts, 'limits'>): boolean {
  if (limit.overage?.kind === 'bill') return false;
  const needed = neededOf(limit, facts);
  // What takes nothing of an account is not refused by it, even where more was used than is allowed by now.
  return needed > 0 && limit.allowance - limit.spent - limit.reserved < needed;
}

/** What the request needs of an account: of money also the price of what allowances do not cover. */
export function neededOf(limit: LimitFact, facts: Pick<Facts, 'limits'>): number {
  return isMoney(limit) ? limit.need + billedBeyond(facts.limits) : limit.need;
}

function billedBeyond(limits: readonly LimitFact[]): number {
  let nano = 0;
  for (const { overage, allowance, spent, reserved, need } of limits) {
    if (overage?.kind === 'bill' && allowance - spent - reserved < need) nano += overage.nano;
  }
  return nano;
}

/** One code per unit and cause (QUOTA-06). Money that is not a limit's is an asset: the balance. */
const UNIT_CODES: Readonly<Record<LimitUnit, Code>> = {
  requests: 'REQUEST_QUOTA_EXCEEDED',
  tokens: 'TOKEN_QUOTA_EXCEEDED',
  input_tokens: 'TOKEN_QUOTA_EXCEEDED',
  output_tokens: 'TOKEN_QUOTA_EXCEEDED',
  bytes: 'DATA_QUOTA_EXCEEDED',
  bytes_in: 'DATA_QUOTA_EXCEEDED',
  bytes_out: 'DATA_QUOTA_EXCEEDED',
  storage_bytes: 'STORAGE_QUOTA_EXCEEDED',
  compute_units: 'COMPUTE_UNITS_EXHAUSTED',
  compute_ms: 'COMPUTE_UNITS_EXHAUSTED',
  operations: 'OPERATION_LIMIT_REACHED',
  concurrent_requests: 'CONCURRENCY_LIMIT_EXCEEDED',
  spend: 'SPENDING_LIMIT_REACHED',
};

/** Protective limits wait; a free plan's used-up requests have a code of their own (PLAN-03). */
function codeOfLimit(limit: LimitFact, facts: Facts): Code {
  if (limit.label === undefined) return 'INSUFFICIENT_CREDITS';
  if (limit.label.class === 'protective') {
    return isSlot(limit.unit) ? 'CONCURRENCY_LIMITED' : 'RATE_LIMITED';
  }
  if (limit.overage?.kind === 'authorize') return 'OVERAGE_AUTHORIZATION_REQUIRED';
  return limit.label.unit === 'requests' && isGivenAway(limit.label, facts)
    ? 'FREE_TIER_EXHAUSTED'
    : UNIT_CODES[limit.label.unit];
}

/** A limit of the key, of a tenant above or of the house is no gift of the free plan, and a paid plan does not lift it. */
function isGivenAway({ from }: LimitLabel, { identity }: Facts): boolean {
  if (from !== undefined) return false;
  return identity.kind === 'anonymous' || (identity.kind === 'key' && identity.freePlan);
}

function refuse(step: StepName, code: Code): Refusal {
  return {
    kind: 'refuse',
    step,
    code,
    limit: undefined,
    entitlement: undefined,
    transient: false,
    retryAfterMs: undefined,
    resetsAt: undefined,
    neverFits: false,
  };
}

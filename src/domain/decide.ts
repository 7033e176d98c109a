import type { Code } from '../contract/codes.ts';
import type { EntitlementFact, Facts, LimitFact, ReservationFact } from './facts.ts';

export type StepName =
  | 'route'
  | 'identify'
  | 'understand'
  | 'storm'
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
}
export interface Admission {
  readonly kind: 'admit';
}
export type Decision = Admission | Refusal;

/** One line of the explanation. */
export interface TraceLine {
  readonly step: StepName;
  readonly verdict: 'passed' | 'refused' | 'not reached';
  readonly refusal: Refusal | undefined;
}

const ADMIT: Admission = { kind: 'admit' };
type Check = (facts: Facts) => Refusal | undefined;

/** In evaluation order: the first failing step decides (REQUIREMENTS resolutions, GW-02). */
const STEPS: readonly { readonly name: StepName; readonly check: Check }[] = [
  { name: 'route', check: checkRoute },
  { name: 'identify', check: checkIdentity },
  { name: 'understand', check: checkUnderstanding },
  { name: 'storm', check: checkStorm },
  { name: 'entitle', check: checkEntitlements },
  { name: 'reserve', check: checkReservation },
  { name: 'forward', check: checkForwarding },
];

/** The decision: pure and total. Every view of a request (answer, log, explanation, offers) is made from it. */
export function decide(facts: Facts): Decision {
  for (const step of STEPS) {
    const refusal = step.check(facts);
    if (refusal !== undefined) return refusal;
  }
  return ADMIT;
}

/** The same steps, told one by one (DIAG-01). */
export function traceDecision(facts: Facts): readonly TraceLine[] {
  let stopped = false;
  return STEPS.map(({ name, check }) => {
    if (stopped) return { step: name, verdict: 'not reached', refusal: undefined };
    const refusal = check(facts);
    stopped = refusal !== undefined;
    return { step: name, verdict: stopped ? 'refused' : 'passed', refusal };
  });
}

function checkRoute(facts: Facts): Refusal | undefined {
  if (facts.routing !== undefined) return refuse('route', facts.routing.code);
  return undefined;
}

function checkIdentity(facts: Facts): Refusal | undefined {
  return facts.identity.kind === 'refused' ? refuse('identify', facts.identity.code) : undefined;
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

function checkForwarding(facts: Facts): Refusal | undefined {
  return facts.forwarding === undefined ? undefined : refuse('forward', facts.forwarding.code);
}

/** 402 here; the answer turns it into 403 when no purchase on sale grants it (offers.ts). */
function checkEntitlements(facts: Facts): Refusal | undefined {
  const missing = facts.entitlements.find((entitlement) => !entitlement.granted);
  if (missing === undefined) return undefined;
  const code = missing.kind === 'model' ? 'MODEL_NOT_IN_PLAN' : 'FEATURE_NOT_IN_PLAN';
  return { ...refuse('entitle', code), entitlement: missing };
}

/** What the engine found, or, for a hypothetical request, what the numbers say. */
function checkReservation(facts: Facts): Refusal | undefined {
  const reservation = facts.reservation;
  if (reservation === undefined) return refuseFromNumbers(facts);
  switch (reservation.kind) {
    case 'held':
      return undefined;
    case 'limited':
      return { ...refuse('reserve', 'RATE_LIMITED'), retryAfterMs: reservation.retryAfterMs };
    case 'short':
      return refuseShort(facts, reservation);
  }
}

function refuseShort(facts: Facts, short: Extract<ReservationFact, { kind: 'short' }>): Refusal {
  const limit = facts.limits[short.index];
  if (limit === undefined || short.cause === 'stranded' || short.cause === 'unavailable') {
    return { ...refuse('reserve', 'BILLING_UNAVAILABLE'), limit, retryAfterMs: 1000 };
  }
  const refusal = { ...refuse('reserve', codeOfLimit(limit, facts)), limit };
  return short.cause === 'held' ? { ...refusal, transient: true, retryAfterMs: 1000 } : refusal;
}

function refuseFromNumbers(facts: Facts): Refusal | undefined {
  const limit = facts.limits.find(isShort);
  return limit === undefined
    ? undefined
    : { ...refuse('reserve', codeOfLimit(limit, facts)), limit };
}

/** Whether what is neither spent nor set aside is less than the request needs. */
export function isShort(limit: LimitFact): boolean {
  return limit.allowance - limit.spent - limit.reserved < limit.need;
}

/** One code per unit and cause; the free tier has its own (PLAN-03, QUOTA-06). */
function codeOfLimit(limit: LimitFact, facts: Facts): Code {
  if (limit.kind === 'balance') return 'INSUFFICIENT_CREDITS';
  if (limit.unit === 'spend') return 'SPENDING_LIMIT_REACHED';
  if (limit.unit === 'tokens') return 'TOKEN_QUOTA_EXCEEDED';
  const free = facts.identity.kind === 'key' && facts.identity.freePlan;
  return free ? 'FREE_TIER_EXHAUSTED' : 'REQUEST_QUOTA_EXCEEDED';
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
  };
}

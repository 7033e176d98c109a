import { CODES, isCode } from '../contract/codes.ts';
import type { Catalog } from './catalog.ts';
import { traceDecision, type Refusal, type StepName, type TraceLine } from './decide.ts';
import { describeEntitlement } from './explain-entitlements.ts';
import { describeBucket, describeLimit } from './explain-limits.ts';
import { describeStanding } from './explain-standing.ts';
import type { Facts, Fault, IdentityFact, LimitFact, ReservationFact } from './facts.ts';

/** One check, in evaluation order (DIAG-01). */
export interface TraceEntry {
  readonly step: StepName;
  /** `would refuse`: observed, and let through (EVID-01). */
  readonly verdict: TraceLine['verdict'] | 'would refuse';
  readonly text: string;
  /** Set where numbers were compared. */
  readonly limit: LimitFact | undefined;
  /** Units under open holds: known of the limit that refused, whose numbers all gateways were asked for. */
  readonly held: number | undefined;
}

type Verdict = TraceLine['verdict'];

export interface TraceContext {
  readonly catalog: Catalog;
  /** Epoch ms in words. */
  readonly formatTime: (at: number) => string;
}

/** The decision's steps, with a line for every model, feature and limit that was looked at. */
export function explainTrace(facts: Facts, context: TraceContext): readonly TraceEntry[] {
  return traceDecision(facts).flatMap((line) => {
    const entries = describeLine(facts, line, context);
    return isObserved(line) ? entries.map(markObserved) : entries;
  });
}

/** The first refusal that was recorded and not made; undefined when everything was enforced, or passed. */
export function findObserved(facts: Facts): Refusal | undefined {
  return traceDecision(facts).find(isObserved)?.refusal;
}

function isObserved({ verdict, refusal }: TraceLine): boolean {
  return verdict === 'passed' && refusal !== undefined;
}

function describeLine(facts: Facts, line: TraceLine, context: TraceContext): readonly TraceEntry[] {
  if (line.step === 'entitle') return entitlementEntries(facts, line);
  if (line.step === 'reserve') return reservationEntries(facts, line, context.catalog);
  return [entry(line.step, line.verdict, describeStep(facts, line.step, line.verdict, context))];
}

/** Of a step with several lines only the one that would have stopped it is marked. */
function markObserved(each: TraceEntry): TraceEntry {
  const isOne = each.step === 'stand' || each.verdict === 'refused';
  return isOne ? { ...each, verdict: 'would refuse' } : each;
}

/** Of the steps that are one line each. */
const STEPS: Readonly<
  Record<Exclude<StepName, 'entitle' | 'reserve'>, (facts: Facts, context: TraceContext) => string>
> = {
  route: describeRoute,
  identify: ({ identity }) => describeIdentity(identity),
  authorize: ({ authorization, identity }) =>
    authorization === undefined ? permitted(identity) : describeFault(authorization),
  understand: ({ understanding }) =>
    understanding === undefined
      ? 'The request is readable and valid.'
      : describeFault(understanding),
  storm: describeStorm,
  stand: ({ standing }, { formatTime }) => describeStanding(standing, formatTime),
  forward: describeForwarding,
};

/** What an unreached step would have said was never found out; only of the upstream something is known. */
function describeStep(
  facts: Facts,
  step: keyof typeof STEPS,
  verdict: Verdict,
  context: TraceContext,
): string {
  const isUnknown = verdict === 'not reached' && step !== 'forward';
  return isUnknown ? NOT_REACHED : STEPS[step](facts, context);
}

/** Whether the decision came as far as this step. */
export function isReached(
  { trace }: { readonly trace: readonly TraceEntry[] },
  step: StepName,
): boolean {
  return trace.some((each) => each.step === step && each.verdict !== 'not reached');
}

export const NOT_REACHED = 'Not looked at: an earlier check decided.';
const NOTHING_ASKED = 'The call asks for no model, feature or size of the plan.';
const NOTHING_COUNTED = 'The call counts against no limit and costs nothing.';

/** Of a step without anything to list. */
function emptyEntry({ step, verdict }: TraceLine, text: string): TraceEntry {
  return entry(step, verdict, verdict === 'not reached' ? NOT_REACHED : text);
}

function describeRoute(facts: Facts): string {
  const { route, routing } = facts;
  if (routing !== undefined) return `${facts.method} ${facts.path}: ${describeFault(routing)}`;
  if (route === undefined)
    return `${facts.method} ${facts.path} is an address of the gateway itself.`;
  return `${facts.method} ${facts.path} is route ${route.routeId} of API ${route.apiId} (${route.endpointClass}, counted as ${route.operation}).`;
}

function describeIdentity(identity: IdentityFact): string {
  switch (identity.kind) {
    case 'anonymous':
      return identity.subnet === undefined
        ? 'The route needs no key.'
        : `No key was sent: the call counts against the free allowance of ${identity.subnet}.`;
    case 'refused':
      return `${titleOf(identity.code)}.`;
    case 'key':
      return `Key ${identity.keyId} of ${identity.tenantId}, on plan ${identity.planTitle} (${identity.planId}, version ${identity.planVersion}).`;
  }
}

function permitted(identity: IdentityFact): string {
  return identity.kind === 'key'
    ? 'The key may do this from here, and the account is in order.'
    : 'Nobody is forbidden to call this.';
}

/** `Not permitted to this key: images (X-Model).` */
function describeFault({ code, problem, pointer }: Fault): string {
  const where = pointer === undefined ? '' : ` (${pointer})`;
  return `${code}: ${problem.replace(/[.\s]+$/, '')}${where}.`;
}

function describeStorm({ storm }: Facts, { catalog }: TraceContext): string {
  if (storm === undefined) return 'The call is not a repetition of one that was refused for money.';
  const { retryStormPerMinute: most } = catalog;
  const limit = most > 0 ? `more than ${most} times a minute` : 'too often';
  return `${storm.cause} was answered, and the same call was repeated ${limit} after it.`;
}

function describeForwarding(facts: Facts): string {
  const { outcome, forwarding } = facts;
  const target = outcome?.target === undefined ? 'the upstream' : outcome.target;
  if (forwarding !== undefined) {
    const status = outcome?.upstreamStatus;
    const said = status === undefined ? '' : `, which answered ${status}`;
    return `${forwarding.code}: ${forwarding.problem} (${target}${said}).`;
  }
  if (outcome === undefined) return 'The request is still running.';
  const status = outcome.upstreamStatus === undefined ? '' : ` answered ${outcome.upstreamStatus}`;
  return `${target}${status}: ${ENDINGS[outcome.ending]}`;
}

const ENDINGS = {
  complete: 'the whole answer was sent.',
  'client-gone': 'the caller left before the end; what had been sent was charged.',
  'upstream-broke': 'the upstream broke off; what had been sent was charged.',
  cut: 'the answer was cut where its hold was used up and could not grow.',
  refused: 'nothing was served.',
} as const;

function entitlementEntries(facts: Facts, line: TraceLine): readonly TraceEntry[] {
  if (facts.entitlements.length === 0) return [emptyEntry(line, NOTHING_ASKED)];
  let stopped = line.verdict === 'not reached';
  return facts.entitlements.map((entitlement) => {
    const verdict: Verdict = stopped ? 'not reached' : entitlement.granted ? 'passed' : 'refused';
    stopped ||= !entitlement.granted;
    return entry('entitle', verdict, describeEntitlement(entitlement));
  });
}

/** Commercial limits come before protective ones: when both are exceeded the answer is 402. */
function reservationEntries(
  facts: Facts,
  line: TraceLine,
  catalog: Catalog,
): readonly TraceEntry[] {
  const { reservation } = facts;
  const stop = stopOf(facts, line);
  const entries = facts.limits.map((limit, index): TraceEntry => {
    const reached = line.verdict !== 'not reached' && index <= stop;
    const verdict: Verdict = !reached ? 'not reached' : index === stop ? 'refused' : 'passed';
    const held = reservation?.kind === 'short' && index === stop ? reservation.held : undefined;
    const text = describeLimit(limit, held, catalog.asset);
    return { step: 'reserve', verdict, text, limit, held };
  });
  const more = describeStop(facts, reservation, catalog);
  if (more !== undefined) {
    entries.push(entry('reserve', line.refusal === undefined ? line.verdict : 'refused', more));
  }
  if (entries.length > 0) return entries;
  return [emptyEntry(line, NOTHING_COUNTED)];
}

/** Index of the limit that refused; beyond the last when none did. */
function stopOf({ reservation, limits }: Facts, { refusal }: TraceLine): number {
  if (reservation?.kind === 'short') return reservation.index;
  const index = refusal?.limit === undefined ? -1 : limits.indexOf(refusal.limit);
  return index === -1 ? limits.length : index;
}

/** What refused that is no account of the call. */
function describeStop(
  facts: Facts,
  reservation: ReservationFact | undefined,
  catalog: Catalog,
): string | undefined {
  if (reservation?.kind === 'limited') return describeBucket(facts, reservation, catalog);
  if (reservation?.kind !== 'short') return undefined;
  const { cause } = reservation;
  return cause === 'stranded' || cause === 'unavailable' ? UNKNOWN_MONEY[cause] : undefined;
}

const UNKNOWN_MONEY = {
  stranded:
    'The units left are with a process that stopped answering; they come back when its journal was read.',
  unavailable: 'The books did not answer in time.',
} as const;

export function titleOf(code: string): string {
  return isCode(code) ? CODES[code].title : code;
}

function entry(step: StepName, verdict: Verdict, text: string): TraceEntry {
  return { step, verdict, text, limit: undefined, held: undefined };
}

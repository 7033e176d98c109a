import { CODES, isCode } from '../contract/codes.ts';
import type { Catalog } from './catalog.ts';
import { traceDecision, type StepName, type TraceLine } from './decide.ts';
import {
  formatBareUnits,
  formatUnits,
  nameOf,
  ownerOf,
  periodOf,
  unitsFree,
} from './explain-words.ts';
import type { Facts, IdentityFact, LimitFact } from './facts.ts';

/** One check, in evaluation order (DIAG-01). */
export interface TraceEntry {
  readonly step: StepName;
  readonly verdict: TraceLine['verdict'];
  readonly text: string;
  /** Set where numbers were compared. */
  readonly limit: LimitFact | undefined;
  /** Units under open holds: known of the limit that refused, whose numbers all gateways were asked for. */
  readonly held: number | undefined;
}

type Verdict = TraceLine['verdict'];

/** The decision's steps, with a line for every model, feature and limit that was looked at. */
export function explainTrace(facts: Facts, catalog: Catalog): readonly TraceEntry[] {
  return traceDecision(facts).flatMap((line) => {
    if (line.step === 'entitle') return entitlementEntries(facts, line);
    if (line.step === 'reserve') return reservationEntries(facts, line, catalog);
    return [entry(line.step, line.verdict, describeStep(facts, line))];
  });
}

function describeStep(facts: Facts, line: TraceLine): string {
  switch (line.step) {
    case 'route':
      return describeRoute(facts);
    case 'identify':
      return describeIdentity(facts.identity);
    case 'authorize':
      return facts.authorization?.problem ?? 'The key may do this.';
    case 'stand':
      return describeStanding(facts);
    case 'understand':
      return facts.understanding?.problem ?? 'The request is readable and valid.';
    case 'storm':
      return facts.storm === undefined
        ? 'The call is not a repetition of one that was refused for money.'
        : `${facts.storm.cause} was answered, and the same call was repeated too often after it.`;
    case 'forward':
      return describeForwarding(facts);
    case 'entitle':
    case 'reserve':
      return '';
    default:
      return line.step satisfies never;
  }
}

function describeRoute(facts: Facts): string {
  if (facts.routing !== undefined) return facts.routing.problem;
  const { route } = facts;
  if (route === undefined)
    return `${facts.method} ${facts.path} is an address of the gateway itself.`;
  return `${facts.method} ${facts.path} is route ${route.routeId} of API ${route.apiId} (${route.endpointClass}).`;
}

function describeIdentity(identity: IdentityFact): string {
  switch (identity.kind) {
    case 'anonymous':
      return 'The route needs no key.';
    case 'refused':
      return `${titleOf(identity.code)}.`;
    case 'key':
      return `Key ${identity.keyId} of ${identity.tenantId}, on plan ${identity.planTitle} (${identity.planId}, version ${identity.planVersion}).`;
    default:
      return identity satisfies never;
  }
}

function describeStanding({ standing }: Facts): string {
  if (standing === undefined) return 'Nothing is owed, and the subscription runs.';
  const { lifecycle, standing: standingName, code, stillServed } = standing;
  const known = `The subscription is ${lifecycle}; payments are in ${standingName} standing`;
  if (code === undefined) return `${known}.`;
  return stillServed ? `${known} (${code}): a reduced service goes on.` : `${known} (${code}).`;
}

function describeForwarding(facts: Facts): string {
  const { outcome, forwarding } = facts;
  const target = outcome?.target === undefined ? 'the upstream' : outcome.target;
  if (forwarding !== undefined) return `${forwarding.problem} (${target}).`;
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
  if (facts.entitlements.length === 0) {
    return [entry('entitle', line.verdict, 'The route asks for no model or feature of the plan.')];
  }
  let stopped = line.verdict === 'not reached';
  return facts.entitlements.map(({ kind, id, granted }) => {
    const verdict: Verdict = stopped ? 'not reached' : granted ? 'passed' : 'refused';
    stopped ||= !granted;
    const text = `The plan ${granted ? 'includes' : 'does not include'} the ${kind} ${id}.`;
    return entry('entitle', verdict, text);
  });
}

/** Commercial limits come before protective ones: when both are exceeded the answer is 402. */
function reservationEntries(
  facts: Facts,
  line: TraceLine,
  catalog: Catalog,
): readonly TraceEntry[] {
  const { reservation } = facts;
  const stop = reservation?.kind === 'short' ? reservation.index : facts.limits.length;
  const entries = facts.limits.map((limit, index): TraceEntry => {
    const reached = line.verdict !== 'not reached' && index <= stop;
    const verdict: Verdict = !reached ? 'not reached' : index === stop ? 'refused' : 'passed';
    const held = reservation?.kind === 'short' && index === stop ? reservation.held : undefined;
    return {
      step: 'reserve',
      verdict,
      text: describeLimit(limit, held, catalog.asset),
      limit,
      held,
    };
  });
  if (reservation?.kind === 'limited') {
    entries.push(
      entry('reserve', line.verdict, describeRate(facts, reservation.rateLimitId, catalog)),
    );
  }
  if (
    reservation?.kind === 'short' &&
    (reservation.cause === 'stranded' || reservation.cause === 'unavailable')
  ) {
    entries.push(entry('reserve', line.verdict, UNKNOWN_MONEY[reservation.cause]));
  }
  if (entries.length > 0) return entries;
  return [entry('reserve', line.verdict, 'The call counts against no limit and costs nothing.')];
}

const UNKNOWN_MONEY = {
  stranded:
    'The units left are with a process that stopped answering; they come back when its journal was read.',
  unavailable: 'The books did not answer in time.',
} as const;

/** `Limit requests_per_month of this account: 41 of 10,000 requests a month used; the call needs 1 request.` */
function describeLimit(limit: LimitFact, held: number | undefined, asset: string): string {
  const bare = (units: number) => formatBareUnits(limit, units, asset);
  const free =
    held === undefined ? '' : `, ${bare(held)} held, ${bare(unitsFree(limit, held))} free`;
  const needs = `; the call needs ${formatUnits(limit, limit.need, asset)}.`;
  if (limit.label === undefined) {
    return `Balance: ${bare(limit.allowance - limit.spent)} settled${free}${needs}`;
  }
  const used = `${bare(limit.spent)} of ${formatUnits(limit, limit.allowance, asset)} ${periodOf(limit.label)} used`;
  const name =
    limit.label.id === 'key_budget' ? nameOf(limit) : `${nameOf(limit)} of ${ownerOf(limit.label)}`;
  return `${name}: ${used}${free}${needs}`;
}

function describeRate(facts: Facts, rateLimitId: string, catalog: Catalog): string {
  const plan = facts.identity.kind === 'key' ? catalog.plans.get(facts.identity.planId) : undefined;
  const rate = plan?.rateLimits.find((each) => each.id === rateLimitId);
  if (rate === undefined) return `Rate limit ${rateLimitId}: requests came too fast.`;
  const owner = rate.scope === 'key' ? 'this key' : 'this account';
  return `Rate limit ${rateLimitId} of ${owner}: at most ${rate.burst} at once and ${rate.count} per ${formatPeriod(rate.periodMs)}; requests came faster.`;
}

function formatPeriod(periodMs: number): string {
  return periodMs % 1000 === 0 ? `${periodMs / 1000} s` : `${periodMs} ms`;
}

export function titleOf(code: string): string {
  return isCode(code) ? CODES[code].title : code;
}

function entry(step: StepName, verdict: Verdict, text: string): TraceEntry {
  return { step, verdict, text, limit: undefined, held: undefined };
}

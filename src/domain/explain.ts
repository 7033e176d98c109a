import type { CodeRow } from '../contract/code-row.ts';
import { CODES, isCode } from '../contract/codes.ts';
import type { Catalog } from './catalog.ts';
import { decide, type Refusal } from './decide.ts';
import {
  explainFixes,
  explainRetry,
  type Fix,
  type Refused,
  type RetryView,
} from './explain-fixes.ts';
import { explainMoney, type MoneyView } from './explain-money.ts';
import { explainTrace, titleOf, type TraceEntry } from './explain-trace.ts';
import {
  formatBareUnits,
  formatCount,
  formatNano,
  formatNumber,
  formatUnits,
  ownerOf,
  periodOf,
  unitsFree,
} from './explain-words.ts';
import type { Facts, LimitFact, OutcomeFact } from './facts.ts';

/** One request, explained: what people read at /r/{id} and agents read at /r/{id}.json (DESIGN promise 3). */
export interface ExplainView {
  readonly requestId: string;
  /** Epoch ms. */
  readonly at: number;
  readonly durationMs: number | undefined;
  readonly method: string;
  readonly path: string;
  readonly model: string | undefined;
  readonly result: 'served' | 'refused' | 'failed';
  /** One sentence. */
  readonly verdict: string;
  readonly status: number | undefined;
  /** Undefined when it was served. */
  readonly code: string | undefined;
  readonly trace: readonly TraceEntry[];
  readonly money: MoneyView | undefined;
  /** Least effort first; empty when it was served. */
  readonly fixes: readonly Fix[];
  readonly retry: RetryView | undefined;
  readonly catalogVersion: string;
  readonly plan:
    | { readonly id: string; readonly version: string; readonly title: string }
    | undefined;
}

export interface ExplainContext {
  /** The configuration in force now: names what is on sale, and prices if it is the one that decided. */
  readonly catalog: Catalog;
  /** Epoch ms in words: `2026-12-01 00:00 UTC`. */
  readonly formatTime: (at: number) => string;
}

/** Decides again from the logged facts and tells it: no second truth can exist beside the decision. */
export function explain(facts: Facts, context: ExplainContext): ExplainView {
  const { catalog } = context;
  const { outcome, identity } = facts;
  const decision = decide(facts);
  const refusal = decision.kind === 'refuse' ? decision : undefined;
  const code = codeOf(outcome, refusal);
  const refused = refusal && { facts, refusal, row: rowOf(code), ...context };
  return {
    requestId: facts.requestId,
    at: facts.at,
    durationMs: outcome?.durationMs,
    method: facts.method,
    path: facts.path,
    model: outcome?.model,
    result: resultOf(refusal),
    verdict: describeVerdict(facts, refused, catalog),
    status: outcome?.status,
    code,
    trace: explainTrace(facts, catalog),
    money: explainMoney(facts, catalog),
    fixes: refused === undefined ? [] : explainFixes(refused),
    retry: refused && explainRetry(refused),
    catalogVersion: facts.catalogVersion,
    plan:
      identity.kind === 'key'
        ? { id: identity.planId, version: identity.planVersion, title: identity.planTitle }
        : undefined,
  };
}

/** The code that was sent: an entitlement nothing on sale grants left as 403 with a code of its own. */
function codeOf(
  outcome: OutcomeFact | undefined,
  refusal: Refusal | undefined,
): string | undefined {
  if (outcome !== undefined && outcome.code !== '') return outcome.code;
  return refusal?.code;
}

function resultOf(refusal: Refusal | undefined): ExplainView['result'] {
  if (refusal === undefined) return 'served';
  return refusal.step === 'forward' ? 'failed' : 'refused';
}

function rowOf(code: string | undefined): CodeRow {
  return CODES[code !== undefined && isCode(code) ? code : 'INTERNAL_ERROR'];
}

function describeVerdict(facts: Facts, refused: Refused | undefined, catalog: Catalog): string {
  if (refused === undefined) return describeCharge(facts, catalog);
  const { refusal } = refused;
  if (refusal.step === 'forward') {
    return `Failed: ${lowerFirst(titleOf(refusal.code))}. Nothing was charged.`;
  }
  return `Refused: ${describeRefusal(facts, refusal, catalog)}.`;
}

function describeRefusal(facts: Facts, refusal: Refusal, catalog: Catalog): string {
  const { entitlement } = refusal;
  if (entitlement !== undefined) {
    const plan =
      facts.identity.kind === 'key' ? `the plan ${facts.identity.planTitle}` : 'the plan';
    return `the ${entitlement.kind} ${entitlement.id} is not part of ${plan}`;
  }
  if (refusal.code === 'BILLING_UNAVAILABLE') {
    return 'the gateway could not check the money at that moment, which is not your fault';
  }
  if (refusal.limit !== undefined) {
    return describeShortage(refusal.limit, refusal, facts, catalog.asset);
  }
  const fault = facts.routing ?? facts.understanding;
  if (fault !== undefined) return lowerFirst(withoutStop(fault.problem));
  return lowerFirst(titleOf(refusal.code));
}

function describeShortage(limit: LimitFact, refusal: Refusal, facts: Facts, asset: string): string {
  const needed = formatUnits(limit, limit.need, asset);
  const heldUnits = facts.reservation?.kind === 'short' ? facts.reservation.held : 0;
  const held = refusal.transient
    ? `, because calls that still run hold ${formatUnits(limit, heldUnits, asset)}`
    : '';
  if (limit.label === undefined) {
    const free = formatUnits(limit, unitsFree(limit, heldUnits), asset);
    return `this call could cost up to ${needed} and the available balance is ${free}${held}`;
  }
  const used = `${ownerOf(limit.label)} used ${formatBareUnits(limit, limit.spent, asset)} of ${formatUnits(limit, limit.allowance, asset)} ${periodOf(limit.label)}`;
  return limit.unit === 'requests'
    ? `${used}${held}`
    : `${used} and this call could take up to ${needed}${held}`;
}

function describeCharge(facts: Facts, catalog: Catalog): string {
  const { outcome } = facts;
  if (outcome === undefined) return 'Admitted: the request is still running.';
  const used = describeUsage(outcome);
  const chargedNano = outcome.costNano - outcome.overrunNano;
  if (chargedNano > 0) return `Charged ${formatNano(chargedNano, catalog.asset)} for ${used}.`;
  if (outcome.status >= 400) {
    return `Nothing was charged: the upstream answered ${outcome.status}.`;
  }
  return `Served without a charge: ${used}.`;
}

function describeUsage({ inputTokens, outputTokens }: OutcomeFact): string {
  if (inputTokens + outputTokens === 0) return 'one request';
  if (outputTokens === 0) return formatCount(inputTokens, 'input token');
  return `${formatNumber(inputTokens)} input and ${formatCount(outputTokens, 'output token')}`;
}

function lowerFirst(text: string): string {
  // Leaves acronyms and codes alone: `HTTP`, `KEY`.
  return /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

function withoutStop(text: string): string {
  return text.replace(/[.\s]+$/, '');
}

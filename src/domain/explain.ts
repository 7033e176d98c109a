import type { CodeRow } from '../contract/code-row.ts';
import { type Code, CODES, isCode } from '../contract/codes.ts';
import type { Catalog } from './catalog.ts';
import { decide, type Refusal } from './decide.ts';
import {
  explainFixes,
  explainRetry,
  type Fix,
  type Refused,
  type RetryView,
} from './explain-fixes.ts';
import { type CountView, explainCounts, explainMoney, type MoneyView } from './explain-money.ts';
import { explainTrace, findObserved, titleOf, type TraceEntry } from './explain-trace.ts';
import { describeRefusal, describeServed } from './explain-verdict.ts';
import type { Facts, OutcomeFact } from './facts.ts';
import { finalCode } from './offers.ts';

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
  /** What it would have been refused with, had that been enforced (EVID-01). */
  readonly wouldRefuse: Code | undefined;
  /** The refusal that has to be lifted: that which was made, or would have been; of a storm the 402 that it repeats. */
  readonly refusal: Refusal | undefined;
  readonly trace: readonly TraceEntry[];
  readonly money: MoneyView | undefined;
  /** What each allowance held and counted. */
  readonly counts: readonly CountView[];
  /** Least effort first; empty when nothing would have refused it. */
  readonly fixes: readonly Fix[];
  /** Undefined when it was served. */
  readonly retry: RetryView | undefined;
  /** Whether the decision made again from the log row is the one that was answered. */
  readonly agrees: boolean;
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
  const { outcome } = facts;
  const judged = judgeAgain(facts);
  const { answered, would, refusal, row } = judged;
  const refused = refusal && row && repeatedBy({ facts, refusal, row, ...context });
  return {
    requestId: facts.requestId,
    at: facts.at,
    durationMs: outcome?.durationMs,
    method: facts.method,
    path: facts.path,
    model: outcome?.model,
    result: resultOf(answered),
    verdict: describeVerdict(facts, { would, answered }, context),
    status: outcome?.status,
    code: judged.code,
    wouldRefuse: judged.wouldRefuse,
    refusal: refused?.refusal,
    trace: explainTrace(facts, context),
    money: explainMoney(facts, catalog),
    counts: explainCounts(facts, catalog),
    fixes: refused === undefined ? [] : explainFixes(refused),
    retry: answered && refused && explainRetry(refused),
    agrees: agreesWith(outcome, answered),
    catalogVersion: facts.catalogVersion,
    plan: planOf(facts),
  };
}

interface Judged extends Pick<ExplainView, 'code' | 'wouldRefuse' | 'refusal'> {
  /** Of the code of `refusal`. */
  readonly row: CodeRow | undefined;
  readonly answered: Refusal | undefined;
  readonly would: Refusal | undefined;
}

function judgeAgain(facts: Facts): Judged {
  const { outcome } = facts;
  const decision = decide(facts);
  const answered = decision.kind === 'refuse' ? decision : undefined;
  const would = findObserved(facts);
  const code = codeOf(outcome, answered);
  const wouldRefuse = would && (outcome?.wouldRefuse ?? would.code);
  const row = rowOf(answered === undefined ? wouldRefuse : code);
  return { answered, would, code, wouldRefuse, row, refusal: answered ?? would };
}

/** A storm repeats a 402, and only what lifts that one lifts it (QUOTA-13). */
function repeatedBy(refused: Refused): Refused {
  if (refused.refusal.step !== 'storm') return refused;
  const facts = { ...refused.facts, storm: undefined };
  const cause = decide(facts);
  if (cause.kind !== 'refuse') return refused;
  return { ...refused, facts, refusal: cause, row: CODES[cause.code] };
}

function planOf({ identity }: Facts): ExplainView['plan'] {
  if (identity.kind !== 'key') return undefined;
  return { id: identity.planId, version: identity.planVersion, title: identity.planTitle };
}

/** The code that was sent: an entitlement nothing on sale grants left as 403 with a code of its own. */
function codeOf(
  outcome: OutcomeFact | undefined,
  refusal: Refusal | undefined,
): string | undefined {
  if (outcome !== undefined && outcome.code !== '') return outcome.code;
  return refusal?.code;
}

function agreesWith(outcome: OutcomeFact | undefined, refusal: Refusal | undefined): boolean {
  if (outcome === undefined) return true;
  if (refusal === undefined) return outcome.code === '';
  // Which of the two depends on what was on sale at that moment.
  return outcome.code === refusal.code || outcome.code === finalCode(refusal, []);
}

function resultOf(refusal: Refusal | undefined): ExplainView['result'] {
  if (refusal === undefined) return 'served';
  return refusal.step === 'forward' ? 'failed' : 'refused';
}

function rowOf(code: string | undefined): CodeRow | undefined {
  if (code === undefined) return undefined;
  return CODES[isCode(code) ? code : 'INTERNAL_ERROR'];
}

function describeVerdict(
  facts: Facts,
  { would, answered }: { would: Refusal | undefined; answered: Refusal | undefined },
  { catalog, formatTime }: ExplainContext,
): string {
  const words = { asset: catalog.asset, formatTime };
  const served = describeServed(facts, words);
  // Of a stream that had begun, what was sent is charged.
  const isCharged = (facts.outcome?.costNano ?? 0) > 0;
  if (answered?.step === 'forward') {
    const failed = `Failed: ${lowerFirst(titleOf(answered.code))}.`;
    return `${failed} ${isCharged ? served : 'Nothing was charged.'}`;
  }
  if (answered !== undefined) {
    const refused = `Refused: ${describeRefusal(facts, answered, words)}.`;
    return isCharged ? `${refused} ${served}` : refused;
  }
  if (would === undefined) return served;
  return `Observed and let through; it would have been refused: ${describeRefusal(facts, would, words)}. ${served}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

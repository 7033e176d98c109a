import type { Action, CodeRow } from './code-row.ts';
import { isRetryable, STATUS_FAMILIES } from './code-row.ts';
import { CODES, isCode } from './codes.ts';
import type { Code } from './codes.ts';
import { PROBLEM_SCHEMA_PATH } from './problem-document.ts';
import type {
  MachineOffer,
  ProblemDetails,
  ProblemDocument,
  ProblemInput,
  ProblemRetry,
} from './problem-document.ts';
import { describeDetails } from './problem-words.ts';
import { compileSentence, renderSentence } from './sentence.ts';
import type { Sentence } from './sentence.ts';

/** Callers choose model names and paths: neither the sentence nor the body grows with them. */
const DETAIL_LENGTH_MAX = 300;

const SENTENCES = compileAll();

/** Pure and total: any input of the right types gives a valid document with a complete sentence. */
export function buildProblem(input: ProblemInput): ProblemDocument {
  const { code, baseUrl } = input;
  const row = CODES[code];
  const retry = buildRetry(row, input);
  const details = buildDetails(input);
  const documentationUrl = `${baseUrl}/errors/${code}`;
  const resolutionUrl = input.resolutionUrl ?? documentationUrl;
  const message = `${renderSentence(SENTENCES[code], describeDetails(details, row, retry))}: ${resolutionUrl}`;
  return {
    type: documentationUrl,
    title: row.title,
    status: row.status,
    detail: message,
    instance: input.explainUrl ?? `/r/${input.requestId}`,
    request_id: input.requestId,
    error: STATUS_FAMILIES[row.status].error,
    code,
    errorCode: code,
    message,
    action: chooseAction(findActions(row, details), details),
    resolution_url: resolutionUrl,
    resolutionLink: resolutionUrl,
    documentation_url: documentationUrl,
    documentation_link: documentationUrl,
    retryable: isRetryable(retry.kind),
    retry,
    details,
    ...(input.payment === undefined ? {} : { payment: input.payment }),
    ...(input.offer === undefined ? {} : describeOffer(input.offer)),
    schema: baseUrl + PROBLEM_SCHEMA_PATH,
  };
}

function buildRetry(row: CodeRow, input: ProblemInput): ProblemRetry {
  const planned = input.retryKind ?? row.retryKind;
  // A limit that never resets is lifted by an action only (a lifetime quota).
  const kind =
    planned === 'after_reset' && input.resetsAt === undefined ? 'never_until_action' : planned;
  // C402-18: a 429 carries Retry-After even when repeating the call would only bring the 402 back.
  const waitingHelps = kind !== 'never_until_action' || row.status === 429;
  const seconds = waitingHelps ? input.retryAfterSeconds : undefined;
  return {
    kind,
    ...(input.resetsAt === undefined ? {} : { resets_at: input.resetsAt }),
    ...(seconds === undefined ? {} : { retry_after_seconds: seconds }),
  };
}

function buildDetails({ details = {}, resetsAt }: ProblemInput): ProblemDetails {
  const bounded = Object.values(details).some(isTooLong) ? clipTexts(details) : details;
  return resetsAt === undefined ? bounded : { ...bounded, resets_at: resetsAt };
}

function clipTexts(details: ProblemDetails): ProblemDetails {
  const clipped = Object.entries(details).map(([name, value]) => [
    name,
    isTooLong(value) ? `${value.slice(0, DETAIL_LENGTH_MAX)}...` : value,
  ]);
  return Object.fromEntries(clipped) as ProblemDetails;
}

function isTooLong(value: unknown): value is string {
  return typeof value === 'string' && value.length > DETAIL_LENGTH_MAX;
}

/** A storm of repeated calls is lifted by what lifts the 402 they repeat. */
function findActions(row: CodeRow, { cause }: ProblemDetails): CodeRow['actions'] {
  return cause !== undefined && isCode(cause) ? CODES[cause].actions : row.actions;
}

/**
 * The first action this caller can take. Where nothing on sale would help (`upgrade_options` is empty)
 * nobody is told to buy; where the options were not worked out the code's first action stands. When
 * none is possible the last one stands.
 */
function chooseAction(actions: CodeRow['actions'], details: ProblemDetails): Action {
  let chosen = actions[0];
  for (const action of actions) {
    chosen = action;
    if (isPossible(action, details)) break;
  }
  return chosen;
}

function isPossible(action: Action, details: ProblemDetails): boolean {
  const options = details.upgrade_options;
  if (action === 'upgrade_plan') return options?.some(({ kind }) => kind === 'plan') ?? true;
  if (action === 'buy_credits') return options?.some(({ kind }) => kind === 'pack') ?? true;
  if (action === 'wait_for_reset') return details.resets_at !== undefined;
  return true;
}

function describeOffer(offer: MachineOffer) {
  return {
    ...(offer.amountSats === undefined ? {} : { amount_sats: offer.amountSats }),
    description: offer.description,
    expires: offer.expires,
  };
}

function compileAll(): Readonly<Record<Code, Sentence>> {
  const entries = Object.entries(CODES).map(([code, row]) => [code, compileSentence(row.sentence)]);
  return Object.fromEntries(entries) as Record<Code, Sentence>;
}

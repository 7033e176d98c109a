import type { Action, CodeRow } from './code-row.ts';
import { isRetryable, STATUS_FAMILIES } from './code-row.ts';
import { findText, PHRASEBOOKS } from './code-texts.ts';
import { CODES, isCode } from './codes.ts';
import { PROBLEM_SCHEMA_PATH } from './problem-document.ts';
import type {
  MachineOffer,
  ProblemDetails,
  ProblemDocument,
  ProblemInput,
  ProblemRetry,
} from './problem-document.ts';
import { WORDS } from './problem-words.ts';
import { renderSentence } from './sentence.ts';

/** Callers choose model names and paths, upstreams their errors: no body grows with them. */
const TEXT_LENGTH_MAX = 300;
const LIST_LENGTH_MAX = 50;

/** Pure and total: any input of the right types gives a valid document with a complete sentence. */
export function buildProblem(input: ProblemInput): ProblemDocument {
  const { code, baseUrl } = input;
  const row = CODES[code];
  const retry = buildRetry(row, input);
  const details = buildDetails(input);
  const { payment, offer, language = 'en' } = input;
  const text = findText(code, language);
  const phrases = PHRASEBOOKS[language];
  const source = { details, row, retry, payment, offer, phrases };
  const said = renderSentence(text.sentence, (name) => WORDS[name]?.(source));
  const documentationUrl = `${baseUrl}/errors/${code}`;
  const resolutionUrl = input.resolutionUrl ?? documentationUrl;
  const message = said + phrases.linkJoint + resolutionUrl;
  const document = {
    type: documentationUrl,
    title: text.title,
    status: row.status,
    detail: message,
    instance: input.explainUrl ?? `urn:tollkeeper:request:${input.requestId}`,
    request_id: input.requestId,
    error: STATUS_FAMILIES[row.status].error,
    code,
    errorCode: code,
    message,
    action: chooseAction(findActions(row, details), input),
    resolution_url: resolutionUrl,
    resolutionLink: resolutionUrl,
    documentation_url: documentationUrl,
    documentation_link: documentationUrl,
    retryable: isRetryable(retry.kind),
    retry,
    details,
    schema: baseUrl + PROBLEM_SCHEMA_PATH,
  };
  if (payment === undefined && offer === undefined && language === 'en') return document;
  return {
    ...document,
    ...(payment === undefined ? {} : { payment }),
    ...(offer === undefined ? {} : describeOffer(offer)),
    ...(language === 'en' ? {} : { language }),
  };
}

function buildRetry(row: CodeRow, input: ProblemInput): ProblemRetry {
  const planned = input.retryKind ?? row.retryKind;
  // A limit that never resets is lifted by an action only (a lifetime quota).
  const kind =
    planned === 'after_reset' && input.resetsAt === undefined ? 'never_until_action' : planned;
  // C402-18: a 429 carries Retry-After even when repeating the call would only bring the 402 back.
  const isForTime = kind !== 'never_until_action' && kind !== 'with_proof';
  const waitingHelps = isForTime || row.status === 429;
  const seconds = waitingHelps ? input.retryAfterSeconds : undefined;
  const retry: { -readonly [Member in keyof ProblemRetry]: ProblemRetry[Member] } = { kind };
  if (input.resetsAt !== undefined) retry.resets_at = input.resetsAt;
  if (seconds !== undefined) retry.retry_after_seconds = seconds;
  return retry;
}

function buildDetails({ details = {}, resetsAt }: ProblemInput): ProblemDetails {
  const bounded = isTooLong(details) ? (clip(details) as ProblemDetails) : details;
  return resetsAt === undefined ? bounded : Object.assign({}, bounded, { resets_at: resetsAt });
}

/** Anything in it that is: details are objects of texts, numbers and lists of such objects. */
function isTooLong(value: unknown): boolean {
  if (typeof value === 'string') return value.length > TEXT_LENGTH_MAX;
  if (Array.isArray(value)) return value.length > LIST_LENGTH_MAX || value.some(isTooLong);
  return typeof value === 'object' && value !== null && Object.values(value).some(isTooLong);
}

function clip(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.length > TEXT_LENGTH_MAX ? `${value.slice(0, TEXT_LENGTH_MAX)}...` : value;
  }
  if (Array.isArray(value)) return value.slice(0, LIST_LENGTH_MAX).map(clip);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, clip(each)]));
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
function chooseAction(actions: CodeRow['actions'], input: ProblemInput): Action {
  let chosen = actions[0];
  for (const action of actions) {
    chosen = action;
    if (isPossible(action, input)) break;
  }
  return chosen;
}

function isPossible(action: Action, { details, resetsAt, offer }: ProblemInput): boolean {
  if (action === 'upgrade_plan') return offersAny('plan', details);
  if (action === 'buy_credits') return offersAny('pack', details);
  if (action === 'wait_for_reset') return resetsAt !== undefined;
  if (action === 'raise_spending_limit') return details?.from === undefined;
  return action !== 'pay_challenge' || offer !== undefined;
}

/** An add-on may raise a limit as a plan does, and may be a purchase of its own. */
function offersAny(wanted: 'plan' | 'pack', details: ProblemDetails | undefined): boolean {
  const options = details?.upgrade_options;
  return options?.some(({ kind }) => kind === wanted || kind === 'add_on') ?? true;
}

function describeOffer(offer: MachineOffer) {
  return {
    ...(offer.amountSats === undefined ? {} : { amount_sats: offer.amountSats }),
    description: offer.description,
    expires: offer.expires,
  };
}

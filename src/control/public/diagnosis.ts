import { type Action, isRetryable } from '../../contract/code-row.ts';
import { resolveCodeAlias } from '../../contract/code-aliases.ts';
import { type Code, CODES, isCode } from '../../contract/codes.ts';
import { type ParsedProblem, parseProblem } from '../../contract/parse-problem.ts';
import { readProblem } from '../../contract/read-problem.ts';
import { ACTION_WORDS } from '../../domain/action-words.ts';
import { classifyBillingError } from '../../providers/billing-errors.ts';
import { findProvider } from '../../providers/provider-directory.ts';
import { type Blame, describeBillingError } from './billing-words.ts';
import { explainHeaders, type HeaderNote } from './header-words.ts';
import type { PastedAnswer } from './pasted-answer.ts';
import { utcMinuteFrom } from './time-words.ts';

/** What an answer means, whoever sent it (DIAG-02). */
export interface Diagnosis {
  /** Who wrote the answer, as far as it shows: this gateway, a provider behind one, or nobody known. */
  readonly recognised: 'tollkeeper' | 'provider' | 'status' | 'nothing';
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly title: string;
  /** One or two sentences. */
  readonly cause: string;
  /** Who can do something about it. */
  readonly blame: Blame;
  readonly retry: { readonly helps: boolean; readonly text: string };
  readonly actions: readonly DiagnosedAction[];
  readonly provider: ProviderView | undefined;
  readonly requestId: string | undefined;
  /** Where it is explained in full; a path of this gateway. */
  readonly explainPath: string | undefined;
  readonly documentationPath: string | undefined;
  /** The numbers of the body. */
  readonly details: readonly { readonly name: string; readonly value: string }[];
  readonly headers: readonly HeaderNote[];
}
export interface DiagnosedAction {
  readonly action: string;
  readonly text: string;
  readonly url: string | undefined;
}
export interface ProviderView {
  readonly name: string;
  readonly statusUrl: string | undefined;
  readonly documentationUrl: string | undefined;
}

/**
 * What is certainly ours first, then what a provider is known to say, then a code of ours that stands alone: others
 * have codes in capitals too. The status alone says least.
 */
export function diagnose(answer: PastedAnswer): Diagnosis {
  const headers = explainHeaders(answer.headers);
  const problem = readProblem(answer.text) ?? parseProblem(answer.body);
  if (problem !== undefined && isSurelyOurs(problem)) {
    return { ...diagnoseOurs(problem, answer), headers };
  }
  const others = diagnoseOthers(answer);
  const known = problem !== undefined && isCode(problem.code) ? problem : findCode(answer.text);
  const bare = others.recognised === 'provider' ? undefined : known;
  return { ...(bare === undefined ? others : diagnoseOurs(bare, answer)), headers };
}

const REQUEST_ID = /^req_[0-9a-f]{32}$/;

function isSurelyOurs({ code, requestId, documentationUrl }: ParsedProblem): boolean {
  return REQUEST_ID.test(requestId ?? '') || documentationUrl?.endsWith(`/errors/${code}`) === true;
}

type Body = Omit<Diagnosis, 'headers'>;

/** One of our codes, or another name of one, in a text that is no body any more: a log line, an exception. */
function findCode(text: string): ParsedProblem | undefined {
  for (const [word] of text
    .slice(0, TEXT_SEARCHED_MAX)
    .matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)) {
    const code = isCode(word) ? word : resolveCodeAlias(word);
    if (code === undefined) continue;
    const { status, title } = CODES[code];
    const requestId = /\breq_[0-9a-f]{32}\b/.exec(text)?.[0];
    return parseProblem({ code, message: `${title}.`, status, request_id: requestId });
  }
  return undefined;
}

const TEXT_SEARCHED_MAX = 65_536;

function diagnoseOurs(problem: ParsedProblem, answer: PastedAnswer): Body {
  const { code, message, requestId, details } = problem;
  const known = isCode(code) ? code : undefined;
  return {
    recognised: 'tollkeeper',
    status: problem.status ?? answer.status,
    code,
    title: known === undefined ? code : CODES[known].title,
    cause: message,
    blame: known === undefined ? 'unknown' : blameOf(known),
    retry: { helps: retryHelps(problem), text: describeRetry(problem) },
    actions: known === undefined ? [] : actionsOf(known, problem),
    provider: providerOf(details),
    requestId,
    explainPath: explainPathOf(answer.body, requestId),
    documentationPath: known === undefined ? undefined : `/errors/${known}`,
    details: listDetails(details),
  };
}

function blameOf(code: Code): Blame {
  const { status, financial } = CODES[code];
  if (financial) return 'account';
  if (status >= 500) return code.startsWith('UPSTREAM') ? 'provider' : 'operator';
  return 'caller';
}

function retryHelps({ retryable, retry }: ParsedProblem): boolean {
  return retryable || retry.kind === 'after_reset';
}

function describeRetry({ retry }: ParsedProblem): string {
  const { kind, retry_after_seconds: seconds, resets_at: resetsAt } = retry;
  if (kind === 'when_slot_free') return 'Yes, when one of the running calls has ended.';
  if (kind === 'after_reset' && resetsAt !== undefined && !Number.isNaN(Date.parse(resetsAt))) {
    return `Not before ${utcMinuteFrom(Date.parse(resetsAt))}.`;
  }
  if (kind === 'with_proof') return 'Only with the proof of a payment.';
  if (!isRetryable(kind)) return 'No: the same call gets the same answer until something changes.';
  return seconds === undefined ? 'Yes, shortly.' : `Yes, in ${Math.ceil(seconds)} s, not sooner.`;
}

/** The one the answer names comes first: it is possible for this very caller. */
function actionsOf(
  code: Code,
  { action, resolutionUrl }: ParsedProblem,
): readonly DiagnosedAction[] {
  const { actions } = CODES[code];
  const named = actions.find((each) => each === action);
  const ordered =
    named === undefined ? actions : [named, ...actions.filter((each) => each !== named)];
  return ordered.map((each: Action, index) => ({
    action: each,
    text: ACTION_WORDS[each],
    url: index === 0 ? webAddress(resolutionUrl) : undefined,
  }));
}

/** Whoever pasted it may have been sent it by somebody else: only addresses of the web become links. */
function webAddress(text: string | undefined): string | undefined {
  return text !== undefined && /^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined;
}

function providerOf(details: Readonly<Record<string, unknown>>): ProviderView | undefined {
  const { upstream } = details;
  if (typeof upstream !== 'object' || upstream === null || !('provider' in upstream))
    return undefined;
  const { provider } = upstream;
  return typeof provider === 'string' ? viewProvider(provider) : undefined;
}

function viewProvider(nameOrId: string): ProviderView {
  const { name, statusUrl, documentationUrl } = findProvider(nameOrId) ?? {
    name: nameOrId.slice(0, 100),
    statusUrl: undefined,
    documentationUrl: undefined,
  };
  return { name, statusUrl, documentationUrl };
}

/** `instance` carries the signature that opens the page without a key. */
function explainPathOf(body: unknown, requestId: string | undefined): string | undefined {
  if (requestId === undefined || !REQUEST_ID.test(requestId)) return undefined;
  const instance =
    typeof body === 'object' && body !== null && 'instance' in body ? body.instance : undefined;
  const signed = typeof instance === 'string' ? /\?s=[\w-]{1,64}$/.exec(instance)?.[0] : undefined;
  return `/r/${requestId}${signed ?? ''}`;
}

const DETAILS_MAX = 30;
const VALUE_LENGTH_MAX = 300;

function listDetails(details: Readonly<Record<string, unknown>>) {
  return Object.entries(details)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .slice(0, DETAILS_MAX)
    .map(([name, value]) => ({
      name: name.slice(0, 100).replaceAll('_', ' '),
      value: String(value).slice(0, VALUE_LENGTH_MAX),
    }));
}

function diagnoseOthers(answer: PastedAnswer): Body {
  const { status, headers, body } = answer;
  const found =
    status === undefined
      ? classifyWithoutStatus(answer)
      : classifyBillingError({ status, headers, body });
  if (found === undefined) return status === undefined ? NOTHING : unremarkable(status);
  const words = describeBillingError(found, headers.get('retry-after'));
  return {
    ...EMPTY,
    ...words,
    recognised: found.provider === undefined ? 'status' : 'provider',
    status,
    code: found.code,
    cause:
      found.message === undefined
        ? words.cause
        : `${words.cause} It said: "${quote(found.message)}"`,
    provider: found.provider === undefined ? undefined : viewProvider(found.provider),
  };
}

/** A body alone: whichever status makes it known. Those that say least by themselves are asked last. */
function classifyWithoutStatus({ headers, body }: PastedAnswer) {
  for (const status of [402, 429, 403, 401, 400, 412, 200]) {
    const found = classifyBillingError({ status, headers, body });
    if (found?.provider !== undefined) return found;
  }
  return undefined;
}

function quote(message: string): string {
  return message.slice(0, VALUE_LENGTH_MAX).replaceAll(/\s+/g, ' ');
}

const EMPTY = {
  code: undefined,
  provider: undefined,
  requestId: undefined,
  explainPath: undefined,
  documentationPath: undefined,
  details: [],
} as const;

const NOTHING: Body = {
  ...EMPTY,
  recognised: 'nothing',
  status: undefined,
  title: 'Nothing in it is known',
  cause:
    'There is no status, no code of this gateway and nothing that a known provider says. Paste the whole answer: the line with the status, the headers and the body, as curl -i prints them.',
  blame: 'unknown',
  retry: { helps: false, text: 'Not known.' },
  actions: [],
};

function unremarkable(status: number): Body {
  const isError = status >= 400;
  return {
    ...EMPTY,
    recognised: 'status',
    status,
    title: isError ? `${status} of an unknown sender` : `${status}: it worked`,
    cause: isError
      ? 'The sender failed. Nothing in the answer says that it is about money.'
      : 'The answer is no refusal.',
    blame: isError ? 'operator' : 'nobody',
    retry: isError
      ? { helps: true, text: 'Perhaps: once, after a moment.' }
      : { helps: false, text: 'There is nothing to retry.' },
    actions: isError
      ? [{ action: 'contact_support', text: ACTION_WORDS.contact_support, url: undefined }]
      : [],
  };
}

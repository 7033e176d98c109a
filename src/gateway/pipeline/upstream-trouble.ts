import type { Code } from '../../contract/codes.ts';
import type { Fault } from '../../domain/facts.ts';
import {
  type BillingError,
  type BillingErrorKind,
  classifyBillingError,
  type ProviderAnswer,
} from '../../providers/billing-errors.ts';
import { findProvider } from '../../providers/provider-directory.ts';
import type { RawHeaders } from '../listener.ts';
import type { UpstreamFailure } from '../upstream.ts';
import { decode } from './decode-answer.ts';
import type { Exchange } from './exchange.ts';
import { joinChunks } from './join-chunks.ts';
import { readHeader } from './outgoing.ts';

/** Of an upstream's refusal: what is looked at and told. */
const TROUBLE_BYTES_MAX = 16 * 1024;
const MESSAGE_LENGTH_MAX = 300;

/** An answer of an upstream that refuses. */
export interface UpstreamRefusal {
  readonly status: number;
  readonly headers: RawHeaders;
  /** The first bytes of its body. */
  readonly body: Buffer;
  /** Where it was asked, and what the configuration calls it. */
  readonly target: string | undefined;
  readonly upstreamId: string;
}

/** About the operator's account with the provider: never the caller's money (REQUIREMENTS "the upstream's own 402"). */
const MONEY: ReadonlySet<BillingErrorKind | undefined> = new Set([
  'credit_exhausted',
  'request_exceeds_balance',
  'in_flight_budget',
  'spend_limit',
  'tier_cap',
  'plan_quota_exhausted',
  'payment_overdue',
  'payment_method_invalid',
  'account_suspended',
  'account_inactive',
  'not_purchased',
  'downstream_budget',
  'downstream_balance',
  'downstream_quota',
  'upstream_exhausted_behind_gateway',
  'suspect_402',
  'x402_challenge',
  'l402_challenge',
]);

/** Why the provider serves no more calls of ours, in its own words (C402-22, LLM-14); undefined = it is something else. */
export function findMoneyTrouble(refusal: UpstreamRefusal): Fault | undefined {
  const answer = readAnswer(refusal);
  return judgeMoney(refusal, answer, classifyBillingError(answer));
}

function judgeMoney(
  refusal: UpstreamRefusal,
  answer: ProviderAnswer,
  found: BillingError | undefined,
): Fault | undefined {
  // A 402 is about money whatever else it says.
  const isMoney = answer.status === 402 || MONEY.has(found?.kind);
  return isMoney ? tell(refusal, answer.status, found) : undefined;
}

/** What a model's refusal is answered with; undefined = it is about the caller's own request, and shown as it came. */
export function judgeRefusal(
  { upstreamStatus: status = 502, target }: Pick<Exchange, 'upstreamStatus' | 'target'>,
  headers: RawHeaders,
  body: Buffer,
  upstreamId: string,
): Fault | undefined {
  const refusal = { status, headers, body, target, upstreamId };
  const answer = readAnswer(refusal);
  const found = classifyBillingError(answer);
  const trouble = judgeMoney(refusal, answer, found);
  if (trouble !== undefined) return trouble;
  const isTooFast = answer.status === 429 || found?.kind === 'rate_limited';
  if (isTooFast) return tooFast(refusal, answer, found);
  if (found?.kind === 'overloaded') return overloaded(answer);
  return isAboutCall(status, found) ? undefined : failedWith(status);
}

/** Some say 403 of a call that is too long, or whose content they refuse: no key would change that. */
function isAboutCall(status: number, found: BillingError | undefined): boolean {
  if (status < 400 || status >= 500) return false;
  if (status !== 401 && status !== 403) return true;
  return found?.kind === 'bad_request' || found?.kind === 'policy_block';
}

const WAIT_SECONDS_MAX = 3600;

/**
 * When to try again, as far as it says so. RFC 9110 10.2.3: in seconds, or as a date, by the clock of the sender, which
 * is told beside it.
 */
function waitToldMs(headers: ProviderAnswer['headers']): number | undefined {
  const told = headers.get('retry-after') ?? '';
  const inSeconds = Number(told);
  const seconds = Number.isNaN(inSeconds)
    ? (Date.parse(told) - Date.parse(headers.get('date') ?? '')) / 1000
    : inSeconds;
  return seconds >= 1 ? Math.ceil(Math.min(seconds, WAIT_SECONDS_MAX)) * 1000 : undefined;
}

/** Too many calls of the operator's account (LLM-18): when to try again is told, but not the words, which name it. */
function tooFast(
  refusal: UpstreamRefusal,
  { headers }: ProviderAnswer,
  found: BillingError | undefined,
): Fault {
  const provider = nameProvider(refusal);
  return {
    code: 'RATE_LIMITED',
    problem: 'the provider of the model takes no more calls just now',
    pointer: undefined,
    retryAfterMs: waitToldMs(headers) ?? 1000,
    upstream: {
      provider,
      status: 429,
      ...(found?.code === undefined ? {} : { code: found.code }),
    },
  };
}

/** It may serve the same call in a while: overload is 503, whoever's it is (REQUIREMENTS, "concurrency cap"). */
function overloaded({ headers }: ProviderAnswer): Fault {
  const retryAfterMs = waitToldMs(headers);
  return {
    code: 'UPSTREAM_UNAVAILABLE',
    problem: 'the provider of the model is overloaded',
    pointer: undefined,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** With which providers say that money is missing, or that the key is wrong (docs/guides/upstream-providers.md). */
const COMPLAINTS: ReadonlySet<number> = new Set([400, 401, 402, 403, 412, 422, 429, 500, 503]);

/** `isOurs`: the operator's account is what an upstream complains of. A 402 is never the caller's (REQUIREMENTS). */
export function mayComplain(status: number, isOurs: boolean): boolean {
  return status === 402 || (isOurs && COMPLAINTS.has(status));
}

/** An upstream's refusal as it comes in, until it is known what it is about: no more of it than tells that. */
export class UpstreamComplaint {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(status: number, headers: RawHeaders) {
    this.status = status;
    this.headers = headers;
  }

  /** True = that is enough of it. */
  hear(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return this.#bytes >= TROUBLE_BYTES_MAX;
  }

  /** What was heard of its body. */
  get body(): Buffer {
    return joinChunks(this.#chunks);
  }

  /** Our side of it: our money, or our key. Undefined = it is about the caller's own request. */
  fault(target: string | undefined, upstreamId: string): Fault | undefined {
    const { status, headers, body } = this;
    const refusal = { status, headers, body, target, upstreamId };
    const trouble = findMoneyTrouble(refusal);
    if (trouble !== undefined || !isAboutKey(refusal)) return trouble;
    return failedWith(status);
  }
}

const KEY_CODE = /api_?key|authentication|token|permission_error/;

/** A service may also say 403 of its own accord, to a caller whom we told it about: then no key is spoken of. */
function isAboutKey(refusal: UpstreamRefusal): boolean {
  if (refusal.status !== 403) return refusal.status === 401;
  if (readHeader(refusal.headers, 'www-authenticate') !== undefined) return true;
  return KEY_CODE.test(classifyBillingError(readAnswer(refusal))?.code ?? '');
}

function failedWith(status: number): Fault {
  const problem = `the upstream answered ${status}${status < 300 ? ' and no answer of a model' : ''}`;
  return { code: 'UPSTREAM_FAILED', problem, pointer: undefined };
}

/** Our side of an upstream's failure: 502, 503 or 504, never a 402 (C402-19). */
export function codeOfFailure(failure: UpstreamFailure): Code {
  if (failure.kind === 'timeout') return 'UPSTREAM_TIMEOUT';
  if (failure.kind === 'connect') return 'UPSTREAM_UNAVAILABLE';
  return 'UPSTREAM_FAILED';
}

function readAnswer({ status, headers, body: sent }: UpstreamRefusal): ProviderAnswer {
  const body = decode(sent, headers) ?? sent;
  const parsed = parseBody(body.subarray(0, TROUBLE_BYTES_MAX).toString('utf8'));
  return {
    status: statusMeant(status, parsed),
    headers: namedInLowerCase(headers),
    body: parsed,
  };
}

/** Some answer 200 before they know, and say in the error which status they mean: `{"error":{"code":402}}`. */
function statusMeant(status: number, body: unknown): number {
  if (status >= 300 || !isObject(body) || !('error' in body)) return status;
  const { error } = body;
  const code = isObject(error) && 'code' in error ? Number(error.code) : Number.NaN;
  return code >= 400 && code < 600 ? code : status;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function tell(refusal: UpstreamRefusal, status: number, found: BillingError | undefined): Fault {
  const message = found?.message?.slice(0, MESSAGE_LENGTH_MAX);
  return {
    code: 'UPSTREAM_PROVIDER_QUOTA_EXHAUSTED',
    problem: `the upstream answered ${status} for its own billing reasons`,
    pointer: undefined,
    upstream: {
      provider: nameProvider(refusal),
      status,
      ...(found?.code === undefined ? {} : { code: found.code }),
      ...(message === undefined || message === '' ? {} : { message }),
    },
  };
}

/** As people know it, where the address says who it is; else as the configuration calls it. */
function nameProvider({ target, upstreamId }: UpstreamRefusal): string {
  return findProvider(target ?? '')?.name ?? upstreamId;
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function namedInLowerCase(headers: RawHeaders): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  for (let index = 0; index < headers.length; index += 2) {
    named.set((headers[index] ?? '').toLowerCase(), headers[index + 1] ?? '');
  }
  return named;
}

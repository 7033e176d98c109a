import type { Code } from '../../contract/codes.ts';
import type { Fault } from '../../domain/facts.ts';
import {
  type BillingError,
  type BillingErrorKind,
  classifyBillingError,
} from '../../providers/billing-errors.ts';
import { findProvider } from '../../providers/provider-directory.ts';
import type { RawHeaders } from '../listener.ts';
import type { UpstreamFailure } from '../upstream.ts';
import { joinChunks } from './join-chunks.ts';

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
  'account_suspended',
  'downstream_budget',
  'downstream_balance',
  'suspect_402',
  'x402_challenge',
  'l402_challenge',
]);

/** Why the provider serves no more calls of ours, in its own words (C402-22, LLM-14); undefined = it is something else. */
export function findMoneyTrouble(refusal: UpstreamRefusal): Fault | undefined {
  const found = classify(refusal);
  // A 402 is about money whatever else it says.
  return refusal.status === 402 || MONEY.has(found?.kind) ? tell(refusal, found) : undefined;
}

/** The 402 of an upstream as it comes in: its words are told, not passed on, and as many as are of use. */
export class UpstreamComplaint {
  readonly #headers: RawHeaders;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(headers: RawHeaders) {
    this.#headers = headers;
  }

  /** True = that is enough of it. */
  hear(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return this.#bytes >= TROUBLE_BYTES_MAX;
  }

  fault(target: string | undefined, upstreamId: string): Fault {
    const body = joinChunks(this.#chunks);
    const refusal = { status: 402, headers: this.#headers, body, target, upstreamId };
    return tell(refusal, classify(refusal));
  }
}

/** Our side of an upstream's failure: 502, 503 or 504, never a 402 (C402-19). */
export function codeOfFailure(failure: UpstreamFailure): Code {
  if (failure.kind === 'timeout') return 'UPSTREAM_TIMEOUT';
  if (failure.kind === 'connect') return 'UPSTREAM_UNAVAILABLE';
  return 'UPSTREAM_FAILED';
}

function classify({ status, headers, body }: UpstreamRefusal): BillingError | undefined {
  const text = body.subarray(0, TROUBLE_BYTES_MAX).toString('utf8');
  return classifyBillingError({
    status,
    headers: namedInLowerCase(headers),
    body: parseBody(text),
  });
}

function tell(refusal: UpstreamRefusal, found: BillingError | undefined): Fault {
  const { status } = refusal;
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

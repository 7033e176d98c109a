import type { Action, ProblemStatus, RetryKind } from './code-row.ts';
import type { Code } from './codes.ts';
import type { Language } from './languages.ts';

/** C402-26: the version of the document below; sent as `X-402-Version`. A new member does not raise it. */
export const PROBLEM_VERSION = '1';
/** Where the gateway serves PROBLEM_SCHEMA, below its public origin. */
export const PROBLEM_SCHEMA_PATH = `/schemas/problem-v${PROBLEM_VERSION}.json`;

/** Whose use a limit counts. */
export const LIMIT_SCOPES = [
  'global',
  'tenant',
  'app',
  'key',
  'end_user',
  'model',
  'route',
  'operation',
] as const;
export type LimitScope = (typeof LIMIT_SCOPES)[number];

/**
 * BILL-14, FRAUD-02: why a payment did not go through, as a payer may know it. Processors' own codes
 * are mapped to these; what the payer must not learn (a stolen card, a suspicion) is `declined`.
 */
export const DECLINE_REASONS = [
  'insufficient_funds',
  'card_expired',
  'details_incorrect',
  'authentication_required',
  'limit_exceeded',
  'method_not_supported',
  'method_invalid',
  'currency_not_supported',
  'amount_rejected',
  'not_permitted',
  'mandate_revoked',
  'duplicate',
  'processor_unavailable',
  'test_card',
  'declined',
] as const;
export type DeclineReason = (typeof DECLINE_REASONS)[number];

/** TEN-10: what of an account has to be verified. */
export const VERIFICATIONS = ['email', 'phone', 'identity'] as const;
export type Verification = (typeof VERIFICATIONS)[number];

/** An unpaid invoice (BILL-17). */
export interface InvoiceNote {
  readonly id: string;
  /** `49.00 USD`. */
  readonly amount?: string;
  /** ISO time. */
  readonly due_at?: string;
  readonly url?: string;
}

/** What the provider behind the gateway answered, in its own words (C402-22, LLM-14). */
export interface UpstreamNote {
  /** The provider as people know it: `OpenAI`. */
  readonly provider: string;
  readonly status?: number;
  /** The provider's own code: `insufficient_quota`. */
  readonly code?: string;
  readonly message?: string;
}

/** Something on sale that would make this very request succeed (C402-07). */
export interface UpgradeOption {
  readonly kind: 'plan' | 'pack' | 'add_on';
  readonly id: string;
  /** The name people know; the id stands in for it. */
  readonly title?: string;
  /** `49.00 USD/month`, `5.00 USD`. */
  readonly price: string;
  readonly url: string;
}

/** Counts are safe integers; money is a decimal string with its asset (`0.0010 USD`). */
export type Quantity = number | string;

/**
 * What was refused, in numbers. The sentence is made from these members and from nothing else, so
 * that text and data cannot disagree. buildProblem cuts a text of more than 300 characters.
 */
export interface ProblemDetails {
  readonly current_plan?: string;
  readonly required_plan?: string;
  /** `requests_per_month`, `spend_per_lifetime`, `credits`. */
  readonly exceeded_limit_type?: string;
  readonly limit_id?: string;
  readonly scope?: LimitScope;
  /** It is a limit of a tenant above: no purchase of this account lifts it. */
  readonly from?: 'ancestor';
  /** `requests`, `tokens` ... (UNIT_NAMES of phrases/phrasebook.ts); of a spending limit the asset. */
  readonly unit?: string;
  /** `second` ... `year`, `billing_cycle`, `lifetime`; a number of them (`10 seconds`); any stretch (`sliding_hour`). */
  readonly window?: string;
  readonly current_usage?: Quantity;
  readonly allowed_usage?: Quantity;
  readonly remaining?: Quantity;
  /** What this call could take at most: money, tokens, or requests. */
  readonly needed?: Quantity;
  /** Balance that is neither spent nor held. */
  readonly available?: Quantity;
  /** Under the open holds of calls still running. */
  readonly held?: Quantity;
  readonly affordable_max_tokens?: number;
  /** Set by buildProblem from `resetsAt`. */
  readonly resets_at?: string;
  readonly upgrade_options?: readonly UpgradeOption[];
  readonly model?: string;
  readonly feature?: string;
  /** What is wrong: a JSON pointer (RFC 6901) into the body (`/messages/0/role`), or the name of a header or parameter. */
  readonly pointer?: string;
  /** What is wrong, as a clause. */
  readonly reason?: string;
  /** It ends a stream, and what was sent of that is charged. */
  readonly charged_before?: true;
  /** The code of the 402 that a retry storm repeats. */
  readonly cause?: string;
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly allowed_methods?: readonly string[];
  readonly allowed_bytes?: number;
  readonly timeout_seconds?: number;
  /** Of the thing that was not found. */
  readonly id?: string;
  /** The nearest existing name. */
  readonly nearest?: string;
  /** ISO times. */
  readonly expired_at?: string;
  readonly revoked_at?: string;
  /** SUB-13: when the subscription or trial ended, or ends. */
  readonly current_plan_end_date?: string;
  readonly grace_ended_at?: string;
  readonly resumes_at?: string;
  readonly requested_at?: string;
  readonly retired_at?: string;
  /** Who pays when it is not the caller: the organisation, or the service account (SUB-15, GW-17). */
  readonly account?: string;
  readonly api?: string;
  readonly operation?: string;
  /** What is sold by itself: a course module, a level (PLAN-05, SUB-19). */
  readonly resource?: string;
  /** `9.00 USD`, `30 gems`: of the resource, the charge, or one more unit. */
  readonly price?: string;
  readonly invoices?: readonly InvoiceNote[];
  readonly amount_due?: string;
  readonly decline_reason?: DeclineReason;
  /** `read_only` while only reading is served (DEG-01). */
  readonly service_level?: 'full' | 'degraded' | 'read_only';
  readonly verification?: Verification;
  /** `model:large`, `POST /images`: what the key lacks. */
  readonly permission?: string;
  readonly role?: string;
  readonly required_role?: string;
  /** Name of the rule that forbids. */
  readonly policy?: string;
  /** The caller's network address. */
  readonly address?: string;
  /** `live`, `test`: of the key and of this address. */
  readonly key_environment?: string;
  readonly environment?: string;
  /** What replaces a retired API: `GET /v2/search`. */
  readonly successor?: string;
  readonly upstream?: UpstreamNote;
}

export interface ProblemInput {
  readonly code: Code;
  /** `req_...`, ours (GW-22). */
  readonly requestId: string;
  /** Public origin of the gateway, without a slash at the end. */
  readonly baseUrl: string;
  readonly details?: ProblemDetails;
  /** Where a person resolves it: a pay link, a plan page (C402-04). Default: the page of the code. */
  readonly resolutionUrl?: string;
  /** Link to the explanation. Left out where none is kept: the id is then told as a URN, which names and leads nowhere. */
  readonly explainUrl?: string;
  /** ISO time at which the limit is full again; leave out when it never is. */
  readonly resetsAt?: string;
  /** Whole seconds, rounded up. Dropped where waiting does not help (C402-21). */
  readonly retryAfterSeconds?: number;
  /** Only where this occurrence differs from its code: `transient` while open holds have what is missing. */
  readonly retryKind?: RetryKind;
  readonly payment?: PaymentTerms;
  /** C402-25: what one call costs a caller without an account. */
  readonly offer?: MachineOffer;
  /** Of title and message (C402-27); default English. */
  readonly language?: Language;
}

export interface PaymentTerms {
  /** What continuing costs: `0.0010 USD`. */
  readonly amount: string;
  /** `credits`, `l402`, `x402`. */
  readonly methods: readonly string[];
}
export interface MachineOffer {
  /** Present only when a rate with source and time is configured. */
  readonly amountSats?: number;
  readonly description: string;
  /** ISO time. */
  readonly expires: string;
}

/** Whose refusal it is, as people see it (C402-11). */
export interface ProblemBrand {
  readonly name: string;
  /** https. */
  readonly logo_url?: string;
  /** `#0b57c2`. */
  readonly color?: string;
  /** https, or mailto. */
  readonly support_url?: string;
}

export interface ProblemRetry {
  readonly kind: RetryKind;
  readonly resets_at?: string;
  readonly retry_after_seconds?: number;
}

/** The body of every refusal: RFC 9457 members, and every client shape of C402-09. `error` is that of the plain dialect. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: ProblemStatus;
  readonly detail: string;
  /** Where this is explained; of what is not kept, a URN (RFC 9457 3.1.5: it need not be dereferenceable). */
  readonly instance: string;
  readonly request_id: string;
  readonly error: string;
  readonly code: Code;
  readonly errorCode: Code;
  readonly message: string;
  readonly action: Action;
  readonly resolution_url: string;
  readonly resolutionLink: string;
  readonly documentation_url: string;
  readonly documentation_link: string;
  readonly retryable: boolean;
  readonly retry: ProblemRetry;
  readonly details: ProblemDetails;
  readonly payment?: PaymentTerms;
  readonly amount_sats?: number;
  readonly description?: string;
  readonly expires?: string;
  /** Of `title`, `detail` and `message`; absent means English. */
  readonly language?: Language;
  readonly brand?: ProblemBrand;
  readonly schema: string;
}

/** Whether `instance` is a link, and not only the name of a request. */
export function isExplained(instance: string): boolean {
  return !instance.startsWith('urn:');
}

import type { DeclineReason, LimitScope, Verification } from '../problem-document.ts';

/** Periods by name. A period in words (`10 seconds`, `sliding_30_days`) is split into a number and one of these. */
export const PERIOD_NAMES = [
  'second',
  'minute',
  'hour',
  'day',
  'week',
  'month',
  'year',
  'billing_cycle',
  'lifetime',
] as const;
export type PeriodName = (typeof PERIOD_NAMES)[number];

/** The units of REQUIREMENTS QUOTA-01, and `free`, the word for what is not counted in any of them. */
export const UNIT_NAMES = [
  'requests',
  'tokens',
  'input_tokens',
  'output_tokens',
  'bytes',
  'bytes_in',
  'bytes_out',
  'storage_bytes',
  'compute_units',
  'compute_ms',
  'operations',
  'concurrent_requests',
  'spend',
] as const;
export type UnitName = (typeof UNIT_NAMES)[number];

export interface PeriodWords {
  /** `used 10 of 10 requests ...`: `this month`. */
  readonly running: string;
  /** `... token quota exceeded`, where a sentence begins: `Monthly`. */
  readonly cadence: string;
  /** `60 requests per ...`: `minute`; undefined where a rate over it makes no sense. */
  readonly span: string | undefined;
  /** `in the last ...` 30 of them: `in the last 30 days`. */
  readonly sliding: (count: string) => string;
  /** The same of one: `in the last day`. */
  readonly slidingOne: string;
  /** `60 requests per ...` 10 of them: `10 seconds`. */
  readonly spans: (count: string) => string;
}

/** The words of one language that sentences are filled with. The sentences themselves are with the codes. */
export interface Phrasebook {
  /** Between the sentence and its link. */
  readonly linkJoint: string;
  /** Who has used something up, with the auxiliary, where a sentence begins and inside one. */
  readonly subjects: Readonly<
    Record<LimitScope | 'organisation', readonly [start: string, inside: string]>
  >;
  /** Who can raise a limit of a tenant above, as who is asked. */
  readonly organisation: string;
  readonly periods: Readonly<Record<PeriodName, PeriodWords>>;
  readonly units: Readonly<Record<UnitName, string>>;
  /** Why a payment did not go through, as a clause. */
  readonly declines: Readonly<Record<DeclineReason, string>>;
  /** What of an account is not verified, as a subject where a sentence begins. */
  readonly verifications: Readonly<Record<Verification, string>>;
  /** Of an answer that breaks off, as a clause: its beginning is paid for. */
  readonly chargedBefore: string;
  /** Between the last two of a list of choices: ` or `. */
  readonly or: string;
  /** `Business` -> `a Business`, in the languages that need it. */
  readonly withArticle: (name: string) => string;
  /** A whole number from its digits. */
  readonly groupDigits: (digits: string) => string;
  readonly decimalMark: string;
  /** A size below 10 kB, from its grouped digits. */
  readonly bytes: (count: string) => string;
  /** From the parts of an ISO time: `2026`, `12`, `01`, `00:00`. */
  readonly formatTime: (year: string, month: string, day: string, time: string) => string;
}

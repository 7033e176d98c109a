import type { CodeRow } from './code-row.ts';
import { formatCount, formatSize, formatTimeIn, formatWaitIn } from './number-words.ts';
import { findPeriod } from './period-words.ts';
import { ENGLISH } from './phrases/english.ts';
import { UNIT_NAMES, type Phrasebook, type UnitName } from './phrases/phrasebook.ts';
import type {
  MachineOffer,
  PaymentTerms,
  ProblemDetails,
  ProblemRetry,
  Quantity,
} from './problem-document.ts';

/** What the words of a sentence are made from. */
export interface WordSource {
  readonly details: ProblemDetails;
  readonly row: CodeRow;
  readonly retry: ProblemRetry;
  readonly payment: PaymentTerms | undefined;
  readonly offer: MachineOffer | undefined;
  readonly phrases: Phrasebook;
}

type Word = (source: WordSource) => string | undefined;

const INVOICES_NAMED_MAX = 3;

/** Every word a sentence of the registry may use, worked out only when a sentence asks for it. */
export const WORDS: Readonly<Record<string, Word>> = {
  subject: ({ details, phrases }) => phrases.subjects[subjectOf(details)][0],
  subject_inside: ({ details, phrases }) => phrases.subjects[subjectOf(details)][1],
  organisation: ({ details, phrases }) =>
    details.from === undefined ? undefined : phrases.organisation,
  account: ({ details }) => details.account,
  current_plan: ({ details }) => details.current_plan,
  current_usage: (source) => formatUsage(source, 'current_usage'),
  allowed_usage: (source) => formatUsage(source, 'allowed_usage'),
  needed: (source) => formatUsage(source, 'needed'),
  too_much: findTooMuch,
  available: (source) => formatUsage(source, 'available'),
  held: (source) => formatUsage(source, 'held'),
  unit: (source) => nameUnit(source, undefined),
  token_unit: (source) => nameUnit(source, 'tokens'),
  compute_unit: (source) => nameUnit(source, 'compute_units'),
  window: ({ details, phrases }) => findPeriod(details.window, phrases)?.span,
  period: ({ details, phrases }) => findPeriod(details.window, phrases)?.running,
  cadence: ({ details, phrases }) => findPeriod(details.window, phrases)?.cadence,
  affordable_max_tokens: findAffordable,
  upgrade: ({ details }) => nameFirstPlan(details),
  an_upgrade: ({ details, phrases }) => mapWord(nameFirstPlan(details), phrases.withArticle),
  resets: (source) => formatWaitIn(source.details.resets_at, source.phrases),
  retry_after: findRetryAfter,
  model: ({ details }) => details.model,
  feature: ({ details }) => details.feature,
  operation: ({ details }) => details.operation,
  api: ({ details }) => details.api,
  resource: ({ details }) => details.resource,
  price: ({ details, phrases }) => formatCount(details.price, phrases),
  offer_price: findOfferPrice,
  invoices: nameInvoices,
  amount_due: ({ details, phrases }) => formatCount(details.amount_due, phrases),
  decline: ({ details, phrases }) =>
    mapWord(details.decline_reason, (key) => phrases.declines[key]),
  verification: ({ details, phrases }) =>
    mapWord(details.verification, (key) => phrases.verifications[key]),
  charged_before: ({ details, phrases }) =>
    details.charged_before === true ? phrases.chargedBefore : undefined,
  parameter: ({ details }) => formatParameter(details.pointer),
  reason: ({ details }) => trimEnd(details.reason),
  cause: ({ details }) => details.cause,
  permission: ({ details }) => details.permission,
  role: ({ details }) => details.role,
  required_role: ({ details }) => details.required_role,
  policy: ({ details }) => details.policy,
  address: ({ details }) => details.address,
  key_environment: ({ details }) => details.key_environment,
  environment: ({ details }) => details.environment,
  successor: ({ details }) => details.successor,
  provider: ({ details }) => details.upstream?.provider,
  upstream_reason: ({ details }) => trimEnd(details.upstream?.message),
  method: ({ details }) => details.method,
  methods: ({ details, phrases }) => details.allowed_methods?.join(phrases.or),
  path: ({ details }) => details.path,
  host: ({ details }) => details.host,
  allowed_bytes: ({ details, phrases }) => formatCount(details.allowed_bytes, phrases),
  allowed_size: ({ details, phrases }) =>
    mapWord(details.allowed_bytes, (bytes) => formatSize(bytes, 'down', phrases)),
  timeout_seconds: ({ details, phrases }) => formatCount(details.timeout_seconds, phrases),
  id: ({ details }) => details.id,
  nearest: ({ details }) => details.nearest,
  expired: (source) => formatTimeIn(source.details.expired_at, source.phrases),
  revoked: (source) => formatTimeIn(source.details.revoked_at, source.phrases),
  plan_end: (source) => formatTimeIn(source.details.current_plan_end_date, source.phrases),
  grace_end: (source) => formatTimeIn(source.details.grace_ended_at, source.phrases),
  resumes: (source) => formatWaitIn(source.details.resumes_at, source.phrases),
  requested: (source) => formatTimeIn(source.details.requested_at, source.phrases),
  retired: (source) => formatTimeIn(source.details.retired_at, source.phrases),
};

/** Of a limit that counts a tenant above as a whole it is not the caller who has used it up. */
function subjectOf({ scope = 'tenant', from }: ProblemDetails): keyof Phrasebook['subjects'] {
  return from === 'ancestor' && scope === 'tenant' ? 'organisation' : scope;
}

/** 10000 -> `10,000`. Money strings pass as they are; what is not a finite number is no word. */
export function formatQuantity(quantity: Quantity | undefined): string | undefined {
  return formatCount(quantity, ENGLISH);
}

/** `2026-12-01T00:00:00Z` -> `2026-12-01 00:00 UTC`; undefined for anything but an ISO time in UTC. */
export function formatUtcMinute(iso: string | undefined): string | undefined {
  return formatTimeIn(iso, ENGLISH);
}

/**
 * JSON pointer to the path OpenAI's `param` uses: `/messages/0/role` -> `messages[0].role`. The name
 * of a header or a parameter is no pointer and passes as it is.
 */
export function formatParameter(pointer: string | undefined): string | undefined {
  if (pointer === undefined || !pointer.startsWith('/'))
    return pointer === '' ? undefined : pointer;
  return pointer.slice(1).split('/').map(unescapePointer).map(formatMember).join('');
}

function formatMember(member: string, index: number): string {
  if (/^\d+$/.test(member)) return `[${member}]`;
  return index === 0 ? member : `.${member}`;
}

function unescapePointer(member: string): string {
  return member.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** What no waiting makes room for: the limit never allows so much. */
function findTooMuch(source: WordSource): string | undefined {
  return source.retry.kind === 'never_until_action' ? formatUsage(source, 'needed') : undefined;
}

type UsageMember = 'current_usage' | 'allowed_usage' | 'needed' | 'available' | 'held';

function formatUsage({ details, phrases }: WordSource, member: UsageMember): string | undefined {
  const quantity = details[member];
  if (typeof quantity !== 'number' || !isBytes(details.unit)) return formatCount(quantity, phrases);
  return formatSize(quantity, member === 'needed' ? 'up' : 'down', phrases);
}

function nameUnit(
  { details: { unit }, phrases }: WordSource,
  otherwise: UnitName | undefined,
): string | undefined {
  const name = isUnit(unit) ? unit : otherwise;
  return name === undefined ? undefined : phrases.units[name];
}

function isUnit(unit: string | undefined): unit is UnitName {
  return unit !== undefined && (UNIT_NAMES as readonly string[]).includes(unit);
}

function isBytes(unit: string | undefined): boolean {
  return unit === 'storage_bytes' || (unit?.startsWith('bytes') ?? false);
}

/** Nobody is told to lower max_tokens to nothing. */
function findAffordable({ details, phrases }: WordSource): string | undefined {
  const tokens = details.affordable_max_tokens;
  return tokens !== undefined && tokens > 0 ? formatCount(tokens, phrases) : undefined;
}

/** One name keeps the sentence readable; `upgrade_options` has the rest. */
function nameFirstPlan(details: ProblemDetails): string | undefined {
  const plan = details.upgrade_options?.find(({ kind }) => kind === 'plan');
  return plan?.title ?? plan?.id ?? details.required_plan;
}

/** In a 402 waiting seconds is the next step only while open holds have what is missing (DESIGN 5). */
function findRetryAfter({ row, retry, phrases }: WordSource): string | undefined {
  if (row.financial && retry.kind !== 'transient') return undefined;
  return formatCount(retry.retry_after_seconds, phrases);
}

/** What a caller without an account pays for this call; sats only where a rate is configured. */
function findOfferPrice({ offer, payment, phrases }: WordSource): string | undefined {
  if (offer === undefined) return undefined;
  const sats = formatCount(offer.amountSats, phrases);
  if (payment === undefined) return mapWord(sats, (count) => `${count} sats`);
  const amount = formatCount(payment.amount, phrases);
  return sats === undefined ? amount : `${amount} = ${sats} sats`;
}

/** The first few by name; `details.invoices` has them all. */
function nameInvoices({ details: { invoices = [] } }: WordSource): string | undefined {
  if (invoices.length === 0) return undefined;
  const named = invoices.slice(0, INVOICES_NAMED_MAX).map(({ id }) => id);
  const more =
    invoices.length > INVOICES_NAMED_MAX ? ` +${invoices.length - INVOICES_NAMED_MAX}` : '';
  return named.join(', ') + more;
}

/** The sentence goes on after it. */
function trimEnd(text: string | undefined): string | undefined {
  return text?.replace(/[.\s]+$/, '');
}

function mapWord<Value>(
  value: Value | undefined,
  toWord: (value: Value) => string | undefined,
): string | undefined {
  return value === undefined ? undefined : toWord(value);
}

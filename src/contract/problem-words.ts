import type { CodeRow } from './code-row.ts';
import type { ProblemDetails, ProblemRetry, Quantity, UpgradeOption } from './problem-document.ts';
import type { Words } from './sentence.ts';

/** `used 10 of 10 requests ...` */
const PERIODS: ReadonlyMap<string, string> = new Map([
  ['minute', 'this minute'],
  ['hour', 'this hour'],
  ['day', 'today'],
  ['week', 'this week'],
  ['month', 'this month'],
  ['lifetime', 'in total'],
]);

/** Every word a sentence of the registry may use. */
export function describeDetails(details: ProblemDetails, row: CodeRow, retry: ProblemRetry): Words {
  const subject = details.scope === 'key' ? 'This key has' : 'You have';
  return {
    subject,
    subject_inside: subject === 'You have' ? 'you have' : 'this key has',
    current_plan: details.current_plan,
    current_usage: formatQuantity(details.current_usage),
    allowed_usage: formatQuantity(details.allowed_usage),
    unit: details.unit,
    window: details.window,
    period: details.window === undefined ? undefined : PERIODS.get(details.window),
    needed: formatQuantity(details.needed),
    available: formatQuantity(details.available),
    held: formatQuantity(details.held),
    affordable_max_tokens: formatAffordable(details.affordable_max_tokens),
    upgrade: nameFirstPlan(details.upgrade_options) ?? details.required_plan,
    resets: formatUtcMinute(details.resets_at),
    retry_after: formatRetryAfter(row, retry),
    model: details.model,
    feature: details.feature,
    parameter: formatParameter(details.pointer),
    // The sentence goes on after it.
    reason: details.reason?.replace(/[.\s]+$/, ''),
    cause: details.cause,
    method: details.method,
    methods: details.allowed_methods?.join(' or '),
    path: details.path,
    host: details.host,
    allowed_bytes: formatQuantity(details.allowed_bytes),
    timeout_seconds: formatQuantity(details.timeout_seconds),
    id: details.id,
    nearest: details.nearest,
    expired: formatUtcMinute(details.expired_at),
    revoked: formatUtcMinute(details.revoked_at),
  };
}

/** 10000 -> `10,000`. Money strings pass as they are; what is not a finite number is no word. */
export function formatQuantity(quantity: Quantity | undefined): string | undefined {
  if (typeof quantity === 'string') return quantity;
  if (quantity === undefined || !Number.isFinite(quantity)) return undefined;
  // Grouping is for counts; a fraction would be grouped behind its point too.
  if (!Number.isInteger(quantity)) return String(quantity);
  return String(quantity).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `2026-12-01T00:00:00Z` -> `2026-12-01 00:00 UTC`; undefined for anything but an ISO time in UTC. */
export function formatUtcMinute(iso: string | undefined): string | undefined {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d{1,9})?)?Z$/.exec(iso ?? '');
  return match === null ? undefined : `${match[1]} ${match[2]} UTC`;
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

/** Nobody is told to lower max_tokens to nothing. */
function formatAffordable(tokens: number | undefined): string | undefined {
  return tokens !== undefined && tokens > 0 ? formatQuantity(tokens) : undefined;
}

/** One name keeps the sentence readable; `upgrade_options` has the rest. */
function nameFirstPlan(options: readonly UpgradeOption[] | undefined): string | undefined {
  const plan = options?.find(({ kind }) => kind === 'plan');
  return plan?.title ?? plan?.id;
}

/** In a 402 waiting seconds is the next step only while open holds have what is missing (DESIGN 5). */
function formatRetryAfter(row: CodeRow, retry: ProblemRetry): string | undefined {
  if (row.financial && retry.kind !== 'transient') return undefined;
  return formatQuantity(retry.retry_after_seconds);
}

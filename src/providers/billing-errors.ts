import { BILLING_RULES, type BillingRule } from './billing-rules.ts';

/** What an error of a provider, or of a gateway before it, says about money. */
export type BillingErrorKind =
  /** The prepaid balance is empty. */
  | 'credit_exhausted'
  /** There is money, but not for this request. */
  | 'request_exceeds_balance'
  /** There is money, and calls that still run hold it. */
  | 'in_flight_budget'
  /** A cap that somebody set on the organisation, the project or the key. */
  | 'spend_limit'
  /** A cap that the provider gave the account. */
  | 'tier_cap'
  /** An included, free or daily allowance is used up. */
  | 'plan_quota_exhausted'
  | 'payment_overdue'
  /** No card, or none that can be charged. */
  | 'payment_method_invalid'
  | 'account_suspended'
  /** Nobody has set up how it is paid. */
  | 'account_inactive'
  /** The account has not bought what was asked for. */
  | 'not_purchased'
  /** The same of a gateway in front of the provider. */
  | 'downstream_budget'
  | 'downstream_balance'
  | 'downstream_quota'
  /** A gateway whose own accounts with the providers are all used up. */
  | 'upstream_exhausted_behind_gateway'
  /** A 402 that this provider is known to send without a reason. */
  | 'suspect_402'
  /** Its books did not answer. */
  | 'budget_backend_down'
  /** A price for a machine to pay. */
  | 'x402_challenge'
  | 'l402_challenge'
  /** Not about money, though it may read as if it were. */
  | 'rate_limited'
  | 'overloaded'
  | 'auth'
  | 'bad_request'
  /** What was asked is not answered by anybody's rules of content. */
  | 'policy_block';

export interface ProviderAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Parsed when it is JSON, else its text. */
  readonly body: unknown;
}

export interface BillingError {
  readonly kind: BillingErrorKind;
  /** Id of provider-directory.ts, or the name of a gateway; undefined when many would say it so. */
  readonly provider: string | undefined;
  /** What the answer was recognised by. */
  readonly code: string | undefined;
  readonly message: string | undefined;
}

const MESSAGE_LENGTH_MAX = 2000;

/**
 * Which kind of trouble an upstream's answer means (LLM-14, DIAG-06). By provider, status and code; words decide
 * only where the provider has nothing else. Undefined for what is neither an error nor about money.
 */
export function classifyBillingError(answer: ProviderAnswer): BillingError | undefined {
  const signals = readSignals(answer);
  const rule = BILLING_RULES.find((each) => matches(each, answer.status, signals));
  if (rule === undefined) return undefined;
  const code = signals.codes.find((each) => rule.codes?.includes(each)) ?? signals.codes[0];
  return { kind: rule.kind, provider: rule.provider, code, message: signals.message };
}

interface Signals {
  /** Every code, type and reason of the body and the headers, lower case. */
  readonly codes: readonly string[];
  readonly message: string | undefined;
}

function matches(rule: BillingRule, status: number, { codes, message }: Signals): boolean {
  if (!allowsStatus(rule, status)) return false;
  if (rule.codes?.some((code) => codes.includes(code)) === false) return false;
  if (rule.codeLike && !codes.some((code) => rule.codeLike?.test(code))) return false;
  return rule.message === undefined || (message !== undefined && rule.message.test(message));
}

/** An error in a stream that began as a 200 has no status of its own: its code or words decide. */
function allowsStatus({ status: allowed, codes, codeLike, message }: BillingRule, status: number) {
  if (allowed === undefined || allowed.includes(status)) return true;
  return status < 300 && (codes ?? codeLike ?? message) !== undefined;
}

type Members = Readonly<Record<string, unknown>>;

/** Where providers put codes, below the body: the wrappers of all rules. */
const CODE_PATHS: readonly (readonly string[])[] = [
  ['error', 'code'],
  ['error', 'type'],
  ['error', 'status'],
  ['error', 'details', 'error_code'],
  ['error', 'metadata', 'error_type'],
  ['error', 'metadata', 'limit_source'],
  ['code'],
  ['type'],
  ['reason'],
  ['name'],
  ['detail', 'status'],
  ['errors', '0', 'code'],
  ['fault', 'detail', 'errorcode'],
  ['base_resp', 'status_code'],
  ['Response', 'Error', 'Code'],
  ['choices', '0', 'error', 'code'],
];
const MESSAGE_PATHS: readonly (readonly string[])[] = [
  ['error', 'message'],
  ['error'],
  ['message'],
  ['detail', 'message'],
  ['detail'],
  ['errors', '0'],
  ['errors', '0', 'message'],
  ['base_resp', 'status_msg'],
  ['Response', 'Error', 'Message'],
  ['choices', '0', 'error', 'message'],
];

function readSignals({ headers, body: sent }: ProviderAnswer): Signals {
  // Gemini wraps its errors in a list where it speaks as OpenAI does.
  const body: unknown = Array.isArray(sent) ? sent[0] : sent;
  const message = typeof body === 'string' ? body : firstText(body, MESSAGE_PATHS);
  return {
    codes: [...bodyCodes(body), ...wrappedCodes(body), ...headerCodes(headers, body)],
    message: message?.slice(0, MESSAGE_LENGTH_MAX),
  };
}

function bodyCodes(body: unknown): readonly string[] {
  return [...CODE_PATHS.map((path) => memberAt(body, path)), ...googleReasons(body)]
    .filter((code) => typeof code === 'string' || typeof code === 'number')
    .map((code) => String(code).toLowerCase());
}

/** Details come in no order: a help page may stand before the reason, a quota of a minute before that of a day. */
function googleReasons(body: unknown): readonly unknown[] {
  return listAt(body, ['error', 'details']).flatMap((detail) => [
    memberAt(detail, ['reason']),
    ...listAt(detail, ['violations']).map((violation) => memberAt(violation, ['quotaId'])),
  ]);
}

const LIST_LENGTH_MAX = 16;

function listAt(body: unknown, path: readonly string[]): readonly unknown[] {
  const list = memberAt(body, path);
  return Array.isArray(list) ? list.slice(0, LIST_LENGTH_MAX) : [];
}

/** Codes of the answer that a router got itself and hands on as text, as OpenRouter does. */
function wrappedCodes(body: unknown): readonly string[] {
  const raw = memberAt(body, ['error', 'metadata', 'raw']);
  if (typeof raw !== 'string') return [];
  try {
    return bodyCodes(JSON.parse(raw));
  } catch {
    return [];
  }
}

function headerCodes(headers: ReadonlyMap<string, string>, body: unknown): readonly string[] {
  const codes = [headers.get('x-amzn-errortype')?.split(':')[0]?.toLowerCase()];
  if (/(^|,\s*)(LSAT|L402) /i.test(headers.get('www-authenticate') ?? '')) codes.push('l402');
  if (headers.has('payment-required') || memberAt(body, ['x402Version']) !== undefined) {
    codes.push('x402');
  }
  return codes.filter((code) => code !== undefined);
}

function firstText(body: unknown, paths: readonly (readonly string[])[]): string | undefined {
  for (const path of paths) {
    const value = memberAt(body, path);
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

function memberAt(body: unknown, path: readonly string[]): unknown {
  let value = body;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) {
      return undefined;
    }
    value = (value as Members)[name];
  }
  return value;
}

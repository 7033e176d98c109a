import { formatCount, formatNumber } from '../../domain/explain-words.ts';

/** A header that says something about limits or money, and what it says. */
export interface HeaderNote {
  readonly name: string;
  readonly value: string;
  readonly meaning: string;
}

const VALUE_LENGTH_MAX = 200;

type Describe = (value: string) => string | undefined;
const always =
  (meaning: string): Describe =>
  () =>
    meaning;

/** Those we send, and those of others that mean the same. In the order they are shown. */
const HEADERS: readonly (readonly [name: string, describe: Describe])[] = [
  ['retry-after', describeRetryAfter],
  [
    'x-should-retry',
    (value) =>
      value === 'false' ? 'Do not repeat the call: SDKs obey this.' : 'Repeating may help.',
  ],
  ['ratelimit', describeRateLimit],
  [
    'ratelimit-policy',
    always('The limits that count this call: q is the allowance, w the seconds of its window.'),
  ],
  ['x-ratelimit-limit', always('The allowance of the limit that is nearest to its end.')],
  [
    'x-ratelimit-remaining',
    (value) => (value.trim() === '0' ? 'Nothing is left of it.' : 'What is left of it.'),
  ],
  ['x-ratelimit-reset', describeReset],
  ['www-authenticate', describeChallenge],
  ['payment-required', always('A price for machines (x402): base64 of JSON.')],
  ['link', (value) => (value.includes('rel="payment"') ? 'Where this is paid.' : undefined)],
  [
    'x-service-level',
    (value) => (value === 'degraded' ? 'A reduced service: a payment is pending.' : undefined),
  ],
  ['x-billing-warning', always('A payment failed and is forgiven for now.')],
  ['x-tollkeeper-cost', always('What the call cost.')],
  [
    'x-tollkeeper-cost-max',
    always('What the call may cost at most; the exact cost is on its explanation.'),
  ],
  ['x-tollkeeper-balance', always('What is left of the balance.')],
  ['x-upstream-provider', always('The provider behind the gateway that failed.')],
  ['x-upstream-error', always("The provider's own code.")],
  ['x-request-id', always('The number to look it up by, and to give to support.')],
  ['request-id', always('The number to give to the provider.')],
  ['deprecation', always('The API will go away.')],
  ['sunset', always('When the API goes away.')],
];

/** The headers that are of interest here; others are left out. */
export function explainHeaders(headers: ReadonlyMap<string, string>): readonly HeaderNote[] {
  return HEADERS.flatMap(([name, describe]) => {
    const value = headers.get(name);
    const meaning = value === undefined ? undefined : describe(value);
    if (value === undefined || meaning === undefined) return [];
    return [{ name, value: value.slice(0, VALUE_LENGTH_MAX), meaning }];
  });
}

function describeRetryAfter(value: string): string {
  return /^\d{1,9}$/.test(value)
    ? `Wait ${formatCount(Number.parseInt(value, 10), 'second')} before the next try.`
    : 'Do not try again before this time.';
}

/** `"month";r=0;t=86400, "burst";r=3` */
function describeRateLimit(value: string): string {
  const items = value.split(',').slice(0, 20).flatMap(describeItem);
  return items.length === 0 ? 'What is left of each limit.' : `${items.join('; ')}.`;
}

function describeItem(item: string): readonly string[] {
  const [, name = '', left] = /^\s*"?([\w.-]{1,64})"?\s*;\s*r=(\d{1,16})/.exec(item) ?? [];
  if (left === undefined) return [];
  const seconds = /;\s*t=(\d{1,16})/.exec(item)?.[1];
  const when =
    seconds === undefined ? '' : `, full again in ${formatNumber(Number.parseInt(seconds, 10))} s`;
  return [`${formatNumber(Number.parseInt(left, 10))} left of ${name}${when}`];
}

/** Seconds since the epoch, as GitHub has it, or seconds from now, as others have. */
function describeReset(value: string): string {
  const seconds = /^\d{1,12}$/.test(value) ? Number.parseInt(value, 10) : undefined;
  if (seconds === undefined) return 'When the limit is full again.';
  const isTime = seconds > 1_000_000_000;
  return isTime
    ? `The limit is full again at ${new Date(seconds * 1000).toISOString()}.`
    : `The limit is full again in ${formatNumber(seconds)} s.`;
}

function describeChallenge(value: string): string {
  if (/\b(L402|LSAT)\b/.test(value)) return 'A price for machines (L402): pay the invoice in it.';
  if (/^Payment\b/.test(value)) return 'A price for machines: pay as it says.';
  return value.includes('invalid_token')
    ? 'The key that was sent is not valid.'
    : 'A key has to be sent.';
}

/** What a text of the file means, or the sentence that tells its author what is wrong with it. */
export type Parsed<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'wrong'; readonly problem: string };

export function ok<T>(value: T): Parsed<T> {
  return { kind: 'ok', value };
}

export function wrong(problem: string): Parsed<never> {
  return { kind: 'wrong', problem };
}

/** Longest duration a timer of Node can hold: 2^31 - 1 ms, 24.8 days. */
const DURATION_MS_MAX = 2_147_483_647;
const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** "500ms", "10s", "2m", "1h", "7d" in milliseconds: what a timer can wait. */
export function parseDuration(text: string): Parsed<number> {
  const span = parseTimeSpan(text);
  if (span.kind === 'ok' && span.value > DURATION_MS_MAX) {
    return wrong(`"${text}" is longer than 24 days`);
  }
  return span;
}

/** As a duration, and as long as can be counted: time that is added up, not waited for. */
export function parseTimeSpan(text: string): Parsed<number> {
  const match = /^(\d{1,10}) ?(ms|s|m|h|d)$/.exec(text);
  const unitMs = DURATION_UNITS_MS[match?.[2] ?? ''];
  if (match === null || unitMs === undefined) {
    return wrong(`expected a duration such as "10s", "2m" or "500ms", got "${text}"`);
  }
  const milliseconds = Number(match[1]) * unitMs;
  if (!Number.isSafeInteger(milliseconds))
    return wrong(`"${text}" is more than can be counted exactly`);
  return ok(milliseconds);
}

const SIZE_UNITS: Readonly<Record<string, bigint>> = {
  B: 1n,
  KB: 1000n,
  MB: 1_000_000n,
  GB: 1_000_000_000n,
  TB: 1_000_000_000_000n,
  KiB: 1024n,
  MiB: 1_048_576n,
  GiB: 1_073_741_824n,
  TiB: 1_099_511_627_776n,
};

/** Bytes in a decimal (`1MB` = 1,000,000) or binary (`1MiB` = 1,048,576) unit, or undefined. */
export function bytesPerUnit(unit: string): bigint | undefined {
  return SIZE_UNITS[unit === 'kB' ? 'KB' : unit];
}

/** "512KiB", "10MB", "0B" in bytes. */
export function parseByteSize(text: string): Parsed<number> {
  const match = /^(\d{1,12}) ?([A-Za-z]+)$/.exec(text);
  const unit = bytesPerUnit(match?.[2] ?? '');
  if (match === null || unit === undefined) {
    return wrong(`expected a size such as "1MB", "64KiB" or "512B", got "${text}"`);
  }
  const bytes = BigInt(match[1] ?? '0') * unit;
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER))
    return wrong(`"${text}" is more than can be counted exactly`);
  return ok(Number(bytes));
}

const QUANTITY_SUFFIXES: Readonly<Record<string, bigint>> = {
  '': 1n,
  K: 1000n,
  M: 1_000_000n,
  B: 1_000_000_000n,
};

/** "1000", "10_000", "10,000", "50k", "1M", "2B" as a whole number, undefined when it is none. */
export function parseQuantity(text: string): bigint | undefined {
  const match = /^(\d{1,3}(?:[,_]\d{3})+|\d{1,18}) ?([kKMB]?)$/.exec(text);
  if (match === null) return undefined;
  const suffix = QUANTITY_SUFFIXES[(match[2] ?? '').toUpperCase()] ?? 1n;
  return BigInt((match[1] ?? '').replaceAll(/[,_]/g, '')) * suffix;
}

/** A quota: at least 1, and small enough to be counted exactly. */
export function parseAllowance(text: string): Parsed<number> {
  const quantity = parseQuantity(text);
  if (quantity === undefined) {
    return wrong(`expected a whole number such as 1000, "50k" or "1M", got "${text}"`);
  }
  if (quantity < 1n)
    return wrong('must be at least 1: to forbid something, leave it out of the plan');
  if (quantity > BigInt(Number.MAX_SAFE_INTEGER))
    return wrong(`"${text}" is more than can be counted exactly`);
  return ok(Number(quantity));
}

export interface RateText {
  readonly count: number;
  readonly per: 'second' | 'minute' | 'hour' | 'day';
  readonly burst: number | undefined;
}

const RATE_PERIODS: Readonly<Record<string, RateText['per']>> = {
  s: 'second',
  sec: 'second',
  second: 'second',
  min: 'minute',
  minute: 'minute',
  h: 'hour',
  hour: 'hour',
  d: 'day',
  day: 'day',
};

/** "60/min", "1000 / hour burst 50". */
export function parseRate(text: string): Parsed<RateText> {
  const match = /^(\d{1,12}) ?\/ ?([a-z]+)(?: burst (\d{1,12}))?$/.exec(text);
  const per = RATE_PERIODS[match?.[2] ?? ''];
  if (match === null || per === undefined) {
    return wrong(`expected a rate such as "60/min" or "60/min burst 10", got "${text}"`);
  }
  const burst = match[3] === undefined ? undefined : Number(match[3]);
  return ok({ count: Number(match[1]), per, burst });
}

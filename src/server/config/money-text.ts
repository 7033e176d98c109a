import { formatDecimal, NANO_PER_WHOLE, parseDecimal } from '../../domain/money.ts';
import { bytesPerUnit, ok, parseQuantity, parseTimeSpan, wrong } from './human-units.ts';
import type { Parsed } from './human-units.ts';

/** Amounts are counted in safe-integer nano inside a lease: 2^53 nano are 9,007,199 of any currency. */
const WHOLE_MAX = 9_000_000n;
const AMOUNT = /^(\d{1,12}(?:\.\d+)?) ?([A-Z]{3})$/;
const NANO_DIGITS = 9;
const PICO_DIGITS = 12;

/** "5.00 USD" in nano of `asset`. */
export function parseAmount(text: string, asset: string): Parsed<bigint> {
  const amount = readAmount(text, asset, NANO_DIGITS);
  if (amount.kind === 'wrong') return amount;
  if (amount.value > WHOLE_MAX * NANO_PER_WHOLE)
    return wrong(`"${text}" is more than 9,000,000 ${asset}`);
  return amount;
}

/** "49.00 USD / month", "0 USD" or "free" in nano a month: what a plan costs. */
export function parseMonthlyPrice(text: string, asset: string): Parsed<bigint> {
  if (text === 'free') return ok(0n);
  const [amount = '', period, ...rest] = text.split('/').map((part) => part.trim());
  if (rest.length > 0 || (period !== undefined && !['month', 'mo'].includes(period))) {
    return wrong(`the price is by the month, such as "49.00 ${asset} / month", got "${text}"`);
  }
  return parseAmount(amount, asset);
}

/** "5.00 USD" once, "5.00 USD / month" for as long as it is paid. */
export function parseAddOnPrice(
  text: string,
  asset: string,
): Parsed<{ readonly priceNano: bigint; readonly interval: 'once' | 'month' }> {
  const isMonthly = text.includes('/');
  const price = isMonthly ? parseMonthlyPrice(text, asset) : parseAmount(text, asset);
  if (price.kind === 'wrong') return price;
  return ok({ priceNano: price.value, interval: isMonthly ? 'month' : 'once' });
}

/** `unit`: of compute. `millisecond`: of time at the upstream. */
export type PricedUnit = 'request' | 'operation' | 'unit' | 'token' | 'byte' | 'millisecond';

const EXAMPLES: Readonly<Record<PricedUnit, string>> = {
  request: '0.001 USD / request',
  operation: '0.01 USD / operation',
  unit: '0.01 USD / unit',
  token: '0.50 USD / 1M tokens',
  byte: '0.01 USD / 1GB',
  millisecond: '0.36 USD / hour',
};

/** One of them is a thing that can be pointed at: "0.002 USD" is its price. */
const COUNTED_ONE_BY_ONE: ReadonlySet<PricedUnit> = new Set(['request', 'operation', 'unit']);

/**
 * "0.50 USD / 1M tokens" in pico of `asset` per one unit, exactly (BILL-06: 1.5e-6 a token times 1M is 1.50).
 * A price that is no whole number of pico per unit is refused, never rounded.
 */
export function parseUnitPrice(text: string, unit: PricedUnit, asset: string): Parsed<bigint> {
  if (text === 'free') return ok(0n);
  const [amountText = '', divisorText, ...rest] = text.split('/').map((part) => part.trim());
  const divisor =
    divisorText === undefined ? impliedDivisor(amountText, unit) : readDivisor(divisorText, unit);
  if (divisor === undefined || rest.length > 0) {
    const example = EXAMPLES[unit].replace('USD', asset);
    return wrong(`expected a price per ${unit} such as "${example}", got "${text}"`);
  }
  const amount = readAmount(amountText, asset, PICO_DIGITS);
  if (amount.kind === 'wrong') return amount;
  const pico = amount.value / divisor;
  if (pico * divisor !== amount.value)
    return wrong(tooFine(text, unit, { amount: amount.value, divisor, asset }));
  if (pico > WHOLE_MAX * 10n ** 12n)
    return wrong(`"${text}" is more than 9,000,000 ${asset} per ${unit}`);
  return ok(pico);
}

/** "0 USD" needs no unit; neither does the price of one request. */
function impliedDivisor(amountText: string, unit: PricedUnit): bigint | undefined {
  return COUNTED_ONE_BY_ONE.has(unit) || /^0+(\.0+)? /.test(amountText) ? 1n : undefined;
}

function readDivisor(text: string, unit: PricedUnit): bigint | undefined {
  const divisor = readUnits(text, unit);
  return divisor === 0n ? undefined : divisor;
}

function readUnits(text: string, unit: PricedUnit): bigint | undefined {
  if (unit === 'byte') return readBytes(text);
  return unit === 'millisecond' ? readMilliseconds(text) : readCount(text, unit);
}

const TIME_WORDS: Readonly<Record<string, string>> = {
  second: '1s',
  minute: '1m',
  hour: '1h',
  day: '1d',
};

/** "hour", "90s". */
function readMilliseconds(text: string): bigint | undefined {
  const span = parseTimeSpan(TIME_WORDS[text] ?? text);
  return span.kind === 'ok' ? BigInt(span.value) : undefined;
}

/** "GB", "10 MB", "byte". */
function readBytes(text: string): bigint | undefined {
  const match = /^(\d{1,12})? ?([A-Za-z]+)$/.exec(text);
  const unit = match?.[2] ?? '';
  const size = /^bytes?$/.test(unit) ? 1n : bytesPerUnit(unit);
  return size === undefined ? undefined : BigInt(match?.[1] ?? '1') * size;
}

/** "token", "1M tokens", "1000 requests". */
function readCount(text: string, unit: PricedUnit): bigint | undefined {
  const match = /^(\d[\d,_]* ?[kKMB]?)? ?([a-z]+)$/.exec(text);
  if (match === null || (match[2] !== unit && match[2] !== `${unit}s`)) return undefined;
  return match[1] === undefined ? 1n : parseQuantity(match[1]);
}

function readAmount(text: string, asset: string, digits: number): Parsed<bigint> {
  const match = AMOUNT.exec(text);
  if (match === null) return wrong(`expected an amount such as "5.00 ${asset}", got "${text}"`);
  if (match[2] !== asset) {
    return wrong(
      `this gateway keeps its books in ${asset}, got "${text}": use ${asset} or change "asset"`,
    );
  }
  const units = parseDecimal(match[1] ?? '', digits) ?? parseLongDecimal(match[1] ?? '', digits);
  if (units === undefined) {
    const smallest = formatDecimal(1n, digits);
    return wrong(`"${text}" is finer than the smallest amount, ${smallest} ${asset}`);
  }
  return ok(units);
}

/** More digits than `parseDecimal` reads, when those beyond its reach are zeros. */
function parseLongDecimal(text: string, digits: number): bigint | undefined {
  const trimmed = text.replace(/0+$/, '');
  return parseDecimal(trimmed.endsWith('.') ? `${trimmed}0` : trimmed, digits);
}

interface Fraction {
  readonly amount: bigint;
  readonly divisor: bigint;
  readonly asset: string;
}

function tooFine(text: string, unit: PricedUnit, { amount, divisor, asset }: Fraction): string {
  const below = formatDecimal(amount / divisor, PICO_DIGITS);
  const above = formatDecimal(amount / divisor + 1n, PICO_DIGITS);
  return (
    `"${text}" is finer than 1 pico (0.000000000001 ${asset}) per ${unit}: ` +
    `the nearest prices are ${below} and ${above} ${asset} / ${unit}`
  );
}

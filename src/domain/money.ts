/**
 * Money is a whole number of ledger units of one asset: for a currency the nano (1e-9 of it).
 * Prices are pico (1e-12) per unit; one request's cost is summed in pico and rounded once, up.
 */
export interface Money {
  readonly asset: string;
  readonly units: bigint;
}

export const NANO_PER_WHOLE = 1_000_000_000n;
export const PICO_PER_NANO = 1_000n;
const LARGEST_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

const DECIMAL = /^-?\d{1,12}(?:\.\d{1,12})?$/;

/** Parses "5", "5.00" or "-0.0010" into units of 10^-digits; undefined when it is not a decimal or is finer than that. */
export function parseDecimal(text: string, digits: number): bigint | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const point = text.indexOf('.');
  const whole = point < 0 ? text : text.slice(0, point);
  const fraction = point < 0 ? '' : text.slice(point + 1);
  if (/[1-9]/.test(fraction.slice(digits))) return undefined;
  return BigInt(whole + fraction.slice(0, digits).padEnd(digits, '0'));
}

/** Formats units of 10^-digits as a decimal with at least `fewest` digits after the point and no other trailing zeros. */
export function formatDecimal(units: bigint, digits: number, fewest = 2): string {
  const sign = units < 0n ? '-' : '';
  const text = (units < 0n ? -units : units).toString().padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits);
  const fraction = text
    .slice(text.length - digits)
    .replace(/0+$/, '')
    .padEnd(fewest, '0');
  return fraction === '' ? sign + whole : `${sign}${whole}.${fraction}`;
}

/** "0.0010 USD" from nano units: four digits after the point under one whole, two from there on. */
export function formatMoney(money: Money): string {
  const magnitude = money.units < 0n ? -money.units : money.units;
  return `${formatDecimal(money.units, 9, magnitude < NANO_PER_WHOLE ? 4 : 2)} ${money.asset}`;
}

/** Rounds a quotient up. Divisor must be positive. */
export function divideCeil(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend > quotient * divisor ? quotient + 1n : quotient;
}

/** What is set aside for an amount: no balance is above the largest safe number, so what is above it needs all of that. */
export function toSafeNumberAtMost(units: bigint): number {
  return toSafeNumber(units < LARGEST_SAFE ? units : LARGEST_SAFE);
}

/**
 * The one way from bigint to number, for the safe integers inside a lease (DESIGN 5); lint refuses `Number(...)`
 * elsewhere. Throws on an amount a number cannot hold exactly: callers bound theirs first, so that is a bug.
 */
export function toSafeNumber(units: bigint): number {
  const value = Number(units);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${units} is not a safe integer`);
  return value;
}

import { isIP } from 'node:net';

import { z } from 'zod';

import { formatDecimal, parseDecimal, toSafeNumber } from '../../domain/money.ts';
import { findNearest } from '../../domain/nearest.ts';
import { validateTimeZone } from '../../domain/time-zone.ts';
import { noonOf } from '../../domain/window.ts';
import { parseMoment } from '../../platform/parse-moment.ts';

/** Balances cross the store as safe integers of nano: about nine million of a currency. */
export const NANO_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const NAME_LENGTH_MAX = 100;
const YEARS_MAX = 20;
const YEAR_MS = 366 * 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DURATION = /^(\d{1,6})([mhdw])$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const NAMES_SHOWN_MAX = 10;
/** A clock elsewhere may be a little ahead of this one. */
const CLOCK_AHEAD_MAX_MS = 60_000;
/** Names in one list of a key or limit. */
const LIST_LENGTH_MAX = 256;

/** A name for people: trimmed, 1 to 100 characters, nothing invisible that could forge a line of output. */
export const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(NAME_LENGTH_MAX)
  .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+$/u, 'must not contain control characters');

/** No id has characters that PostgreSQL does not take, or that come back from a store as others. */
const CONTROL = /[\p{Cc}\p{Cs}]/u;
const plainSchema = z.string().refine((text) => !CONTROL.test(text), {
  error: 'must not contain control characters',
});
export const idSchema = plainSchema.min(1).max(64);

export const pageSchema = {
  cursor: plainSchema.max(64).default(''),
  limit: z
    .string()
    .regex(/^([1-9]\d?|1\d\d|200)$/, 'must be a whole number from 1 to 200')
    .transform(Number)
    .default(50),
};

/** Absolute epoch ms from `2026-12-31`, an RFC 3339 time, or a time from now: `30d`, `12h`. Always in the future. */
export function expirySchema(now: number) {
  return momentSchema(now).refine((at) => at > now, {
    error: `must be in the future; it is ${formatTime(now)} now`,
  });
}

/** The same, past or future. `ofDate`: what a date alone means, by its midnight in UTC. */
export function momentSchema(now: number, ofDate = (midnight: number): number => midnight) {
  return z.string().transform((text, context) => {
    const at = parseTime(text, (length) => now + length);
    if (at === undefined) {
      return fail(
        context,
        'must be a time such as 2026-12-31T00:00:00Z, or a time from now such as 30d or 12h',
      );
    }
    if (at > now + YEARS_MAX * YEAR_MS)
      return fail(context, `must be at most ${YEARS_MAX} years from now; leave it out for no end`);
    if (at < now - YEARS_MAX * YEAR_MS)
      return fail(context, `must be at most ${YEARS_MAX} years ago`);
    return DATE.test(text) ? ofDate(at) : at;
  });
}

/** When something happened: never later than now, whichever clock noted it. */
export function happenedSchema(now: number) {
  return momentSchema(now)
    .refine((at) => at <= now + CLOCK_AHEAD_MAX_MS, {
      error: `must not be in the future: give when it happened; it is ${formatTime(now)} now`,
    })
    .transform((at) => Math.min(at, now));
}

/** A day of the tenant's own calendar, as its noon there; also a time, which is in that day. */
export function daySchema(now: number, timeZone: string) {
  return momentSchema(now, (date) => noonOf(date, timeZone));
}

/** Where a look back begins or ends: a time, or how long ago: `24h`, `7d`. */
export function pastSchema(now: number) {
  return z.string().transform((text, context) => {
    const at = parseTime(text, (length) => now - length);
    // Nothing is later than now.
    if (at !== undefined && at >= 0) return Math.min(at, now + 1);
    return fail(context, 'must be a time such as 2026-12-31T00:00:00Z, or how long ago: 24h, 7d');
  });
}

/** Positive nano of `asset` from `5.00` or `5.00 USD`. */
export function amountSchema(asset: string) {
  return z.string().transform((text, context) => {
    const amount = parseAmount(text, asset);
    return amount.kind === 'ok' ? amount.nano : fail(context, amount.problem);
  });
}

type Amount =
  | { readonly kind: 'ok'; readonly nano: bigint }
  | { readonly kind: 'wrong'; readonly problem: string };

function parseAmount(text: string, asset: string): Amount {
  const [number = '', unit = asset, ...rest] = text.trim().split(/ +/);
  const nano = parseDecimal(number, 9);
  if (nano === undefined || rest.length > 0) {
    return wrong(`must be a decimal of at most 9 places, such as "5.00" or "5.00 ${asset}"`);
  }
  if (unit !== asset)
    return wrong(`must be in ${asset}, the asset of this gateway, not ${unit.slice(0, 16)}`);
  if (nano <= 0n) return wrong('must be more than 0');
  if (nano > NANO_MAX) return wrong(`must be at most ${formatDecimal(NANO_MAX, 9)} ${asset}`);
  return { kind: 'ok', nano };
}

function wrong(problem: string): Amount {
  return { kind: 'wrong', problem };
}

/** How much of a limit's unit, as JSON or a command line says it; `parseQuantity` reads it once the unit is known. */
export const quantitySchema = z.union([z.number(), z.string().max(64)], {
  error: 'must be a whole number, or money such as "5.00" where the limit counts money',
});

/** Units of a limit: money is a decimal of the asset, everything else a whole number. */
export function parseQuantity(
  given: number | string,
  unit: string,
  asset: string,
):
  | { readonly kind: 'ok'; readonly amount: number }
  | { readonly kind: 'wrong'; readonly problem: string } {
  if (unit === 'spend') {
    if (typeof given === 'number') {
      return { kind: 'wrong', problem: `counts money: write it as text, such as "5.00 ${asset}"` };
    }
    const amount = parseAmount(given, asset);
    return amount.kind === 'wrong' ? amount : { kind: 'ok', amount: toSafeNumber(amount.nano) };
  }
  const amount = typeof given === 'string' && /^\d{1,16}$/.test(given) ? Number(given) : given;
  if (typeof amount === 'number' && Number.isSafeInteger(amount) && amount >= 0)
    return { kind: 'ok', amount };
  return { kind: 'wrong', problem: `must be a whole number of ${unit}, such as 10000` };
}

export const timeZoneSchema = z.string().transform((name, context) => {
  const verdict = validateTimeZone(name);
  return verdict.kind === 'ok' ? verdict.timeZone : fail(context, verdict.message);
});

/** An address or a network: `203.0.113.7`, `10.0.0.0/8`, `fd00::/8`. */
export const addressRangeSchema = z.string().transform((text, context) => {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  const isPrefix = bits === undefined || /^(0|[1-9]\d{0,2})$/.test(bits);
  const fits = Number(bits ?? 0) <= (family === 4 ? 32 : 128);
  if (family !== 0 && isPrefix && fits && rest.length === 0) return text;
  return fail(context, 'must be an address or a network, such as 203.0.113.7 or 10.0.0.0/8');
});

/** One of the names that exist; the nearest is suggested. `what`: `model`. */
export function knownNameSchema(what: string, names: Iterable<string>) {
  const known = [...names];
  return z
    .string()
    .max(256)
    .transform((name, context) => {
      return known.includes(name) ? name : fail(context, describeUnknown(what, name, known));
    });
}

export function describeUnknown(what: string, name: string, known: readonly string[]): string {
  const nearest = findNearest(name, known);
  if (nearest !== undefined) return `there is no ${what} "${name}"; did you mean "${nearest}"?`;
  if (known.length === 0) return `there is no ${what} "${name}": the configuration has none`;
  const more = known.length > NAMES_SHOWN_MAX ? ', …' : '';
  return `there is no ${what} "${name}"; there are: ${known.slice(0, NAMES_SHOWN_MAX).join(', ')}${more}`;
}

/** A list without repetitions. */
export function listSchema<Item extends z.ZodType>(item: Item, lengthMax = LIST_LENGTH_MAX) {
  return z
    .array(item)
    .max(lengthMax)
    .refine((items) => new Set(items).size === items.length, { error: 'names something twice' });
}

/** A member that may be left out, and that null takes away. */
export function clearable<Schema extends z.ZodType>(schema: Schema) {
  return schema
    .nullable()
    .transform((value) => value ?? undefined)
    .exactOptional();
}

type Renamed<Value, Names extends { readonly [Member in keyof Value]-?: string }> = {
  [Member in keyof Value as Names[Member]]: Value[Member];
};

/** The names of JSON to those of the domain. What is absent stays absent: that is what leaves a member as it is. */
export function renameMembers<
  Value extends object,
  const Names extends { readonly [Member in keyof Value]-?: string },
>(value: Value, names: Names): Renamed<Value, Names> {
  const entries = Object.entries(value).map(([name, each]: [string, unknown]) => [
    Reflect.get(names, name),
    each,
  ]);
  return Object.fromEntries(entries) as Renamed<Value, Names>;
}

export function formatTime(at: number): string {
  return new Date(at).toISOString();
}

export function formatOptionalTime(at: number | undefined): string | null {
  return at === undefined ? null : formatTime(at);
}

/** Undefined when it is no time. `distant`: the time that is `length` ms away from now. */
function parseTime(text: string, distant: (length: number) => number): number | undefined {
  const [, count, unit = ''] = DURATION.exec(text) ?? [];
  if (count !== undefined) return distant(Number(count) * (UNIT_MS[unit] ?? 0));
  return parseMoment(text);
}

export function fail(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

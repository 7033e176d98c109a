import { z } from 'zod';

import { formatDecimal, parseDecimal } from '../../domain/money.ts';
import type { AdminContext, AdminDeps, Parsed } from './admin-deps.ts';
import { refuse } from './answer.ts';

/** Balances cross the store as safe integers of nano: about nine million of a currency. */
export const NANO_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const BODY_BYTES_MAX = 1024 * 1024;
const NAME_LENGTH_MAX = 100;
const EXPIRY_YEARS_MAX = 20;
const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DURATION = /^(\d{1,6})([mhdw])$/;
/** RFC 3339 with its zone, or a date alone, which means midnight UTC. */
const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** A name for people: trimmed, 1 to 100 characters, nothing invisible that could forge a line of output. */
export const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(NAME_LENGTH_MAX)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u, 'must not contain control characters');

export const idSchema = z.string().min(1).max(64);

/** Absolute epoch ms from `2026-12-31`, an RFC 3339 time, or a time from now: `30d`, `12h`. Always in the future. */
export function expirySchema(now: number) {
  return z.string().transform((text, context) => {
    const at = parseTime(text, now);
    if (at === undefined || Number.isNaN(at)) {
      return fail(
        context,
        'must be a time such as 2026-12-31T00:00:00Z, or a time from now such as 30d or 12h',
      );
    }
    if (at <= now) return fail(context, `must be in the future; it is ${formatTime(now)} now`);
    if (at > now + EXPIRY_YEARS_MAX * 366 * 86_400_000) {
      return fail(
        context,
        `must be at most ${EXPIRY_YEARS_MAX} years from now; leave it out for no expiry`,
      );
    }
    return at;
  });
}

/** Positive nano of `asset` from `5.00` or `5.00 USD`. */
export function amountSchema(asset: string) {
  return z.string().transform((text, context) => {
    const [number = '', unit = asset, ...rest] = text.trim().split(/ +/);
    const nano = parseDecimal(number, 9);
    if (nano === undefined || rest.length > 0) {
      return fail(
        context,
        `must be a decimal of at most 9 places, such as "5.00" or "5.00 ${asset}"`,
      );
    }
    if (unit !== asset)
      return fail(
        context,
        `must be in ${asset}, the asset of this gateway, not ${unit.slice(0, 16)}`,
      );
    if (nano <= 0n) return fail(context, 'must be more than 0');
    if (nano > NANO_MAX)
      return fail(context, `must be at most ${formatDecimal(NANO_MAX, 9)} ${asset}`);
    return nano;
  });
}

/** The JSON body checked against `schema`, or the answer 400 that names the wrong member. */
export async function parseBody<Value>(
  context: AdminContext,
  deps: AdminDeps,
  schema: z.ZodType<Value>,
): Promise<Parsed<Value>> {
  const json = await readJson(context, deps);
  return json.kind === 'refused' ? json : checkBody(context, deps, schema, json.value);
}

/** The body as JSON of any shape, or the answer 400 or 413. */
export async function readJson(context: AdminContext, deps: AdminDeps): Promise<Parsed<unknown>> {
  const type = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    const reason = 'the body must be sent with Content-Type: application/json';
    return invalid(context, deps, { reason });
  }
  const text = await readBounded(context.req.raw.body);
  if (text === undefined) {
    const details = { allowed_bytes: BODY_BYTES_MAX };
    return {
      kind: 'refused',
      response: refuse(context, deps, { code: 'BODY_TOO_LARGE', details }),
    };
  }
  try {
    const value: unknown = JSON.parse(text);
    return { kind: 'ok', value };
  } catch {
    return invalid(context, deps, { reason: 'the body is not valid JSON' });
  }
}

/** Undefined when it is larger than the bound; reading stops there. */
async function readBounded(body: ReadableStream<Uint8Array> | null): Promise<string | undefined> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function checkBody<Value>(
  context: AdminContext,
  deps: AdminDeps,
  schema: z.ZodType<Value>,
  json: unknown,
): Parsed<Value> {
  const result = schema.safeParse(json);
  if (result.success) return { kind: 'ok', value: result.data };
  const { path, reason } = describeIssue(result.error);
  const pointer = path
    .map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
  return invalid(context, deps, pointer === '' ? { reason } : { pointer, reason });
}

/** The query string. A misspelt parameter is refused: `?tenant=x` must not list everybody's keys. */
export function parseQuery<Value>(
  context: AdminContext,
  deps: AdminDeps,
  schema: z.ZodType<Value>,
): Parsed<Value> {
  const given: Record<string, string> = {};
  for (const [name, values] of Object.entries(context.req.queries())) {
    if (values.length > 1)
      return invalid(context, deps, { reason: `query parameter ${name}: given more than once` });
    given[name] = values[0] ?? '';
  }
  const result = schema.safeParse(given);
  if (result.success) return { kind: 'ok', value: result.data };
  const { path, reason } = describeIssue(result.error);
  return invalid(context, deps, { reason: `query parameter ${path.join('.')}: ${reason}` });
}

/** The Idempotency-Key of a request that moves money (BILL-13), or the answer 400. */
export function parseIdempotencyKey(context: AdminContext, deps: AdminDeps): Parsed<string> {
  const key = context.req.header('idempotency-key') ?? '';
  if (IDEMPOTENCY_KEY.test(key)) return { kind: 'ok', value: key };
  const what = key === '' ? 'is required, so that a retry cannot pay twice' : 'is not valid';
  return invalid(context, deps, {
    reason: `header Idempotency-Key ${what}: send 1 to 255 visible ASCII characters, for instance a UUID`,
  });
}

export const pageSchema = {
  cursor: z.string().max(64).default(''),
  limit: z.coerce.number().int().min(1).max(200).default(50),
};

export function formatTime(at: number): string {
  return new Date(at).toISOString();
}

function parseTime(text: string, now: number): number | undefined {
  const duration = DURATION.exec(text);
  if (duration !== null)
    return now + Number(duration[1]) * (UNIT_MS[duration[2] ?? ''] ?? Number.NaN);
  return TIME.test(text) ? Date.parse(text) : undefined;
}

function fail(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

/** The first issue: where, and what is wrong. An unknown member is named, with those that exist. */
function describeIssue(error: z.ZodError): { path: readonly PropertyKey[]; reason: string } {
  const issue = error.issues[0];
  if (issue === undefined) return { path: [], reason: 'not valid' };
  if (issue.code === 'unrecognized_keys') {
    return { path: [...issue.path, issue.keys[0] ?? ''], reason: 'unknown; check the spelling' };
  }
  return {
    path: issue.path,
    reason: issue.message.charAt(0).toLowerCase() + issue.message.slice(1),
  };
}

function invalid(
  context: AdminContext,
  deps: AdminDeps,
  details: { readonly reason: string; readonly pointer?: string },
): { kind: 'refused'; response: Response } {
  return { kind: 'refused', response: refuse(context, deps, { code: 'INVALID_REQUEST', details }) };
}

import { z } from 'zod';

import { findNearest } from '../../domain/nearest.ts';
import { parseJson } from '../parse-json.ts';
import type { AdminContext, AdminDeps, Parsed } from './admin-deps.ts';
import { refuse } from './answer.ts';

const BODY_BYTES_MAX = 1024 * 1024;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

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
  const parsed = parseJson(text);
  return parsed.kind === 'parsed'
    ? { kind: 'ok', value: parsed.value }
    : invalid(context, deps, { reason: parsed.reason });
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
  const { path, reason } = describeIssue(result.error, schema);
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
  const { path, reason } = describeIssue(result.error, schema);
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

/** The first issue: where, and what is wrong. An unknown member is named, with the one that was probably meant. */
function describeIssue(
  error: z.ZodError,
  schema: z.ZodType,
): { path: readonly PropertyKey[]; reason: string } {
  const issue = error.issues[0];
  if (issue === undefined) return { path: [], reason: 'not valid' };
  if (issue.code === 'unrecognized_keys') {
    const [name = ''] = issue.keys;
    const nearest = findNearest(name, membersAt(schema, issue.path));
    const advice = nearest === undefined ? 'check the spelling' : `did you mean ${nearest}?`;
    return { path: [...issue.path, name], reason: `unknown; ${advice}` };
  }
  return {
    path: issue.path,
    reason: issue.message.charAt(0).toLowerCase() + issue.message.slice(1),
  };
}

/** Names that an object at this place may have; none when the place is not found. */
function membersAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  if (schema instanceof z.ZodPipe) return membersAt(schema.in, path);
  if (schema instanceof z.ZodExactOptional) return membersAt(schema.unwrap(), path);
  const [step, ...rest] = path;
  if (schema instanceof z.ZodArray && step !== undefined) return membersAt(schema.element, rest);
  if (!(schema instanceof z.ZodObject)) return [];
  return step === undefined
    ? Object.keys(schema.shape)
    : membersAt(Reflect.get(schema.shape, step), rest);
}

function invalid(
  context: AdminContext,
  deps: AdminDeps,
  details: { readonly reason: string; readonly pointer?: string },
): { kind: 'refused'; response: Response } {
  return { kind: 'refused', response: refuse(context, deps, { code: 'INVALID_REQUEST', details }) };
}

import { sha256Hex } from '../../platform/sha256.ts';
import type { AdminContext, AdminDeps, Parsed } from './admin-deps.ts';
import { refuse } from './answer.ts';
import { parseIdempotencyKey, readJson } from './parse-input.ts';

/** A request that must count once, however often it is sent. */
export interface OnceRequest {
  /** What is ordered, part of what the answer is remembered under: `grants`. */
  readonly what: string;
  /** What it is about: the id of a tenant, or of an owner. */
  readonly subjectId: string;
  /** Checks the body and writes down all that will be done, times and ids worked out. */
  readonly order: (json: unknown, key: string) => Promise<Parsed<string>>;
  /** Does it, once however often it is called, and answers as the first time. */
  readonly fulfil: (order: string) => Promise<Response>;
}

/**
 * BILL-13: the same key and body give the same answer for ever; another body is a conflict. What the store
 * remembers is the order and not the answer, so that ten parallel callers, and a retry after a crash between
 * the two writes, all fulfil the very same order.
 */
export async function answerOnce(
  context: AdminContext,
  deps: AdminDeps,
  { what, subjectId, order, fulfil }: OnceRequest,
): Promise<Response> {
  const header = parseIdempotencyKey(context, deps);
  if (header.kind === 'refused') return header.response;
  const json = await readJson(context, deps);
  if (json.kind === 'refused') return json.response;
  const key = `admin:${what}:${header.value}`;
  const fingerprint = fingerprintOf(subjectId, json.value);
  // Before the checks: a repeated body whose expiry has passed meanwhile still gets its first answer.
  const earlier = await deps.store.recall(key);
  if (earlier !== undefined) {
    if (earlier.fingerprint !== fingerprint) return conflict(context, deps);
    return replay(context, earlier.answer, fulfil);
  }
  const drafted = await order(json.value, key);
  if (drafted.kind === 'refused') return drafted.response;
  const remembered = await deps.store.remember(key, fingerprint, drafted.value);
  if (remembered.kind === 'conflict') return conflict(context, deps);
  if (remembered.kind === 'replay') return replay(context, remembered.answer, fulfil);
  return fulfil(drafted.value);
}

function replay(
  context: AdminContext,
  order: string,
  fulfil: OnceRequest['fulfil'],
): Promise<Response> {
  context.set('replayed', true);
  context.header('Idempotent-Replayed', 'true');
  return fulfil(order);
}

/** Of the members, not of the bytes: a client that orders or spaces its JSON otherwise sends the same body. */
function fingerprintOf(subjectId: string, json: unknown): string {
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
  const members = isObject ? Object.entries(json).toSorted(([a], [b]) => (a < b ? -1 : 1)) : json;
  return sha256Hex(JSON.stringify([subjectId, members]));
}

function conflict(context: AdminContext, deps: AdminDeps): Response {
  return refuse(context, deps, { code: 'IDEMPOTENCY_CONFLICT' });
}

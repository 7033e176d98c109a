import type { Code } from '../../contract/codes.ts';
import type { ProblemDetails } from '../../contract/problem-document.ts';
import type { Tenant } from '../../stores/store.ts';
import { sendProblem } from '../send-problem.ts';
import type { AdminContext, AdminDeps } from './admin-deps.ts';

/** How long an answer waits for every gateway process to have seen the change (KEY-01: revoked within a second). */
const IN_FORCE_WAIT_MS = 1000;
/** `all`: every live gateway process acts on it already. `pending`: one has not answered yet. */
const IN_FORCE_HEADER = 'X-Tollkeeper-In-Force';

export interface Refusal {
  readonly code: Code;
  readonly details?: ProblemDetails;
  /** Members beside those of the 402 contract (RFC 9457 3.2), for instance a list of problems. */
  readonly extension?: Readonly<Record<string, unknown>>;
}

/** A refusal as the gateway's: the plain dialect, unless something else is asked for. */
export function refuse(context: AdminContext, deps: AdminDeps, refusal: Refusal): Response {
  const { extension, ...problem } = refusal;
  const requestId = context.get('requestId');
  return sendProblem(
    context.req,
    { ...problem, requestId, baseUrl: deps.publicUrl() },
    { extension },
  );
}

/** Of the tenant in the path. */
export function refuseTenant(context: AdminContext, deps: AdminDeps, id: string): Response {
  return refuse(context, deps, { code: 'TENANT_NOT_FOUND', details: { id } });
}

/** What is given to a part of a pool counts for nobody. `fix`: `add the credit to`. */
export function refusePooled(
  context: AdminContext,
  deps: AdminDeps,
  { id, terms }: Tenant,
  fix: string,
): Response {
  const reason = `tenant ${id} is pooled and has the plan and balance of its parent: ${fix} tenant ${terms.parentId}`;
  return refuse(context, deps, { code: 'INVALID_REQUEST', details: { reason } });
}

/** Answers a change once it is in force, and writes its line of the audit trail. `change` holds ids, never names. */
export async function answerChange(
  context: AdminContext,
  deps: AdminDeps,
  change: { readonly action: string } & Readonly<Record<string, string>>,
  answer: { readonly status: 200 | 201; readonly body: string },
): Promise<Response> {
  const inForce = await isInForce(context, deps);
  // A repeat of an order is told too: after a crash it may be the one that was fulfilled.
  const replayed = context.get('replayed') === true ? { replayed: true } : {};
  const fields = {
    request_id: context.get('requestId'),
    in_force: inForce,
    ...replayed,
    ...change,
  };
  deps.auditTrail.info(fields, 'changed by the admin API');
  return context.body(answer.body, answer.status, {
    'Content-Type': 'application/json',
    ...inForceHeader(inForce),
  });
}

/** What was changed stays changed when the store goes away: to answer that it failed would have it made twice. */
async function isInForce(context: AdminContext, deps: AdminDeps): Promise<boolean> {
  try {
    return await deps.store.allSeen(IN_FORCE_WAIT_MS);
  } catch (error) {
    const fields = { request_id: context.get('requestId'), error };
    deps.logger.error(fields, 'whether a change is in force is not known');
    return false;
  }
}

/** On the answer to every change. */
export function inForceHeader(inForce: boolean): Record<string, string> {
  return { [IN_FORCE_HEADER]: inForce ? 'all' : 'pending' };
}

/** One page. `rows` holds one more than `limit` when there is a next page. */
export function pageOf<Row extends { readonly id: string }>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => object,
): object {
  const shown = rows.slice(0, limit);
  const more = rows.length > limit;
  return {
    data: shown.map(view),
    has_more: more,
    next_cursor: more ? (shown.at(-1)?.id ?? null) : null,
  };
}

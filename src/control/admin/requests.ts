import { setTimeout as sleep } from 'node:timers/promises';

import type { Hono } from 'hono';
import { z } from 'zod';

import { CODES } from '../../contract/codes.ts';
import type { Facts } from '../../domain/facts.ts';
import { unpackFacts } from '../../domain/facts-record.ts';
import { formatMoney } from '../../domain/money.ts';
import { isId } from '../../platform/ids.ts';
import { CODES_PER_SEARCH_MAX, type RequestRow, type RequestSearch } from '../../stores/store.ts';
import type { AdminContext, AdminDeps, AdminEnv } from './admin-deps.ts';
import { refuse } from './answer.ts';
import { formatTime, idSchema, knownNameSchema, pageSchema, pastSchema } from './input-values.ts';
import { parseQuery } from './parse-input.ts';
import { viewExplanation } from './view-explanation.ts';

/** The log is written in batches: a request that was answered just now has its row within this time. */
const ROW_WAIT_MS = 1000;
const ROW_POLL_MS = 50;
const DAY_MS = 86_400_000;
/** Pages of the store one answer is made from: a search for something rare ends, and says where to go on. */
const SEARCHES_MAX = 10;

export function mountRequests(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.get('/admin/requests', (context) => listRequests(context, deps));
  app.get('/admin/requests/:id', (context) => showRequest(context, deps, context.req.param('id')));
}

/** The time of a look back: the last 24 hours when nothing is said. */
export function rangeShape(now: number) {
  const past = pastSchema(now);
  return {
    from: past.default(Math.max(0, now - DAY_MS)),
    to: past.default(now + 1),
    cursor: z
      .string()
      .regex(/^req_[0-9a-f]{12}([0-9a-f]{20})?$/, 'must be the next_cursor of the page before')
      .optional(),
  };
}

/** For `refine`. */
export function isForward({ from, to }: { readonly from: number; readonly to: number }): boolean {
  return from < to;
}
export const NOT_FORWARD = { path: ['from'], error: 'must be earlier than "to"' };

/** `code=A,B`. */
const codesSchema = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(knownNameSchema('code', Object.keys(CODES))).max(CODES_PER_SEARCH_MAX));

function searchSchema(now: number) {
  const members = {
    ...rangeShape(now),
    tenant_id: idSchema.optional(),
    key_id: idSchema.optional(),
    code: codesSchema.optional(),
    observed: z.enum(['true', 'false']).default('false'),
    limit: pageSchema.limit,
  };
  return z.strictObject(members).refine(isForward, NOT_FORWARD);
}

/** OBS-02: requests newest first. A page may be short, or empty, before the end: `has_more` tells. */
async function listRequests(context: AdminContext, deps: AdminDeps): Promise<Response> {
  const query = parseQuery(context, deps, searchSchema(deps.now()));
  if (query.kind === 'refused') return query.response;
  const { tenant_id: tenantId, key_id: keyId, code: codes, observed, ...range } = query.value;
  const search = { ...range, tenantId, keyId, codes, observed: observed === 'true' };
  const { rows, cursor } = await searchUntilFull(deps, search);
  const { asset } = deps.catalog();
  return context.json({
    data: rows.map((row) => viewRow(row, asset)),
    has_more: cursor !== undefined,
    next_cursor: cursor ?? null,
  });
}

async function searchUntilFull(
  deps: AdminDeps,
  search: RequestSearch,
): Promise<{ readonly rows: readonly RequestRow[]; readonly cursor: string | undefined }> {
  const rows: RequestRow[] = [];
  let { cursor } = search;
  for (let count = 0; count < SEARCHES_MAX; count += 1) {
    const limit = search.limit - rows.length;
    // oxlint-disable-next-line no-await-in-loop -- each page says where the next begins
    const page = await deps.store.searchRequests({ ...search, limit, cursor });
    rows.push(...page.rows);
    ({ cursor } = page);
    if (cursor === undefined || rows.length === search.limit) break;
  }
  return { rows, cursor };
}

function viewRow(row: RequestRow, asset: string): object {
  const facts = unpackFacts(row.facts);
  return {
    request_id: row.requestId,
    client_request_id: facts?.clientRequestId ?? null,
    at: formatTime(row.at),
    tenant_id: row.tenantId === '' ? null : row.tenantId,
    status: row.status,
    code: row.code === '' ? null : row.code,
    would_refuse: row.wouldRefuse ?? null,
    ...(facts === undefined ? {} : viewCall(facts, asset)),
  };
}

function viewCall({ identity, method, path, route, outcome }: Facts, asset: string): object {
  const { costNano = 0, durationMs = 0, model } = outcome ?? {};
  return {
    key_id: identity.kind === 'key' ? identity.keyId : null,
    method,
    path,
    route: route?.routeId ?? null,
    model: model ?? null,
    cost: formatMoney({ asset, units: BigInt(costNano) }),
    duration_ms: durationMs,
  };
}

async function showRequest(context: AdminContext, deps: AdminDeps, id: string): Promise<Response> {
  const row = isId('req', id) ? await findRow(deps, id) : undefined;
  if (row === undefined) {
    const path = `/admin/requests/${id}`;
    return refuse(context, deps, { code: 'NOT_FOUND', details: { id, path } });
  }
  const facts = unpackFacts(row.facts);
  const explanation = facts && (await viewExplanation(deps, { id, tenantId: row.tenantId, facts }));
  return context.json({
    request_id: row.requestId,
    client_request_id: facts?.clientRequestId ?? null,
    at: formatTime(row.at),
    tenant_id: row.tenantId === '' ? null : row.tenantId,
    status: row.status,
    code: row.code === '' ? null : row.code,
    explanation: explanation ?? null,
    facts: facts ?? null,
  });
}

async function findRow(deps: AdminDeps, id: string): Promise<RequestRow | undefined> {
  for (let waitedMs = 0; ; waitedMs += ROW_POLL_MS) {
    const row = await deps.store.request(id);
    if (row !== undefined || waitedMs >= ROW_WAIT_MS) return row;
    await sleep(ROW_POLL_MS);
  }
}

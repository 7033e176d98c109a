import type { Hono } from 'hono';
import { z } from 'zod';

import type { AdminContext, AdminDeps, AdminEnv } from './admin-deps.ts';
import { formatTime } from './input-values.ts';
import { ObserveReport } from './observe-report.ts';
import { parseQuery } from './parse-input.ts';
import { isForward, NOT_FORWARD, rangeShape } from './requests.ts';

const ROWS_PER_SEARCH = 1000;
/** Requests one answer counts at most; the next page counts on. */
const ROWS_MAX = 20_000;

export function mountReports(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.get('/admin/reports/observe', (context) => showObserved(context, deps));
}

/**
 * EVID-01: what would have been refused, by code, tenant and limit. Exact: every request of the time is counted, once.
 * Pages are parts of the time, newest first: numbers of the same group on several pages add up.
 */
async function showObserved(context: AdminContext, deps: AdminDeps): Promise<Response> {
  const schema = z.strictObject(rangeShape(deps.now())).refine(isForward, NOT_FORWARD);
  const query = parseQuery(context, deps, schema);
  if (query.kind === 'refused') return query.response;
  const { from, to } = query.value;
  const report = new ObserveReport();
  let { cursor } = query.value;
  do {
    const limit = Math.min(ROWS_PER_SEARCH, ROWS_MAX - report.requests);
    // oxlint-disable-next-line no-await-in-loop -- each page says where the next begins
    const page = await deps.store.searchRequests({ from, to, observed: true, limit, cursor });
    for (const row of page.rows) report.add(row);
    ({ cursor } = page);
  } while (cursor !== undefined && report.requests < ROWS_MAX);
  return context.json({
    from: formatTime(from),
    to: formatTime(to),
    requests: report.requests,
    data: report.groups.map(({ code, tenantId, limit, entitlement, requests }) => ({
      code,
      tenant_id: tenantId ?? null,
      limit: limit ?? null,
      entitlement: entitlement ?? null,
      requests,
    })),
    has_more: cursor !== undefined,
    next_cursor: cursor ?? null,
  });
}

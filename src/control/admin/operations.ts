import type { Hono } from 'hono';

import { METRICS_CONTENT_TYPE, renderMetrics } from '../../platform/metrics.ts';
import type { AdminContext, AdminDeps, AdminEnv, ConfigurationProblem } from './admin-deps.ts';
import { inForceHeader, refuse } from './answer.ts';
import { formatTime } from './input-values.ts';

export function mountOperations(app: Hono<AdminEnv>, deps: AdminDeps): void {
  const { operations } = deps;
  app.get('/admin/config', (context) => {
    const { version, loadedAt, source } = operations.configuration();
    return context.json({ version, loaded_at: formatTime(loadedAt), source });
  });
  app.post('/admin/config/reload', (context) => reload(context, deps));
  app.get('/admin/ledger/audit', async (context) => {
    const violations = await operations.audit();
    return context.json({ ok: violations.length === 0, violations });
  });
  app.get('/admin/workers', (context) => {
    const data = operations.workers().map(({ name, pid, state, startedAt }) => {
      return { name, pid, state, started_at: formatTime(startedAt) };
    });
    return context.json({ data, has_more: false, next_cursor: null });
  });
  app.get('/metrics', async (context) => {
    const text = renderMetrics(await operations.metrics());
    return context.body(text, 200, { 'Content-Type': METRICS_CONTENT_TYPE });
  });
}

/** For probes of a supervisor: no token, no Host check, and nothing said that could help a stranger. */
export function mountHealth(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.get('/readyz', async (context) => {
    const parts = await deps.operations.readiness();
    const ready = parts.every((part) => part.ok);
    const shown = parts.map(({ name, ok, degraded, detail }) => ({ name, ok, degraded, detail }));
    return context.json({ status: ready ? 'ready' : 'not_ready', parts: shown }, ready ? 200 : 503);
  });
}

/** GW-03: in force on every worker when this answers, unless the header says that one has not confirmed it. */
async function reload(context: AdminContext, deps: AdminDeps): Promise<Response> {
  const outcome = await deps.operations.reload();
  switch (outcome.kind) {
    case 'reloaded': {
      const { version, changed, needsRestart, inForce } = outcome;
      const fields = { request_id: context.get('requestId'), version, changed, in_force: inForce };
      deps.auditTrail.info(fields, 'configuration reloaded by the admin API');
      const body = { version, changed, needs_restart: needsRestart };
      return context.json(body, 200, inForceHeader(inForce));
    }
    case 'kept': {
      const reason = `the configuration has ${outcome.problems.length} problem(s), so the old one stays in force; the first: ${describeProblem(outcome.problems[0])}`;
      const extension = { problems: outcome.problems };
      return refuse(context, deps, { code: 'INVALID_REQUEST', details: { reason }, extension });
    }
    default:
      return outcome satisfies never;
  }
}

function describeProblem(problem: ConfigurationProblem | undefined): string {
  if (problem === undefined) return 'unknown';
  return `${problem.file}:${problem.line}:${problem.column} ${problem.path}: ${problem.message}`;
}

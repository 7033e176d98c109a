import { Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';

import { StoreError } from '../../stores/store-error.ts';
import type { AdminContext, AdminDeps, AdminEnv } from './admin-deps.ts';
import { refuse } from './answer.ts';
import { mountGrants } from './grants.ts';
import { guardAdmin, stampAnswers } from './guard.ts';
import { mountKeys } from './keys.ts';
import { mountHealth, mountOperations } from './operations.ts';
import { mountOwners } from './owners.ts';
import { mountPurchases } from './purchases.ts';
import { mountReports } from './reports.ts';
import { mountRequests } from './requests.ts';
import { mountTenants } from './tenants.ts';

/** A control character, as a path is written: no id has one, and PostgreSQL takes no question about one. */
const CONTROL = /%([01][0-9a-f]|7f)/i;

/** The admin API (DESIGN 12, port 4021): tenants, keys, grants, configuration, audit, health and metrics. */
export function createAdminApp(deps: AdminDeps): Hono<AdminEnv> {
  const app = new Hono<AdminEnv>();
  app.use(stampAnswers(deps));
  mountHealth(app, deps);
  app.use(guardAdmin(deps));
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (context, methods) => wrongMethod(context, deps, methods),
    }),
  );
  app.use((context, next) => {
    const [path = ''] = context.req.url.split('?', 1);
    return CONTROL.test(path) ? Promise.resolve(refusePath(context, deps)) : next();
  });
  mountTenants(app, deps);
  mountPurchases(app, deps);
  mountGrants(app, deps);
  mountKeys(app, deps);
  mountRequests(app, deps);
  mountReports(app, deps);
  mountOwners(app, deps);
  mountOperations(app, deps);
  app.notFound((context) => refusePath(context, deps));
  app.onError((error, context) => {
    deps.logger.error({ request_id: context.get('requestId'), error }, 'an admin request failed');
    if (!isUnavailable(error)) return refuse(context, deps, { code: 'INTERNAL_ERROR' });
    const details = { reason: 'the store does not answer' };
    return refuse(context, deps, { code: 'BILLING_UNAVAILABLE', details });
  });
  return app;
}

function refusePath(context: AdminContext, deps: AdminDeps): Response {
  return refuse(context, deps, { code: 'NOT_FOUND', details: { path: context.req.path } });
}

function wrongMethod(context: AdminContext, deps: AdminDeps, methods: readonly string[]): Response {
  const { method, path } = context.req;
  return refuse(context, deps, {
    code: 'METHOD_NOT_ALLOWED',
    details: { method, path, allowed_methods: methods },
  });
}

/** A silent or overfull store: our fault, and a retry may heal it (DESIGN 10). */
function isUnavailable(error: Error): boolean {
  return (
    error instanceof StoreError && (error.code === 'unavailable' || error.code === 'overloaded')
  );
}

import { Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';

import { PROBLEM_SCHEMA_PATH } from '../../contract/problem-document.ts';
import { PROBLEM_SCHEMA } from '../../contract/problem-schema.ts';
import { requestId } from '../../platform/ids.ts';
import { StoreError } from '../../stores/store-error.ts';
import { mountApiDocs } from './api-docs/mount-api-docs.ts';
import { refuse, sendJson } from './answers.ts';
import { mountDiagnosePage } from './diagnose-page.ts';
import { mountErrorPages } from './error-pages.ts';
import { mountExplainPage } from './explain-page.ts';
import { mountGuidePages } from './guide-pages.ts';
import { mountLandingPage } from './landing-page.ts';
import { mountPayPage } from './pay-page.ts';
import type { PublicContext, PublicDeps, PublicEnv } from './public-deps.ts';
import { mountRehearsals } from './rehearse.ts';
import { mountUsage } from './usage.ts';

/** The gateway's own pages on the public port: errors, pay, explain, usage (DESIGN 12). */
export function createPublicApp(deps: PublicDeps): Hono<PublicEnv> {
  const app = new Hono<PublicEnv>();
  app.use(async (context, next) => {
    // `env` is undefined when the app is called without bindings.
    const given = (context.env as PublicEnv['Bindings'] | undefined)?.requestId;
    context.set('requestId', given ?? requestId(deps.now()));
    await next();
    context.res.headers.set('X-Request-Id', context.get('requestId'));
  });
  app.use(async (context, next) => {
    const allowed = (context.env as PublicEnv['Bindings'] | undefined)?.allowedBytes;
    if (allowed === undefined) return next();
    return refuse(context, deps, { code: 'BODY_TOO_LARGE', details: { allowed_bytes: allowed } });
  });
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (context, methods) => refuseMethod(context, deps, methods),
    }),
  );
  mountLandingPage(app, deps);
  mountErrorPages(app, deps);
  mountGuidePages(app, deps);
  mountDiagnosePage(app, deps);
  mountPayPage(app, deps);
  mountUsage(app, deps);
  mountRehearsals(app, deps);
  mountApiDocs(app, deps);
  mountExplainPage(app, deps);
  app.get(PROBLEM_SCHEMA_PATH, (context) =>
    sendJson(context, PROBLEM_SCHEMA, { cacheControl: 'public, max-age=300' }),
  );
  app.notFound((context) =>
    refuse(context, deps, { code: 'NOT_FOUND', details: { path: context.req.path } }),
  );
  app.onError((error, context) => refuseFailure(context, deps, error));
  return app;
}

function refuseMethod(
  context: PublicContext,
  deps: PublicDeps,
  methods: readonly string[],
): Response {
  const { method, path } = context.req;
  return refuse(context, deps, {
    code: 'METHOD_NOT_ALLOWED',
    details: { method, path, allowed_methods: methods },
  });
}

/** A silent or overfull store is our fault and may heal; anything else is a bug. */
function refuseFailure(context: PublicContext, deps: PublicDeps, error: Error): Response {
  deps.onError(error, context.get('requestId'));
  const isStore =
    error instanceof StoreError && (error.code === 'unavailable' || error.code === 'overloaded');
  if (!isStore) return refuse(context, deps, { code: 'INTERNAL_ERROR' });
  const details = { reason: 'the store does not answer' };
  return refuse(context, deps, { code: 'BILLING_UNAVAILABLE', details });
}

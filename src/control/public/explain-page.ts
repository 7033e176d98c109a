import type { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';

import { negotiate, refuse, sendJson, sendPage, sharedHeaders } from './answers.ts';
import { readCurrentState } from './current-state.ts';
import { runProbe } from './probe-store.ts';
import type { PublicContext, PublicDeps, PublicEnv } from './public-deps.ts';
import { readMembers } from './read-members.ts';
import { formatOf, type ReadableRequest, readRequest } from './read-request.ts';
import { renderExplain } from './render-explain.ts';
import { renderGuide } from './render-guide.ts';
import { readReport } from './request-report.ts';
import { buildBundle, formatBundle } from './support-bundle.ts';
import { viewExplain } from './view-explain.ts';

const JSON_SUFFIX = '.json';
const BODY_BYTES_MAX = 1024;

/** DIAG-01..09: why a request was answered as it was, for the owner of its key or whoever holds the signed link. */
export function mountExplainPage(app: Hono<PublicEnv>, deps: PublicDeps): void {
  app.get('/r/:id', (context) => {
    const name = context.req.param('id');
    const isJson = name.endsWith(JSON_SUFFIX);
    const id = isJson ? name.slice(0, -JSON_SUFFIX.length) : name;
    return sendExplanation(context, deps, { id, suffix: isJson ? 'json' : undefined });
  });
  app.get('/r/:id/guide', (context) => sendGuide(context, deps, context.req.param('id')));
  app.get('/r/:id/bundle', (context) => sendBundle(context, deps, context.req.param('id')));
  app.post(
    '/r/:id/probe',
    bodyLimit({
      maxSize: BODY_BYTES_MAX,
      onError: (context) =>
        refuse(context as PublicContext, deps, {
          code: 'BODY_TOO_LARGE',
          details: { allowed_bytes: BODY_BYTES_MAX },
        }),
    }),
    (context) => acceptProbe(context, deps, context.req.param('id')),
  );
}

async function sendExplanation(
  context: PublicContext,
  deps: PublicDeps,
  { id, suffix }: { readonly id: string; readonly suffix: 'json' | undefined },
): Promise<Response> {
  const format = formatOf(context, suffix);
  const request = await readRequest(context, deps, { id, format: suffix });
  if (request instanceof Response) return request;
  const report = await readReport(deps, request);
  return format === 'json'
    ? sendJson(context, viewExplain(report))
    : sendPage(context, renderExplain(report));
}

/** DIAG-09: the order in which somebody without a key of their own looks. */
async function sendGuide(context: PublicContext, deps: PublicDeps, id: string): Promise<Response> {
  const request = await readRequest(context, deps, { id, format: undefined });
  if (request instanceof Response) return request;
  const report = await readReport(deps, request);
  return formatOf(context, undefined) === 'json'
    ? sendJson(context, { request_id: id, steps: report.guide })
    : sendPage(context, renderGuide(report));
}

/** DIAG-08: JSON, and text for who asks for it. A browser saves it instead of showing it. */
async function sendBundle(context: PublicContext, deps: PublicDeps, id: string): Promise<Response> {
  const request = await readRequest(context, deps, { id, format: undefined });
  if (request instanceof Response) return request;
  const bundle = await buildBundle(deps, await readReport(deps, request));
  const asText = context.req.query('format') === 'text';
  const disposition = `attachment; filename="${id}.${asText ? 'txt' : 'json'}"`;
  const headers = { 'Content-Disposition': disposition };
  if (!asText) return sendJson(context, bundle, { headers });
  return context.body(formatBundle(bundle), 200, {
    'Content-Type': 'text/plain; charset=utf-8',
    ...sharedHeaders({ headers }),
  });
}

const probeSchema = z.strictObject({ kind: z.enum(['same', 'reduced', 'cheaper']) });

/** DIAG-07: a dry run. It changes nothing but its own record. */
async function acceptProbe(
  context: PublicContext,
  deps: PublicDeps,
  id: string,
): Promise<Response> {
  const request = await readRequest(context, deps, { id, format: undefined });
  if (request instanceof Response) return request;
  const members = await readMembers(context);
  if (typeof members === 'string') return refuseProbe(context, deps, members);
  const parsed = probeSchema.safeParse(members);
  if (!parsed.success) {
    return refuseProbe(context, deps, '"kind" must be one of: same, reduced, cheaper', '/kind');
  }
  return sendProbe(context, deps, request, parsed.data.kind);
}

async function sendProbe(
  context: PublicContext,
  deps: PublicDeps,
  request: ReadableRequest,
  kind: z.infer<typeof probeSchema>['kind'],
): Promise<Response> {
  const state = await readCurrentState(deps, request.facts, request.tenantId);
  const probed = await runProbe(deps, request, kind, state);
  if (probed.kind === 'not possible') return refuseProbe(context, deps, probed.reason);
  if (negotiate(context, 'json', 'html') !== 'html') return sendJson(context, probed.probe);
  // Post, redirect, get: reloading the page must not run it again.
  return context.body(null, 303, {
    Location: `/r/${request.id}${request.query}#probe`,
    ...sharedHeaders({}),
  });
}

function refuseProbe(
  context: PublicContext,
  deps: PublicDeps,
  reason: string,
  pointer?: string,
): Response {
  const details = pointer === undefined ? { reason } : { reason, pointer };
  return refuse(context, deps, { code: 'INVALID_REQUEST', details });
}

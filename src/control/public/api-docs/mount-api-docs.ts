import type { Hono } from 'hono';

import { formatMoney } from '../../../domain/money.ts';
import { billedAtMost } from '../../../domain/overage.ts';
import { refuse, sendJson, sendPage } from '../answers.ts';
import type { PublicContext, PublicDeps, PublicEnv } from '../public-deps.ts';
import { buildLlmsText } from './llms-text.ts';
import { buildOpenapi } from './openapi.ts';
import { type PublishedRoute, publishedRoutes } from './published-routes.ts';
import { renderReference } from './reference-page.ts';
import { renderTry, type SentResult, type TryInput, type TryResult } from './try-page.ts';

const SHARED = { cacheControl: 'public, max-age=60' };
const PATH_LENGTH_MAX = 8192;

/** The documents of what is published here: for programs, agents and people (DOC-04, DOC-06). */
export function mountApiDocs(app: Hono<PublicEnv>, deps: PublicDeps): void {
  app.get('/openapi.json', (context) => sendOpenapi(context, deps));
  app.get('/llms.txt', (context) =>
    context.body(buildLlmsText(deps.catalog(), deps.publicUrl()), 200, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Cache-Control': SHARED.cacheControl,
      'X-Content-Type-Options': 'nosniff',
    }),
  );
  app.get('/reference', (context) =>
    sendPage(context, renderReference(publishedRoutes(deps.catalog()), deps.publicUrl()), SHARED),
  );
  app.get('/reference/try', (context) => showTry(context, deps));
  app.post('/reference/try', (context) => tryRoute(context, deps));
}

function sendOpenapi(context: PublicContext, deps: PublicDeps): Response {
  const apiId = context.req.query('api');
  const catalog = deps.catalog();
  if (apiId !== undefined && !catalog.apis.some(({ id }) => id === apiId)) {
    return refuse(context, deps, {
      code: 'NOT_FOUND',
      details: { path: `/openapi.json?api=${apiId}` },
    });
  }
  const options = { publicUrl: deps.publicUrl(), version: deps.version, apiId };
  return sendJson(context, buildOpenapi(catalog, options), SHARED);
}

function showTry(context: PublicContext, deps: PublicDeps): Response {
  const published = findRoute(context, deps);
  if (published === undefined) return refuseRoute(context, deps);
  return sendPage(context, renderTry(published, undefined, undefined));
}

async function tryRoute(context: PublicContext, deps: PublicDeps): Promise<Response> {
  const published = findRoute(context, deps);
  if (published === undefined) return refuseRoute(context, deps);
  const form = new URLSearchParams(await context.req.text());
  const input = {
    method: form.get('method') ?? 'GET',
    path: (form.get('path') ?? '/').slice(0, PATH_LENGTH_MAX),
    body: form.get('body') ?? '',
  };
  const problem = problemOf(published, input);
  if (problem !== undefined) {
    const result = { ...NOT_ASKED, refusal: problem };
    return sendPage(context, renderTry(published, input, result));
  }
  const result = await perform(context, deps, {
    input,
    key: form.get('key') ?? '',
    isSent: form.get('action') === 'send',
  });
  return sendPage(context, renderTry(published, input, result));
}

const NOT_ASKED = { priceBefore: undefined, priceIsOpen: false, sent: undefined };

function problemOf({ methods }: PublishedRoute, { method, path }: TryInput): string | undefined {
  if (!methods.includes(method)) return `This route does not take ${method}.`;
  if (!/^\/[\x21-\x7e]*$/.test(path)) return 'The path must begin with "/" and hold no spaces.';
  return undefined;
}

/** The price is asked first and shown beside what the call then cost. */
async function perform(
  context: PublicContext,
  deps: PublicDeps,
  { input, key, isSent }: { input: TryInput; key: string; isSent: boolean },
): Promise<TryResult> {
  const request = requestOf(context, input, key);
  const { facts, holdNano, costIsOpen, refusal } = await deps.rehearse(request, 'quote');
  const { asset } = deps.catalog();
  const amount = formatMoney({ asset, units: BigInt(holdNano + billedAtMost(facts.limits)) });
  return {
    priceBefore: refusal === undefined ? amount : undefined,
    priceIsOpen: costIsOpen,
    refusal: refusal && messageOf(refusal.body),
    sent: isSent ? toSent(await deps.perform(request)) : undefined,
  };
}

function requestOf(context: PublicContext, { method, path, body }: TryInput, key: string) {
  const host = context.req.header('host');
  // `env` is undefined when the app is called without bindings.
  const env = context.env as PublicEnv['Bindings'] | undefined;
  const hasBody = method !== 'GET' && method !== 'HEAD' && body !== '';
  const headers = [
    ...(host === undefined ? [] : ['host', host]),
    ...(key === '' ? [] : ['authorization', `Bearer ${key.trim()}`]),
    ...(hasBody ? ['content-type', 'application/json'] : []),
  ];
  return {
    method,
    target: path,
    headers,
    body: Buffer.from(hasBody ? body : ''),
    remoteAddress: env?.remoteAddress ?? '127.0.0.1',
  };
}

function messageOf(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) {
      return String(parsed.message);
    }
  } catch {
    // Another form than JSON: shown as it is.
  }
  return body;
}

function toSent(answer: Awaited<ReturnType<PublicDeps['perform']>>): SentResult {
  const headers: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < answer.headers.length; i += 2) {
    headers.push([answer.headers[i] ?? '', answer.headers[i + 1] ?? '']);
  }
  const find = (wanted: string): string | undefined =>
    headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  return {
    status: answer.status,
    costAfter: find('x-tollkeeper-cost') ?? find('x-tollkeeper-cost-max'),
    requestId: find('x-request-id'),
    headers,
    body: answer.body.toString(),
    truncated: answer.truncated,
  };
}

function findRoute(context: PublicContext, deps: PublicDeps): PublishedRoute | undefined {
  const id = context.req.query('route');
  return publishedRoutes(deps.catalog()).find(({ route }) => route.id === id);
}

function refuseRoute(context: PublicContext, deps: PublicDeps): Response {
  return refuse(context, deps, { code: 'NOT_FOUND', details: { path: '/reference/try' } });
}

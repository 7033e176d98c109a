import type { Hono } from 'hono';

import { CODES, isCode, type Code } from '../../contract/codes.ts';
import { negotiate, refuse, sendJson, sendPage, sharedHeaders } from './answers.ts';
import { codeNames, nearestCode, readErrorDoc, resolveErrorDocLink } from './error-docs.ts';
import { html } from './html.ts';
import { renderMarkdown, titleOfMarkdown } from './markdown.ts';
import type { PublicContext, PublicDeps, PublicEnv } from './public-deps.ts';

/** The same for everybody until the next release. */
const CACHE = { cacheControl: 'public, max-age=300' };

/** C402-08, DOC-02: what every code means, as a page, as Markdown and as JSON. */
export function mountErrorPages(app: Hono<PublicEnv>, deps: PublicDeps): void {
  app.get('/errors', (context) => sendIndex(context, deps));
  app.get('/errors/:code', (context) => sendCode(context, deps, context.req.param('code')));
}

function sendIndex(context: PublicContext, deps: PublicDeps): Response {
  const format = negotiate(context, 'html');
  if (format === 'json') {
    const data = codeNames().map((code) => viewCode(code, deps.publicUrl()));
    return sendJson(context, { data }, CACHE);
  }
  return sendDoc(context, readErrorDoc('README'), format);
}

function sendCode(context: PublicContext, deps: PublicDeps, name: string): Response {
  const code = name.toUpperCase().replaceAll('-', '_');
  if (!isCode(code)) return sendUnknown(context, deps, name);
  const source = readErrorDoc(code);
  const format = negotiate(context, 'html');
  if (format !== 'json') return sendDoc(context, source, format);
  return sendJson(context, { ...viewCode(code, deps.publicUrl()), markdown: source }, CACHE);
}

function sendDoc(context: PublicContext, source: string, format: 'html' | 'markdown'): Response {
  if (format === 'markdown') {
    return context.body(source, 200, {
      'Content-Type': 'text/markdown; charset=utf-8',
      ...sharedHeaders(CACHE),
    });
  }
  const main = renderMarkdown(source, { resolveLink: resolveErrorDocLink });
  return sendPage(context, { title: titleOfMarkdown(source) ?? 'Error codes', main }, CACHE);
}

function sendUnknown(context: PublicContext, deps: PublicDeps, name: string): Response {
  const nearest = nearestCode(name);
  if (negotiate(context, 'html') !== 'html') {
    const details = {
      path: context.req.path,
      ...(nearest === undefined ? {} : { nearest }),
    };
    return refuse(context, deps, { code: 'NOT_FOUND', details });
  }
  const guess =
    nearest === undefined
      ? undefined
      : html`<p>Did you mean <a href="/errors/${nearest}">${nearest}</a>?</p>`;
  const main = html`<h1>No such error code</h1>
    <p class="lead">There is no code <code>${name.slice(0, 64)}</code>.</p>
    ${guess}
    <p><a href="/errors">All error codes</a></p>`;
  return sendPage(context, { title: 'No such error code', main }, { status: 404 });
}

function viewCode(code: Code, baseUrl: string): object {
  const { status, title, retryKind, actions } = CODES[code];
  return { code, status, title, retry_kind: retryKind, actions, url: `${baseUrl}/errors/${code}` };
}

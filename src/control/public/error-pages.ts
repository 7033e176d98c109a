import type { Hono } from 'hono';

import { CODES, isCode, type Code } from '../../contract/codes.ts';
import { resolveCodeAlias } from '../../contract/code-aliases.ts';
import { negotiate, refuse, sendJson, sendPage } from './answers.ts';
import { sendDocument } from './documents.ts';
import { codeNames, nearestCode, readErrorDoc } from './error-docs.ts';
import { html, type Html } from './html.ts';
import type { PublicContext, PublicDeps, PublicEnv } from './public-deps.ts';

/** The same for everybody until the next release. */
const CACHE = { cacheControl: 'public, max-age=300' };

/** C402-08, DOC-02: what every code means, as a page, as Markdown and as JSON. */
export function mountErrorPages(app: Hono<PublicEnv>, deps: PublicDeps): void {
  app.get('/errors', (context) => sendIndex(context, deps));
  app.get('/errors/:code', (context) => sendCode(context, deps, context.req.param('code')));
}

const FOLDER = 'errors/';

function sendIndex(context: PublicContext, deps: PublicDeps): Response {
  if (negotiate(context, 'html', 'json', 'markdown') === 'json') {
    const data = codeNames().map((code) => viewCode(code, deps.publicUrl()));
    return sendJson(context, { data }, CACHE);
  }
  return sendDocument(context, { source: readErrorDoc('README'), folder: FOLDER });
}

function sendCode(context: PublicContext, deps: PublicDeps, asked: string): Response {
  const name = asked.toUpperCase().replaceAll('-', '_');
  const code = isCode(name) ? name : resolveCodeAlias(name);
  if (code === undefined) return sendUnknown(context, deps, asked);
  const alias = code === name ? undefined : name;
  const source = readErrorDoc(code);
  if (negotiate(context, 'html', 'json', 'markdown') === 'json') {
    const view = { ...viewCode(code, deps.publicUrl()), ...(alias === undefined ? {} : { alias }) };
    return sendJson(context, { ...view, markdown: source }, CACHE);
  }
  const note = alias === undefined ? {} : { note: renderAlias(alias, code) };
  return sendDocument(context, { source, folder: FOLDER, ...note });
}

/** Other names are documented and never sent: whoever looks one up is told ours. */
function renderAlias(alias: string, code: Code): Html {
  return html`<p class="note">
    <code>${alias}</code> is another name for what this gateway answers as
    <a href="/errors/${code}">${code}</a>.
  </p>`;
}

function sendUnknown(context: PublicContext, deps: PublicDeps, name: string): Response {
  const nearest = nearestCode(name);
  if (negotiate(context, 'html', 'json') !== 'html') {
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

import { accepts } from 'hono/accepts';

import type { RetryKind } from '../../contract/code-row.ts';
import type { Code } from '../../contract/codes.ts';
import { renderProblem, type ProblemDialect } from '../../contract/dialects.ts';
import { buildProblemHeaders } from '../../contract/headers.ts';
import { buildProblem } from '../../contract/problem.ts';
import type { ProblemDetails, ProblemDocument } from '../../contract/problem-document.ts';
import { html } from './html.ts';
import { PAGE_HEADERS, renderPage, type Page } from './layout.ts';
import type { Identification, PublicContext, PublicDeps } from './public-deps.ts';
import { isoTime } from './time-words.ts';

export type Format = 'html' | 'json' | 'markdown';

const TYPES: Readonly<Record<Format, string>> = {
  html: 'text/html',
  json: 'application/json',
  markdown: 'text/markdown',
};
const HTML_TYPES = [TYPES.html, 'application/xhtml+xml'];

/** What the caller would rather have; `otherwise` for callers who take anything (curl, fetch). */
export function negotiate(context: PublicContext, otherwise: Format): Format {
  const supports = [...HTML_TYPES, TYPES.json, 'application/problem+json', TYPES.markdown];
  const chosen = accepts(context, { header: 'Accept', supports, default: TYPES[otherwise] });
  if (HTML_TYPES.includes(chosen)) return 'html';
  return chosen === TYPES.markdown ? 'markdown' : 'json';
}

export interface PageOptions {
  readonly status?: 200 | 404;
  /** Default `no-store`: what is about one tenant must not stay in a browser or proxy. */
  readonly cacheControl?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function sendPage(context: PublicContext, page: Page, options: PageOptions = {}): Response {
  return context.body(renderPage(page), options.status ?? 200, {
    ...PAGE_HEADERS,
    ...sharedHeaders(options),
  });
}

export function sendJson(
  context: PublicContext,
  value: object,
  options: PageOptions = {},
): Response {
  return context.body(`${JSON.stringify(value, undefined, 2)}\n`, options.status ?? 200, {
    'Content-Type': TYPES.json,
    ...sharedHeaders(options),
  });
}

export function sharedHeaders(options: PageOptions): Record<string, string> {
  return {
    'Cache-Control': options.cacheControl ?? 'no-store',
    Vary: 'Accept',
    'X-Content-Type-Options': 'nosniff',
    ...options.headers,
  };
}

export interface Refusal {
  readonly code: Code;
  readonly details?: ProblemDetails;
  readonly retryKind?: RetryKind;
  /** Names an envelope for programs; left out, a browser gets a page. */
  readonly dialect?: ProblemDialect;
}

/** A refusal in the body family of the gateway; a person's browser gets the same as a page. */
export function refuse(context: PublicContext, deps: PublicDeps, refusal: Refusal): Response {
  const document = buildProblem({
    code: refusal.code,
    requestId: context.get('requestId'),
    baseUrl: deps.publicUrl(),
    ...(refusal.details === undefined ? {} : { details: refusal.details }),
    ...(refusal.retryKind === undefined ? {} : { retryKind: refusal.retryKind }),
  });
  const isPage = refusal.dialect === undefined && negotiate(context, 'json') === 'html';
  const rendered = isPage
    ? { contentType: PAGE_HEADERS['Content-Type'] ?? '', body: renderPage(pageOf(document)) }
    : renderProblem(document, refusal.dialect ?? 'plain');
  const headers = new Headers(isPage ? PAGE_HEADERS : {});
  const list = buildProblemHeaders(document, { contentType: rendered.contentType });
  for (let index = 0; index + 1 < list.length; index += 2) {
    headers.set(list[index] ?? '', list[index + 1] ?? '');
  }
  headers.set('Vary', 'Accept');
  headers.set('X-Content-Type-Options', 'nosniff');
  return new Response(rendered.body, { status: document.status, headers });
}

function pageOf(document: ProblemDocument): Page {
  // The link at the end of the message is on the page as a link.
  const sentence = document.message.replace(`: ${document.resolution_url}`, '.');
  return {
    title: document.title,
    main: html`<h1>${document.title}</h1>
      <p class="lead">${sentence}</p>
      <dl>
        <dt>Status</dt>
        <dd>${document.status}</dd>
        <dt>Code</dt>
        <dd><a href="/errors/${document.code}">${document.code}</a></dd>
        <dt>Request</dt>
        <dd><code>${document.request_id}</code></dd>
      </dl>`,
  };
}

/** The 401 of a caller who is not known, with the time the key ended where it did. */
export function refuseCaller(
  context: PublicContext,
  deps: PublicDeps,
  { code, since }: Extract<Identification, { kind: 'refused' }>,
  dialect: ProblemDialect | undefined,
): Response {
  const at = since === undefined ? undefined : isoTime(since);
  const details: ProblemDetails = {
    ...(at !== undefined && code === 'KEY_REVOKED' ? { revoked_at: at } : {}),
    ...(at !== undefined && code === 'KEY_EXPIRED' ? { expired_at: at } : {}),
  };
  return refuse(context, deps, { code, details, ...(dialect === undefined ? {} : { dialect }) });
}

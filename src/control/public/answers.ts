import { accepts } from 'hono/accepts';

import type { RetryKind } from '../../contract/code-row.ts';
import type { Code } from '../../contract/codes.ts';
import type { ProblemDialect } from '../../contract/dialects.ts';
import type { ProblemDetails } from '../../contract/problem-document.ts';
import { sendProblem } from '../send-problem.ts';
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
  /** The envelope programs expect there; default plain. */
  readonly dialect?: ProblemDialect | undefined;
}

/** A refusal of a page reads as the gateway's: a person's browser gets a page, too. */
export function refuse(context: PublicContext, deps: PublicDeps, refusal: Refusal): Response {
  const { dialect, ...problem } = refusal;
  const requestId = context.get('requestId');
  return sendProblem(
    context.req,
    { ...problem, requestId, baseUrl: deps.publicUrl() },
    { dialect },
  );
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
  return refuse(context, deps, { code, details, dialect });
}

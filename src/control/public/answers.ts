import { chooseOffer, type Offer } from '../../contract/accept.ts';
import type { RetryKind } from '../../contract/code-row.ts';
import type { Code } from '../../contract/codes.ts';
import type { ProblemDetails } from '../../contract/problem-document.ts';
import { type ProblemOptions, sendProblem } from '../send-problem.ts';
import { PAGE_HEADERS, renderPage, type Page } from './layout.ts';
import type { Identification, PublicContext, PublicDeps } from './public-deps.ts';
import { isoTime } from './time-words.ts';

type Format = 'html' | 'json' | 'markdown';

const TYPES: Readonly<Record<Format, readonly string[]>> = {
  html: ['text/html', 'application/xhtml+xml'],
  json: ['application/json', 'application/problem+json'],
  markdown: ['text/markdown'],
};

/** Which of the formats there are the caller would rather have: the first for who takes anything (curl, fetch). */
export function negotiate<Name extends Format>(
  context: PublicContext,
  first: Name,
  ...others: readonly Name[]
): Name {
  const offer = (name: Name): Offer<Name> => [name, TYPES[name]];
  return chooseOffer([offer(first), ...others.map(offer)], context.req.header('accept'));
}

export interface PageOptions {
  readonly status?: 200 | 400 | 404;
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
    'Content-Type': 'application/json',
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

export interface Refusal extends Reading {
  readonly code: Code;
  readonly details?: ProblemDetails;
  readonly retryKind?: RetryKind;
}

/** What a refusal is read as: see `ProblemOptions`. */
export type Reading = Pick<ProblemOptions, 'dialect' | 'accept'>;

/** A refusal of a page reads as the gateway's: a person's browser gets a page, too. */
export function refuse(context: PublicContext, deps: PublicDeps, refusal: Refusal): Response {
  const { dialect, accept, ...problem } = refusal;
  const requestId = context.get('requestId');
  return sendProblem(
    context.req,
    { ...problem, requestId, baseUrl: deps.publicUrl() },
    { dialect, accept },
  );
}

/** The 401 of a caller who is not known, with what is wrong with the key, or the time it ended. */
export function refuseCaller(
  context: PublicContext,
  deps: PublicDeps,
  { code, since, mistake }: Extract<Identification, { kind: 'refused' }>,
  reading: Reading,
): Response {
  const at = since === undefined ? undefined : isoTime(since);
  const details: ProblemDetails = {
    ...(mistake === undefined ? {} : { reason: mistake }),
    ...(at !== undefined && code === 'KEY_REVOKED' ? { revoked_at: at } : {}),
    ...(at !== undefined && code === 'KEY_EXPIRED' ? { expired_at: at } : {}),
  };
  return refuse(context, deps, { code, details, ...reading });
}

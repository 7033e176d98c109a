import { request } from 'undici';

import type { PublicPages } from './start-public-pages.ts';

export interface PageCall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'HEAD' | 'DELETE';
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}
export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Empty when the answer is no JSON. */
  readonly json: Record<string, unknown>;
}

/** What a browser says it takes. */
export const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

/** One request to a page of the gateway; with a body it is a POST. */
export async function callPage(
  pages: Pick<PublicPages, 'origin'>,
  path: string,
  { method, accept, headers, body }: PageCall = {},
): Promise<PageAnswer> {
  const answer = await request(pages.origin + path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(accept === undefined ? {} : { accept }), ...headers },
    body: body ?? null,
  });
  const text = await answer.body.text();
  const isJson = String(answer.headers['content-type']).includes('json');
  const json = isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: answer.statusCode, headers: answer.headers, text, json };
}

export function callJson(
  pages: Pick<PublicPages, 'origin'>,
  path: string,
  body: object,
  key?: string,
): Promise<PageAnswer> {
  return callPage(pages, path, {
    body: JSON.stringify(body),
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
  });
}

/** As a browser sends a form. */
export function callForm(
  pages: Pick<PublicPages, 'origin'>,
  path: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<PageAnswer> {
  return callPage(pages, path, {
    body: new URLSearchParams(fields).toString(),
    accept: HTML,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });
}

export function bearer(secret: string): { readonly authorization: string } {
  return { authorization: `Bearer ${secret}` };
}

import { request } from 'undici';

import type { AdminApi } from './start-admin-api.ts';

export interface AdminCall {
  readonly method?: string;
  /** Text is sent as it is, everything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The gateway hangs up after refusing a body it did not read: take no pooled connection after it. */
  readonly reset?: boolean;
}
export interface AdminAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Empty when the answer is no JSON. */
  readonly json: Record<string, unknown>;
}

/** One call with the admin token; with a body it is a POST. */
export async function callAdmin(
  api: Pick<AdminApi, 'origin' | 'token'>,
  path: string,
  { method, body, headers, reset = false }: AdminCall = {},
): Promise<AdminAnswer> {
  const answer = await request(api.origin + path, {
    reset,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      authorization: `Bearer ${api.token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined || typeof body === 'string' ? (body ?? null) : JSON.stringify(body),
  });
  const text = await answer.body.text();
  const isJson = String(answer.headers['content-type']).includes('json');
  const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: answer.statusCode, headers: answer.headers, text, json };
}

/** The id of a tenant on the plan `free`, or as `members` say. */
export async function makeTenant(
  api: Pick<AdminApi, 'origin' | 'token'>,
  members: object = {},
): Promise<string> {
  const body = { name: 'Acme', plan: 'free', ...members };
  const { status, json, text } = await callAdmin(api, '/admin/tenants', { body });
  if (status !== 201) throw new Error(`${status} ${text}`);
  return String(json['id']);
}

/** `callAdmin` to the server of a test file, or to another that one test has started. */
export function openAdminCalls(own: () => AdminApi) {
  return (path: string, { from = own(), ...rest }: AdminCall & { readonly from?: AdminApi } = {}) =>
    callAdmin(from, path, rest);
}

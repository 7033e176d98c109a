import type { MiddlewareHandler } from 'hono';

import { requestId } from '../../platform/ids.ts';
import type { AdminContext, AdminDeps, AdminEnv } from './admin-deps.ts';
import { isSameToken } from './admin-token.ts';
import { refuse } from './answer.ts';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** RFC 3986 host, and an optional port. */
const HOST = /^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const BEARER = /^Bearer +(\S{1,256}) *$/i;

/** Gives every answer a request id of ours and headers that keep browsers from guessing or storing. */
export function stampAnswers(deps: AdminDeps): MiddlewareHandler<AdminEnv> {
  return async (context, next) => {
    context.set('requestId', requestId(deps.now()));
    await next();
    const headers = context.res.headers;
    headers.set('X-Request-Id', context.get('requestId'));
    headers.set('X-Content-Type-Options', 'nosniff');
    headers.set('Cache-Control', 'no-store');
  };
}

/**
 * Who may talk to the admin API (DESIGN 10). The Host check defeats DNS rebinding (a web page whose own name was
 * pointed at 127.0.0.1), the Origin check defeats forms of other sites, and the token is asked for on loopback too,
 * because everybody on the machine can connect to it.
 */
export function guardAdmin(deps: AdminDeps): MiddlewareHandler<AdminEnv> {
  const names = new Set([...LOOPBACK_NAMES, ...deps.hostNames].map(hostForm));
  return async (context, next) => {
    const host = context.req.header('host') ?? '';
    const name = HOST.exec(host)?.[1]?.toLowerCase();
    if (name === undefined || !names.has(name)) {
      return refuse(context, deps, { code: 'HOST_NOT_ALLOWED', details: { host } });
    }
    const foreign = foreignOrigin(context, host);
    if (foreign !== undefined) {
      return refuse(context, deps, { code: 'HOST_NOT_ALLOWED', details: { host: foreign } });
    }
    const given = BEARER.exec(context.req.header('authorization') ?? '')?.[1] ?? '';
    if (!isSameToken(given, deps.adminToken)) {
      return refuse(context, deps, { code: 'ADMIN_TOKEN_INVALID' });
    }
    return next();
  };
}

/** As it stands in a Host header: lower case, IPv6 in brackets. */
function hostForm(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes(':') && !lower.startsWith('[') ? `[${lower}]` : lower;
}

/** The other site a browser says an unsafe request comes from; undefined when it comes from ours or from no browser. */
function foreignOrigin(context: AdminContext, host: string): string | undefined {
  if (SAFE_METHODS.has(context.req.method)) return undefined;
  const origin = context.req.header('origin');
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    return origin;
  const site = context.req.header('sec-fetch-site');
  return site === undefined || site === 'same-origin' || site === 'none'
    ? undefined
    : `a ${site} page`;
}

import type { Cors } from '../domain/catalog.ts';
import type { RawHeaders } from './listener.ts';

/** What a browser may show to its script beside the safe-listed headers: everything we say about money and limits. */
const EXPOSED_HEADERS = [
  'X-Request-Id',
  'X-Client-Request-Id',
  'RateLimit',
  'RateLimit-Policy',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'Retry-After',
  'Link',
  'WWW-Authenticate',
  'x-should-retry',
  'X-402-Version',
  'x-tollkeeper-cost',
  'x-tollkeeper-cost-max',
  'x-tollkeeper-balance',
  'x-tollkeeper-max-tokens',
  'x-tollkeeper-would-refuse',
  'X-Billing-Warning',
  'X-Service-Level',
  'X-Routed-Model',
  'X-Upstream-Provider',
  'X-Upstream-Error',
].join(', ');

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const REQUESTED_HEADERS_LENGTH_MAX = 1_024;

/** A pre-flight, by the Fetch standard: answered before identification, never forwarded and never charged. */
export function isPreflight(method: string, headers: RawHeaders): boolean {
  if (method !== 'OPTIONS') return false;
  return (
    findHeader(headers, 'origin') !== undefined &&
    findHeader(headers, 'access-control-request-method') !== undefined
  );
}

/** The headers of the 204 that answers a pre-flight; a foreign origin gets none that would let it go on. */
export function buildPreflightHeaders(cors: Cors, headers: RawHeaders): string[] {
  const built = buildOriginHeaders(cors, findHeader(headers, 'origin'));
  built.push('Vary', 'Access-Control-Request-Headers');
  if (built[0] !== 'Access-Control-Allow-Origin') return built;
  built.push('Access-Control-Allow-Methods', METHODS);
  const requested = findHeader(headers, 'access-control-request-headers');
  if (requested !== undefined && requested.length <= REQUESTED_HEADERS_LENGTH_MAX) {
    built.push('Access-Control-Allow-Headers', requested);
  }
  built.push('Access-Control-Max-Age', String(cors.maxAgeSeconds));
  return built;
}

/** What every other answer to a browser carries, refusals too: without it a script cannot read its 402. */
export function buildCorsHeaders(cors: Cors | undefined, headers: RawHeaders): string[] {
  if (cors === undefined) return [];
  const built = buildOriginHeaders(cors, findHeader(headers, 'origin'));
  if (built[0] === 'Access-Control-Allow-Origin') {
    built.push('Access-Control-Expose-Headers', EXPOSED_HEADERS);
  }
  return built;
}

function buildOriginHeaders(cors: Cors, origin: string | undefined): string[] {
  // A wildcard and credentials exclude each other (Fetch standard, CORS protocol and credentials).
  if (cors.origins.includes('*')) return ['Access-Control-Allow-Origin', '*'];
  if (origin === undefined || !cors.origins.includes(origin)) return ['Vary', 'Origin'];
  const built = ['Access-Control-Allow-Origin', origin, 'Vary', 'Origin'];
  if (cors.allowCredentials) built.push('Access-Control-Allow-Credentials', 'true');
  return built;
}

function findHeader(headers: RawHeaders, nameLowerCase: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (name.length === nameLowerCase.length && name.toLowerCase() === nameLowerCase) {
      return headers[index + 1];
    }
  }
  return undefined;
}

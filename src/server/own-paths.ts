/** What the gateway answers itself, before any route (DESIGN 12). */
const SERVED: ReadonlySet<string> = new Set([
  '/',
  '/healthz',
  '/readyz',
  '/v1/usage',
  '/v1/check',
  '/v1/quote',
  '/v1/diagnose',
  '/diagnose',
  '/errors',
  '/guides',
  '/openapi.json',
  '/llms.txt',
  '/reference',
  '/favicon.ico',
]);
const SERVED_BELOW = ['/reference/', '/errors/', '/guides/', '/pay/', '/r/', '/schemas/'];

/** Kept for pages to come, so that a configuration of today still works with them. */
const RESERVED: ReadonlySet<string> = new Set([
  '/pricing',
  '/estimate',
  '/portal',
  '/.well-known/tollkeeper',
]);
const RESERVED_BELOW = ['/v1/billing/', '/portal/'];

export function isServedPath(path: string): boolean {
  return SERVED.has(path) || SERVED_BELOW.some((prefix) => path.startsWith(prefix));
}

/** Whether a route with this path would never get its requests. One for `/` gets all but the start page. */
export function isOwnPath(path: string): boolean {
  if (path === '/') return false;
  return (
    isServedPath(path) ||
    RESERVED.has(path) ||
    [...SERVED_BELOW, ...RESERVED_BELOW].some((prefix) => `${path}/`.startsWith(prefix))
  );
}

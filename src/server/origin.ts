/** Where a listener is reached from this machine: `http://localhost:4020`. */
export function originOf(
  server: { readonly host: string; readonly tls: unknown },
  port: number,
): string {
  const scheme = server.tls === undefined ? 'http' : 'https';
  const everywhere = server.host === '0.0.0.0' || server.host === '::';
  const host = everywhere ? 'localhost' : server.host;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

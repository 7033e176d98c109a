import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { isMapping, valueAt } from './config-path.ts';
import type { TreeMistake } from './describe-issue.ts';
import { readSecretFile } from './interpolate.ts';
import type { InterpolationContext } from './interpolate.ts';
import type { DemoSettings, ServerSettings, StoreSettings, TlsSettings } from './loaded-config.ts';
import type { ConfigFile } from './schema/config-schema.ts';

export function compileServer(
  entry: ConfigFile['server'],
  tls: TlsSettings | undefined,
): ServerSettings {
  return {
    host: entry.host,
    port: entry.port,
    adminHost: entry.admin_host,
    adminPort: entry.admin_port,
    publicUrl: entry.public_url,
    workers: entry.workers,
    tls,
    trustedProxies: entry.trusted_proxies,
    addressLimit: entry.address_limit,
    addressLimitLoopback: entry.address_limit_loopback,
    drainMs: entry.drain,
    headerBytesMax: entry.header_max,
    headersTimeoutMs: entry.header_timeout,
    keepAliveTimeoutMs: entry.keep_alive,
    connectionsMax: entry.connections_max,
    requestsMax: entry.requests_max,
    http: entry.http,
  };
}

/** `base`: what a relative directory is relative to. */
export function compileStore(entry: ConfigFile['store'], base: string): StoreSettings {
  const directory = resolve(base, entry.directory);
  const { url, connections } = entry;
  if (url === undefined) return { type: 'sqlite', directory };
  return { type: 'postgres', directory, url, connections };
}

export function compileDemo(entry: ConfigFile['demo']): DemoSettings | undefined {
  if (entry === undefined) return undefined;
  return {
    customerName: entry.customer.name,
    planId: entry.customer.plan,
    creditNano: entry.credit,
  };
}

/** Certificate and key as PEM text: the files named under server.tls, or what `file:` put there already. */
export function readTls(
  tree: unknown,
  context: InterpolationContext,
): { readonly tls: TlsSettings | undefined; readonly mistakes: readonly TreeMistake[] } {
  const entry = valueAt(tree, ['server', 'tls']);
  if (!isMapping(entry)) return { tls: undefined, mistakes: [] };
  const mistakes: TreeMistake[] = [];
  const read = (member: 'cert' | 'key'): string | undefined => {
    const written = entry[member];
    if (typeof written !== 'string' || written === '' || written.startsWith('-----BEGIN')) {
      return typeof written === 'string' ? written : undefined;
    }
    const result = readSecretFile(written, context);
    if (result.kind === 'ok') return result.value;
    mistakes.push({ path: ['server', 'tls', member], part: 'value', message: result.problem });
    return undefined;
  };
  const [cert, key] = [read('cert'), read('key')];
  if (cert === undefined || key === undefined) return { tls: undefined, mistakes };
  try {
    createSecureContext({ cert, key });
    return { tls: { cert, key }, mistakes };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `certificate and key cannot be used together: ${reason}`;
    return {
      tls: undefined,
      mistakes: [...mistakes, { path: ['server', 'tls'], part: 'key', message }],
    };
  }
}

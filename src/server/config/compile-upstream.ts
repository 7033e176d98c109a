import type { HealthCheck, Target, Upstream } from '../../domain/catalog.ts';
import type { ProviderEntry, UpstreamEntry } from './schema/config-schema.ts';

/** Names of upstreams in the file cannot contain a colon, so that these two kinds never meet. */
export function providerUpstreamId(providerId: string): string {
  return `provider:${providerId}`;
}

export function compileUpstream(id: string, entry: UpstreamEntry): Upstream {
  return {
    id,
    targets: compileTargets(entry.url, entry.targets),
    health: compileHealth(entry.health),
    credentials: listHeaders(entry.credentials),
  };
}

export function compileProviderUpstream(id: string, entry: ProviderEntry): Upstream {
  const key = entry.api_key === undefined ? {} : { authorization: `Bearer ${entry.api_key}` };
  return {
    id: providerUpstreamId(id),
    targets: compileTargets(entry.base_url, entry.targets),
    health: compileHealth(entry.health),
    credentials: listHeaders({ ...entry.credentials, ...key }),
  };
}

export function listHeaders(
  headers: Readonly<Record<string, string>>,
): readonly { readonly name: string; readonly value: string }[] {
  return Object.entries(headers).map(([name, value]) => ({ name, value }));
}

function compileTargets(
  url: string | undefined,
  targets: UpstreamEntry['targets'],
): readonly Target[] {
  const list = targets ?? (url === undefined ? [] : [url]);
  return list.map((entry) => {
    return typeof entry === 'string'
      ? { url: entry, weight: 1 }
      : { url: entry.url, weight: entry.weight };
  });
}

function compileHealth(entry: UpstreamEntry['health']): HealthCheck {
  return {
    path: entry.path,
    intervalMs: entry.interval,
    timeoutMs: entry.timeout,
    unhealthyAfter: entry.unhealthy_after,
    healthyAfter: entry.healthy_after,
  };
}

import type { Catalog, Target } from '../../domain/catalog.ts';

/** Origins of the built-in servers once they listen: `http://127.0.0.1:49321`. */
export interface BuiltinOrigins {
  readonly echo: string;
  readonly demo: string;
}

/** The built-in servers some target names: those have to be started. */
export function listBuiltins(catalog: Catalog): readonly (keyof BuiltinOrigins)[] {
  const urls = [...catalog.upstreams.values()].flatMap((each) =>
    each.targets.map((target) => target.url),
  );
  return (['echo', 'demo'] as const).filter((name) => urls.includes(`builtin:${name}`));
}

/** `builtin:echo` and `builtin:demo` replaced by where they listen; the version stays the configuration's. */
export function resolveBuiltins(catalog: Catalog, origins: BuiltinOrigins): Catalog {
  const upstreams = [...catalog.upstreams].map(([id, upstream]) => {
    return [
      id,
      { ...upstream, targets: upstream.targets.map((each) => resolveTarget(each, origins)) },
    ] as const;
  });
  return { ...catalog, upstreams: new Map(upstreams) };
}

function resolveTarget(target: Target, origins: BuiltinOrigins): Target {
  // The echo model is an OpenAI-format server, whose base URL ends in /v1 like every other's.
  if (target.url === 'builtin:echo') return { ...target, url: `${origins.echo}/v1` };
  return target.url === 'builtin:demo' ? { ...target, url: origins.demo } : target;
}

import type { Api, Catalog, Parameter, Requirement, Route } from '../../domain/catalog.ts';

/** A request that a route takes, made up from what the configuration says of it. */
export interface SampleRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Host the API is served at; undefined = any. */
  readonly host: string | undefined;
}

/** Undefined = the route's path is a regular expression of which nobody can tell a path that matches. */
export function sampleRequest(
  catalog: Catalog,
  api: Api,
  route: Route,
  path: string | undefined,
): SampleRequest | undefined {
  const place = path ?? samplePath(route);
  if (place === undefined) return undefined;
  return {
    method: route.match.methods[0] ?? 'GET',
    path: place + sampleQuery(route),
    headers: {
      ...Object.fromEntries(route.match.headers.map(({ name, value }) => [name, value])),
      ...Object.fromEntries(given(route, 'header')),
    },
    body: sampleBody(catalog, route),
    host: api.hosts.find((name) => !name.includes('*')),
  };
}

function samplePath({ match: { path } }: Route): string | undefined {
  return path.kind === 'regex' ? undefined : path.value;
}

function sampleQuery(route: Route): string {
  const pairs = given(route, 'query').map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`,
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function sampleBody(catalog: Catalog, route: Route): unknown {
  const model = [...catalog.models.keys()][0] ?? '';
  if (route.kind === 'chat') {
    return { model, max_tokens: 1, messages: [{ role: 'user', content: 'Hello' }] };
  }
  if (route.kind === 'embeddings') return { model, input: 'Hello' };
  const members = given(route, 'body');
  if (members.length === 0) return undefined;
  const body = {};
  for (const [pointer, value] of members) setMember(body, pointer, value);
  return body;
}

function setMember(body: Record<string, unknown>, pointer: string, value: unknown): void {
  const names = pointer
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  let place = body;
  for (const name of names.slice(0, -1)) {
    const next = {};
    place[name] ??= next;
    place = place[name] as Record<string, unknown>;
  }
  place[names.at(-1) ?? ''] = value;
}

const SAMPLES: Readonly<Record<Parameter['type'], unknown>> = {
  string: 'sample',
  number: 1.5,
  integer: 1,
  boolean: true,
  array: [],
  object: {},
};

/** Names and values of required parameters of one place. Conditions are left unmet: the plain call is tried. */
function given(route: Route, place: Parameter['in']): [string, string][] {
  return route.parameters
    .filter((parameter) => parameter.in === place && parameter.required)
    .map(({ name, type }): [string, string] => [name, SAMPLES[type] as string]);
}

/** Entitlements that every call of a route needs. */
export function alwaysRequired(route: Route): readonly Requirement[] {
  return route.requires.filter(({ when }) => when.length === 0);
}

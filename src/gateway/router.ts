import type { Api, Route } from '../domain/catalog.ts';
import type { RawHeaders } from './listener.ts';
import { normalizePath } from './request-path.ts';
import { RouteTable } from './route-table.ts';
import type { Candidate } from './route-table.ts';

export type RouteMatchResult =
  | { readonly kind: 'route'; readonly route: Route; readonly api: Api }
  /** The path is known; `allow` is the Allow header's list, sorted. */
  | { readonly kind: 'method-not-allowed'; readonly allow: string[] }
  | { readonly kind: 'not-found' }
  /** 400: a spelling that upstreams read in different ways. */
  | { readonly kind: 'bad-path'; readonly reason: string };

export interface Router {
  /**
   * `path` without its query, as the client sent it; `host` is the Host header, port and case ignored.
   *
   * The first route that matches path, headers and method decides, in this order (GW-01): APIs that name this
   * host, then `*.domain` hosts (longest first), then APIs without hosts; within those an exact path, then the
   * longest prefix (whole segments: `/a` matches `/a` and `/a/b`, not `/ab`), then regular expressions in file
   * order; on one path the route with more header conditions, then one that names methods before one for
   * any method, then file order. A route for GET answers HEAD too, and none answers TRACE.
   */
  match(method: string, host: string, path: string, headers: RawHeaders): RouteMatchResult;
  /** The API a path belongs to, whatever the method and headers: a pre-flight is answered by it. */
  findApi(host: string, path: string): Api | undefined;
  /** The methods that the routes of a path answer, sorted: the list of an Allow header. */
  allowedMethods(host: string, path: string, headers: RawHeaders): string[];
}

export function compileRouter(apis: readonly Api[]): Router {
  return new CompiledRouter(apis);
}

const NOT_FOUND: RouteMatchResult = { kind: 'not-found' };

class CompiledRouter implements Router {
  readonly #hosts = new Map<string, RouteTable>();
  readonly #anyHost = new RouteTable();

  constructor(apis: readonly Api[]) {
    for (const api of apis) {
      const tables = api.hosts.length === 0 ? [this.#anyHost] : this.#tablesOf(api.hosts);
      for (const route of api.routes) {
        const candidate = compileCandidate(api, route);
        for (const table of tables) table.add(candidate);
      }
    }
  }

  match(method: string, host: string, path: string, headers: RawHeaders): RouteMatchResult {
    const normal = normalizePath(path);
    if (normal.kind === 'bad-path') return normal;
    const admits = (candidates: readonly Candidate[]) => {
      for (const candidate of candidates) {
        if (allowsMethod(candidate, method) && hasHeaders(candidate, headers)) return candidate;
      }
      return undefined;
    };
    return this.#find(host, normal.value, admits) ?? this.#explainMiss(host, normal.value, headers);
  }

  findApi(host: string, path: string): Api | undefined {
    const normal = normalizePath(path);
    if (normal.kind === 'bad-path') return undefined;
    return this.#find(host, normal.value, (candidates) => candidates[0])?.api;
  }

  allowedMethods(host: string, path: string, headers: RawHeaders): string[] {
    const normal = normalizePath(path);
    return normal.kind === 'bad-path' ? [] : this.#collectMethods(host, normal.value, headers);
  }

  #tablesOf(hosts: readonly string[]): RouteTable[] {
    return hosts.map((host) => {
      const name = normalizeHost(host);
      const table = this.#hosts.get(name) ?? new RouteTable();
      this.#hosts.set(name, table);
      return table;
    });
  }

  #find(
    host: string,
    path: string,
    visit: (candidates: readonly Candidate[]) => Candidate | undefined,
  ): Candidate | undefined {
    if (this.#hosts.size > 0) {
      let name = normalizeHost(host);
      let found = this.#hosts.get(name)?.find(path, visit);
      // `*.example.com` stands for any depth below example.com.
      for (let labels = 0; found === undefined && labels < HOST_LABELS_MAX; labels += 1) {
        const dot = name.indexOf('.', 1);
        if (dot < 0) break;
        name = name.slice(dot);
        found = this.#hosts.get(`*${name}`)?.find(path, visit);
      }
      if (found !== undefined) return found;
    }
    return this.#anyHost.find(path, visit);
  }

  #explainMiss(host: string, path: string, headers: RawHeaders): RouteMatchResult {
    const allow = this.#collectMethods(host, path, headers);
    return allow.length === 0 ? NOT_FOUND : { kind: 'method-not-allowed', allow };
  }

  #collectMethods(host: string, path: string, headers: RawHeaders): string[] {
    const allow = new Set<string>();
    this.#find(host, path, (candidates) => {
      for (const candidate of candidates) {
        if (!hasHeaders(candidate, headers)) continue;
        for (const method of candidate.methods ?? ANY_METHODS) allow.add(method);
      }
      return undefined;
    });
    return [...allow].toSorted();
  }
}

const HOST_LABELS_MAX = 16;

function compileCandidate(api: Api, route: Route): Candidate {
  const { methods } = route.match;
  if (methods.length === 0) return { kind: 'route', route, api, methods: undefined };
  const set = new Set(methods);
  // RFC 9110 9.3.2: HEAD is GET without the body, for whoever serves GET.
  if (set.has('GET')) set.add('HEAD');
  return { kind: 'route', route, api, methods: set };
}

/** What a route for any method says it answers, to who sent TRACE. */
const ANY_METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];

function allowsMethod({ methods }: Candidate, method: string): boolean {
  // RFC 9110 9.3.8: an upstream shows who sends TRACE what it got, and with it the operator's credential.
  return methods === undefined ? method !== 'TRACE' : methods.has(method);
}

function hasHeaders(candidate: Candidate, headers: RawHeaders): boolean {
  for (const condition of candidate.route.match.headers) {
    if (!hasHeader(headers, condition.name, condition.value)) return false;
  }
  return true;
}

function hasHeader(headers: RawHeaders, name: string, value: string): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const candidate = headers[index] ?? '';
    if (candidate.length !== name.length || headers[index + 1] !== value) continue;
    if (candidate.toLowerCase() === name) return true;
  }
  return false;
}

/** Lower case, no port, no dot at the end. */
function normalizeHost(host: string): string {
  let name = host.toLowerCase();
  const port = name.lastIndexOf(':');
  if (port > name.lastIndexOf(']')) name = name.slice(0, port);
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

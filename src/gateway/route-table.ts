import type { Api, Route } from '../domain/catalog.ts';
import { normalizePath } from './request-path.ts';

/** A route compiled for matching. It is also the answer of a match, so that a hit allocates nothing. */
export interface Candidate {
  readonly kind: 'route';
  readonly route: Route;
  readonly api: Api;
  /** Undefined = any method. */
  readonly methods: ReadonlySet<string> | undefined;
}

/** The routes of one host. Looking up costs the depth of the path, not the number of routes. */
export class RouteTable {
  readonly #exact = new Map<string, Candidate[]>();
  /** By prefix without its last slash: a prefix matches whole segments. */
  readonly #prefixes = new Map<string, Candidate[]>();
  readonly #regexes: { readonly expression: RegExp; readonly candidates: Candidate[] }[] = [];
  #prefixLengthMax = -1;

  add(candidate: Candidate): void {
    const { path } = candidate.route.match;
    switch (path.kind) {
      case 'exact':
        insert(listAt(this.#exact, spell(path.value)), candidate);
        break;
      case 'prefix': {
        const prefix = spell(path.value).replace(/\/$/, '');
        this.#prefixLengthMax = Math.max(this.#prefixLengthMax, prefix.length);
        insert(listAt(this.#prefixes, prefix), candidate);
        break;
      }
      case 'regex':
        this.#regexes.push({ expression: new RegExp(path.value), candidates: [candidate] });
        break;
    }
  }

  /** Shows `visit` every list of routes that match the path, most specific first, until it returns a route. */
  find(
    path: string,
    visit: (candidates: readonly Candidate[]) => Candidate | undefined,
  ): Candidate | undefined {
    const exact = this.#exact.get(path);
    const found = exact && visit(exact);
    if (found !== undefined) return found;
    return this.#findPrefix(path, visit) ?? this.#findRegex(path, visit);
  }

  #findPrefix(
    path: string,
    visit: (candidates: readonly Candidate[]) => Candidate | undefined,
  ): Candidate | undefined {
    if (this.#prefixLengthMax < 0) return undefined;
    // No configured prefix is longer, so an overlong path costs no more than the longest prefix does.
    let end = path.length;
    if (end > this.#prefixLengthMax) end = path.lastIndexOf('/', this.#prefixLengthMax);
    while (end >= 0) {
      const candidates = this.#prefixes.get(path.slice(0, end));
      const found = candidates && visit(candidates);
      if (found !== undefined) return found;
      if (end === 0) break;
      end = path.lastIndexOf('/', end - 1);
    }
    return undefined;
  }

  #findRegex(
    path: string,
    visit: (candidates: readonly Candidate[]) => Candidate | undefined,
  ): Candidate | undefined {
    for (const { expression, candidates } of this.#regexes) {
      const found = expression.test(path) ? visit(candidates) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function listAt(map: Map<string, Candidate[]>, key: string): Candidate[] {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created: Candidate[] = [];
  map.set(key, created);
  return created;
}

/** Keeps a list in order: more header conditions first, a named method before any method, then file order. */
function insert(list: Candidate[], candidate: Candidate): void {
  const position = list.findIndex((other) => isMoreSpecific(candidate, other));
  if (position < 0) list.push(candidate);
  else list.splice(position, 0, candidate);
}

function isMoreSpecific(candidate: Candidate, other: Candidate): boolean {
  const conditions = candidate.route.match.headers.length - other.route.match.headers.length;
  if (conditions !== 0) return conditions > 0;
  return candidate.methods !== undefined && other.methods === undefined;
}

/** A configured path may be written with escapes too; one that could never match is kept as it is. */
function spell(value: string): string {
  const normal = normalizePath(value);
  return normal.kind === 'path' ? normal.value : value;
}

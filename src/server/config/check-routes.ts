import { isOwnPath } from '../own-paths.ts';
import { formatPath, isMapping, valueAt } from './config-path.ts';
import type { ConfigPath } from './config-path.ts';
import type { TreeMistake } from './describe-issue.ts';
import { LLM_ENDPOINTS } from './llm-endpoints.ts';

interface Claim {
  readonly path: ConfigPath;
  /** What must be the same for two routes to want the same requests. */
  readonly target: string;
  /** Empty = all. */
  readonly methods: readonly string[];
}

/** Routes that would not get their requests: those go to a route before it, or to the gateway's own pages. */
export function checkRoutes(tree: unknown): readonly TreeMistake[] {
  const claims = listClaims(tree);
  const firstByTarget = new Map<string, Claim[]>();
  const mistakes: TreeMistake[] = [];
  for (const claim of claims) {
    const earlier = firstByTarget.get(claim.target) ?? [];
    const rival = earlier.find((each) => wantSameMethod(each.methods, claim.methods));
    if (rival === undefined) firstByTarget.set(claim.target, [...earlier, claim]);
    else mistakes.push(describeRival(claim, rival));
  }
  return [...mistakes, ...claims.flatMap(checkOwnPath)];
}

function describeRival(claim: Claim, rival: Claim): TreeMistake {
  const message = `matches the same requests as ${formatPath(rival.path)}, which comes first`;
  return { path: claim.path, part: 'value', message };
}

/** A route that names its methods goes before one for any method: those two never meet. */
function wantSameMethod(left: readonly string[], right: readonly string[]): boolean {
  if (left.length === 0 || right.length === 0) return left.length === right.length;
  return left.some((method) => right.includes(method));
}

function checkOwnPath(claim: Claim): TreeMistake[] {
  const written = /^(?:path|path_prefix) (\S*)$/.exec(claim.target.split('\n')[1] ?? '')?.[1] ?? '';
  if (!isOwnPath(written)) return [];
  return [
    {
      path: claim.path,
      part: 'value',
      message: `"${written}" is one of the gateway's own pages: choose another path`,
    },
  ];
}

function listClaims(tree: unknown): readonly Claim[] {
  const apis = valueAt(tree, ['apis']);
  if (!isMapping(apis)) return [];
  return Object.entries(apis).flatMap(([id, api]) => {
    const hosts = valueAt(api, ['hosts']);
    const hostKey = Array.isArray(hosts) ? hosts.map(String).toSorted().join(' ') : '';
    if (valueAt(api, ['type']) === 'llm') {
      return LLM_ENDPOINTS.map((endpoint): Claim => {
        return {
          path: ['apis', id],
          target: `${hostKey}\n${endpoint.path.kind === 'exact' ? 'path' : 'path_prefix'} ${endpoint.path.value}\n`,
          methods: [endpoint.method],
        };
      });
    }
    const routes = valueAt(api, ['routes']);
    if (!Array.isArray(routes)) return [];
    return routes.flatMap((route, index) =>
      readClaim(route, { path: ['apis', id, 'routes', index], hostKey }),
    );
  });
}

function readClaim(
  route: unknown,
  { path, hostKey }: { readonly path: ConfigPath; readonly hostKey: string },
): Claim[] {
  const key = ['path', 'path_prefix', 'path_regex'].find(
    (each) => typeof valueAt(route, [each]) === 'string',
  );
  if (key === undefined) return [];
  const headers = valueAt(route, ['headers']);
  const conditions = isMapping(headers)
    ? Object.entries(headers).map(([name, value]) => `${name.toLowerCase()}: ${String(value)}`)
    : [];
  const methods = valueAt(route, ['methods']);
  return [
    {
      path: [...path, key],
      target: [
        hostKey,
        `${key} ${String(valueAt(route, [key]))}`,
        conditions.toSorted().join('\n'),
      ].join('\n'),
      methods: Array.isArray(methods) ? methods.map(String) : [],
    },
  ];
}

import type { PathRewrite } from '../domain/catalog.ts';
import { normalizePath } from './request-path.ts';

/** From the caller's target (`/path?query`) to the upstream's; the query is never touched. */
export type PathRewriter = (target: string) => string;

/**
 * Compiled at load time. `strip-prefix` takes the prefix away, in any spelling that routes are matched by, where it is
 * followed by `/`, `?` or nothing; `replace` is a regular expression on the path with `$1` for its groups. What comes
 * out always begins with `/`: a rewrite must not turn a path into another host.
 */
export function compilePathRewrite(rewrite: PathRewrite | undefined): PathRewriter {
  if (rewrite === undefined) return keepTarget;
  if (rewrite.kind === 'strip-prefix') {
    const prefix = rewrite.prefix.endsWith('/') ? rewrite.prefix.slice(0, -1) : rewrite.prefix;
    const segments = prefix.split('/').filter((segment) => segment !== '');
    const spelled = segments.map((segment) => spell(segment) ?? segment);
    return (target) => stripPrefix(target, prefix, spelled);
  }
  const expression = new RegExp(rewrite.pattern);
  return (target) => {
    const { path, query } = splitTarget(target);
    return ensureSlash(path.replace(expression, rewrite.with)) + query;
  };
}

function keepTarget(target: string): string {
  return target;
}

function stripPrefix(target: string, prefix: string, segments: readonly string[]): string {
  const end = target.startsWith(prefix) ? prefix.length : findEnd(target, segments);
  const rest = target.slice(end);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : target;
}

/** Where a prefix ends that the target spells in another way, which routes are matched by; 0 = it is not there. */
function findEnd(target: string, segments: readonly string[]): number {
  const query = target.indexOf('?');
  const pathEnd = query < 0 ? target.length : query;
  let at = 0;
  for (const segment of segments) {
    while (target[at] === '/') at += 1;
    const slash = target.indexOf('/', at);
    const end = slash < 0 || slash > pathEnd ? pathEnd : slash;
    if (spell(target.slice(at, end)) !== segment) return 0;
    at = end;
  }
  return at;
}

/** One spelling of a segment, as it is matched. */
function spell(segment: string): string | undefined {
  const normal = normalizePath(`/${segment}`);
  return normal.kind === 'path' ? normal.value.slice(1) : undefined;
}

function splitTarget(target: string): { path: string; query: string } {
  const at = target.indexOf('?');
  if (at < 0) return { path: target, query: '' };
  return { path: target.slice(0, at), query: target.slice(at) };
}

function ensureSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

import type { PathRewrite } from '../domain/catalog.ts';

/** From the caller's target (`/path?query`) to the upstream's; the query is never touched. */
export type PathRewriter = (target: string) => string;

/**
 * Compiled at load time. `strip-prefix` takes the prefix away where it is followed by `/`, `?` or nothing;
 * `replace` is a regular expression on the path with `$1` for its groups. What comes out always begins
 * with `/`: a rewrite must not turn a path into another host.
 */
export function compilePathRewrite(rewrite: PathRewrite | undefined): PathRewriter {
  if (rewrite === undefined) return keepTarget;
  if (rewrite.kind === 'strip-prefix') {
    const prefix = rewrite.prefix.endsWith('/') ? rewrite.prefix.slice(0, -1) : rewrite.prefix;
    return (target) => stripPrefix(target, prefix);
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

function stripPrefix(target: string, prefix: string): string {
  if (!target.startsWith(prefix)) return target;
  const rest = target.slice(prefix.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : target;
}

function splitTarget(target: string): { path: string; query: string } {
  const at = target.indexOf('?');
  if (at < 0) return { path: target, query: '' };
  return { path: target.slice(0, at), query: target.slice(at) };
}

function ensureSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

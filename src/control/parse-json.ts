/** Nobody means more; what walks a value after this may call itself for each level. */
export const JSON_DEPTH_MAX = 256;

export type ParsedJson =
  | { readonly kind: 'parsed'; readonly value: unknown }
  | { readonly kind: 'wrong'; readonly reason: string };

/** JSON that somebody sent. One nested deeper than the stack holds is their mistake, and must not look like ours. */
export function parseJson(text: string): ParsedJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'wrong', reason: 'the body is not valid JSON' };
  }
  if (!isTooDeep(value)) return { kind: 'parsed', value };
  return { kind: 'wrong', reason: `the body is nested deeper than ${JSON_DEPTH_MAX} levels` };
}

/** Level by level: it does not call itself. */
function isTooDeep(value: unknown): boolean {
  let level = [value].filter(isNode);
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth === JSON_DEPTH_MAX) return true;
    level = level.flatMap((node) => Object.values(node).filter(isNode));
  }
  return false;
}

function isNode(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

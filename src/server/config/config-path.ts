export type ConfigPath = readonly (string | number)[];

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** `plans.free.limits[0].per`; names with other characters are quoted: `models["gpt-4.1"].price`. */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (PLAIN_NAME.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at `path`, undefined when there is nothing. */
export function valueAt(tree: unknown, path: ConfigPath): unknown {
  let value = tree;
  for (const part of path) {
    if (Array.isArray(value)) value = value[Number(part)];
    else if (isMapping(value) && Object.hasOwn(value, part)) value = value[part];
    else return undefined;
  }
  return value;
}

/** A copy of `tree` with every scalar replaced by what `change` makes of it. */
export function mapScalars(
  tree: unknown,
  change: (value: unknown, path: ConfigPath) => unknown,
  path: ConfigPath = [],
): unknown {
  if (Array.isArray(tree))
    return tree.map((item, index) => mapScalars(item, change, [...path, index]));
  if (!isMapping(tree)) return change(tree, path);
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [key, mapScalars(value, change, [...path, key])]),
  );
}

/** A copy of `tree` with `value` at `path`; mappings on the way are made where there are none. */
export function withValueAt(tree: unknown, path: readonly string[], value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  const members = isMapping(tree) ? tree : {};
  return { ...members, [first]: withValueAt(members[first], rest, value) };
}

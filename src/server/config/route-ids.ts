/** A route as the file says it, checked or not. */
interface WrittenRoute {
  readonly name?: unknown;
  readonly methods?: unknown;
  readonly path?: unknown;
  readonly path_prefix?: unknown;
  readonly path_regex?: unknown;
}

/** `shop.items`; without a name `shop.GET /items`. */
export function listRouteIds(apiId: string, routes: readonly WrittenRoute[]): readonly string[] {
  const seen = new Map<string, number>();
  return routes.map((route) => {
    const id = `${apiId}.${nameRoute(route)}`;
    const count = (seen.get(id) ?? 0) + 1;
    seen.set(id, count);
    // Two routes may differ in nothing but a header condition; logs still have to tell them apart.
    return count === 1 ? id : `${id} #${count}`;
  });
}

function nameRoute({ name, methods, ...route }: WrittenRoute): string {
  if (typeof name === 'string') return name;
  const listed = Array.isArray(methods) ? methods.join('|') : '';
  const path = route.path ?? route.path_prefix ?? route.path_regex;
  return `${listed === '' ? '*' : listed} ${String(path)}`;
}

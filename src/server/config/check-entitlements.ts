import { checkNames, describeUnknown, listPaths, memberPaths, textsAt } from './check-names.ts';
import { valueAt } from './config-path.ts';
import type { ConfigPath } from './config-path.ts';
import type { TreeMistake } from './describe-issue.ts';

/** Something a route asks for, as it is written: `js_rendering`, `course-{course}`. */
interface Need {
  readonly kind: 'feature' | 'purchase';
  readonly id: string;
  readonly path: ConfigPath;
}

/** Features and purchases that are sold and that no route asks for, and parts of names that no route fills in. */
export function checkEntitlements(tree: unknown): readonly TreeMistake[] {
  const needs = listNeeds(tree);
  const [features, purchases] = [knownOf(needs, 'feature'), knownOf(needs, 'purchase')];
  return [
    ...grantPaths(tree, 'feature').flatMap((path) => checkNames(tree, path, features)),
    ...memberPaths(tree, ['plans']).flatMap((plan) =>
      checkNames(tree, [...plan, 'degraded', 'withhold'], features),
    ),
    ...grantPaths(tree, 'purchase').flatMap((path) => checkNames(tree, path, purchases)),
    ...needs.flatMap((need) => checkGroups(tree, need)),
  ];
}

/** What routes ask for and nobody can have: no mistake while it is being built, but a surprise for callers. */
export function warnOfEntitlements(tree: unknown): readonly TreeMistake[] {
  const granted = {
    feature: listGranted(tree, 'feature'),
    purchase: listGranted(tree, 'purchase'),
  };
  const first = new Map<string, Need>();
  for (const need of listNeeds(tree)) {
    const key = `${need.kind} ${need.id}`;
    if (!first.has(key)) first.set(key, need);
  }
  return [...first.values()]
    .filter(({ kind, id }) => !granted[kind].some((each) => stands(each, id)))
    .map(({ kind, id, path }) => {
      const sellers = kind === 'feature' ? 'no plan includes it and no add-on' : 'no add-on';
      const message = `nobody can have the ${kind} "${id}", as ${sellers} grants it: its calls get a 403`;
      return { path, part: 'value', message };
    });
}

function listGranted(tree: unknown, kind: Need['kind']): readonly string[] {
  const paths = grantPaths(tree, kind).flatMap((list) => listPaths(tree, list));
  return [...new Set(textsAt(tree, paths))];
}

/** Where the lists are of what plans and add-ons grant. */
function grantPaths(tree: unknown, kind: Need['kind']): readonly ConfigPath[] {
  const addOns = memberPaths(tree, ['add_ons']).map((addOn) => [...addOn, 'grants', `${kind}s`]);
  if (kind === 'purchase') return addOns;
  return [...memberPaths(tree, ['plans']).map((plan) => [...plan, 'features']), ...addOns];
}

function listNeeds(tree: unknown): readonly Need[] {
  return memberPaths(tree, ['apis']).flatMap((api) =>
    [api, ...listPaths(tree, [...api, 'routes'])].flatMap((each) => needsAt(tree, each)),
  );
}

/** Of an API, or of a route. */
function needsAt(tree: unknown, owner: ConfigPath): readonly Need[] {
  const written = [owner, ...listPaths(tree, [...owner, 'requires'])];
  return written.flatMap((each) =>
    (['feature', 'purchase'] as const).flatMap((kind): Need[] => {
      const id = valueAt(tree, [...each, kind]);
      return typeof id === 'string' ? [{ kind, id, path: [...each, kind] }] : [];
    }),
  );
}

function knownOf(needs: readonly Need[], kind: Need['kind']) {
  const names = [...new Set(needs.filter((need) => need.kind === kind).map(({ id }) => id))];
  return {
    kind: `route with the ${kind}`,
    names,
    matches: (granted: string) => names.some((needed) => stands(granted, needed)),
  };
}

/**
 * Whether what is granted (`course-7`, `course-*`) may be what is needed (`course-7`, `course-{course}`): for the
 * parts that a call fills in, whether their surroundings agree.
 */
function stands(granted: string, needed: string): boolean {
  const [start, end] = [/^[^{]*/.exec(needed)?.[0] ?? '', /[^}]*$/.exec(needed)?.[0] ?? ''];
  const filledIn = start !== needed;
  if (granted.endsWith('*')) {
    const common = granted.slice(0, -1);
    return start.startsWith(common) || (filledIn && common.startsWith(start));
  }
  if (!filledIn) return granted === needed;
  const room = granted.length > start.length + end.length;
  return room && granted.startsWith(start) && granted.endsWith(end);
}

/** `{course}` is filled in from the route's regular expression. */
function checkGroups(tree: unknown, { id, path }: Need): readonly TreeMistake[] {
  // apis, its id, routes, the number of the route: what an API asks of all its routes has no such path.
  const expression =
    path[2] === 'routes' ? valueAt(tree, [...path.slice(0, 4), 'path_regex']) : undefined;
  const names = typeof expression === 'string' ? listGroups(expression) : [];
  return [...id.matchAll(/\{([^}]*)\}/g)]
    .map((match) => match[1] ?? '')
    .filter((group) => !names.includes(group))
    .map((group) => describeUnknown(group, path, { kind: 'group in path_regex called', names }));
}

function listGroups(expression: string): readonly string[] {
  return [...expression.matchAll(/\(\?<([A-Za-z_]\w*)>/g)].map((match) => match[1] ?? '');
}

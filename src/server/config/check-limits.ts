import {
  checkNames,
  describeUnknown,
  listPaths,
  memberNames,
  memberPaths,
  textsAt,
} from './check-names.ts';
import type { Known } from './check-names.ts';
import { formatPath, isMapping, valueAt } from './config-path.ts';
import type { ConfigPath } from './config-path.ts';
import type { TreeMistake } from './describe-issue.ts';
import { LLM_ENDPOINTS } from './llm-endpoints.ts';
import { listRouteIds } from './route-ids.ts';
import { limitIdOf, unitMemberOf } from './schema/limit-units.ts';
import { rateIdAsWritten } from './schema/rate-schema.ts';

/** Limits that count nothing there is, share a name, or are not there to be raised. */
export function checkLimits(tree: unknown, anyModel: Known): readonly TreeMistake[] {
  const inPlans = memberPaths(tree, ['plans']).flatMap((plan) =>
    listPaths(tree, [...plan, 'limits']),
  );
  const owners = ownersOf(tree, inPlans);
  return [
    ...checkFilters(tree, [...inPlans, ...listPaths(tree, ['limits'])], anyModel),
    ...inPlans.flatMap((path) => checkUnit(tree, path, owners)),
    ...memberPaths(tree, ['add_ons']).flatMap((addOn) => [
      ...listPaths(tree, [...addOn, 'grants', 'limits']).flatMap((path) =>
        checkRaised(tree, path, owners),
      ),
      ...checkRaisedRates(tree, [...addOn, 'grants', 'rate_limits']),
    ]),
  ];
}

function checkFilters(
  tree: unknown,
  limits: readonly ConfigPath[],
  anyModel: Known,
): readonly TreeMistake[] {
  const routes = listRoutes(tree);
  const anyRoute = { kind: 'route', names: routes };
  const anyOperation = { kind: 'operation', names: [...listOperations(tree), ...routes] };
  return limits.flatMap((limit) => [
    ...checkNames(tree, [...limit, 'only', 'models'], anyModel),
    ...checkNames(tree, [...limit, 'only', 'routes'], anyRoute),
    ...checkNames(tree, [...limit, 'only', 'operations'], anyOperation),
  ]);
}

function listRoutes(tree: unknown): readonly string[] {
  return memberNames(tree, ['apis']).flatMap((api) => {
    const routes = valueAt(tree, ['apis', api, 'routes']);
    if (Array.isArray(routes)) {
      return listRouteIds(api, routes.filter(isMapping));
    }
    return LLM_ENDPOINTS.map((endpoint) => `${api}.${endpoint.name}`);
  });
}

function listOperations(tree: unknown): readonly string[] {
  const routes = memberPaths(tree, ['apis']).flatMap((api) => listPaths(tree, [...api, 'routes']));
  return [
    ...new Set(
      textsAt(
        tree,
        routes.map((route) => [...route, 'operation']),
      ),
    ),
  ];
}

/** By id, the first limit of a plan that is called so. */
function ownersOf(tree: unknown, limits: readonly ConfigPath[]): ReadonlyMap<string, ConfigPath> {
  const owners = new Map<string, ConfigPath>();
  for (const path of limits) {
    const id = idAt(tree, path);
    if (id !== undefined && !owners.has(id)) owners.set(id, path);
  }
  return owners;
}

function idAt(tree: unknown, path: ConfigPath): string | undefined {
  const limit = valueAt(tree, path);
  return isMapping(limit) ? limitIdOf(limit) : undefined;
}

function unitAt(tree: unknown, path: ConfigPath): string | undefined {
  const limit = valueAt(tree, path);
  return isMapping(limit) ? unitMemberOf(limit) : undefined;
}

/** What is used of a limit stays used when the plan changes: one id cannot count two things. */
function checkUnit(
  tree: unknown,
  path: ConfigPath,
  owners: ReadonlyMap<string, ConfigPath>,
): readonly TreeMistake[] {
  const id = idAt(tree, path) ?? '';
  const owner = owners.get(id);
  if (owner === undefined || unitAt(tree, owner) === unitAt(tree, path)) return [];
  const message = `"${id}" counts ${unitAt(tree, owner)} at ${formatPath(owner)}: choose another id`;
  return [{ path: [...path, 'id'], part: 'value', message }];
}

function checkRaised(
  tree: unknown,
  path: ConfigPath,
  owners: ReadonlyMap<string, ConfigPath>,
): readonly TreeMistake[] {
  const id = idAt(tree, path);
  if (id === undefined) return [];
  const at = valueAt(tree, [...path, 'id']) === undefined ? path : [...path, 'id'];
  return owners.has(id)
    ? checkUnit(tree, path, owners)
    : [describeUnknown(id, at, { kind: 'limit in any plan called', names: [...owners.keys()] })];
}

function checkRaisedRates(tree: unknown, path: ConfigPath): readonly TreeMistake[] {
  const inPlans = memberPaths(tree, ['plans']).flatMap((plan) =>
    listPaths(tree, [...plan, 'rate_limits']),
  );
  const names = [...new Set(inPlans.flatMap((each) => rateIdAsWritten(valueAt(tree, each)) ?? []))];
  return listPaths(tree, path).flatMap((each) => {
    const id = rateIdAsWritten(valueAt(tree, each));
    const known = { kind: 'rate limit in any plan called', names };
    return id === undefined || names.includes(id) ? [] : [describeUnknown(id, each, known)];
  });
}

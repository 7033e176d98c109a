import { checkEntitlements } from './check-entitlements.ts';
import { checkLimits } from './check-limits.ts';
import {
  checkName,
  checkNames,
  describeUnknown,
  listPaths,
  memberNames,
  memberPaths,
} from './check-names.ts';
import type { Known } from './check-names.ts';
import { valueAt } from './config-path.ts';
import type { ConfigPath } from './config-path.ts';
import type { TreeMistake } from './describe-issue.ts';

/** Names that name nothing. */
export function checkReferences(tree: unknown): readonly TreeMistake[] {
  const models = memberNames(tree, ['models']);
  const anyModel = { kind: 'model', names: [...models, ...memberNames(tree, ['aliases'])] };
  const plans = memberNames(tree, ['plans']);
  return [
    ...checkUpstreams(tree),
    ...memberPaths(tree, ['models']).flatMap((model) =>
      checkName(tree, [...model, 'provider'], {
        kind: 'provider',
        names: memberNames(tree, ['providers']),
      }),
    ),
    ...memberNames(tree, ['aliases']).flatMap((id) => checkAlias(tree, id, models)),
    ...checkSales(tree, anyModel),
    ...checkEntitlements(tree),
    ...listPaths(tree, ['customise']).flatMap((rule) =>
      checkName(tree, [...rule, 'api'], { kind: 'API', names: memberNames(tree, ['apis']) }),
    ),
    ...checkLimits(tree, anyModel),
    ...checkName(tree, ['demo', 'customer', 'plan'], { kind: 'plan', names: plans }),
  ];
}

function checkUpstreams(tree: unknown): readonly TreeMistake[] {
  const known = { kind: 'upstream', names: memberNames(tree, ['upstreams']) };
  return memberPaths(tree, ['apis']).flatMap((api) =>
    [api, ...listPaths(tree, [...api, 'routes'])].flatMap((each) =>
      checkName(tree, [...each, 'upstream'], known),
    ),
  );
}

function checkAlias(tree: unknown, id: string, models: readonly string[]): TreeMistake[] {
  const path = ['aliases', id];
  if (models.includes(id)) {
    return [{ path, part: 'key', message: `"${id}" is the name of a model already` }];
  }
  const target = valueAt(tree, path);
  if (typeof target === 'string' && memberNames(tree, ['aliases']).includes(target)) {
    const message = `"${target}" is an alias itself: name the model`;
    return [{ path, part: 'value', message }];
  }
  return checkName(tree, path, { kind: 'model', names: models });
}

/** The models and APIs that plans and add-ons name. */
function checkSales(tree: unknown, anyModel: Known): readonly TreeMistake[] {
  const anyApi = { kind: 'API', names: memberNames(tree, ['apis']) };
  return [
    ...memberPaths(tree, ['plans']).flatMap((plan) => [
      ...checkNames(tree, [...plan, 'models'], anyModel),
      ...checkNames(tree, [...plan, 'apis'], anyApi),
      ...checkSubstitutes(tree, [...plan, 'degraded', 'substitute'], anyModel),
    ]),
    ...memberPaths(tree, ['add_ons']).flatMap((addOn) =>
      checkNames(tree, [...addOn, 'grants', 'models'], anyModel),
    ),
  ];
}

function checkSubstitutes(tree: unknown, path: ConfigPath, anyModel: Known): TreeMistake[] {
  return memberPaths(tree, path).flatMap((each) => {
    const asked = String(each.at(-1));
    const unknown = anyModel.names.includes(asked)
      ? []
      : [{ ...describeUnknown(asked, each, anyModel), part: 'key' as const }];
    return [...unknown, ...checkName(tree, each, anyModel)];
  });
}

import { findNearest } from '../../domain/nearest.ts';
import { isMapping, valueAt } from './config-path.ts';
import type { ConfigPath } from './config-path.ts';
import type { TreeMistake } from './describe-issue.ts';

/**
 * Names that name nothing. Looks at the plain tree and skips what has another shape than it expects,
 * so that these mistakes are told together with all others, not after them.
 */
export function checkReferences(tree: unknown): readonly TreeMistake[] {
  const models = Object.keys(members(tree, 'models'));
  const aliases = Object.keys(members(tree, 'aliases'));
  const upstreams = Object.keys(members(tree, 'upstreams'));
  const planNames = Object.keys(members(tree, 'plans'));
  return [
    ...checkApis(tree, upstreams),
    ...Object.keys(members(tree, 'models')).flatMap((id) =>
      checkName(tree, ['models', id, 'provider'], {
        kind: 'provider',
        names: Object.keys(members(tree, 'providers')),
      }),
    ),
    ...aliases.flatMap((id) => checkAlias(tree, id, { models, aliases })),
    ...planNames.flatMap((id) => checkPlan(tree, id, [...models, ...aliases])),
    ...checkName(tree, ['demo', 'customer', 'plan'], { kind: 'plan', names: planNames }),
  ];
}

interface Known {
  /** What the name should be the name of. */
  readonly kind: string;
  readonly names: readonly string[];
}

function checkName(tree: unknown, path: ConfigPath, { kind, names }: Known): TreeMistake[] {
  const name = valueAt(tree, path);
  if (typeof name !== 'string' || names.includes(name)) return [];
  const suggestion = findNearest(name, names);
  const hint = suggestion === undefined ? `: ${listNames(names)}` : '';
  return [{ path, part: 'value', message: `there is no ${kind} "${name}"${hint}`, suggestion }];
}

const NAMES_SHOWN = 10;

function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'none is configured';
  const rest = names.length > NAMES_SHOWN ? `, and ${names.length - NAMES_SHOWN} more` : '';
  return `there are ${names.slice(0, NAMES_SHOWN).join(', ')}${rest}`;
}

function checkApis(tree: unknown, names: readonly string[]): TreeMistake[] {
  return Object.keys(members(tree, 'apis')).flatMap((id) => {
    const routes = valueAt(tree, ['apis', id, 'routes']);
    const paths = Array.isArray(routes)
      ? routes.map((_, index) => ['apis', id, 'routes', index, 'upstream'])
      : [];
    return [['apis', id, 'upstream'], ...paths].flatMap((path) =>
      checkName(tree, path, { kind: 'upstream', names }),
    );
  });
}

function checkAlias(
  tree: unknown,
  id: string,
  { models, aliases }: { readonly models: readonly string[]; readonly aliases: readonly string[] },
): TreeMistake[] {
  if (models.includes(id)) {
    return [
      { path: ['aliases', id], part: 'key', message: `"${id}" is the name of a model already` },
    ];
  }
  const target = valueAt(tree, ['aliases', id]);
  if (typeof target === 'string' && aliases.includes(target)) {
    const message = `"${target}" is an alias itself: name the model`;
    return [{ path: ['aliases', id], part: 'value', message }];
  }
  return checkName(tree, ['aliases', id], { kind: 'model', names: models });
}

function checkPlan(tree: unknown, id: string, models: readonly string[]): TreeMistake[] {
  const listed = valueAt(tree, ['plans', id, 'models']);
  const included = valueAt(tree, ['plans', id, 'features']);
  const needed = listNeededFeatures(tree);
  return [
    ...indexPaths(listed, ['plans', id, 'models']).flatMap((path) =>
      checkName(tree, path, { kind: 'model', names: models }),
    ),
    ...indexPaths(included, ['plans', id, 'features']).flatMap((path) =>
      checkName(tree, path, { kind: 'route with the feature', names: needed }),
    ),
  ];
}

function listNeededFeatures(tree: unknown): readonly string[] {
  const features = Object.values(members(tree, 'apis')).flatMap((api) => {
    const routes = valueAt(api, ['routes']);
    return Array.isArray(routes) ? routes.map((route) => valueAt(route, ['feature'])) : [];
  });
  return [...new Set(features.filter((feature) => typeof feature === 'string'))];
}

function indexPaths(list: unknown, path: ConfigPath): ConfigPath[] {
  return Array.isArray(list) ? list.map((_, index) => [...path, index]) : [];
}

function members(tree: unknown, key: string): Readonly<Record<string, unknown>> {
  const value = valueAt(tree, [key]);
  return isMapping(value) ? value : {};
}

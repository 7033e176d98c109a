import { findNearest } from '../../domain/nearest.ts';
import { isMapping, valueAt } from './config-path.ts';
import type { ConfigPath } from './config-path.ts';
import type { TreeMistake } from './describe-issue.ts';

// What the checks of references share. They look at the plain tree and skip what has another shape than they
// expect, so that their mistakes are told together with all others, not after them.

export interface Known {
  /** What the name should be the name of. */
  readonly kind: string;
  readonly names: readonly string[];
  /** Whether a name that is not among them stands for one. */
  readonly matches?: (name: string) => boolean;
}

/** The mistake that the name at `path` names nothing, if it is one. */
export function checkName(tree: unknown, path: ConfigPath, known: Known): TreeMistake[] {
  const name = valueAt(tree, path);
  return typeof name === 'string' && !isKnown(name, known)
    ? [describeUnknown(name, path, known)]
    : [];
}

/** Of every name in the list at `path`. */
export function checkNames(tree: unknown, path: ConfigPath, known: Known): TreeMistake[] {
  return listPaths(tree, path).flatMap((each) => checkName(tree, each, known));
}

function isKnown(name: string, { names, matches }: Known): boolean {
  return names.includes(name) || matches?.(name) === true;
}

export function describeUnknown(
  name: string,
  path: ConfigPath,
  { kind, names }: Known,
): TreeMistake {
  const suggestion = findNearest(name, names);
  const hint = suggestion === undefined ? `: ${listNames(names)}` : '';
  return { path, part: 'value', message: `there is no ${kind} "${name}"${hint}`, suggestion };
}

const NAMES_SHOWN = 10;

function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'none is configured';
  const rest = names.length > NAMES_SHOWN ? `, and ${names.length - NAMES_SHOWN} more` : '';
  return `there are ${names.slice(0, NAMES_SHOWN).join(', ')}${rest}`;
}

/** Paths of the entries of the list at `path`. */
export function listPaths(tree: unknown, path: ConfigPath): readonly ConfigPath[] {
  const list = valueAt(tree, path);
  return Array.isArray(list) ? list.map((_, index) => [...path, index]) : [];
}

/** Paths of the members of the mapping at `path`. */
export function memberPaths(tree: unknown, path: ConfigPath): readonly ConfigPath[] {
  return memberNames(tree, path).map((name) => [...path, name]);
}

export function memberNames(tree: unknown, path: ConfigPath): readonly string[] {
  const value = valueAt(tree, path);
  return isMapping(value) ? Object.keys(value) : [];
}

/** Of the text at each of the paths. */
export function textsAt(tree: unknown, paths: readonly ConfigPath[]): readonly string[] {
  return paths.map((path) => valueAt(tree, path)).filter((value) => typeof value === 'string');
}

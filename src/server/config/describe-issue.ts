import { findNearest } from '../../domain/nearest.ts';
import type { z } from 'zod';
import { formatPath, valueAt } from './config-path.ts';
import type { ConfigPath } from './config-path.ts';
import { listKeysAt } from './schema/json-schema.ts';
import type { JsonSchema } from './schema/json-schema.ts';

/** A mistake in the tree, not yet placed in a file. `part`: what to point at. */
export interface TreeMistake {
  readonly path: ConfigPath;
  readonly part: 'key' | 'value';
  readonly message: string;
  readonly suggestion?: string | undefined;
  /** The mistake is the key itself. */
  readonly unknownKey?: true;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
};

/** Our words for what zod found; given to it as its error map. Undefined = the schema's own message stands. */
export function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined && issue.code !== 'unrecognized_keys') return 'is required';
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the rest keeps the schema's own words
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${KINDS[issue.expected] ?? issue.expected}, got ${describeValue(issue.input)}`;
    case 'invalid_value':
      return `expected ${joinWords(issue.values.map((value) => `"${String(value)}"`))}, got ${describeValue(issue.input)}`;
    case 'too_small':
      return describeBound('at least', issue.minimum, issue);
    case 'too_big':
      return describeBound('at most', issue.maximum, issue);
    default:
      return undefined;
  }
}

function describeBound(
  word: string,
  bound: number | bigint,
  { origin, input }: { readonly origin: string; readonly input?: unknown },
): string {
  if (origin === 'array') return `must have ${word} ${bound} ${bound === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string')
    return `must have ${word} ${bound} ${bound === 1 ? 'character' : 'characters'}`;
  return `must be ${word} ${bound}, got ${describeValue(input)}`;
}

/** Longer values are cut where a message repeats them. */
export const SHOWN_LENGTH_MAX = 80;

function describeValue(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' || typeof value === 'boolean') return `${value}`;
  if (typeof value !== 'string') return 'a mapping';
  return `"${value.length > SHOWN_LENGTH_MAX ? `${value.slice(0, SHOWN_LENGTH_MAX)}...` : value}"`;
}

function joinWords(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

/** What zod found wrong with `tree`, one mistake a thing, each with the nearest right word. */
export function listMistakes(
  issues: readonly z.core.$ZodIssue[],
  tree: unknown,
  schema: JsonSchema,
): readonly TreeMistake[] {
  const mistakes = issues.flatMap((issue) => explainIssue(issue, [], { tree, schema }));
  const followed = new Set(mistakes.flatMap(listFollowers));
  return mistakes.filter(
    (mistake) => mistake.unknownKey === true || !followed.has(formatPath(mistake.path)),
  );
}

/** Where a mistake would only say that the rightly spelled key of `misspelled` is not there. */
function listFollowers(misspelled: TreeMistake): readonly string[] {
  if (misspelled.unknownKey !== true || misspelled.suggestion === undefined) return [];
  const parent = misspelled.path.slice(0, -1);
  return [formatPath(parent), formatPath([...parent, misspelled.suggestion])];
}

interface Against {
  readonly tree: unknown;
  readonly schema: JsonSchema;
}

function explainIssue(
  issue: z.core.$ZodIssue,
  above: ConfigPath,
  against: Against,
): readonly TreeMistake[] {
  const path = [...above, ...toConfigPath(issue.path)];
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the rest is one sentence at one path
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => explainUnknownKey(key, path, against.schema));
    case 'invalid_key': {
      const reason = issue.issues[0]?.message ?? 'is not a name';
      return [{ path, part: 'key', message: describeFormat(reason, path.at(-1)) }];
    }
    case 'invalid_union':
      return explainUnion(issue, path, against);
    case 'invalid_value': {
      const value = valueAt(against.tree, path);
      const words = issue.values.map(String);
      const suggestion = typeof value === 'string' ? findNearest(value, words) : undefined;
      return [{ path, part: 'value', message: issue.message, suggestion }];
    }
    default:
      return [
        {
          path,
          part: 'value',
          message: describeFormat(issue.message, valueAt(against.tree, path)),
        },
      ];
  }
}

/** The schema's own "is not a name ..." reads as a sentence only after the value. */
function describeFormat(message: string, value: unknown): string {
  return message.startsWith('is not a') && typeof value === 'string'
    ? `${describeValue(value)} ${message}`
    : message;
}

function explainUnknownKey(key: string, path: ConfigPath, schema: JsonSchema): TreeMistake {
  const valid = listKeysAt(schema, path);
  const suggestion = findNearest(key, valid);
  const list =
    suggestion === undefined && valid.length > 0 ? `: there are ${valid.join(', ')}` : '';
  const message = `unknown key "${key}"${list}`;
  return { path: [...path, key], part: 'key', message, suggestion, unknownKey: true };
}

/** Of the ways a value may be written, speaks about the one it was written in: text, list or mapping. */
function explainUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  path: ConfigPath,
  against: Against,
): readonly TreeMistake[] {
  const meant = issue.errors.filter((errors) => !errors.some(isOfOtherKind));
  const [only] = meant;
  if (meant.length === 1 && only !== undefined) {
    return only.flatMap((inner) => explainIssue(inner, path, against));
  }
  const value = valueAt(against.tree, path);
  const message =
    value === undefined ? 'is required' : `${issue.message}, got ${describeValue(value)}`;
  return [{ path, part: 'value', message }];
}

function isOfOtherKind(issue: z.core.$ZodIssue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_union')
    return issue.errors.every((errors) => errors.some(isOfOtherKind));
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function toConfigPath(path: readonly PropertyKey[]): ConfigPath {
  return path.map((part) => (typeof part === 'number' ? part : String(part)));
}

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { warnOfEntitlements } from './check-entitlements.ts';
import { checkReferences } from './check-references.ts';
import { checkRoutes } from './check-routes.ts';
import { compileCatalog } from './compile-catalog.ts';
import { compileDemo, compileServer, compileStore, readTls } from './compile-settings.ts';
import { formatPath, isMapping, valueAt, withValueAt } from './config-path.ts';
import type { ConfigProblem } from './config-problem.ts';
import { describeIssue, listMistakes, SHOWN_LENGTH_MAX } from './describe-issue.ts';
import type { TreeMistake } from './describe-issue.ts';
import { describeSystemError, NO_FILE } from './interpolate.ts';
import type { Environment, InterpolationContext } from './interpolate.ts';
import type { LoadedConfig, Origin } from './loaded-config.ts';
import { applyOverrides, listOverrides } from './overrides.ts';
import type { Override, OverrideFlags } from './overrides.ts';
import { readYaml } from './read-yaml.ts';
import type { SourceTree } from './read-yaml.ts';
import { fingerprintTree, isSecret, REDACTED, redactTree } from './redact.ts';
import { ASSET, configSchema, DEFAULT_ASSET } from './schema/config-schema.ts';
import { buildJsonSchema, fillDefaults } from './schema/json-schema.ts';

/** `file` names the text in problems, and its folder is where relative paths in it start. */
export type ConfigSource = string | { readonly text: string; readonly file: string };

export interface LoadOptions {
  readonly env: Environment;
  readonly flags?: OverrideFlags;
}

export type LoadResult =
  | { readonly kind: 'ok'; readonly config: LoadedConfig }
  | { readonly kind: 'invalid'; readonly problems: readonly ConfigProblem[] };

/**
 * Reads, checks and compiles one configuration: flags over TOLLKEEPER_* variables over the file over defaults.
 * Every problem is reported, not only the first. Reads files, changes nothing.
 */
export function loadConfig(source: ConfigSource, { env, flags = {} }: LoadOptions): LoadResult {
  const text = readSource(source);
  if (typeof text !== 'string') return { kind: 'invalid', problems: [text] };
  const file = typeof source === 'string' ? source : source.file;
  const context = { env, directory: dirname(resolve(file)) };
  const read = readYaml(text, file, context);
  if (read.source.tree === undefined) return { kind: 'invalid', problems: read.problems };
  const overrides = listOverrides(flags, env);
  const written = { ...read.source, tree: spellOutStore(read.source.tree ?? {}) };
  const tree = applyOverrides(written.tree, overrides);
  return checkTree(tree, { file, context, overrides, source: written, problems: read.problems });
}

/** `store: sqlite` says the same as `store: { type: sqlite }`, and what looks like a connection string is one. */
function spellOutStore(tree: unknown): unknown {
  const store = valueAt(tree, ['store']);
  if (typeof store !== 'string') return tree;
  const isUrl = store.includes('://');
  return withValueAt(tree, ['store'], isUrl ? { type: 'postgres', url: store } : { type: store });
}

interface Reading {
  readonly file: string;
  readonly context: InterpolationContext;
  readonly overrides: readonly Override[];
  readonly source: SourceTree;
  /** Found while reading: values that could not be filled in. */
  readonly problems: readonly ConfigProblem[];
}

function readSource(source: ConfigSource): string | ConfigProblem {
  if (typeof source !== 'string') return source.text;
  try {
    return readFileSync(source, 'utf8');
  } catch (error) {
    const reason = describeSystemError(error);
    const fix = reason === NO_FILE ? '; `npx tollkeeper init` writes one' : '';
    const message = `cannot read the configuration: ${reason}${fix}`;
    return { file: source, line: 0, column: 0, path: '', message };
  }
}

function checkTree(tree: unknown, reading: Reading): LoadResult {
  const asset = valueAt(tree, ['asset']);
  const known = typeof asset === 'string' && ASSET.test(asset) ? asset : DEFAULT_ASSET;
  const parsed = configSchema(known).safeParse(tree, { error: describeIssue });
  const { tls, mistakes: tlsMistakes } = readTls(tree, reading.context);
  const mistakes = [
    ...(parsed.success ? [] : listMistakes(parsed.error.issues, tree, buildJsonSchema())),
    ...checkReferences(tree),
    ...checkRoutes(tree),
    ...tlsMistakes,
  ];
  const problems = [...reading.problems, ...placeMistakes(mistakes, tree, reading)];
  if (!parsed.success || problems.length > 0) {
    return { kind: 'invalid', problems: problems.toSorted(byPlace) };
  }
  const entry = parsed.data;
  const printable = describeEffective(tree);
  return {
    kind: 'ok',
    config: {
      file: reading.file,
      server: compileServer(entry.server, tls),
      store: compileStore(entry.store, chooseStoreBase(reading)),
      redis: entry.redis,
      log: entry.log,
      journal: { keptMs: entry.journal.keep, bytesMax: entry.journal.keep_max },
      jobs: { reconcileMs: entry.jobs.reconcile },
      catalog: compileCatalog(entry),
      demo: compileDemo(entry.demo),
      source: redactTree(printable, reading.source.secretPaths),
      origins: listOrigins(printable, reading),
      warnings: placeMistakes(warnOfEntitlements(tree), tree, reading).toSorted(byPlace),
      fingerprints: fingerprintTree(withTlsText(printable, tls)),
    },
  };
}

function byPlace(left: ConfigProblem, right: ConfigProblem): number {
  return left.line - right.line || left.column - right.column;
}

/** Mistakes where a value could not even be filled in say nothing new and are left out. */
function placeMistakes(
  mistakes: readonly TreeMistake[],
  tree: unknown,
  reading: Reading,
): readonly ConfigProblem[] {
  const unfilled = new Set(reading.problems.map((problem) => problem.path));
  return dropRepeated(mistakes)
    .filter((mistake) => !unfilled.has(formatPath(mistake.path)))
    .map((mistake) => {
      // A mapping as a whole is spoken of at its name, not at its first member.
      const part = isMapping(valueAt(tree, mistake.path)) ? 'key' : mistake.part;
      return placeMistake({ ...hideSecret(mistake, tree, reading.source), part }, reading);
    });
}

/** A name that is none is not also a name of nothing: the first mistake at a place tells. */
function dropRepeated(mistakes: readonly TreeMistake[]): readonly TreeMistake[] {
  const places = new Map<string, TreeMistake>();
  for (const mistake of mistakes) {
    const place = `${mistake.part} ${formatPath(mistake.path)}`;
    if (!places.has(place)) places.set(place, mistake);
  }
  return [...places.values()];
}

function placeMistake(mistake: TreeMistake, reading: Reading): ConfigProblem {
  const path = formatPath(mistake.path);
  const override = reading.overrides.find((each) => formatPath(each.path) === path);
  const place =
    override === undefined
      ? { file: reading.file, ...reading.source.locate(mistake.path, mistake.part) }
      : { file: override.name, line: 0, column: 0 };
  const problem = { ...place, path, message: mistake.message };
  return mistake.suggestion === undefined
    ? problem
    : { ...problem, suggestion: mistake.suggestion };
}

/** A secret of the wrong form must not be printed by the message that says so. */
function hideSecret(mistake: TreeMistake, tree: unknown, source: SourceTree): TreeMistake {
  if (mistake.part === 'key') return mistake;
  const value = valueAt(tree, mistake.path);
  const text = typeof value === 'number' ? `${value}` : value;
  if (typeof text !== 'string' || !isSecret(mistake.path, source.secretPaths)) return mistake;
  const message = redactMessage(mistake.message, text);
  return { path: mistake.path, part: mistake.part, message };
}

const SHORT_SECRET = 3;

function redactMessage(message: string, secret: string): string {
  // A secret of one letter would be found in every word: then the sentence itself goes.
  if (secret.trim().length < SHORT_SECRET) return 'has a value that does not fit here';
  return [secret, secret.trim(), secret.slice(0, SHOWN_LENGTH_MAX)].reduce(
    (text, shown) => text.replaceAll(shown, REDACTED),
    message,
  );
}

const SETTING_SECTIONS = ['server', 'store', 'log', 'journal', 'jobs'] as const;

/** The tree as it is in force: defaults are filled in where the file leaves out a setting. */
function describeEffective(tree: unknown): unknown {
  const filled = fillDefaults(buildJsonSchema(), tree);
  return isMapping(filled) ? filled : {};
}

function listOrigins(effective: unknown, reading: Reading): Readonly<Record<string, Origin>> {
  const origins: Record<string, Origin> = {};
  const overridden = new Map(reading.overrides.map((each) => [formatPath(each.path), each.origin]));
  const keys = Object.keys(isMapping(effective) ? effective : {});
  const paths = keys.flatMap((key) => {
    const section = SETTING_SECTIONS.find((each) => each === key);
    const members = section === undefined ? undefined : valueAt(effective, [section]);
    return isMapping(members) ? Object.keys(members).map((member) => [key, member]) : [[key]];
  });
  for (const path of paths) {
    const text = formatPath(path);
    const inFile = valueAt(reading.source.tree, path) !== undefined;
    origins[text] = overridden.get(text) ?? (inFile ? 'file' : 'default');
  }
  return origins;
}

/** A directory of the file is relative to the file; one from outside, or the default, to where we were started. */
function chooseStoreBase(reading: Reading): string {
  const overridden = reading.overrides.some((each) => formatPath(each.path) === 'store.directory');
  const inFile = valueAt(reading.source.tree, ['store', 'directory']) !== undefined;
  return inFile && !overridden ? reading.context.directory : process.cwd();
}

/** A renewed certificate is a change although the file's name stays. */
function withTlsText(tree: unknown, tls: LoadedConfig['server']['tls']): unknown {
  return tls === undefined ? tree : withValueAt(tree, ['server', 'tls'], tls);
}

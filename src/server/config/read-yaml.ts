import { isAlias, isMap, isScalar, isSeq, Scalar } from 'yaml';
import type { Alias, Document, LineCounter, Node, YAMLMap } from 'yaml';
import { formatPath } from './config-path.ts';
import type { ConfigPath } from './config-path.ts';
import type { ConfigProblem } from './config-problem.ts';
import { interpolate } from './interpolate.ts';
import type { InterpolationContext } from './interpolate.ts';
import { parseYaml, resolveAliases } from './parse-yaml.ts';

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A file as plain data, with `${}` and `file:` replaced, that still knows where everything stood. */
export interface SourceTree {
  readonly tree: unknown;
  /** Formatted paths of the values that came from the environment or another file. */
  readonly secretPaths: ReadonlySet<string>;
  /** Of the key (default for mappings' members) or the value; of the nearest parent when `path` is not there. */
  readonly locate: (path: ConfigPath, part: 'key' | 'value') => Place;
}

export type ReadYaml = { readonly source: SourceTree; readonly problems: readonly ConfigProblem[] };

/** Room for the 10,000 routes an API may have. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;
/** Aliases can make a small file name the same node over and over. */
const NODES_MAX = 250_000;
const DEPTH_MAX = 32;
/** One missing bracket makes hundreds of them: the first ones tell. */
const MISTAKES_MAX = 10;

/** Problems of syntax leave an empty tree; problems of interpolation leave the text as it was. */
export function readYaml(text: string, file: string, context: InterpolationContext): ReadYaml {
  if (Buffer.byteLength(text) > FILE_BYTES_MAX) {
    const message = `the file is larger than ${FILE_BYTES_MAX} bytes`;
    return { source: emptySource(), problems: [{ file, line: 1, column: 1, path: '', message }] };
  }
  const { document, lines, mistakes } = parseYaml(text);
  if (mistakes.length > 0) {
    const problems = new Map<number, ConfigProblem>();
    for (const { offset, message } of mistakes) {
      const { line, col } = lines.linePos(offset);
      // The others of a line follow from its first.
      if (problems.has(line)) continue;
      problems.set(line, { file, line, column: col, path: '', message });
      if (problems.size === MISTAKES_MAX) break;
    }
    return { source: emptySource(), problems: [...problems.values()] };
  }
  const reader = new TreeReader(document, { file, lines, context });
  const tree = reader.read(document.contents, []);
  if (reader.overflowed) return { source: emptySource(), problems: reader.problems };
  return {
    source: {
      tree,
      secretPaths: reader.secretPaths,
      locate: (path, part) => reader.locate(path, part),
    },
    problems: reader.problems,
  };
}

function emptySource(): SourceTree {
  return { tree: undefined, secretPaths: new Set(), locate: () => ({ line: 1, column: 1 }) };
}

interface ReaderContext {
  readonly file: string;
  readonly lines: LineCounter;
  readonly context: InterpolationContext;
}

/** One walk over the nodes; offsets are kept by path because an alias gives one node several paths. */
class TreeReader {
  readonly problems: ConfigProblem[] = [];
  readonly secretPaths = new Set<string>();
  readonly #document: Document;
  readonly #context: ReaderContext;
  readonly #offsets = new Map<string, { readonly key: number; readonly value: number }>();
  #meant: ReadonlyMap<Alias, Node> | undefined;
  #nodes = 0;

  constructor(document: Document, context: ReaderContext) {
    this.#document = document;
    this.#context = context;
  }

  get overflowed(): boolean {
    return this.#nodes > NODES_MAX;
  }

  locate(path: ConfigPath, part: 'key' | 'value'): Place {
    for (let length = path.length; length >= 0; length -= 1) {
      const offsets = this.#offsets.get(formatPath(path.slice(0, length)));
      if (offsets === undefined) continue;
      // What is missing is reported at the key of the mapping it is missing from.
      const { line, col } = this.#context.lines.linePos(
        length === path.length ? offsets[part] : offsets.key,
      );
      return { line, column: col };
    }
    return { line: 1, column: 1 };
  }

  read(node: unknown, path: ConfigPath, keyOffset?: number): unknown {
    const value = rangeStart(node) ?? keyOffset ?? 0;
    this.#offsets.set(formatPath(path), { key: keyOffset ?? value, value });
    this.#nodes += 1;
    if (this.overflowed) {
      if (this.#nodes === NODES_MAX + 1)
        this.#report(path, `more than ${NODES_MAX} values, aliases counted`);
      return undefined;
    }
    if (path.length > DEPTH_MAX) {
      this.#report(path, `nested deeper than ${DEPTH_MAX} levels`);
      return undefined;
    }
    if (isAlias(node)) return this.#readAlias(node, path, keyOffset ?? value);
    if (isMap(node)) return this.#readMap(node, path);
    if (isSeq(node)) return node.items.map((item, index) => this.read(item, [...path, index]));
    return isScalar(node) ? this.#readScalar(node, path) : null;
  }

  #readAlias(node: Alias, path: ConfigPath, keyOffset: number): unknown {
    this.#meant ??= resolveAliases(this.#document);
    const meant = this.#meant.get(node);
    if (meant !== undefined) return this.read(meant, path, keyOffset);
    this.#report(path, `there is no anchor &${node.source} before *${node.source}`);
    return undefined;
  }

  #readMap(node: YAMLMap, path: ConfigPath): unknown {
    const entries = new Map<string, unknown>();
    for (const { key, value } of node.items) {
      const name = readKey(key);
      if (name === undefined || name === '__proto__') {
        const message =
          name === undefined ? 'keys must be plain text' : '"__proto__" cannot be a key';
        this.#report(path, message);
        continue;
      }
      const read = this.read(value, [...path, name], rangeStart(key));
      if (entries.has(name)) {
        this.#report([...path, name], `the key "${name}" is there twice`, 'key');
      }
      entries.set(name, read);
    }
    return Object.fromEntries(entries);
  }

  #readScalar(node: Scalar, path: ConfigPath): unknown {
    if (typeof node.value !== 'string') return node.value;
    const result = interpolate(node.value, this.#context.context);
    if (result === undefined) return node.value;
    this.secretPaths.add(formatPath(path));
    if (result.kind === 'wrong') {
      this.#report(path, result.problem);
      return node.value;
    }
    return node.type === Scalar.PLAIN ? resolvePlain(result.value) : result.value;
  }

  #report(path: ConfigPath, message: string, part: 'key' | 'value' = 'value'): void {
    const { line, column } = this.locate(path, part);
    this.problems.push({ file: this.#context.file, line, column, path: formatPath(path), message });
  }
}

/** As it is written: a key such as 2024 or 1.10 is a name here, not a number. */
function readKey(key: unknown): string | undefined {
  if (!isScalar(key) || key.value === null) return undefined;
  return typeof key.value === 'string' ? key.value : key.source;
}

function rangeStart(node: unknown): number | undefined {
  if (!isScalar(node) && !isMap(node) && !isSeq(node) && !isAlias(node)) return undefined;
  return node.range?.[0];
}

/** `port: ${PORT}` without quotes is a number, as it would be had the number stood there. */
function resolvePlain(text: string): unknown {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  if (text === 'true') return true;
  return text === 'false' ? false : text;
}

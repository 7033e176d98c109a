import { realpathSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ConfigProblem } from './config-problem.ts';
import { loadConfig } from './load-config.ts';
import type { LoadOptions } from './load-config.ts';
import type { LoadedConfig } from './loaded-config.ts';

/** What a reload came to. `kept`: the new file is wrong and the old configuration stays in force. */
export type Reload =
  | {
      readonly kind: 'changed';
      readonly config: LoadedConfig;
      readonly changes: readonly ConfigChange[];
    }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'kept'; readonly problems: readonly ConfigProblem[] };

export interface ConfigChange {
  /** `plans.free`, `server.port`. */
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** True when it is read at start only: the new value waits for the next start. */
  readonly needsRestart: boolean;
}

export interface ConfigWatch {
  /** For SIGHUP and the admin API: reads now, also when no event came (a secret file or certificate changed). */
  reload(): Reload;
  readonly current: LoadedConfig;
  close(): void;
}

export interface WatchOptions extends LoadOptions {
  /** What is in force now; its `file` is watched. */
  readonly config: LoadedConfig;
  /** Called for every reload that a change of the file caused and that changed or failed. */
  readonly onReload: (reload: Reload) => void;
  /** Editors write in several steps; this long after the last of them the file is read. */
  readonly settleMs?: number;
}

const SETTLE_MS = 100;
/** How long a stop waits is looked up when it comes. */
const READ_AT_START = /^(server(?!\.drain$)|store|redis|log|journal|jobs)(\.|$)/;

/** Hot reload: the new file is read, checked and compiled first, and only then takes the old one's place. */
export function watchConfig(options: WatchOptions): ConfigWatch {
  const { onReload, settleMs = SETTLE_MS } = options;
  const file = resolve(options.config.file);
  let current = options.config;
  let lastProblems = '';
  let timer: NodeJS.Timeout | undefined;

  const reload = (): Reload => {
    const result = loadConfig(options.config.file, options);
    if (result.kind === 'invalid') return { kind: 'kept', problems: result.problems };
    if (result.config.catalog.asset !== current.catalog.asset) {
      return { kind: 'kept', problems: [otherAsset(current, result.config)] };
    }
    const changes = listChanges(current, result.config);
    if (changes.length === 0) return { kind: 'unchanged' };
    current = result.config;
    return { kind: 'changed', config: current, changes };
  };
  const reloadAfterEvent = (): void => {
    folders.follow(file);
    const result = reload();
    const problems = result.kind === 'kept' ? JSON.stringify(result.problems) : '';
    // Other files of the folder change too: the same mistake is told once.
    const news = result.kind === 'changed' || problems !== lastProblems;
    lastProblems = problems;
    if (news && result.kind !== 'unchanged') onReload(result);
  };
  const folders = new FolderWatch(() => {
    clearTimeout(timer);
    timer = setTimeout(reloadAfterEvent, settleMs);
    timer.unref();
  });
  folders.follow(file);
  return {
    reload,
    get current() {
      return current;
    },
    close: () => {
      clearTimeout(timer);
      folders.close();
    },
  };
}

/** All prices change with it, and no balance does: nothing of such a file may be in force beside what runs. */
function otherAsset(before: LoadedConfig, after: LoadedConfig): ConfigProblem {
  const [old, now] = [before.catalog.asset, after.catalog.asset];
  const message = `the asset changes from ${old} to ${now}: this file waits for the next start`;
  return { file: after.file, line: 0, column: 0, path: 'asset', message };
}

/**
 * The folder and not the file: editors replace a file by renaming another over it, and mounted Kubernetes files change by
 * a link beside them; a watch on the file would go with the old one. Where the file is a link, also the folder it leads to.
 */
class FolderWatch {
  readonly #onEvent: () => void;
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(onEvent: () => void) {
    this.#onEvent = onEvent;
  }

  /** A link may lead elsewhere since the last time. */
  follow(file: string): void {
    const wanted = new Set([dirname(file), dirname(followLinks(file))]);
    for (const folder of this.#watchers.keys()) if (!wanted.has(folder)) this.#forget(folder);
    for (const folder of wanted) if (!this.#watchers.has(folder)) this.#watch(folder);
  }

  close(): void {
    for (const folder of this.#watchers.keys()) this.#forget(folder);
  }

  #watch(folder: string): void {
    const watcher = watch(folder, { persistent: false }, this.#onEvent);
    // A folder that goes away ends the watch, not the gateway; `reload` still works.
    watcher.on('error', () => this.#forget(folder));
    this.#watchers.set(folder, watcher);
  }

  #forget(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }
}

/** Itself when it leads nowhere just now. */
function followLinks(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/** What differs, by path of two levels and never by value. */
export function listChanges(before: LoadedConfig, after: LoadedConfig): readonly ConfigChange[] {
  const paths = new Set([...before.fingerprints.keys(), ...after.fingerprints.keys()]);
  return [...paths].toSorted().flatMap((path): ConfigChange[] => {
    const [old, now] = [before.fingerprints.get(path), after.fingerprints.get(path)];
    if (old === now) return [];
    const change = old === undefined ? 'added' : now === undefined ? 'removed' : 'changed';
    return [{ path, change, needsRestart: READ_AT_START.test(path) }];
  });
}

/** `plans.free changed, server.port changed (from the next start)`. */
export function formatChanges(changes: readonly ConfigChange[]): string {
  return changes
    .map(
      (each) => `${each.path} ${each.change}${each.needsRestart ? ' (from the next start)' : ''}`,
    )
    .join(', ');
}

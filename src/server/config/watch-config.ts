import { realpathSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
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
/** A log that is written beside the file never settles: so many times that long, and it is read all the same. */
const SETTLES_MAX = 10;
/** How long a stop waits is looked up when it comes. */
const READ_AT_START = /^(server(?!\.drain$)|store|redis|log|journal|jobs)(\.|$)/;
/** Another certificate is shown from the next handshake on; to serve TLS, or to stop, takes a start. */
const RENEWED = 'server.tls changed';

/** Hot reload: the new file is read, checked and compiled first, and only then takes the old one's place. */
export function watchConfig(options: WatchOptions): ConfigWatch {
  const { onReload, settleMs = SETTLE_MS } = options;
  const file = resolve(options.config.file);
  let current = options.config;
  let lastProblems = '';
  let settled: NodeJS.Timeout | undefined;
  let latest: NodeJS.Timeout | undefined;

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
  const stopTimers = (): void => {
    clearTimeout(settled);
    clearTimeout(latest);
    latest = undefined;
  };
  const reloadAfterEvent = (): void => {
    stopTimers();
    folders.follow(file);
    const result = reload();
    const problems = result.kind === 'kept' ? JSON.stringify(result.problems) : '';
    // Other files of the folder change too: the same mistake is told once.
    const news = result.kind === 'changed' || problems !== lastProblems;
    lastProblems = problems;
    if (news && result.kind !== 'unchanged') onReload(result);
  };
  const folders = new FolderWatch(() => {
    clearTimeout(settled);
    settled = setTimeout(reloadAfterEvent, settleMs).unref();
    latest ??= setTimeout(reloadAfterEvent, settleMs * SETTLES_MAX).unref();
  });
  folders.follow(file);
  return {
    reload,
    get current() {
      return current;
    },
    close: () => {
      stopTimers();
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
 * a link beside them; a watch on the file would go with the old one. Deploy tools do the same to folders, so those above
 * are watched, too, for the name that leads to the file. Where the file is a link, also the way to where it leads.
 */
class FolderWatch {
  readonly #onEvent: () => void;
  #watchers: FSWatcher[] = [];

  constructor(onEvent: () => void) {
    this.#onEvent = onEvent;
  }

  /** Anew each time: by the same name there may be another folder, and a link may lead elsewhere. */
  follow(file: string): void {
    this.close();
    const heeded = new Map<string, Set<string>>();
    for (const path of [file, followLinks(file)]) heedWayTo(path, heeded);
    const holders = new Set([dirname(file), dirname(followLinks(file))]);
    for (const [folder, names] of heeded)
      this.#watch(folder, (name) => name === null || holders.has(folder) || names.has(name));
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  #watch(folder: string, heeds: (name: string | null) => boolean): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (heeds(name)) this.#onEvent();
      });
      // One that goes away ends its watch, not the gateway.
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch {
      // It is not there just now: the one above sees it come. `reload` works in any case.
    }
  }
}

/** By folder, the names in it that lead to `path`; not of the root, where nothing is replaced. */
function heedWayTo(path: string, heeded: Map<string, Set<string>>): void {
  for (let inner = path; dirname(inner) !== dirname(dirname(inner)); inner = dirname(inner)) {
    const names = heeded.get(dirname(inner)) ?? new Set();
    heeded.set(dirname(inner), names.add(basename(inner)));
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
    const needsRestart = READ_AT_START.test(path) && `${path} ${change}` !== RENEWED;
    return [{ path, change, needsRestart }];
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

import type { ReloadOutcome } from '../control/admin/admin-deps.ts';
import type { Logger } from '../platform/logger.ts';
import type { BuiltinServers } from './builtins.ts';
import { serializeCatalog } from './config/parse-catalog.ts';
import type { ConfigChange, ConfigWatch, Reload } from './config/watch-config.ts';
import type { WorkerCrew } from './worker-crew.ts';

export interface ReloaderParts {
  readonly crew: Pick<WorkerCrew, 'adopt'>;
  readonly builtins: Pick<BuiltinServers, 'resolve'>;
  readonly logger: Logger;
  readonly auditTrail: Pick<Logger, 'info'>;
  readonly watch: Pick<ConfigWatch, 'reload' | 'current'>;
}

/** Puts new configurations in force on every worker, one after another, whoever asked for them. */
export class ConfigReloader {
  readonly #parts: ReloaderParts;
  #last: Promise<unknown> = Promise.resolve();
  /** Whether every worker has confirmed what it was told last. */
  #inForce = true;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
  }

  /** Reads now, once those before are done. What a worker did not confirm then is told again, also when nothing changed. */
  read(): Promise<ReloadOutcome> {
    return this.#queue(() => this.#parts.watch.reload());
  }

  /** What the watcher of the file has read. Never rejects: the log says what went wrong. */
  async take(reload: Reload): Promise<void> {
    await this.#queue(() => reload).catch(() => undefined);
  }

  #queue(read: () => Reload): Promise<ReloadOutcome> {
    const outcome = this.#last.then(() => this.#adopt(read()));
    // Who asked may be a signal or the file's watcher, who wait for no answer.
    this.#last = outcome.catch((error: unknown) => {
      this.#parts.logger.error({ error: String(error) }, 'the configuration is not in force');
    });
    return outcome;
  }

  async #adopt(reload: Reload): Promise<ReloadOutcome> {
    const { crew, builtins, logger, auditTrail, watch } = this.#parts;
    if (reload.kind === 'kept') {
      const { problems } = reload;
      logger.error({ problems }, 'the configuration is wrong: the old one stays in force');
      return reload;
    }
    // Always the newest: what was read may have been overtaken while it waited.
    const { catalog, server } = watch.current;
    const { version } = catalog;
    const changes = reload.kind === 'unchanged' ? [] : reload.changes;
    if (reload.kind === 'changed' || !this.#inForce) {
      this.#inForce = false;
      const resolved = serializeCatalog(await builtins.resolve(catalog));
      this.#inForce = await crew.adopt({ catalog: resolved, tls: server.tls });
    }
    const inForce = this.#inForce;
    if (reload.kind === 'changed') {
      warnOfLostPlans(changes, logger);
      auditTrail.info({ version, changes, in_force: inForce }, 'configuration reloaded');
    }
    const needsRestart = pathsOf(changes.filter((change) => change.needsRestart));
    return { kind: 'reloaded', version, changed: pathsOf(changes), needsRestart, inForce };
  }
}

function pathsOf(changes: readonly ConfigChange[]): readonly string[] {
  return changes.map(({ path }) => path);
}

/** Nobody can say what a plan that is not there allows: its customers are answered 503, also those below them. */
function warnOfLostPlans(changes: readonly ConfigChange[], logger: Logger): void {
  const lost = changes.filter(
    ({ path, change }) => change === 'removed' && path.startsWith('plans.'),
  );
  if (lost.length === 0) return;
  logger.warn(
    { plans: lost.map(({ path }) => path) },
    'calls of customers who are on a plan that was removed are answered 503: give them another (tollkeeper customers update ID --plan PLAN), or put it back',
  );
}

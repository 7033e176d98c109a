import { createAdminApp } from '../control/admin/admin-app.ts';
import type { AdminOperations, ReadinessPart, ReloadOutcome } from '../control/admin/admin-deps.ts';
import { type AdminListener, listenAdmin } from '../control/admin/admin-listener.ts';
import { type AdminToken, ensureAdminToken } from '../control/admin/admin-token.ts';
import { describeBooks, readBooksState, snapshotBooks } from '../control/jobs/books-report.ts';
import { type Clock, createClock } from '../platform/clock.ts';
import { createAuditTrail, createLogger, type Logger } from '../platform/logger.ts';
import { makeDirectory } from '../platform/make-directory.ts';
import { mergeSnapshots } from '../platform/metrics.ts';
import { waitAtMost } from '../platform/wait-at-most.ts';
import type { Store } from '../stores/store.ts';
import { auditInTurn } from './audit-apart.ts';
import { BuiltinServers } from './builtins.ts';
import type { LoadedConfig } from './config/loaded-config.ts';
import type { OverrideFlags } from './config/overrides.ts';
import { serializeCatalog } from './config/parse-catalog.ts';
import { type ConfigWatch, watchConfig } from './config/watch-config.ts';
import { ConfigReloader } from './config-reloader.ts';
import { journalDirectory } from './data-directory.ts';
import { findRunning } from './find-running.ts';
import type { Recruit } from './fork-worker.ts';
import { openStore } from './open-store.ts';
import { originOf } from './origin.ts';
import { OwnerSweeper } from './owner-sweeper.ts';
import { describeSharedRates } from './shared-rates.ts';
import { warnOfStrandedCustomers } from './stranded-customers.ts';
import { startUpkeep, type Upkeep } from './upkeep.ts';
import { type CrewMember, WorkerCrew } from './worker-crew.ts';

/** Probes and Prometheus wait for an answer: a store that has none by then does not answer, and they are told. */
const BOOKS_MS_MAX = 1500;

export interface SupervisorOptions {
  readonly config: LoadedConfig;
  readonly recruits: readonly Recruit[];
  readonly flags: OverrideFlags;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `dev`: payments are play money. */
  readonly playMoney: boolean;
  readonly clockShiftMs: number;
}

/** The process that owns the control plane and the workers (DESIGN 8). */
export class Supervisor {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  readonly adminTokenFile: string;
  readonly #watch: ConfigWatch;
  readonly #crew: WorkerCrew;
  readonly #parts: {
    sweeper: OwnerSweeper;
    builtins: BuiltinServers;
    reloader: ConfigReloader;
    admin: AdminListener;
    upkeep: Upkeep;
  };
  #stopping: Promise<void> | undefined;

  private constructor(parts: {
    store: Store;
    clock: Clock;
    logger: Logger;
    urls: { gateway: string; admin: string };
    adminTokenFile: string;
    watch: ConfigWatch;
    crew: WorkerCrew;
    sweeper: OwnerSweeper;
    builtins: BuiltinServers;
    reloader: ConfigReloader;
    admin: AdminListener;
    upkeep: Upkeep;
  }) {
    this.store = parts.store;
    this.clock = parts.clock;
    this.logger = parts.logger;
    this.gatewayUrl = parts.urls.gateway;
    this.adminUrl = parts.urls.admin;
    this.adminTokenFile = parts.adminTokenFile;
    this.#watch = parts.watch;
    this.#crew = parts.crew;
    this.#parts = parts;
  }

  /** Starts everything; rejects with what stopped it (an Error with `code` EADDRINUSE and the like). */
  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const { config, recruits } = options;
    const clock = createClock(options.clockShiftMs);
    const logger = createLogger({ level: config.log.level, fields: { process: 'supervisor' } });
    const auditTrail = createAuditTrail(logger, config.log.level);
    makeDirectory(journalDirectory(config.store.directory));
    tellOfNeighbour(config.store.directory, logger);
    const token = ensureAdminToken(config.store.directory);
    const store = await openStore(config.store, clock);
    const sweeper = new OwnerSweeper({
      store,
      dataDirectory: config.store.directory,
      logger,
      now: clock.now,
    });
    await sweeper.sweep();
    sweeper.start();
    const upkeep = startUpkeep({ config, store, clock, logger });
    const builtins = new BuiltinServers();
    const crew = new WorkerCrew(
      {
        type: 'start',
        catalog: serializeCatalog(await builtins.resolve(config.catalog)),
        server: config.server,
        workers: recruits.length,
        log: config.log,
        store: config.store,
        redis: config.redis,
        playMoney: options.playMoney,
        clockShiftMs: options.clockShiftMs,
      },
      { recruits, logger, now: clock.now, events: { onGone: () => void sweeper.sweep() } },
    );
    const port = await crew.open();
    const gateway = config.server.publicUrl ?? originOf(config.server, port);
    const watch = watchConfig({
      config,
      env: options.env,
      flags: options.flags,
      onReload: (reload) => void reloader.take(reload),
    });
    const reloader = new ConfigReloader({ crew, builtins, logger, auditTrail, watch });
    const own = { config, store, clock, logger, auditTrail, token, gateway };
    const admin = await openAdmin({ ...own, watch, crew, reloader });
    const adminUrl = originOf(
      { host: config.server.adminHost, tls: undefined },
      admin.address.port,
    );
    // A look at every customer, for which no start waits; a store that stops answering tells of itself elsewhere.
    warnOfStrandedCustomers(store, config.catalog.plans, logger).catch(() => undefined);
    return new Supervisor({
      store,
      clock,
      logger,
      urls: { gateway, admin: adminUrl },
      adminTokenFile: token.path,
      watch,
      crew,
      sweeper,
      builtins,
      reloader,
      admin,
      upkeep,
    });
  }

  get config(): LoadedConfig {
    return this.#watch.current;
  }

  reload(): Promise<ReloadOutcome> {
    return this.#parts.reloader.read();
  }

  /** Graceful: streams finish, holds settle, slices go back. Calling it again waits for the first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#watch.close();
    await Promise.all([this.#parts.upkeep.stop(), this.#crew.drain(this.config.server.drainMs)]);
    await this.#parts.admin.close(1000);
    await this.#parts.sweeper.stop();
    await this.#parts.builtins.close();
    await this.store.close();
  }
}

/** Two on one directory keep the same books, by the same leases and locks as two workers do; seldom it is meant. */
function tellOfNeighbour(directory: string, logger: Logger): void {
  const owner = findRunning(directory);
  if (owner === undefined) return;
  logger.warn(
    { owner, directory },
    'another gateway process works on this data directory: they share customers and money, and each serves by a configuration of its own. If that is not meant, stop one',
  );
}

function describeWorkers(members: readonly CrewMember[]): ReadinessPart {
  const serving = members.filter(({ state }) => state === 'serving').length;
  const detail = `${serving} of ${members.length} serving`;
  if (serving === 0) return { name: 'workers', ok: false, detail: `${detail}: the log says why` };
  return {
    name: 'workers',
    ok: true,
    ...(serving < members.length && { degraded: true }),
    detail,
  };
}

interface AdminParts {
  readonly config: LoadedConfig;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly auditTrail: Logger;
  readonly token: AdminToken;
  readonly gateway: string;
  readonly watch: ConfigWatch;
  readonly crew: WorkerCrew;
  readonly reloader: ConfigReloader;
}

function openAdmin(parts: AdminParts): Promise<AdminListener> {
  const { config, store, clock, watch } = parts;
  const app = createAdminApp({
    store,
    catalog: () => watch.current.catalog,
    now: clock.now,
    logger: parts.logger,
    auditTrail: parts.auditTrail,
    adminToken: parts.token.token,
    hostNames: [config.server.adminHost],
    publicUrl: () => parts.gateway,
    operations: createOperations(parts),
  });
  return listenAdmin(app, { host: config.server.adminHost, port: config.server.adminPort });
}

function createOperations(parts: AdminParts): AdminOperations {
  const { config, watch, crew, clock, store, reloader } = parts;
  /** Undefined = the store does not answer. */
  const readBooks = () =>
    waitAtMost(readBooksState(store, clock.now()), BOOKS_MS_MAX, 'the look at the books').catch(
      () => undefined,
    );
  return {
    configuration: () => ({
      version: watch.current.catalog.version,
      loadedAt: crew.adoptedAt,
      source: watch.current.source,
    }),
    reload: () => reloader.read(),
    audit: auditInTurn(config.store, clock),
    workers: () =>
      crew.members.map(({ name, worker, state, startedAt }) => ({
        name,
        pid: worker.process.pid ?? 0,
        state,
        startedAt,
      })),
    metrics: async () => {
      const [workers, books] = await Promise.all([crew.metrics(), readBooks()]);
      return mergeSnapshots([...workers, ...(books === undefined ? [] : [snapshotBooks(books)])]);
    },
    readiness: async () => {
      const [books, counted] = await Promise.all([readBooks(), crew.metrics()]);
      const answered = books !== undefined;
      const rates = describeSharedRates(mergeSnapshots(counted));
      return [
        describeWorkers(crew.members),
        { name: 'store', ok: answered, detail: answered ? 'answers' : 'does not answer' },
        ...(rates === undefined ? [] : [rates]),
        ...(books === undefined ? [] : describeBooks(books)),
      ];
    },
  };
}

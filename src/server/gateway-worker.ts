import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { hostname } from 'node:os';

import { LedgerEngine } from '../engine/ledger-engine.ts';
import { ownerLockPath } from '../engine/reclaim.ts';
import type { Listener, TlsCertificate } from '../gateway/listener.ts';
import { AddressLimiter } from '../gateway/address-limiter.ts';
import { compileAddressSet } from '../gateway/address-set.ts';
import type { GatewayContext } from '../gateway/pipeline/context.ts';
import { GatewayMetrics } from '../gateway/pipeline/gateway-metrics.ts';
import { KeyDirectory } from '../gateway/pipeline/key-directory.ts';
import { createPipeline } from '../gateway/pipeline/pipeline.ts';
import { createPerformer, createRehearsal } from '../gateway/pipeline/rehearsal.ts';
import { RequestRecorder } from '../gateway/pipeline/request-recorder.ts';
import { type Clock, createClock } from '../platform/clock.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import { makeDirectory } from '../platform/make-directory.ts';
import { MetricRegistry } from '../platform/metrics.ts';
import { createProcessLock } from '../platform/process-lock.ts';
import { createRepeatLogger, type RepeatLogger } from '../platform/repeat-logger.ts';
import { openTokenizer } from '../platform/tokenizer/tokenizer.ts';
import { openaiCompatible } from '../providers/openai-compatible/openai-compatible.ts';
import type { RatesWithFallback } from '../stores/redis/rates-with-fallback.ts';
import type { RateStore, Store } from '../stores/store.ts';
import { CatalogInForce } from './catalog-in-force.ts';
import { journalDirectory } from './data-directory.ts';
import { createLinks } from './links.ts';
import { openStore } from './open-store.ts';
import { originOf } from './origin.ts';
import { createOwnPages } from './own-pages.ts';
import { openSharedRates } from './shared-rates.ts';
import { renderProtocolError } from './protocol-error.ts';
import { loadTransport, type Transport } from './transport.ts';

import type { Adoption, WorkerStart } from './worker-messages.ts';

const HOLD_POLL_MS = 10;
const HOLD_WAIT_MS = 1000;
const NOTE_AWAKE_MS = 500;

/** One gateway process: its store, its slices, its listener. */
export class GatewayWorker {
  /** Id of this incarnation in the books. */
  readonly owner: string;
  readonly #start: WorkerStart;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #repeats: RepeatLogger;
  readonly #store: Store;
  readonly #lock: { readonly release: () => void };
  readonly #catalogs: CatalogInForce;
  readonly #keys: KeyDirectory;
  readonly #engine: LedgerEngine;
  readonly #recorder: RequestRecorder;
  readonly #registry: MetricRegistry;
  readonly #rates: RatesWithFallback | undefined;
  readonly #transport: Transport;
  readonly #tokenizer = openTokenizer();
  #listener: Listener | undefined;
  #publicUrl: string;
  #tls: TlsCertificate | undefined;
  #draining = false;

  private constructor(parts: {
    start: WorkerStart;
    owner: string;
    clock: Clock;
    logger: Logger;
    repeats: RepeatLogger;
    store: Store;
    lock: { readonly release: () => void };
    catalogs: CatalogInForce;
    keys: KeyDirectory;
    engine: LedgerEngine;
    registry: MetricRegistry;
    rates: RatesWithFallback | undefined;
    transport: Transport;
  }) {
    this.#start = parts.start;
    this.owner = parts.owner;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#repeats = parts.repeats;
    this.#store = parts.store;
    this.#lock = parts.lock;
    this.#catalogs = parts.catalogs;
    this.#keys = parts.keys;
    this.#engine = parts.engine;
    this.#registry = parts.registry;
    this.#rates = parts.rates;
    this.#transport = parts.transport;
    const lost = parts.registry.counter({
      name: 'tollkeeper_request_log_rows_lost_total',
      help: 'Rows of the request log that the store did not take, or took too late.',
    });
    const { requests } = parts.start.log;
    this.#recorder = new RequestRecorder(parts.store, parts.logger, requests, lost.child());
    this.#publicUrl = parts.start.server.publicUrl ?? '';
    this.#tls = parts.start.server.tls;
  }

  static async open(start: WorkerStart): Promise<GatewayWorker> {
    const clock = createClock(start.clockShiftMs);
    const logger = createLogger({ level: start.log.level, fields: { process: start.name } });
    const transport = await loadTransport(start.server.http);
    const store = await openStore(start.store, clock);
    const owner = `own_${randomUUID()}`;
    const lock = lockOwner(start.store.directory, owner);
    // Whoever was let in is sent on: a wait for a connection behind long streams would end at no time-out.
    const connections = { connectionsMax: start.server.requestsMax };
    const catalogs = new CatalogInForce(clock, logger, () =>
      transport.createUpstreamClient(connections),
    );
    catalogs.set(start.catalog);
    const keys = new KeyDirectory(store, clock, () => catalogs.current.catalog);
    setInterval(() => keys.noteAwake(), NOTE_AWAKE_MS).unref();
    const registry = new MetricRegistry();
    let engine: LedgerEngine | undefined;
    const rates = await openSharedRates({
      ...{ redis: start.redis, workers: start.workers, owner, store, clock, logger, registry },
      onFound: () => engine?.forgetRateRefusals(),
    });
    const repeats = createRepeatLogger(logger, clock.monotonicMs);
    engine = await openEngine({ start, owner, store, rates, clock, logger, repeats, keys });
    const shared = { start, owner, clock, logger, repeats, store, lock, catalogs, keys };
    return new GatewayWorker({ ...shared, engine, registry, rates, transport });
  }

  /** Starts serving; the port it got. Rejects with `code` EADDRINUSE and the like. */
  async listen(): Promise<number> {
    const { server } = this.#start;
    const secret = Buffer.from(
      await this.#store.secret('links', randomBytes(32).toString('hex')),
      'hex',
    );
    const listener = this.#transport.createListener(
      {
        host: server.host,
        port: server.port,
        tls: this.#tls,
        headerBytesMax: server.headerBytesMax,
        headersTimeoutMs: server.headersTimeoutMs,
        keepAliveTimeoutMs: server.keepAliveTimeoutMs,
        connectionsMax: server.connectionsMax,
        renderProtocolError: (error) =>
          renderProtocolError(error, this.#clock.now(), this.#publicUrl),
      },
      createPipeline(this.#createContext(secret)),
    );
    const { port } = await listener.listen();
    this.#listener = listener;
    this.#publicUrl = server.publicUrl ?? originOf(server, port);
    return port;
  }

  /** Puts another configuration in force for every request that begins from now on. */
  adopt({ catalog, tls }: Adoption): void {
    this.#catalogs.set(catalog);
    this.#keys.forgetAll();
    if (tls !== undefined) this.#renewTls(tls);
  }

  metrics(): ReturnType<MetricRegistry['snapshot']> {
    return this.#registry.snapshot();
  }

  /** Finishes what is running, settles, hands every slice back. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    await this.#listener?.drain(deadlineMs);
    // Answers that were broken at the deadline settle when their connections close: in this turn or soon.
    for (
      let waitedMs = 0;
      this.#engine.openHolds > 0 && waitedMs < HOLD_WAIT_MS;
      waitedMs += HOLD_POLL_MS
    ) {
      // oxlint-disable-next-line no-await-in-loop -- waits for a condition, bounded
      await new Promise((resolve) => setTimeout(resolve, HOLD_POLL_MS));
    }
    this.#catalogs.stop();
    await this.#recorder.flush();
    // With a hold still open the books stay for whoever reads the journal: only then is nothing lost.
    if (this.#engine.openHolds === 0) await this.#handBack();
    await Promise.all([
      this.#tokenizer.close(),
      this.#catalogs.close(),
      this.#rates?.close(),
      this.#store.close(),
    ]);
  }

  /** Whether it serves TLS at all is decided at the start. */
  #renewTls(tls: TlsCertificate): void {
    const before = this.#tls;
    if (before === undefined || (before.cert === tls.cert && before.key === tls.key)) return;
    this.#tls = tls;
    this.#listener?.renewTls(tls);
  }

  async #handBack(): Promise<void> {
    await this.#engine.close();
    this.#lock.release();
    rmSync(ownerLockPath(journalDirectory(this.#start.store.directory), this.owner), {
      force: true,
    });
  }

  #createContext(secret: Uint8Array): GatewayContext {
    const publicUrl = (): string => this.#publicUrl;
    const shared = {
      store: this.#store,
      engine: this.#engine,
      keys: this.#keys,
      clock: this.#clock,
      logger: this.#logger,
      repeats: this.#repeats,
      publicUrl,
    };
    const context: GatewayContext = {
      ...shared,
      compiled: () => this.#catalogs.current,
      recorder: this.#recorder,
      metrics: new GatewayMetrics(this.#registry, this.#start.name),
      upstreams: this.#catalogs.client,
      providerFor: () => openaiCompatible,
      tokenizer: this.#tokenizer,
      links: createLinks(secret, publicUrl),
      servePage: createOwnPages({
        ...shared,
        signingSecret: secret,
        playMoney: this.#start.playMoney,
        catalog: () => this.#catalogs.current.catalog,
        draining: () => this.#draining,
        rehearse: (request, mode) => rehearse(request, mode),
        perform: (request) => perform(request),
      }),
      trustsForwarded: compileAddressSet(this.#start.server.trustedProxies),
      isOverloaded: () => (this.#listener?.openRequests ?? 0) > this.#start.server.requestsMax,
      addressLimiter: createAddressLimiter(this.#start),
    };
    const rehearse = createRehearsal(context);
    const perform = createPerformer(context);
    return context;
  }
}

function createAddressLimiter({ server, workers }: WorkerStart): AddressLimiter | undefined {
  const { addressLimit, addressLimitLoopback: loopback } = server;
  return addressLimit && new AddressLimiter({ ...addressLimit, loopback }, workers);
}

/** The kernel frees this lock when the process dies: that is how others know that it did. */
function lockOwner(dataDirectory: string, owner: string): { readonly release: () => void } {
  const directory = journalDirectory(dataDirectory);
  makeDirectory(directory);
  return createProcessLock(ownerLockPath(directory, owner));
}

interface EngineParts {
  readonly start: WorkerStart;
  readonly owner: string;
  readonly store: Store;
  readonly rates: RateStore | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly repeats: RepeatLogger;
  readonly keys: KeyDirectory;
}

function openEngine({
  start,
  owner,
  store,
  rates,
  clock,
  logger,
  repeats,
  keys,
}: EngineParts): Promise<LedgerEngine> {
  return LedgerEngine.open({
    owner,
    machine: hostname(),
    journalDirectory: journalDirectory(start.store.directory),
    store,
    rates,
    clock,
    events: {
      onFenced: () => {
        // Whatever is still running has no books any more: not one more byte may be served.
        logger.error({ owner }, 'declared dead by another process: stopping at once');
        process.exit(1);
      },
      onChanges: (changes) => keys.hear(changes),
      // Each round meets it again, many times a second, for as long as the store is away.
      onError: (error) => repeats.error({ error: String(error) }, 'the books could not be written'),
      onUnserved: (requestId) =>
        logger.warn({ request_id: requestId }, 'charged and not served: the store did not answer'),
      onOverrun: (overrun) => logger.warn({ ...overrun }, 'cost above the hold: the house pays'),
    },
  });
}

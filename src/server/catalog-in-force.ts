import { UpstreamPool } from '../gateway/balancer.ts';
import { type HealthProber, startHealthProbes } from '../gateway/health.ts';
import { type CompiledCatalog, compileCatalog } from '../gateway/pipeline/compile-catalog.ts';
import type { UpstreamClient } from '../gateway/upstream.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { parseCatalog } from './config/parse-catalog.ts';

/** The configuration that requests are decided by, with the balancers and probes that belong to it. */
export class CatalogInForce {
  readonly client: UpstreamClient;
  /** Of its own connections: a probe that waited behind calls would say that a busy upstream is dead. */
  readonly #probeClient: UpstreamClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #current: CompiledCatalog | undefined;
  #prober: HealthProber | undefined;

  constructor(clock: Clock, logger: Logger, createClient: () => UpstreamClient) {
    this.client = createClient();
    this.#probeClient = createClient();
    this.#clock = clock;
    this.#logger = logger;
  }

  get current(): CompiledCatalog {
    if (this.#current === undefined) throw new Error('no configuration was set');
    return this.#current;
  }

  /** `serialized`: of serializeCatalog. Requests that are running keep the configuration they began with. */
  set(serialized: string): void {
    this.#prober?.stop();
    this.#current = compileCatalog(
      parseCatalog(serialized),
      (upstream) =>
        new UpstreamPool({
          upstream,
          clock: this.#clock,
          onHealthChange: (target, healthy) =>
            this.#logger.warn(
              { upstream: upstream.id, target: target.url, healthy },
              'the health of a target changed',
            ),
        }),
    );
    this.#prober = startHealthProbes(this.#current.pools.values(), this.#probeClient);
  }

  stop(): void {
    this.#prober?.stop();
  }

  /** Breaks what is still under way, and resolves when no connection is left. */
  async close(): Promise<void> {
    await Promise.all([this.client.close(), this.#probeClient.close()]);
  }
}

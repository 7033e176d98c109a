import type { Target } from '../domain/catalog.ts';
import type { UpstreamPool } from './balancer.ts';
import type { UpstreamCall, UpstreamClient } from './upstream.ts';

export interface HealthProber {
  /** No probe starts and none reports after this. */
  stop(): void;
}

/**
 * Probes every target of the upstreams that have a health path, each on its own schedule: the next probe
 * starts `intervalMs` after the last one ended, so a slow target is never asked twice at once, and the
 * first probes are spread over one interval so that targets are not asked all together.
 */
export function startHealthProbes(
  pools: Iterable<UpstreamPool>,
  client: UpstreamClient,
): HealthProber {
  const probes: TargetProbe[] = [];
  for (const pool of pools) {
    const { targets, health } = pool.upstream;
    if (health.path === undefined) continue;
    for (const [index, target] of targets.entries()) {
      const probe = new TargetProbe(pool, target, client);
      probe.schedule((health.intervalMs * index) / targets.length);
      probes.push(probe);
    }
  }
  return {
    stop: () => {
      for (const probe of probes) probe.stop();
    },
  };
}

class TargetProbe {
  readonly #pool: UpstreamPool;
  readonly #target: Target;
  readonly #client: UpstreamClient;
  #timer: NodeJS.Timeout | undefined = undefined;
  #call: UpstreamCall | undefined = undefined;
  #stopped = false;

  constructor(pool: UpstreamPool, target: Target, client: UpstreamClient) {
    this.#pool = pool;
    this.#target = target;
    this.#client = client;
  }

  schedule(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => this.#probe(), delayMs);
    this.#timer.unref();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#call?.abort();
  }

  #probe(): void {
    const { health } = this.#pool.upstream;
    const { origin, basePath, host } = this.#pool.address(this.#target);
    let status = 0;
    // A whole probe takes at most this long, a trickling answer included.
    this.#timer = setTimeout(() => this.#call?.abort(), health.timeoutMs);
    this.#timer.unref();
    this.#call = this.#client.send(
      {
        origin,
        method: 'GET',
        path: basePath + (health.path ?? '/'),
        headers: ['host', host, 'user-agent', 'tollkeeper-health'],
        body: undefined,
        connectTimeoutMs: health.timeoutMs,
        headersTimeoutMs: health.timeoutMs,
        idleTimeoutMs: health.timeoutMs,
      },
      {
        onHead: (code) => {
          status = code;
        },
        onChunk: () => true,
        onEnd: () => this.#finish(status >= 200 && status < 400),
        onFailure: () => this.#finish(false),
      },
    );
  }

  #finish(ok: boolean): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#pool.reportProbe(this.#target, ok);
    this.schedule(this.#pool.upstream.health.intervalMs);
  }
}

import type { ReadinessPart } from '../control/admin/admin-deps.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { MetricRegistry, MetricSnapshot } from '../platform/metrics.ts';
import { RatesWithFallback } from '../stores/redis/rates-with-fallback.ts';
import type { LedgerStore } from '../stores/store.ts';
import type { RedisSettings } from './config/loaded-config.ts';

/** A first connection is waited for so long: then the process serves without. */
const FIRST_WAIT_MS = 1000;

const SHARED_METRIC = 'tollkeeper_rate_limits_shared';
const PROCESSES_METRIC = 'tollkeeper_rate_limit_processes';

export interface SharedRatesParts {
  readonly redis: RedisSettings | undefined;
  /** Id of this process. */
  readonly owner: string;
  /** Processes of this machine. */
  readonly workers: number;
  readonly store: LedgerStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: MetricRegistry;
  /** Redis is back after a loss. */
  readonly onFound: () => void;
}

/** Rate limits in Redis, when it is configured; undefined = they are the store's. */
export async function openSharedRates(
  parts: SharedRatesParts,
): Promise<RatesWithFallback | undefined> {
  const { redis, owner, clock, logger } = parts;
  if (redis === undefined) return undefined;
  const { RedisRates } = await import('../stores/redis/redis-rates.ts');
  const { url, prefix } = redis;
  const shared = RedisRates.open({ url, prefix, process: owner, time: 'redis' });
  const metrics = createMetrics(parts.registry);
  // Until Redis tells, the store knows best who lives: all machines where they share one, else those of this one.
  const live = (await parts.store.liveOwners()).length;
  const rates = new RatesWithFallback({
    shared,
    processes: Math.max(1, parts.workers, live),
    clock,
    events: {
      onLost: (reason) => {
        metrics.shared.set(0);
        metrics.lost.add();
        logger.warn(
          { reason },
          'Redis does not answer: this process limits to its part of each rate',
        );
      },
      onFound: () => {
        metrics.shared.set(1);
        logger.info({}, 'Redis answers again: rate limits are shared');
        parts.onFound();
      },
      onCounted: (processes) => metrics.processes.set(processes),
    },
  });
  metrics.shared.set(1);
  await shared.waitUntilReady(FIRST_WAIT_MS);
  await rates.start();
  return rates;
}

function createMetrics(registry: MetricRegistry) {
  return {
    shared: registry
      .gauge({
        name: SHARED_METRIC,
        help: '1 = every worker shares its rate limits through Redis, 0 = some limit to their part.',
        merge: 'min',
      })
      .child(),
    processes: registry
      .gauge({
        name: PROCESSES_METRIC,
        help: 'Gateway processes of all machines that share rate limits, as last heard.',
        merge: 'max',
      })
      .child(),
    lost: registry
      .counter({
        name: 'tollkeeper_rate_limits_lost_total',
        help: 'How often a worker lost Redis.',
      })
      .child(),
  };
}

/** What `/readyz` says of rate limits; undefined = they need nothing but the store. */
export function describeSharedRates(metrics: MetricSnapshot): ReadinessPart | undefined {
  const isShared = readGauge(metrics, SHARED_METRIC);
  if (isShared === undefined) return undefined;
  const name = 'rate limits';
  if (isShared === 1) {
    const processes = readGauge(metrics, PROCESSES_METRIC) ?? 0;
    return { name, ok: true, detail: `shared by ${processes} processes through Redis` };
  }
  const detail = 'Redis does not answer: each process limits to its part';
  return { name, ok: true, degraded: true, detail };
}

function readGauge({ families }: MetricSnapshot, name: string): number | undefined {
  return families.find((family) => family.name === name)?.series[0]?.values[0];
}

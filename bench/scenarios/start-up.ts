import { makeDirectory, removeDirectory } from '../../test/support/temporary-directory.ts';
import { readResidentMb } from '../process-usage.ts';
import { type Row, type Scenario, type ScenarioSetting } from '../scenario.ts';
import { seedStore } from '../seed-store.ts';
import { TWO_LIMITS } from '../start-gateway-subjects.ts';
import { type GatewayPlan, startPinnedGateway } from '../start-pinned-gateway.ts';
import { median, round } from '../summarise.ts';
import { renderRoutes } from './routes.ts';

/** Nobody is asked anything. */
const ORIGIN = 'http://127.0.0.1:9';
const KEYS = { tenants: 1000, keys: 100_000, planId: 'bench', creditNano: 1_000_000_000n };

export const startUp: Scenario = {
  name: 'start-up',
  title: 'Start-up',
  about: `From the start of the process to the line that says it is ready: one worker, its store opened before and closed in order.
Memory is the worker's then.`,
  full: { rounds: 5 },
  async run(setting) {
    const one = renderRoutes({ count: 1, by: 'path' }, ORIGIN);
    const rows = [
      await timeStarts(setting, '1 route', { plan: one }),
      await timeStarts(setting, '10,000 routes', {
        plan: renderRoutes({ count: 10_000, by: 'path' }, ORIGIN),
      }),
    ];
    const keys = await timeStarts(setting, '1 route, 100,000 keys', {
      plan: one,
      seed: (directory) => seedStore(directory, KEYS),
    });
    return [...rows, keys];
  },
  conclude: () => [],
};

interface Start {
  readonly plan: Partial<GatewayPlan>;
  readonly seed?: (directory: string) => Promise<unknown>;
}

async function timeStarts(
  { gateway, rounds, tell }: ScenarioSetting,
  name: string,
  { plan, seed }: Start,
): Promise<Row> {
  const data = makeDirectory('start-up');
  const [startsMs, residents]: [number[], number[]] = [[], []];
  try {
    await seed?.(data);
    // The first start makes the store and the demo's customer.
    for (let each = 0; each <= rounds; each += 1) {
      const startedAt = performance.now();
      const { gateway: started, subject } = await startPinnedGateway(
        { ...gateway, upstreamOrigin: ORIGIN },
        { requests: 'all', plan: TWO_LIMITS, ...plan, data },
        () => {
          if (each > 0) startsMs.push(performance.now() - startedAt);
        },
      );
      if (each > 0) residents.push(...subject.pids.map(readResidentMb));
      await started.stop();
    }
  } finally {
    removeDirectory(data);
  }
  const numbers = { start_ms: round(median(startsMs), 0), rss_mb: round(median(residents), 0) };
  tell(`${name}: ${numbers.start_ms} ms`);
  return { name, numbers };
}

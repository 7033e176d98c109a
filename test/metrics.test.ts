import { expect, it, onTestFinished } from 'vitest';

import { GatewayCaller } from './support/gateway-caller.ts';
import { startGateway } from './support/start-gateway.ts';
import { waitFor } from './support/wait-for.ts';

const CALLS = 6;

it('OBS-17: no counter goes down when a worker dies, which Prometheus would count as a flood', async () => {
  const gateway = await startGateway({ args: ['--workers', '2'] });
  onTestFinished(async () => void (await gateway.stop()));
  const caller = new GatewayCaller(gateway);
  onTestFinished(() => caller.close());
  const weather = () =>
    caller.call({ path: '/demo/weather?city=Oslo', headers: { connection: 'close' } });
  for (let call = 0; call < CALLS; call += 1) expect((await weather()).status).toBeLessThan(500);
  const before = countersOf(await caller.metrics());
  const workers = async () => {
    const { data } = await caller.admin<{ data: { pid: number; state: string }[] }>(
      '/admin/workers',
    );
    return data;
  };
  const [first] = await workers();
  if (first === undefined) throw new Error('there is no worker');
  process.kill(first.pid, 'SIGKILL');
  await waitFor(
    async () => {
      const serving = (await workers()).filter(({ state }) => state === 'serving');
      return serving.length === 2 && serving.every(({ pid }) => pid !== first.pid);
    },
    { timeoutMs: 15_000, what: 'another worker' },
  );
  const after = countersOf(await caller.metrics());
  expect([...before.values()].some((value) => value > 0)).toBe(true);
  const fallen = [...before].filter(([series, value]) => !((after.get(series) ?? -1) >= value));
  expect(fallen).toEqual([]);
});

/** Counters, and the parts of histograms, by name and labels. */
function countersOf(text: string): ReadonlyMap<string, number> {
  const series = text.matchAll(/^(\w+_(?:total|bucket|count|sum)(?:\{.*\})?) (\S+)$/gm);
  return new Map(Array.from(series, ([, name, value]) => [String(name), Number(value)]));
}

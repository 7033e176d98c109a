// @needs nginx
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { GatewayCaller, runParallel, tally } from './support/gateway-caller.ts';
import { startGateway } from './support/start-gateway.ts';
import { type Nginx, startNginx } from './support/start-nginx.ts';
import { waitFor } from './support/wait-for.ts';

/** Requests of show 7 and GW-06. */
const REQUESTS = 1000;
const CALLERS = 16;

async function startTarget(name: string, port?: number): Promise<Nginx> {
  const nginx = await startNginx({
    server: `location / { default_type text/plain; return 200 ${name}; }`,
    ...(port === undefined ? {} : { port }),
  });
  onTestFinished(() => nginx.stop());
  return nginx;
}

/** As a crash does it: no connection is finished. The port is free when it is gone. */
async function kill(nginx: Nginx): Promise<void> {
  const pid = Number(readFileSync(join(nginx.directory, 'nginx.pid'), 'utf8'));
  process.kill(pid, 'SIGKILL');
  await nginx.stop();
}

async function start(
  targets: { heavy: Nginx; light: Nginx },
  health: string,
): Promise<GatewayCaller> {
  const config = `
version: 1
upstreams:
  pair:
    targets:
      - { url: "${targets.heavy.origin}", weight: 3 }
      - { url: "${targets.light.origin}", weight: 1 }
    health: ${health}
apis:
  pair: { upstream: pair, routes: [{ name: all, path_prefix: /work }] }
plans:
  lab: { title: Lab, price: 9.00 USD / month }
demo: { customer: { plan: lab }, credit: 1.00 USD }
`;
  const gateway = await startGateway({
    config,
    args: ['--workers', '2'],
    env: { TOLLKEEPER_LOG_LEVEL: 'error' },
  });
  onTestFinished(async () => {
    await gateway.stop();
  });
  const caller = new GatewayCaller(gateway, CALLERS);
  onTestFinished(() => caller.close());
  return caller;
}

/** Which target answered, or the status of what was no answer of theirs. */
async function ask(caller: GatewayCaller): Promise<string> {
  const { status, text } = await caller.call({ path: '/work' });
  return status === 200 ? text : String(status);
}

describe('two nginx targets, 3 : 1', () => {
  it.each([
    ['probed', '{ path: /, interval: 200ms, timeout: 500ms, unhealthy_after: 2 }'],
    ['judged by their failures alone', '{ unhealthy_after: 2 }'],
  ])(
    'show 7, GW-06: %s, they share 75/25; one is killed mid-load, and no request fails after the health window',
    async (_, health) => {
      const heavy = await startTarget('heavy');
      const light = await startTarget('light');
      const caller = await start({ heavy, light }, health);
      const shares = tally(await runParallel(REQUESTS, CALLERS, () => ask(caller)));

      // The load goes on while the target dies; what fails is kept with its time.
      let loading = true;
      const answers: { at: number; answer: string }[] = [];
      const load = runParallel(CALLERS, CALLERS, async () => {
        while (loading) {
          // oxlint-disable-next-line no-await-in-loop -- one caller makes one call at a time
          const answer = await ask(caller).catch((error: unknown) => String(error));
          answers.push({ at: performance.now(), answer });
        }
      });
      await waitFor(() => answers.length > 200, { timeoutMs: 20_000, what: 'load' });
      const killedAt = performance.now();
      await kill(heavy);
      const countAfter = (sinceMs: number): number =>
        answers.filter(({ at }) => at > killedAt + sinceMs).length;
      const windowMs = 1500;
      await waitFor(() => countAfter(windowMs) > 500, {
        timeoutMs: 30_000,
        what: 'load after the window',
      });
      loading = false;
      await load;
      const inWindow = answers.filter(({ at }) => at > killedAt && at <= killedAt + windowMs);
      const after = answers.filter(({ at }) => at > killedAt + windowMs);
      console.log({
        shares,
        in_window: tally(inWindow.map(({ answer }) => answer)),
        after_window: tally(after.map(({ answer }) => answer)),
      });

      expect(Object.keys(shares).toSorted()).toEqual(['heavy', 'light']);
      expect(shares['heavy']).toBeGreaterThanOrEqual(REQUESTS * 0.7);
      expect(shares['heavy']).toBeLessThanOrEqual(REQUESTS * 0.8);
      // Only what was under way when it died: nobody may know whether the upstream has acted on it already.
      const failed = inWindow.filter(({ answer }) => answer !== 'heavy' && answer !== 'light');
      expect(failed.length).toBeLessThanOrEqual(CALLERS);
      expect(failed.every(({ answer }) => answer === '502')).toBe(true);
      expect(tally(after.map(({ answer }) => answer))).toEqual({ light: after.length });

      // GW-06: it is used again once it is back.
      await startTarget('heavy', heavy.port);
      await waitFor(async () => (await ask(caller)) === 'heavy', {
        timeoutMs: 45_000,
        what: 'traffic to the target that is back',
      });
    },
  );
});

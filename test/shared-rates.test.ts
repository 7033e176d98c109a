// @needs redis-server
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import type { CheckLine } from '../src/cli/gateway-checks.ts';
import { startDemoApi } from '../src/server/demo/demo-api.ts';
import { type CallAnswer, GatewayCaller, runParallel, tally } from './support/gateway-caller.ts';
import { type Gateway, startGateway } from './support/start-gateway.ts';
import { freePort } from './support/free-port.ts';
import { runTollkeeper } from './support/run-command.ts';
import { type RedisServer, startRedis } from './support/start-redis.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { TEST_CERTIFICATE } from './support/test-certificate.ts';
import { waitFor } from './support/wait-for.ts';

interface Machine {
  readonly gateway: Gateway;
  readonly caller: GatewayCaller;
  readonly call: () => Promise<CallAnswer>;
  /** What `/readyz` says of rate limits. */
  readonly rateLimits: () => Promise<string>;
  readonly metric: (name: string) => Promise<number>;
}

const SHARED = 'shared by 2 processes through Redis';
const LOST = 'Redis does not answer: each process limits to its part';
const METRIC = 'tollkeeper_rate_limit';
const LOST_LINE = /Redis does not answer/g;
const FOUND_LINE = /Redis answers again/g;
const WAIT_MS = 20_000;

async function openRedis(port?: number): Promise<RedisServer> {
  const redis = await startRedis(port === undefined ? {} : { port });
  onTestFinished(() => redis.stop());
  return redis;
}

/**
 * Two gateways of one worker each that know the same customer. They have nothing in common but Redis: the second
 * one's data are a copy, made before either serves.
 */
async function startMachines(redis: RedisServer, rate: string): Promise<[Machine, Machine]> {
  const api = await startDemoApi({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => api.close());
  const config = `
version: 1
redis: ${redis.url}
upstreams: { own: { url: "${api.origin}" } }
apis:
  own: { upstream: own, routes: [{ name: status, path: /status, price: 0.000001 USD / request }] }
plans: { lab: { title: Lab, price: 9.00 USD / month, rate_limits: [${rate}] } }
demo: { customer: { plan: lab }, credit: 10.00 USD }
`;
  const directory = temporaryDirectory('machines');
  const [here, there] = [join(directory, 'one'), join(directory, 'two')];
  const first = await startGateway({ config, data: here, args: ['--workers', '1'] });
  await first.stop();
  cpSync(here, there, { recursive: true });
  const machines = await Promise.all([startMachine(config, here), startMachine(config, there)]);
  await hear(machines, SHARED);
  return machines;
}

async function startMachine(config: string, data: string): Promise<Machine> {
  const env = { TOLLKEEPER_LOG_LEVEL: 'info' };
  const gateway = await startGateway({ config, data, args: ['--workers', '1'], env });
  onTestFinished(async () => {
    await gateway.stop();
  });
  const caller = new GatewayCaller(gateway, 200);
  onTestFinished(() => caller.close());
  return {
    gateway,
    caller,
    call: () => caller.call({ path: '/status' }),
    rateLimits: async () => {
      const { parts } = await caller.admin<{ parts: { name: string; detail: string }[] }>(
        '/readyz',
      );
      return parts.find(({ name }) => name === 'rate limits')?.detail ?? '';
    },
    metric: async (name) =>
      Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(await caller.metrics())?.[1]),
  };
}

/** Waits until both say this of their rate limits. */
async function hear(machines: readonly Machine[], detail: string): Promise<void> {
  const all = async () =>
    (await Promise.all(machines.map((each) => each.rateLimits()))).every((each) => each === detail);
  await waitFor(all, { timeoutMs: WAIT_MS, what: `both gateways to say "${detail}"` });
}

/** `count` callers of each at once: the statuses they got, by machine. */
function storm(machines: readonly Machine[], count: number): Promise<CallAnswer[][]> {
  return Promise.all(machines.map((each) => runParallel(count, count, () => each.call())));
}

const statusesOf = (answers: readonly CallAnswer[]) => tally(answers.map(({ status }) => status));
const servedOf = (answers: readonly CallAnswer[]) =>
  answers.filter(({ status }) => status === 200).length;

it('QUOTA-07: of 200 callers at once at two gateways exactly the burst passes', async () => {
  const machines = await startMachines(await openRedis(), '1/day burst 40');
  const answers = await storm(machines, 100);
  console.log(answers.map(statusesOf));
  expect(statusesOf(answers.flat())).toEqual({ 200: 40, 429: 160 });
});

it('QUOTA-07: with Redis killed each gateway goes on with its half of the limit, less what it has had, and with all of it when Redis is back', async () => {
  const redis = await openRedis();
  const machines = await startMachines(redis, '1/day burst 40');
  const [one] = machines;
  const before = await runParallel(7, 1, () => one.call());
  expect(statusesOf(before)).toEqual({ 200: 7 });

  await redis.kill();
  const [here = [], there = []] = await storm(machines, 100);
  await hear(machines, LOST);
  console.log([here, there].map(statusesOf));
  expect(servedOf(there)).toBe(20);
  expect(servedOf([...before, ...here])).toBeLessThanOrEqual(20);
  expect(Object.keys(statusesOf([...here, ...there])).toSorted()).toEqual(['200', '429']);
  expect((await one.caller.admin<{ status: string }>('/readyz')).status).toBe('ready');
  const numbers = machines.map(({ metric }) =>
    Promise.all([metric(`${METRIC}s_shared`), metric(`${METRIC}_processes`)]),
  );
  expect(await Promise.all(numbers)).toEqual(machines.map(() => [0, 2]));

  // The new one knows of nothing that was taken.
  await openRedis(redis.port);
  await hear(machines, SHARED);
  expect(statusesOf((await storm(machines, 100)).flat())).toEqual({ 200: 40, 429: 160 });
  const lost = await Promise.all(machines.map(({ metric }) => metric(`${METRIC}s_lost_total`)));
  for (const [index, { gateway }] of machines.entries()) {
    const losses = lost[index];
    // A line for each change, however many calls met it.
    const lines = [LOST_LINE, FOUND_LINE].map((line) => gateway.program.stderr.match(line)?.length);
    expect(losses).toBeGreaterThan(0);
    expect(lines).toEqual([losses, losses]);
  }
});

it('QUOTA-07: under load, with Redis stopped in the middle of it: no call fails, the rate is kept, and Redis is used again', async () => {
  const redis = await openRedis();
  const machines = await startMachines(redis, '20/s burst 20');
  const startedMs = performance.now();
  const answers: CallAnswer[] = [];
  let running = true;
  const load = machines.flatMap((machine) =>
    Array.from({ length: 4 }, async () => {
      while (running) {
        // oxlint-disable-next-line no-await-in-loop -- one caller makes one call at a time
        answers.push(await machine.call());
      }
    }),
  );
  /** Waits for so many answers more, with some among them that were served; how many those are. */
  const watch = async (count: number): Promise<number> => {
    const from = answers.length;
    const enough = () => answers.length >= from + count && servedOf(answers.slice(from)) >= 5;
    await waitFor(enough, { timeoutMs: WAIT_MS, what: `${count} answers, 5 of them served` });
    return servedOf(answers.slice(from));
  };
  const shared = await watch(500);
  redis.pause();
  onTestFinished(() => redis.resume());
  await hear(machines, LOST);
  const local = await watch(2000);
  redis.resume();
  await hear(machines, SHARED);
  const again = await watch(500);
  running = false;
  await Promise.all(load);
  const seconds = (performance.now() - startedMs) / 1000;
  const served = servedOf(answers);
  console.log({ seconds, ...statusesOf(answers), shared, local, again });
  expect(Object.keys(statusesOf(answers)).toSorted()).toEqual(['200', '429']);
  // Three stretches (shared, parts, shared): a burst for each, and what time brings.
  expect(served).toBeLessThanOrEqual(3 * 20 + 20 * seconds);
});

it('doctor tells whether Redis answers, with TLS and a password, which it does not show', async () => {
  const directory = temporaryDirectory('doctor');
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const [cert, key] = [
    file('cert.pem', TEST_CERTIFICATE.cert),
    file('key.pem', TEST_CERTIFICATE.key),
  ];
  const port = await freePort();
  const tls = ['--tls-port', String(port), '--tls-auth-clients', 'no', '--requirepass', 's3cret'];
  const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert];
  const redis = await startRedis({ port: 0, args: [...tls, ...files] });
  onTestFinished(() => redis.stop());
  const config = file('tollkeeper.yaml', 'version: 1\nredis: ${REDIS_URL}\n');
  const ask = async (password: string, ca: string | undefined): Promise<CheckLine | undefined> => {
    const env = {
      REDIS_URL: `rediss://:${password}@localhost:${port}/0`,
      NODE_EXTRA_CA_CERTS: ca,
    };
    const admin = 'http://127.0.0.1:9';
    const args = ['doctor', '--json', '--config', config, '--admin', admin, '--data', directory];
    const { stdout, stderr } = await runTollkeeper(args, { env });
    expect(stdout + stderr).not.toContain(password);
    const { checks } = JSON.parse(stdout) as { checks: CheckLine[] };
    return checks.find(({ name }) => name === 'redis');
  };
  const address = `rediss://localhost:${port}`;
  expect(await ask('s3cret', cert)).toEqual({
    name: 'redis',
    status: 'ok',
    detail: `${address} answers`,
  });
  const failed = { name: 'redis', status: 'fail' };
  const refused = await ask('wr0ng', cert);
  expect(refused).toMatchObject({ ...failed, detail: expect.stringContaining('WRONGPASS') });
  const stranger = await ask('s3cret', undefined);
  expect(stranger).toMatchObject({ ...failed, detail: expect.stringContaining('self-signed') });
  await redis.stop();
  const gone = await ask('s3cret', cert);
  expect(gone).toMatchObject({ ...failed, detail: expect.stringContaining('ECONNREFUSED') });
});

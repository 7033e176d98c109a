// @needs redis-server
import { readFileSync } from 'node:fs';

import { describe, expect, it, onTestFinished } from 'vitest';
import { Redis } from 'ioredis';

import { freePort } from '../../../test/support/free-port.ts';
import { type RedisServer, startRedis } from '../../../test/support/start-redis.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import { describeRates } from '../rate-store.conformance.ts';
import { failure, T0 } from '../store-fixture.conformance.ts';
import { RedisRates, type RedisRatesOptions } from './redis-rates.ts';

const READY_WAIT_MS = 5000;
let lastProcess = 0;

async function connect(url: string, options: Partial<RedisRatesOptions> = {}): Promise<RedisRates> {
  lastProcess += 1;
  const process = `own_${lastProcess}`;
  const rates = RedisRates.open({ url, prefix: 'tk', process, time: 'caller', ...options });
  await rates.waitUntilReady(READY_WAIT_MS);
  return rates;
}

describe('redis', () => {
  describeRates(async () => {
    const server = await startRedis();
    return { connect: () => connect(server.url), dispose: () => server.stop() };
  });
});

/** A server and what looks into it; both end with the running test. */
async function openServer(
  args: readonly string[] = [],
  password?: string,
): Promise<{ server: RedisServer; redis: Redis }> {
  const server = await startRedis({ args });
  onTestFinished(() => server.stop());
  const redis = new Redis(server.url, password === undefined ? {} : { password });
  onTestFinished(() => redis.disconnect());
  redis.on('error', () => undefined);
  return { server, redis };
}

async function open(url: string, options: Partial<RedisRatesOptions> = {}): Promise<RedisRates> {
  const rates = await connect(url, options);
  onTestFinished(() => rates.close());
  return rates;
}

const bucket = { bucketId: 'rate', count: 10, periodMs: 1000, burst: 5, want: 1 };
const unavailable = failure('unavailable');

describe('shared buckets in Redis', () => {
  it('goes by the time of Redis: callers whose clocks are a day apart share one bucket', async () => {
    const { server } = await openServer();
    const rates = await open(server.url, { time: 'redis' });
    const slow = { ...bucket, count: 1, periodMs: 86_400_000 };
    expect(await rates.takeRate([{ ...slow, want: 5 }], T0)).toMatchObject([{ granted: 5 }]);
    expect(await rates.takeRate([slow], T0 + 86_400_000)).toMatchObject([{ granted: 0 }]);
    expect(await rates.takeRate([slow], T0 - 86_400_000)).toMatchObject([{ granted: 0 }]);
  });

  it('nothing stays for ever: a bucket goes a minute after it is full, the list of processes a minute after the last', async () => {
    const { server, redis } = await openServer();
    const rates = await open(server.url);
    await rates.takeRate(
      [
        { ...bucket, want: 5 },
        { ...bucket, bucketId: 'idle', want: 0 },
      ],
      T0,
    );
    await rates.beat();
    expect((await redis.keys('*')).toSorted()).toEqual(['{tk}:processes', '{tk}:rate']);
    for (const [key, mostMs] of [
      ['{tk}:rate', 60_500],
      ['{tk}:processes', 60_000],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- two of them
      const leftMs = await redis.pttl(key);
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThanOrEqual(mostMs);
    }
  });

  it('a node of a cluster takes several buckets in one call: all keys are in one slot', async () => {
    const { server, redis } = await openServer(['--cluster-enabled', 'yes']);
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    const isUp = async () => String(await redis.cluster('INFO')).includes('cluster_state:ok');
    await waitFor(isUp, { timeoutMs: READY_WAIT_MS, what: 'the cluster of one' });
    const rates = await open(server.url);
    const results = await rates.takeRate([bucket, { ...bucket, bucketId: 'other{x}' }], T0);
    expect(results).toMatchObject([{ granted: 1 }, { granted: 1 }]);
  });

  it('a script that Redis has forgotten is sent again', async () => {
    const { server, redis } = await openServer();
    const rates = await open(server.url);
    await rates.takeRate([bucket], T0);
    await redis.script('FLUSH');
    expect(await rates.takeRate([bucket], T0)).toMatchObject([{ granted: 1, remaining: 3 }]);
  });

  it('counts the processes that live, until they leave', async () => {
    const { server } = await openServer();
    const [one, other] = [await open(server.url), await connect(server.url)];
    expect([await one.beat(), await other.beat(), await one.beat()]).toEqual([1, 2, 2]);
    await other.close();
    expect(await one.beat()).toBe(1);
  });

  it('a process that is silent for 5 s by the clock of Redis no longer counts', async () => {
    const { server, redis } = await openServer();
    const rates = await open(server.url);
    const [seconds] = await redis.time();
    await redis.zadd('{tk}:processes', Number(seconds) * 1000 - 6000, 'own_gone');
    await redis.zadd('{tk}:processes', Number(seconds) * 1000, 'own_here');
    expect(await rates.beat()).toBe(2);
  });

  it('a password and a database of the URL are used', async () => {
    const { server, redis } = await openServer(['--requirepass', 's3cret'], 's3cret');
    const rates = await open(`redis://:s3cret@127.0.0.1:${server.port}/3`);
    await rates.takeRate([bucket], T0);
    await redis.select(3);
    expect(await redis.keys('*')).toEqual(['{tk}:rate']);
  });

  it('the commands that docs/guides/redis.md lists for an ACL suffice', async () => {
    const { server, redis } = await openServer();
    const guide = readFileSync(new URL('../../../docs/guides/redis.md', import.meta.url), 'utf8');
    const lists = /`(EVAL [A-Z ]+)`, for the\s+connection `([A-Z ]+)`/.exec(guide)?.slice(1) ?? [];
    const commands = lists.join(' ').toLowerCase().split(' ');
    expect(commands.length).toBeGreaterThan(10);
    const allowed = commands.map((command) => `+${command}`);
    await redis.call('ACL', 'SETUSER', 'gate', 'on', '>s3cret', '~{tk}:*', ...allowed);
    const rates = await connect(`redis://gate:s3cret@127.0.0.1:${server.port}`);
    expect(await rates.beat()).toBe(1);
    expect(await rates.takeRate([bucket], T0)).toMatchObject([{ granted: 1 }]);
    await rates.close();
    expect(await redis.zcard('{tk}:processes')).toBe(0);
    expect(await redis.acl('LOG')).toEqual([]);
  });

  it('a wrong password is told without showing it', async () => {
    const { server } = await openServer(['--requirepass', 's3cret'], 's3cret');
    const rates = RedisRates.open({
      url: `redis://:wr0ng@127.0.0.1:${server.port}`,
      prefix: 'tk',
      process: 'own',
      time: 'redis',
    });
    onTestFinished(() => rates.close());
    const told = await waitFor(() => errorOf(rates, 'WRONGPASS'), {
      timeoutMs: READY_WAIT_MS,
      what: 'the refusal of the password',
    });
    expect(JSON.stringify([told.message, told.stack, Object.entries(told)])).not.toContain('wr0ng');
  });
});

/** The error of a call, once its message contains the text. */
async function errorOf(rates: RedisRates, text: string): Promise<Error | undefined> {
  const outcome = await rates.takeRate([bucket], T0).catch((error: unknown) => error);
  return outcome instanceof Error && outcome.message.includes(text) ? outcome : undefined;
}

describe('a Redis that is lost', () => {
  it('is not there at the start: it is used once it is', async () => {
    const port = await freePort();
    const rates = RedisRates.open({
      url: `redis://127.0.0.1:${port}`,
      prefix: 'tk',
      process: 'own',
      time: 'caller',
    });
    onTestFinished(() => rates.close());
    await waitFor(() => errorOf(rates, 'ECONNREFUSED'), { timeoutMs: 5000, what: 'the refusal' });
    const late = await startRedis({ port });
    onTestFinished(() => late.stop());
    const answer = await waitFor(() => rates.takeRate([bucket], T0).catch(() => undefined), {
      timeoutMs: 10_000,
      what: 'the connection',
    });
    expect(answer).toMatchObject([{ granted: 1, remaining: 4 }]);
  });

  it('refuses connections: calls fail at once, and work again when it is back', async () => {
    const { server } = await openServer();
    const rates = await open(server.url);
    await rates.takeRate([bucket], T0);
    await server.kill();
    await waitFor(() => errorOf(rates, 'ECONNREFUSED'), { timeoutMs: 5000, what: 'the loss' });
    const again = await startRedis({ port: server.port });
    onTestFinished(() => again.stop());
    const answer = await waitFor(() => rates.takeRate([bucket], T0).catch(() => undefined), {
      timeoutMs: 10_000,
      what: 'the reconnection',
    });
    expect(answer).toMatchObject([{ granted: 1, remaining: 4 }]);
  });

  it('is silent: calls under way and later ones fail while it is, none is kept for later, and it is used again', async () => {
    const { server, redis } = await openServer();
    const rates = await open(server.url);
    await rates.takeRate([bucket], T0);
    server.pause();
    const calls = await Promise.allSettled(
      Array.from({ length: 3 }, () => rates.takeRate([bucket], T0)),
    );
    expect(calls.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    // The connection is given up, or every later call would wait in its queue.
    await waitFor(() => errorOf(rates, 'Socket timeout'), {
      timeoutMs: 5000,
      what: 'giving it up',
    });
    server.resume();
    await waitFor(() => rates.takeRate([bucket], T0 + 10_000).catch(() => undefined), {
      timeoutMs: 10_000,
      what: 'the reconnection',
    });
    // What was asked before may have been counted late; nothing was asked twice.
    const stored = String(await redis.get('{tk}:rate')).split(' ');
    expect(Number(stored[0])).toBeLessThanOrEqual(5);
  });

  it('has become a replica: calls fail, and work again once it writes', async () => {
    const { server, redis } = await openServer();
    const rates = await open(server.url);
    await redis.replicaof('127.0.0.1', 1);
    await expect(rates.beat()).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('READONLY'),
    });
    await redis.call('REPLICAOF', 'NO', 'ONE');
    const processes = await waitFor(() => rates.beat().catch(() => undefined), {
      timeoutMs: 10_000,
      what: 'the server to write',
    });
    expect(processes).toBe(1);
  });

  it('answers with an error (out of memory): the call fails with its words', async () => {
    const { server, redis } = await openServer();
    const rates = await open(server.url);
    await redis.config('SET', 'maxmemory', '1');
    await expect(rates.takeRate([bucket], T0)).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('OOM'),
    });
  });
});

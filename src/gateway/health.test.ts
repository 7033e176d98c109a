import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { waitFor } from '../../test/support/wait-for.ts';
import type { HealthCheck } from '../domain/catalog.ts';
import { UpstreamPool } from './balancer.ts';
import { startHealthProbes } from './health.ts';
import { createUndiciClient } from './undici/undici-client.ts';

const WAIT_MS = 10_000;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function startTarget(answer: (response: ServerResponse, path: string) => void) {
  const server = createServer((request, response) => answer(response, request.url ?? ''));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/base`, weight: 1 };
}

function probe(targets: { url: string; weight: number }[], health: Partial<HealthCheck> = {}) {
  const pool = new UpstreamPool({
    upstream: {
      id: 'up',
      targets,
      credentials: [{ name: 'authorization', value: 'secret' }],
      health: {
        path: '/healthz',
        intervalMs: 20,
        timeoutMs: 2_000,
        unhealthyAfter: 2,
        healthyAfter: 1,
        ...health,
      },
    },
    clock: { now: Date.now, monotonicMs: () => performance.now() },
  });
  const client = createUndiciClient();
  const prober = startHealthProbes([pool], client);
  cleanups.push(() => {
    prober.stop();
    return client.close();
  });
  const becomes = (...healthy: boolean[]): Promise<unknown> =>
    waitFor(() => pool.readHealth().every((state, index) => state.healthy === healthy[index]), {
      timeoutMs: WAIT_MS,
      what: `health ${healthy.join()}`,
    });
  return { pool, prober, becomes };
}

describe('active probes (GW-06)', () => {
  it('take a target out when it answers badly and back in when it is well', async () => {
    let status = 200;
    const paths = new Set<string>();
    const changing = await startTarget((response, path) => {
      paths.add(path);
      response.writeHead(status).end();
    });
    const steady = await startTarget((response) => response.writeHead(204).end());
    const { pool, becomes } = probe([changing, steady]);
    await becomes(true, true);
    status = 503;
    await becomes(false, true);
    expect(pool.pick(undefined)).toBe(steady);
    status = 200;
    await becomes(true, true);
    expect([...paths]).toEqual(['/base/healthz']);
  });

  it('count a target that cannot be reached, and one that stays silent, as bad', async () => {
    const silent = await startTarget(() => {});
    const { becomes, pool } = probe([{ url: 'http://127.0.0.1:1', weight: 1 }, silent], {
      timeoutMs: 50,
    });
    await becomes(false, false);
    expect(pool.pick(undefined)).toBeUndefined();
  });

  it('never ask a target again before it has answered', async () => {
    let open = 0;
    let openMost = 0;
    let asked = 0;
    const slow = await startTarget((response) => {
      asked += 1;
      open += 1;
      openMost = Math.max(openMost, open);
      setTimeout(() => {
        open -= 1;
        response.end();
      }, 30);
    });
    probe([slow], { intervalMs: 1 });
    await waitFor(() => asked >= 4, { timeoutMs: WAIT_MS, what: 'four probes' });
    expect(openMost).toBe(1);
  });

  it('end with stop()', async () => {
    const held: ServerResponse[] = [];
    const target = await startTarget((response) => held.push(response));
    const { prober, pool } = probe([target], { unhealthyAfter: 1 });
    await waitFor(() => held.length === 1, { timeoutMs: WAIT_MS, what: 'a probe' });
    prober.stop();
    await waitFor(() => held[0]?.destroyed, {
      timeoutMs: WAIT_MS,
      what: 'the probe to be dropped',
    });
    expect(pool.readHealth()[0]?.healthy).toBe(true);
    expect(held).toHaveLength(1);
  });
});

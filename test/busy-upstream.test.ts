import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, it, onTestFinished } from 'vitest';

import { GatewayCaller } from './support/gateway-caller.ts';
import { startGateway } from './support/start-gateway.ts';
import { waitFor } from './support/wait-for.ts';

/** Far more answers at once than a client of HTTP usually keeps connections for. */
const STREAMS = 600;
const WAIT_MS = 10_000;

interface Upstream {
  readonly origin: string;
  /** Answers that have begun and do not end by themselves. */
  readonly streams: ServerResponse[];
  readonly probes: () => number;
}

async function startUpstream(): Promise<Upstream> {
  const streams: ServerResponse[] = [];
  let probes = 0;
  const server = createServer((request, response) => {
    if (request.url === '/health') probes += 1;
    if (request.url === '/stream') {
      response.write('begun');
      streams.push(response);
    } else response.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, streams, probes: () => probes };
}

async function startCaller(origin: string, http: string): Promise<GatewayCaller> {
  const config = `
version: 1
server: { http: ${http} }
upstreams:
  one:
    url: "${origin}"
    health: { path: /health, interval: 100ms, timeout: 500ms, unhealthy_after: 2 }
apis:
  one: { upstream: one, routes: [{ name: all, path_prefix: / }] }
plans:
  lab: { title: Lab, price: 9.00 USD / month }
demo: { customer: { plan: lab }, credit: 1.00 USD }
`;
  const gateway = await startGateway({
    config,
    args: ['--workers', '1'],
    env: { TOLLKEEPER_LOG_LEVEL: 'error' },
  });
  onTestFinished(async () => {
    await gateway.stop();
  });
  const caller = new GatewayCaller(gateway, STREAMS + 1);
  onTestFinished(() => caller.close());
  return caller;
}

it.each(['sockets', 'node'])(
  'GW-06, %s: an upstream with hundreds of long answers under way is probed beside them, and nobody waits for their end',
  async (http) => {
    const { origin, streams, probes } = await startUpstream();
    const caller = await startCaller(origin, http);
    const running = Array.from({ length: STREAMS }, () => caller.call({ path: '/stream' }));
    await waitFor(() => streams.length === STREAMS, { timeoutMs: WAIT_MS, what: 'the streams' });
    const before = probes();
    await waitFor(() => probes() > before + 5, { timeoutMs: WAIT_MS, what: 'further probes' });
    expect(await caller.call({ path: '/other' })).toMatchObject({ status: 200, text: 'ok' });
    for (const stream of streams) stream.end();
    const served = await Promise.all(running);
    expect(new Set(served.map(({ status, text }) => `${status} ${text}`))).toEqual(
      new Set(['200 begun']),
    );
  },
);

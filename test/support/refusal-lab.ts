import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { loadConfig } from '../../src/server/config/load-config.ts';
import type { Catalog } from '../../src/domain/catalog.ts';
import { startDemoApi } from '../../src/server/demo/demo-api.ts';
import { startEchoModel } from '../../src/server/demo/echo-model.ts';
import { GatewayCaller } from './gateway-caller.ts';
import { freePort } from './free-port.ts';
import { startGateway, type Gateway } from './start-gateway.ts';

/** A gateway with a way into every refusal of the request path. */
export interface RefusalLab {
  readonly gateway: Gateway;
  readonly caller: GatewayCaller;
  /** What the gateway's configuration compiles to, for deciding again. */
  readonly catalog: Catalog;
  /** Requests that reached any upstream. */
  countUpstream(): number;
  close(): Promise<void>;
}

export const BODY_BYTES_MAX = 1024;
export const STORM_PER_MINUTE = 5;

export async function startRefusalLab(): Promise<RefusalLab> {
  const api = await startDemoApi({ host: '127.0.0.1', port: 0 });
  const model = await startEchoModel({ host: '127.0.0.1', port: 0 });
  const odd = await startOddUpstreams();
  const config = renderConfig({
    ...odd.ports,
    api: api.origin,
    model: model.origin,
    dead: await freePort(),
  });
  const loaded = loadConfig({ text: config, file: 'tollkeeper.yaml' }, { env: {} });
  if (loaded.kind === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  const gateway = await startGateway({
    config,
    args: ['--workers', '2'],
    env: { TOLLKEEPER_LOG_LEVEL: 'error', TOLLKEEPER_CLOCK: '2026-11-15T12:00:00Z' },
  });
  const caller = new GatewayCaller(gateway);
  return {
    gateway,
    caller,
    catalog: loaded.config.catalog,
    countUpstream: () => api.requestCount + model.requestCount + odd.count(),
    async close() {
      caller.close();
      await gateway.stop();
      await Promise.all([api.close(), model.close(), odd.close()]);
    },
  };
}

interface Places {
  readonly api: string;
  readonly model: string;
  /** Ports of 127.0.0.1. */
  readonly dead: number;
  readonly broken: number;
  readonly silent: number;
  readonly unpaid: number;
}

function renderConfig(places: Places): string {
  const upstream = (name: 'dead' | 'broken' | 'silent' | 'unpaid') =>
    `  ${name}: { url: "http://127.0.0.1:${places[name]}" }`;
  const model = `provider: echo, upstream_model: echo-1, max_output_tokens: 64, price: { input: 1.00 USD / 1M tokens, output: 2.00 USD / 1M tokens }`;
  return `
version: 1
retry_storm_per_minute: ${STORM_PER_MINUTE}
upstreams:
  own: { url: "${places.api}" }
${upstream('dead')}
${upstream('broken')}
${upstream('silent')}
${upstream('unpaid')}
providers:
  echo: { base_url: "${places.model}/v1" }
models:
  m: { context_window: 256, ${model} }
  big: { context_window: 4096, ${model} }
  secret: { context_window: 4096, ${model} }
apis:
  llm: { type: llm }
  own:
    upstream: own
    routes:
      - { name: status, path: /status, methods: [GET], price: 0.001 USD / request }
      - { name: enrich, path: /enrich, methods: [POST], price: 0.001 USD / request, body_max: 1KiB }
      - { name: reports, path_prefix: /lookup, feature: reports, price: 0.001 USD / request }
      - { name: vault, path: /weather, feature: vault, price: 0.001 USD / request }
      - { name: dead, path: /dead, upstream: dead, price: 0.001 USD / request }
      - { name: broken, path: /broken, upstream: broken, price: 0.001 USD / request }
      - { name: silent, path: /silent, upstream: silent, price: 0.001 USD / request, timeouts: { headers: 200ms } }
      - { name: unpaid, path: /unpaid, upstream: unpaid, price: 0.001 USD / request }
plans:
  open: { title: Open, price: 9.00 USD / month, models: [m] }
  few: { title: Few, price: 9.00 USD / month, models: [m], limits: [{ requests: 1, per: month }] }
  gratis: { title: Gratis, price: free, models: [m], limits: [{ requests: 1, per: month }] }
  wordy: { title: Wordy, price: 9.00 USD / month, models: [m], limits: [{ tokens: 20, per: day }] }
  thrifty: { title: Thrifty, price: 9.00 USD / month, models: [m], limits: [{ spend: 0.0015 USD, per: month }] }
  hasty: { title: Hasty, price: 9.00 USD / month, models: [m], rate_limits: [1/min burst 1] }
  both:
    title: Both
    price: 9.00 USD / month
    models: [m]
    limits: [{ requests: 1, per: month }]
    rate_limits: [1/min burst 1]
  bigger: { title: Bigger, price: 99.00 USD / month, models: [m, big], features: [reports] }
  private: { title: Private, price: 999.00 USD / month, features: [reports, vault], on_sale: false }
packs:
  small: { title: Small, price: 5.00 USD, credit: 5.00 USD }
demo: { customer: { plan: open }, credit: 1.00 USD }
`;
}

/** Upstreams that break off, that never answer, and that want money themselves. */
export async function startOddUpstreams() {
  let requests = 0;
  const sockets = new Set<Socket>();
  const watch = (server: Server | HttpServer): void => {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    });
  };
  const broken = createServer((socket) => {
    socket.once('data', () => {
      requests += 1;
      socket.destroy();
    });
  });
  const silent = createServer((socket) => {
    socket.once('data', () => {
      requests += 1;
    });
  });
  const unpaid = createHttpServer((_request, response) => {
    requests += 1;
    response.writeHead(402, { 'content-type': 'text/plain' }).end('pay me, gateway');
  });
  const servers = [broken, silent, unpaid];
  for (const server of servers) watch(server);
  const [brokenPort = 0, silentPort = 0, unpaidPort = 0] = await Promise.all(
    servers.map(listenLocally),
  );
  return {
    ports: { broken: brokenPort, silent: silentPort, unpaid: unpaidPort },
    count: () => requests,
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
    },
  };
}

function listenLocally(server: Server | HttpServer): Promise<number> {
  return new Promise((listening) => {
    server.listen(0, '127.0.0.1', () => listening((server.address() as AddressInfo).port));
  });
}

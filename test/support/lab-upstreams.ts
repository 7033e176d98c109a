import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { startDemoApi } from '../../src/server/demo/demo-api.ts';
import { startEchoModel } from '../../src/server/demo/echo-model.ts';
import { freePort } from './free-port.ts';

/** Where the upstreams of a lab are. */
export interface LabPlaces {
  /** Origins. */
  readonly api: string;
  readonly model: string;
  /** Ports of 127.0.0.1. */
  readonly dead: number;
  readonly broken: number;
  readonly silent: number;
  readonly unpaid: number;
}

export interface LabUpstreams {
  readonly places: LabPlaces;
  /** Requests that reached any of them. */
  count(): number;
  close(): Promise<void>;
}

/** A good API, a good model, and upstreams that are good for a refusal. */
export async function startLabUpstreams(): Promise<LabUpstreams> {
  const api = await startDemoApi({ host: '127.0.0.1', port: 0 });
  const model = await startEchoModel({ host: '127.0.0.1', port: 0 });
  const odd = await startOddUpstreams();
  return {
    places: { ...odd.ports, api: api.origin, model: model.origin, dead: await freePort() },
    count: () => api.requestCount + model.requestCount + odd.count(),
    async close() {
      await Promise.all([api.close(), model.close(), odd.close()]);
    },
  };
}

/** Their part of a configuration: upstreams by their names here, and the provider `echo`. */
export function renderUpstreams(places: LabPlaces): string {
  const odd = (['dead', 'broken', 'silent', 'unpaid'] as const).map(
    (name) => `  ${name}: { url: "http://127.0.0.1:${places[name]}" }`,
  );
  return `upstreams:
  own: { url: "${places.api}" }
${odd.join('\n')}
providers:
  echo: { base_url: "${places.model}/v1" }`;
}

/** Upstreams that break off, that never answer, and that want money themselves. */
async function startOddUpstreams() {
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

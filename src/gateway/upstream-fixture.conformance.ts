import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { afterEach } from 'vitest';

import { waitFor } from '../../test/support/wait-for.ts';
import type { BodySink, InboundRequest } from './listener.ts';
import type {
  UpstreamClient,
  UpstreamClientOptions,
  UpstreamFailure,
  UpstreamRequest,
} from './upstream.ts';

export const WAIT_MS = 10_000;

const servers: { server: Server; sockets: Set<Socket> }[] = [];

export interface Upstream {
  readonly origin: string;
  /** Connections accepted so far, closed ones too. */
  readonly accepted: () => number;
  readonly open: () => number;
  readonly closed: () => number;
  /** From now on a connection is refused; those there are stay. */
  readonly stopAccepting: () => void;
}

export async function listen(server: Server): Promise<Upstream> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket: Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  servers.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    accepted: () => accepted,
    open: () => sockets.size,
    closed: () => accepted - sockets.size,
    stopAccepting: () => server.close(),
  };
}

export function startHttp(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Upstream> {
  return listen(createServer(handle));
}

/** An upstream that says exactly these bytes once it has a request's head. */
export function startRaw(say: (socket: Socket) => void): Promise<Upstream> {
  return listen(
    createTcpServer((socket) => {
      let said = false;
      socket.on('data', () => {
        if (!said) say(socket);
        said = true;
      });
    }),
  );
}

export interface Outcome {
  status: number;
  headers: readonly string[];
  body: string;
  ended: boolean;
  failure: UpstreamFailure | undefined;
  readonly abort: () => void;
  readonly resume: () => void;
  readonly done: Promise<void>;
}

export function call(
  client: UpstreamClient,
  request: Partial<UpstreamRequest> & { origin: string },
  onChunk: (chunk: Buffer) => boolean = () => true,
): Outcome {
  let settle = (): void => {};
  const done = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const outcome: Outcome = {
    status: 0,
    headers: [],
    body: '',
    ended: false,
    failure: undefined,
    abort: () => handle.abort(),
    resume: () => handle.resume(),
    done,
  };
  const handle = client.send(
    {
      method: 'GET',
      path: '/',
      headers: [],
      body: undefined,
      connectTimeoutMs: 5_000,
      headersTimeoutMs: 5_000,
      idleTimeoutMs: 5_000,
      ...request,
    },
    {
      onHead: (status, headers) => {
        outcome.status = status;
        outcome.headers = headers;
      },
      onChunk: (chunk) => {
        outcome.body += chunk.toString('latin1');
        return onChunk(chunk);
      },
      onEnd: () => {
        outcome.ended = true;
        settle();
      },
      onFailure: (failure) => {
        outcome.failure = failure;
        settle();
      },
    },
  );
  return outcome;
}

/** A call whose reader has to think about each chunk, longer than the upstream's last words take to arrive. */
export async function takeSlowly(client: UpstreamClient, origin: string): Promise<Outcome> {
  let chunks = 0;
  const outcome = call(client, { origin }, () => {
    chunks += 1;
    return false;
  });
  await waitFor(() => chunks > 0, { timeoutMs: WAIT_MS, what: 'the first chunk' });
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  await waitFor(
    () => {
      outcome.resume();
      return outcome.ended || outcome.failure;
    },
    { timeoutMs: WAIT_MS, what: 'the end' },
  );
  return outcome;
}

/** A client body under the test's control: what node-http/ gives, without a socket. */
export class ScriptedBody implements InboundRequest {
  readonly method = 'POST';
  readonly target = '/';
  readonly headers = [];
  readonly remoteAddress = '';
  readonly secure = false;
  readonly contentLength: number;
  sink: BodySink | undefined = undefined;
  pauses = 0;
  resumes = 0;

  constructor(contentLength: number) {
    this.contentLength = contentLength;
  }

  readBody(sink: BodySink): void {
    this.sink = sink;
  }
  pauseBody(): void {
    this.pauses += 1;
  }
  resumeBody(): void {
    this.resumes += 1;
  }
  async begun(): Promise<BodySink> {
    return waitFor(() => this.sink, { timeoutMs: WAIT_MS, what: 'readBody' });
  }
}

export type CreateClient = (options?: UpstreamClientOptions) => UpstreamClient;

/** Makes clients of one adapter; they and the upstreams end with the test. To be called once per describe. */
export function openClientLab(
  create: (options: UpstreamClientOptions) => UpstreamClient,
): CreateClient {
  const clients: UpstreamClient[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    for (const { server, sockets } of servers.splice(0)) {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  });
  return (options = {}) => {
    const client = create(options);
    clients.push(client);
    return client;
  };
}

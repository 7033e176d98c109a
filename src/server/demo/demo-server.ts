import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

export interface DemoServerOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
}

export interface DemoServer {
  /** `http://127.0.0.1:49321`. */
  readonly origin: string;
  /** Requests that have arrived, health checks apart: what a gateway in front has let through. */
  readonly requestCount: number;
  /** Lets running answers finish for a second, then breaks them. */
  close(): Promise<void>;
}

/** Rejections are answered with 500. */
export type DemoHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const CLOSE_GRACE_MS = 1_000;
const BODY_BYTES_MAX = 16 * 1024 * 1024;
const HEADER_BYTES_MAX = 64 * 1024;

/** Listens; `GET /healthz` answers by itself. */
export async function startDemoServer(
  options: DemoServerOptions,
  handle: DemoHandler,
): Promise<DemoServer> {
  const counter = { requests: 0 };
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX }, (request, response) => {
    if (request.url === '/healthz') {
      sendJson(response, 200, { status: 'ok' });
      return;
    }
    counter.requests += 1;
    handle(request, response).catch(() => failAnswer(response));
  });
  // A gateway keeps its connections; one closed here while it sends would look like a failure.
  server.keepAliveTimeout = 60_000;
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const origin = `http://${options.host}:${readPort(server)}`;
  return {
    origin,
    get requestCount() {
      return counter.requests;
    },
    close: () => closeServer(server),
  };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** The whole body; undefined when it is longer than 16 MiB or breaks off. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      // Read on without keeping it: to stop here would break the connection before the answer.
      if (bytes > BODY_BYTES_MAX) chunks.length = 0;
      else chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return bytes > BODY_BYTES_MAX ? undefined : Buffer.concat(chunks);
}

/** Writes, and waits while the reader is slow; false = it is gone. */
export async function writeChunk(
  response: ServerResponse,
  chunk: string | Buffer,
): Promise<boolean> {
  if (response.destroyed) return false;
  if (response.write(chunk)) return true;
  await new Promise<void>((resolve) => {
    const go = () => {
      response.off('drain', go);
      response.off('close', go);
      resolve();
    };
    response.on('drain', go);
    response.on('close', go);
  });
  return !response.destroyed;
}

function failAnswer(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
  else
    sendJson(response, 500, { error: { message: 'the demo server failed', type: 'server_error' } });
}

function readPort(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  await closed;
  clearTimeout(timer);
}

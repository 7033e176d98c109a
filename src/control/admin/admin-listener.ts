import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';

import type { AdminEnv } from './admin-deps.ts';

const HEADER_BYTES_MAX = 16 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const CONNECTIONS_MAX = 256;

export interface AdminListener {
  readonly address: AddressInfo;
  /** Lets running answers finish until `deadlineMs` from now, then breaks the rest. */
  close(deadlineMs: number): Promise<void>;
}

/** Serves the admin app. Port 0 = any free one. Rejects with `code` EADDRINUSE when the port is taken. */
export async function listenAdmin(
  app: Hono<AdminEnv>,
  options: { readonly host: string; readonly port: number },
): Promise<AdminListener> {
  const handle = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
    },
    (incoming, outgoing) => void handle(incoming, outgoing),
  );
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('the admin listener has no address');
  return {
    address,
    async close(deadlineMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), deadlineMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

import { createNodeHttpListener } from '../src/gateway/node-http/node-http-listener.ts';
import { createUndiciClient } from '../src/gateway/undici/undici-client.ts';
import { createBareForward } from './bare-forward.ts';

/**
 * Bare forwarding as a process of its own: `node bare-forward-process.js <origin> [port]`. Prints one line,
 * `{"port": n, "pid": n}`, when it serves, and on SIGUSR2
 * its resident set in bytes, now and at its highest, as `{"rss": n, "peak": n}`.
 */
const [origin, port = '0'] = process.argv.slice(2);
if (origin === undefined) throw new Error('usage: bare-forward-process <http://host:port> [port]');

const client = createUndiciClient();
const listener = createNodeHttpListener(
  {
    host: '127.0.0.1',
    port: Number(port),
    tls: undefined,
    headerBytesMax: 32 * 1024,
    headersTimeoutMs: 10_000,
    keepAliveTimeoutMs: 60_000,
    connectionsMax: 10_000,
    renderProtocolError: ({ reason }) => ({ headers: [], body: `${reason}\n` }),
  },
  createBareForward({ client, origin }),
);
const address = await listener.listen();
process.on('SIGUSR2', () => {
  const peak = process.resourceUsage().maxRSS * 1024;
  process.stdout.write(`${JSON.stringify({ rss: process.memoryUsage.rss(), peak })}\n`);
});
process.once('SIGTERM', () => {
  void listener.drain(1_000).then(() => client.close());
});
process.stdout.write(`${JSON.stringify({ port: address.port, pid: process.pid })}\n`);

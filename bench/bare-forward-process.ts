import { loadTransport } from '../src/server/transport.ts';
import { createBareForward } from './bare-forward.ts';

/**
 * Bare forwarding as a process of its own: `node bare-forward-process.js <sockets|node> <origin> [port]`, where the
 * first says which transport. Prints one line, `{"port": n, "pid": n}`, when it serves, and on SIGUSR2 its resident set in bytes, now and at its highest, as `{"rss": n, "peak": n}`.
 */
const [transport, origin, port = '0'] = process.argv.slice(2);
if ((transport !== 'sockets' && transport !== 'node') || origin === undefined) {
  throw new Error('usage: bare-forward-process <sockets|node> <http://host:port> [port]');
}

const { createListener, createUpstreamClient } = await loadTransport(transport);
const client = createUpstreamClient();
const listener = createListener(
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

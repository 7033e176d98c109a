import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a call asks of the workshop, in its `x-work` header, as JSON. */
export interface Work {
  /** Before the answer begins. */
  readonly delayMs?: number;
  /** Of the answer's body. */
  readonly bytes?: number;
  /** Told in `x-compute-units`. */
  readonly units?: number;
  /** Bytes that are sent before the rest is kept back until the caller leaves. */
  readonly stallAfter?: number;
}

/** An upstream that does as it is told and counts what it sees. */
export interface Workshop {
  readonly origin: string;
  /** Calls that reached it. */
  readonly calls: number;
  /** Calls that it works on now, and the most there were at the same time. */
  readonly running: number;
  readonly mostRunning: number;
  forget(): void;
  close(): Promise<void>;
}

export async function startWorkshop(): Promise<Workshop> {
  const counts = { calls: 0, running: 0, mostRunning: 0 };
  const server = createServer((request, response) => {
    counts.calls += 1;
    counts.running += 1;
    counts.mostRunning = Math.max(counts.mostRunning, counts.running);
    response.once('close', () => (counts.running -= 1));
    const work = readWork(request.headers['x-work']);
    request.resume().once('end', () => {
      setTimeout(() => {
        if (response.destroyed) return;
        const bytes = work.bytes ?? 2;
        response.writeHead(200, {
          'content-type': 'application/octet-stream',
          'content-length': bytes,
          ...(work.units === undefined ? {} : { 'x-compute-units': work.units }),
        });
        const now = Math.min(bytes, work.stallAfter ?? bytes);
        response.write(Buffer.alloc(now, 'w'));
        if (now === bytes) response.end();
      }, work.delayMs ?? 0);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get calls() {
      return counts.calls;
    },
    get running() {
      return counts.running;
    },
    get mostRunning() {
      return counts.mostRunning;
    },
    forget() {
      Object.assign(counts, { calls: 0, mostRunning: counts.running });
    },
    close: () => closeServer(server),
  };
}

function readWork(header: string | string[] | undefined): Work {
  return typeof header === 'string' ? (JSON.parse(header) as Work) : {};
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

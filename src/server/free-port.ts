import { createServer, type AddressInfo } from 'node:net';

/** Between the finding of a free port and the listening there somebody else may take it. */
const TRIES_MAX = 5;

/** Listens on a port that is known beforehand and was free just now; looks for another when it no longer is. */
export async function listenOnFreePort<Result>(
  host: string,
  listen: (port: number) => Promise<Result>,
  triesLeft = TRIES_MAX,
): Promise<Result> {
  const port = await findFreePort(host);
  try {
    return await listen(port);
  } catch (error) {
    if (!isTaken(error) || triesLeft <= 1) throw error;
    return listenOnFreePort(host, listen, triesLeft - 1);
  }
}

/** A port that nobody listens on just now; 0 where there is none to be had, and whoever listens says why. */
export function findFreePort(host: string): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(0));
    server.listen(0, host, () => {
      // A server that listens has the address of a network, not a path.
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

import { ChildProgram } from './child-program.ts';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { makeDirectory, removeDirectory } from './temporary-directory.ts';
import { waitFor } from './wait-for.ts';

export interface RedisOptions {
  /** Default: any free one. To start again where one was. */
  readonly port?: number;
  /** Further arguments, e.g. `['--requirepass', 'secret']`. */
  readonly args?: readonly string[];
}

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** It keeps its connections and answers nobody until `resume`. */
  pause(): void;
  resume(): void;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 10_000;
const READY = 'Ready to accept connections';

/** A real redis-server on a free port, with nothing kept on disk. The test file declares `// @needs redis-server`. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const directory = makeDirectory('redis');
  const port = options.port ?? (await freePort());
  const program = new ChildProgram({
    command: findProgram('redis-server'),
    args: [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory],
      ...['--save', '', '--appendonly', 'no'],
      ...(options.args ?? []),
    ],
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    // A process that is stopped acts on SIGTERM only once it goes on.
    program.child.kill('SIGCONT');
    await program.stop(signal, 5000);
    removeDirectory(directory);
  };
  try {
    await waitFor(() => failIfExited(program) ?? program.stdout.includes(READY), {
      timeoutMs: START_TIMEOUT_MS,
      what: `redis-server on port ${port}`,
    });
  } catch (error) {
    await end('SIGKILL');
    throw error;
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    pause: () => void program.child.kill('SIGSTOP'),
    resume: () => void program.child.kill('SIGCONT'),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}

function failIfExited(program: ChildProgram): undefined {
  if (program.exit !== undefined) {
    throw new Error(`redis-server did not start: ${program.stdout}${program.stderr}`);
  }
  return undefined;
}

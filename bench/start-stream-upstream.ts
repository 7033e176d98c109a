import { join, resolve } from 'node:path';

import { ChildProgram } from '../test/support/child-program.ts';
import { waitFor } from '../test/support/wait-for.ts';

const root = resolve(import.meta.dirname, '..');
const START_TIMEOUT_MS = 20_000;

export interface StreamUpstream {
  readonly port: number;
  readonly origin: string;
  stop(): Promise<unknown>;
}

/** Stays on the core it was started on. */
export async function startStreamUpstream(): Promise<StreamUpstream> {
  const program = new ChildProgram({
    command: process.execPath,
    args: [
      ...['--import', join(root, 'tools/typescript.mjs')],
      join(root, 'bench/stream-upstream-process.ts'),
    ],
    cwd: root,
  });
  const stop = () => program.stop();
  try {
    const port = await waitFor(() => readPort(program), {
      timeoutMs: START_TIMEOUT_MS,
      what: 'the streaming upstream to listen',
    });
    return { port, origin: `http://127.0.0.1:${port}`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function readPort(program: ChildProgram): number | undefined {
  if (program.exit !== undefined) throw new Error(`it ended: ${program.stderr}`);
  return program.stdout.endsWith('\n') ? Number(program.stdout) : undefined;
}

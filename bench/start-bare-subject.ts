import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { HttpTransport } from '../src/server/config/loaded-config.ts';
import { WORKER_FLAGS } from '../src/server/fork-worker.ts';
import { ChildProgram } from '../test/support/child-program.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { pinToCore } from './process-usage.ts';
import type { Subject } from './subject.ts';
import { CHAT_CALL } from './workload.ts';

const root = resolve(import.meta.dirname, '..');
const START_TIMEOUT_MS = 10_000;

export interface BareSetup {
  readonly upstreamOrigin: string;
  readonly core: number;
  readonly http: HttpTransport;
}

/** Bare forwarding on the gateway's own transport and V8 flags: its listener and its client, nothing between. */
export async function startBare({ upstreamOrigin, core, http }: BareSetup): Promise<Subject> {
  const build = join(root, `dist.bench-${process.pid}`);
  const program = new ChildProgram({
    command: process.execPath,
    args: [...WORKER_FLAGS, compileBareForward(build), http, upstreamOrigin],
  });
  const stop = async (): Promise<void> => {
    await program.stop();
    rmSync(build, { recursive: true, force: true });
  };
  try {
    const { port, pid } = await waitFor(() => readReady(program), {
      timeoutMs: START_TIMEOUT_MS,
      what: 'bare forwarding to listen',
    });
    pinToCore(pid, core);
    return {
      variant: 'bare',
      target: { origin: `http://127.0.0.1:${port}`, calls: [CHAT_CALL], key: 'none' },
      pids: [pid],
      supervisorPid: undefined,
      verify: () => Promise.resolve(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * By the same compiler, to the same target as dist/, and in the package so that its dependencies are found:
 * under the TypeScript loader of this driver its memory would not be comparable.
 */
function compileBareForward(build: string): string {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const flags = '--ignoreConfig --noCheck --rewriteRelativeImportExtensions --rootDir . --outDir';
  const format = '--module nodenext --target es2023 bench/bare-forward-process.ts';
  const args = [compiler, ...flags.split(' '), build, ...format.split(' ')];
  execFileSync(process.execPath, args, { cwd: root, stdio: 'pipe' });
  return join(build, 'bench/bare-forward-process.js');
}

/** The one line it prints when it serves. */
function readReady(
  program: ChildProgram,
): { readonly port: number; readonly pid: number } | undefined {
  if (program.exit !== undefined) throw new Error(`it ended: ${program.stderr}`);
  return program.stdout.endsWith('\n') ? JSON.parse(program.stdout) : undefined;
}

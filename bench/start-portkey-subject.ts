import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { ChildProgram } from '../test/support/child-program.ts';
import { freePort } from '../test/support/free-port.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { pinToCore } from './process-usage.ts';
import type { Subject } from './subject.ts';
import { CHAT_CALL } from './workload.ts';

const home = resolve(import.meta.dirname, 'portkey');
const START_TIMEOUT_MS = 60_000;

export interface PortkeySetup {
  readonly upstreamOrigin: string;
  readonly core: number;
}

/**
 * Portkey's gateway as it is published, on Node, with its own defaults; the upstream by the header it has for that.
 * Not among our dependencies: 95 packages that nobody needs who does not measure it.
 */
export async function startPortkey({ upstreamOrigin, core }: PortkeySetup): Promise<Subject> {
  const server = join(home, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  if (!existsSync(server)) {
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
    execFileSync('npm', args, { cwd: home, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const port = await freePort();
  const program = new ChildProgram({
    command: process.execPath,
    args: [server, `--port=${port}`, '--headless'],
    env: { NODE_ENV: 'production' },
  });
  const stop = () => program.stop();
  try {
    const origin = `http://127.0.0.1:${port}`;
    await waitFor(() => answers(program, origin), {
      timeoutMs: START_TIMEOUT_MS,
      what: `Portkey's gateway on port ${port}`,
    });
    const pid = program.child.pid ?? 0;
    pinToCore(pid, core);
    const headers = {
      'X-Portkey-Provider': 'openai',
      'X-Portkey-Custom-Host': `${upstreamOrigin}/v1`,
    };
    return {
      variant: 'Portkey',
      target: { origin, calls: [{ ...CHAT_CALL, headers }], key: 'none' },
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

async function answers(program: ChildProgram, origin: string): Promise<boolean> {
  if (program.exit !== undefined) throw new Error(`it ended: ${program.stderr}`);
  return fetch(origin).then(
    async (answer) => {
      await answer.arrayBuffer();
      return true;
    },
    () => false,
  );
}

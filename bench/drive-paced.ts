import { join, resolve } from 'node:path';

import { ChildProgram } from '../test/support/child-program.ts';
import type { LoadTarget } from './drive-load.ts';
import { splitAtKey } from './load-script.ts';
import type { PacedOrder, PacedReport } from './paced-load-process.ts';

const root = resolve(import.meta.dirname, '..');

export interface Pace {
  readonly perSecond: number;
  readonly seconds: number;
  /** Before them, at the same rate and by itself: connections are opened, and what rested fetches its leases. Default 0. */
  readonly leadInSeconds?: number;
  readonly connections?: number;
}

const CONNECTIONS = 64;

/** One call at a constant rate, from this process's core. Throws when any was not answered with 200. */
export async function drivePaced(
  { origin, calls, key }: LoadTarget,
  { perSecond, seconds, leadInSeconds = 0, connections = CONNECTIONS }: Pace,
): Promise<PacedReport> {
  const [call] = calls;
  if (call === undefined) throw new Error('nothing to ask for');
  const { hostname: host, port } = new URL(origin);
  const request = splitAtKey(origin, call).join(call.key ?? key);
  const address = { host, port: Number(port), request };
  const order: PacedOrder = { ...address, perSecond, seconds, leadInSeconds, connections };
  const program = new ChildProgram({
    command: process.execPath,
    args: [
      ...['--import', join(root, 'tools/typescript.mjs')],
      join(root, 'bench/paced-load-process.ts'),
      JSON.stringify(order),
    ],
    cwd: root,
  });
  try {
    const { code } = await program.exited;
    if (code !== 0) throw new Error(`the load failed: ${program.stderr}`);
    const report = JSON.parse(program.stdout) as PacedReport;
    const missing = perSecond * seconds - report.requests;
    if (report.failed === 0 && missing <= 0) return report;
    throw new Error(
      `${origin} at ${perSecond} requests a second: ${report.failed} failed, ${missing} were not answered in time (is this machine busy?) ${program.stderr}`,
    );
  } finally {
    await program.stop();
  }
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ChildProgram } from '../test/support/child-program.ts';
import { findProgram } from '../test/support/find-program.ts';
import { makeDirectory, removeDirectory } from '../test/support/temporary-directory.ts';
import { renderScript, type Requests } from './load-script.ts';

export const CONNECTIONS = 64;

export interface LoadTarget extends Requests {
  /** Part of the answers that are refusals, 400 or above; absent = none. */
  readonly refused?: number;
}

export interface LoadLength {
  readonly seconds: number;
  /** Keys of the target that are left out in the first turn. */
  readonly keysSkipped?: number;
}

export interface Load {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface WrkReport {
  readonly requests: number;
  readonly microseconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly failed: Readonly<Record<string, number>>;
}

/** Drives a target with wrk from this process's core. Throws when any request failed or an answer was an error. */
export async function driveLoad(target: LoadTarget, length: LoadLength): Promise<Load> {
  const directory = makeDirectory('wrk');
  const script = join(directory, 'load.lua');
  const file = join(directory, 'keys');
  if (target.keys !== undefined) writeFileSync(file, `${target.keys.join('\n')}\n`);
  writeFileSync(script, renderScript(target, { file, skipped: length.keysSkipped ?? 0 }));
  const url = target.origin + (target.calls[0]?.path ?? '');
  const duration = ['-t1', `-c${CONNECTIONS}`, `-d${length.seconds}s`, '--timeout', '10s'];
  const program = new ChildProgram({
    command: findProgram('wrk'),
    args: [...duration, '-s', script, url],
  });
  try {
    const { code } = await program.exited;
    // A script it cannot read is only a line on stderr to wrk: it then asks for something else.
    if (code !== 0 || program.stderr !== '') throw new Error(`wrk failed: ${program.stderr}`);
    return readReport(program.stdout, target);
  } finally {
    await program.stop();
    removeDirectory(directory);
  }
}

function readReport(output: string, { origin, calls, refused = 0 }: LoadTarget): Load {
  const line = output.trimEnd().split('\n').at(-1) ?? '';
  const report = JSON.parse(line) as WrkReport;
  if (report.requests === 0) throw new Error(`${origin} answered nothing`);
  const { status = 0, ...broken } = report.failed;
  // Calls in turn do not end at the end of a turn, and connections do not end together.
  const slack = refused === 0 || refused === 1 ? 0 : CONNECTIONS + calls.length;
  const isRefused = Math.abs(status - report.requests * refused) <= slack;
  if (!isRefused || Object.values(broken).some((count) => count > 0)) {
    const words = Object.entries(report.failed).map(([kind, count]) => `${count} ${kind}`);
    throw new Error(`${origin}: beside ${report.requests} requests, errors: ${words.join(', ')}`);
  }
  return {
    requests: report.requests,
    seconds: report.microseconds / 1e6,
    p50Ms: report.p50 / 1000,
    p99Ms: report.p99 / 1000,
  };
}

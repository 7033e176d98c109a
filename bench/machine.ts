import { spawnSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';

import { findProgram } from '../test/support/find-program.ts';
import { listCores } from './process-usage.ts';

/** Where and with what a run was made. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gb: number;
  readonly kernel: string;
  readonly node: string;
  readonly nginx: string;
  readonly wrk: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 1e9),
    kernel: `Linux ${release()}`,
    node: process.versions.node,
    nginx: readVersion('nginx', /nginx\/(\S+)/),
    wrk: readVersion('wrk', /wrk (\S+)/),
  };
}

export interface Cores {
  readonly gateway: number;
  readonly load: number;
}

/** One core for the gateways, one for load and upstream. Throws, saying what is missing, where there are not two. */
export function chooseCores(): Cores {
  if (process.platform !== 'linux') {
    throw new Error(
      `the bench reads /proc and pins with taskset: it runs on Linux, not ${process.platform}`,
    );
  }
  if (spawnSync('taskset', ['--version']).error !== undefined) {
    throw new Error('taskset is not installed (on Debian: apt-get install util-linux)');
  }
  const [gateway, load] = listCores();
  if (gateway === undefined || load === undefined) throw new Error('the bench needs two cores');
  return { gateway, load };
}

function readVersion(tool: string, pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(findProgram(tool), ['-v'], { encoding: 'utf8' });
  return pattern.exec(stdout + stderr)?.[1] ?? 'unknown';
}

#!/usr/bin/env node
import cluster from 'node:cluster';

import { registerClientCommands } from '../cli/client-commands.ts';
import type { CommandIo } from '../cli/command-outcome.ts';
import { createProgram, runProgram } from '../cli/run-program.ts';
import { registerLocalCommands } from './local-commands.ts';
import { runWorker } from './run-worker.ts';
import { VERSION } from './version.ts';

/** The executable: a gateway worker when the supervisor forked it, else the command line. */
if (cluster.isWorker) runWorker();
else await runCommandLine();

async function runCommandLine(): Promise<void> {
  const io: CommandIo = {
    out: (text) => process.stdout.write(`${text}\n`),
    talk: (text) => process.stderr.write(`${text}\n`),
    env: process.env,
    color: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
    exit: (code) => {
      process.exitCode = code;
    },
  };
  const program = createProgram(io, VERSION);
  registerLocalCommands(program, io);
  registerClientCommands(program, io);
  await runProgram(program, process.argv.slice(2), io);
}

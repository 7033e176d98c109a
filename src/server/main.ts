#!/usr/bin/env node
import cluster from 'node:cluster';

import type { CommandIo } from '../cli/command-outcome.ts';

/** The executable: a gateway worker when the supervisor forked it, else the command line. Each loads only what it needs. */
if (cluster.isWorker) await runGatewayWorker();
else await runCommandLine();

async function runGatewayWorker(): Promise<void> {
  const { runWorker } = await import('./run-worker.ts');
  runWorker();
}

async function runCommandLine(): Promise<void> {
  const [{ registerClientCommands }, { registerLocalCommands }, { createProgram, runProgram }] =
    await Promise.all([
      import('../cli/client-commands.ts'),
      import('./local-commands.ts'),
      import('../cli/run-program.ts'),
    ]);
  const { VERSION } = await import('./version.ts');
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

#!/usr/bin/env node
import cluster from 'node:cluster';

import { type CommandIo, EXIT } from '../cli/command-outcome.ts';

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
  outliveReaders();
  const program = createProgram(io, VERSION);
  registerLocalCommands(program, io);
  registerClientCommands(program, io);
  await runProgram(program, process.argv.slice(2), io);
}

/**
 * Whoever reads the output may leave, as `head` does, and a log collector may end before the gateway: that stops nothing,
 * least of all the end of running answers. Output that was lost in another way, on a full disk, is a failure.
 */
function outliveReaders(): void {
  process.stdout.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') return;
    process.stderr.write(`error: the output could not be written: ${error.message}\n`);
    process.exitCode = EXIT.failed;
  });
  process.stderr.on('error', () => undefined);
}

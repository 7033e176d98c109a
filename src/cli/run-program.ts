import { Command, CommanderError } from 'commander';

import { EXIT } from './command-outcome.ts';
import type { CommandIo } from './command-outcome.ts';

/** The root command. Commands added to it inherit where it writes and how it ends; create it before adding any. */
export function createProgram(io: CommandIo, version: string): Command {
  return new Command('tollkeeper')
    .description('A gateway for APIs and AI models that meters, limits and gets paid.')
    .version(version)
    .showHelpAfterError('(--help shows the options)')
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.talk(text.trimEnd()),
      getOutHasColors: () => io.color,
      getErrHasColors: () => io.color,
    })
    .exitOverride();
}

/** Runs one command line (without `node` and the script). Mistakes in it end with code 2, help with 0. */
export async function runProgram(
  program: Command,
  commandLine: readonly string[],
  io: CommandIo,
): Promise<void> {
  try {
    await program.parseAsync([...commandLine], { from: 'user' });
  } catch (error) {
    // commander has printed its message already; anything else is a bug and belongs to the caller.
    if (!(error instanceof CommanderError)) throw error;
    io.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
  }
}

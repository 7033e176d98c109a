import { Command, CommanderError } from 'commander';

import { type CommandIo, EXIT, reportOutcome } from './command-outcome.ts';

/** The root command. Commands added to it inherit where it writes and how it ends; create it before adding any. */
export function createProgram(io: CommandIo, version: string): Command {
  return new Command('tollkeeper')
    .description('A gateway for APIs and AI models that meters, limits and gets paid.')
    .version(version)
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.talk(text.trimEnd()),
      // Told by runProgram, in the form that was asked for.
      outputError: () => undefined,
      getOutHasColors: () => io.color,
      getErrHasColors: () => io.color,
    })
    .exitOverride()
    .hook('preAction', (_program, command) => refuseEmptyOptions(command));
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
    // Anything else is a bug and belongs to the caller.
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) io.exit(EXIT.ok);
    // No command was named: the help has been written already.
    else if (error.code === 'commander.help') io.exit(EXIT.usage);
    else reportMistake(error.message, io, commandLine.includes('--json'));
  }
}

function reportMistake(text: string, io: CommandIo, json: boolean): void {
  const message = `${text.replace(/^error: /, '')}\n(--help shows the options)`;
  reportOutcome({ kind: 'failed', code: 'BAD_USAGE', exitCode: EXIT.usage, message }, io, json);
}

/** `--data "$DIR"` of a variable that is not set would else mean the default, and work on the wrong data. */
function refuseEmptyOptions(command: Command): void {
  for (const option of command.options) {
    if (command.getOptionValue(option.attributeName()) !== '') continue;
    command.error(`error: option '${option.flags}' is empty: give it a value, or leave it out`);
  }
}

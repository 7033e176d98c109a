import type { Command } from 'commander';

import { registerClientCommands } from '../../src/cli/client-commands.ts';
import type { CommandIo } from '../../src/cli/command-outcome.ts';
import { createProgram, runProgram } from '../../src/cli/run-program.ts';
import type { AdminApi } from './start-admin-api.ts';

export interface CommandRun {
  readonly code: number | undefined;
  readonly out: string;
  readonly talk: string;
}
export type CommandEnv = Readonly<Record<string, string>>;

/** Where a command finds this gateway. */
export function atGateway({ origin, directory }: AdminApi): CommandEnv {
  return { TOLLKEEPER_ADMIN: origin, TOLLKEEPER_DATA: directory };
}

/** Keeps what a command says; it may end once. */
export function captureIo(
  env: CommandEnv,
  color = false,
): { readonly io: CommandIo; readonly result: CommandRun } {
  const result = { code: undefined as number | undefined, out: '', talk: '' };
  const io: CommandIo = {
    out: (text) => void (result.out += `${text}\n`),
    talk: (text) => void (result.talk += `${text}\n`),
    env,
    color,
    exit: (code) => {
      if (result.code !== undefined) throw new Error('the command ended twice');
      result.code = code;
    },
  };
  return { io, result };
}

export function buildClientProgram(io: CommandIo): Command {
  const program = createProgram(io, '1.2.3');
  registerClientCommands(program, io);
  return program;
}

/** One command line, in this process. */
export async function runClientCommand(
  line: readonly string[],
  env: CommandEnv,
  color = false,
): Promise<CommandRun> {
  const { io, result } = captureIo(env, color);
  await runProgram(buildClientProgram(io), line, io);
  return result;
}

/** The object that a command which must succeed prints with `--json`, on one line and with no other word. */
export async function runJsonCommand(
  line: readonly string[],
  env: CommandEnv,
): Promise<Record<string, unknown>> {
  const { code, out, talk } = await runClientCommand([...line, '--json'], env);
  if (code !== 0 || talk !== '' || out.trimEnd().includes('\n'))
    throw new Error(`${line.join(' ')}: ${code} ${out}${talk}`);
  return JSON.parse(out) as Record<string, unknown>;
}

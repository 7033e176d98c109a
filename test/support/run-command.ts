import { ChildProgram, type ProgramOptions } from './child-program.ts';
import { executable } from './start-gateway.ts';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 60_000;

/** Runs a program to its end; one that takes longer (default a minute) is stopped, and its code is null. */
export async function runCommand(
  options: ProgramOptions & { readonly timeoutMs?: number },
): Promise<CommandResult> {
  const program = new ChildProgram(options);
  const timer = setTimeout(() => void program.stop('SIGKILL'), options.timeoutMs ?? TIMEOUT_MS);
  const { code } = await program.exited;
  clearTimeout(timer);
  return { code, stdout: program.stdout, stderr: program.stderr };
}

/** One command of the built `tollkeeper`. */
export function runTollkeeper(
  args: readonly string[],
  options: Pick<ProgramOptions, 'cwd' | 'env'> = {},
): Promise<CommandResult> {
  return runCommand({ command: process.execPath, args: [executable, ...args], ...options });
}

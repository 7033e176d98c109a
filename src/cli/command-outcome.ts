/** Exit codes of every command (DESIGN 12). */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  configuration: 3,
  dependency: 4,
  port: 5,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** How a command reaches the world. Standard output carries data, standard error carries talk. */
export interface CommandIo {
  readonly out: (text: string) => void;
  readonly talk: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A terminal is there and NO_COLOR is not set. */
  readonly color: boolean;
  /** Called once per command, at its end. */
  readonly exit: (code: number) => void;
}

export type CommandOutcome =
  | {
      readonly kind: 'done';
      /** What `--json` prints: stable. */
      readonly json: unknown;
      /** What people see on standard output, without the last line feed. */
      readonly text: string;
      /** A hint for people, on standard error. */
      readonly hint?: string | undefined;
      /** Other than 0 when the command worked and found something bad, as `doctor` does. */
      readonly exitCode?: ExitCode;
    }
  | Failure;
export interface Failure {
  readonly kind: 'failed';
  readonly exitCode: ExitCode;
  /** What happened and what to do. */
  readonly message: string;
  /** A code of the registry, or of the client: `NO_ANSWER`. */
  readonly code: string;
}

/** Prints an outcome and reports its exit code. With `--json` a failure is an object too, on standard error. */
export function reportOutcome(outcome: CommandOutcome, io: CommandIo, json: boolean): void {
  if (outcome.kind === 'failed') {
    const { code, message, exitCode } = outcome;
    io.talk(
      json
        ? JSON.stringify({ error: { code, message, exit_code: exitCode } })
        : `error: ${message}`,
    );
    io.exit(exitCode);
    return;
  }
  io.out(json ? JSON.stringify(outcome.json) : outcome.text);
  if (!json && outcome.hint !== undefined) io.talk(outcome.hint);
  io.exit(outcome.exitCode ?? EXIT.ok);
}

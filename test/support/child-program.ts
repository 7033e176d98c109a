import { spawn, type ChildProcess } from 'node:child_process';

const OUTPUT_CHARACTERS_MAX = 1_000_000;

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program a test runs: its output so far (the newest part of it), its end, and a stop that always ends it. */
export class ChildProgram {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  stdout = '';
  stderr = '';
  #exit: Exit | undefined;

  constructor(options: ProgramOptions) {
    const env = { ...process.env, ...options.env };
    this.child = spawn(options.command, options.args, {
      cwd: options.cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout = (this.stdout + text).slice(-OUTPUT_CHARACTERS_MAX);
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-OUTPUT_CHARACTERS_MAX);
    });
    this.exited = new Promise((settle) => {
      const end = (exit: Exit): void => {
        this.#exit ??= exit;
        settle(this.#exit);
      };
      this.child.once('error', (error) => {
        this.stderr += error.message;
        end({ code: null, signal: null });
      });
      // Not 'exit': 'close' comes when the output has been read to its end too.
      this.child.once('close', (code, signal) => end({ code, signal }));
    });
  }

  /** How it ended, or undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** Asks it to stop, waits, and kills it after `graceMs`. Returns how it ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMs = 15_000): Promise<Exit> {
    if (this.#exit === undefined) this.child.kill(signal);
    const killer = setTimeout(() => this.child.kill('SIGKILL'), graceMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(killer);
    }
  }
}

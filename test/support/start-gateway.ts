import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { ChildProgram, type Exit } from './child-program.ts';
import { makeDirectory, removeDirectory } from './temporary-directory.ts';
import { waitFor } from './wait-for.ts';

export const executable = resolve(import.meta.dirname, '../../dist/server/main.js');

export interface GatewayOptions {
  /** Further arguments, e.g. `['--workers', '2']`. */
  readonly args?: readonly string[];
  /** Text of a tollkeeper.yaml; without it the demo configuration runs. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** To start again on the same data; the caller then owns the directory. Without it: a new one, removed on stop. */
  readonly data?: string;
  readonly startTimeoutMs?: number;
  /** Told of the process before it is ready, by those who must be able to end it at any moment. */
  readonly onSpawn?: (program: ChildProgram) => void;
}

/** The one line `tollkeeper dev --json` prints on stdout when it is ready. */
export interface ReadyLine {
  readonly gateway: string;
  readonly admin: string;
  readonly key: string;
  readonly pid: number;
  readonly admin_token_file: string;
}

export interface Gateway extends ReadyLine {
  readonly data: string;
  readonly program: ChildProgram;
  /** SIGTERM, and waits until the process and its workers are gone. */
  stop(): Promise<Exit>;
}

/** A whole gateway as a user starts it: the build in dist/, on free ports. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  if (!existsSync(executable)) throw new Error('dist/ is missing: run npm run build first');
  const data = options.data ?? makeDirectory('data');
  const configArgs = options.config === undefined ? [] : ['--config', writeConfig(options.config)];
  const ports = ['--port', '0', '--admin-port', '0'];
  const program = new ChildProgram({
    command: process.execPath,
    args: [
      executable,
      'dev',
      '--json',
      ...ports,
      '--data',
      data,
      ...configArgs,
      ...(options.args ?? []),
    ],
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  options.onSpawn?.(program);
  const stop = async (): Promise<Exit> => {
    const exit = await program.stop();
    if (options.data === undefined) removeDirectory(data);
    const configDirectory = configArgs[1];
    if (configDirectory !== undefined) removeDirectory(join(configDirectory, '..'));
    return exit;
  };
  try {
    const ready = await waitFor(() => readReadyLine(program), {
      timeoutMs: options.startTimeoutMs ?? 30_000,
      what: 'the gateway to be ready',
    });
    return { ...ready, data, program, stop };
  } catch (error) {
    await stop();
    throw new Error(`the gateway did not start:\n${program.stderr}`, { cause: error });
  }
}

function writeConfig(text: string): string {
  const file = join(makeDirectory('config'), 'tollkeeper.yaml');
  writeFileSync(file, text);
  return file;
}

function readReadyLine(program: ChildProgram): ReadyLine | undefined {
  if (program.exit !== undefined) throw new Error(`it ended with ${JSON.stringify(program.exit)}`);
  const end = program.stdout.indexOf('\n');
  return end === -1 ? undefined : (JSON.parse(program.stdout.slice(0, end)) as ReadyLine);
}

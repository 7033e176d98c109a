import { execFileSync } from 'node:child_process';
import { chownSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { Client } from 'pg';

import { ChildProgram } from './child-program.ts';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { makeDirectory, removeDirectory } from './temporary-directory.ts';
import { waitFor } from './wait-for.ts';

export interface Postgres {
  /** An empty database; its connection string. */
  createDatabase(): Promise<string>;
  dropDatabase(url: string): Promise<void>;
  /** Runs statements that have no values on the database of this connection string. */
  execute(url: string, sql: string): Promise<void>;
  /** Ends at once and recovers what was committed when it is started again, as after a loss of power. */
  crash(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
const USER = 'tollkeeper';
const PASSWORD = 'p4ss-word';
/** The server refuses to run as root, and Debian's package brings this user. */
const SYSTEM_USER = 'postgres';

/**
 * A real PostgreSQL on a free port, its data in a temporary directory. Nothing is flushed to the disk: it loses data
 * when the machine does, and not when a program is killed. `onSpawn` hears of the server before it is ready. The test
 * file declares `// @needs postgresql`.
 */
export async function startPostgres(
  onSpawn: (program: ChildProgram) => void = () => undefined,
): Promise<Postgres> {
  const directory = makeDirectory('postgres');
  const data = join(directory, 'data');
  const port = await freePort();
  prepareData(directory, data);
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'fsync=off',
    'full_page_writes=off',
  ];
  const urlOf = (database: string): string =>
    `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`;
  let program: ChildProgram | undefined;
  const stop = async (): Promise<void> => {
    // "Fast": connections are ended, and what was committed is there the next time.
    await program?.stop('SIGINT');
    removeDirectory(directory);
  };
  const start = async (): Promise<void> => {
    const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
    const started = new ChildProgram(asServerUser('postgres', args));
    program = started;
    onSpawn(started);
    await waitFor(() => answers(started, urlOf('postgres')), {
      timeoutMs: START_TIMEOUT_MS,
      what: `PostgreSQL on port ${port}`,
    });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw new Error(`PostgreSQL did not start:\n${program?.stderr}`, { cause: error });
  }
  let lastNumber = 0;
  return {
    createDatabase: async () => {
      lastNumber += 1;
      const name = `test_${lastNumber}`;
      await execute(urlOf('postgres'), `CREATE DATABASE ${name}`);
      return urlOf(name);
    },
    dropDatabase: (url) =>
      execute(urlOf('postgres'), `DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`),
    execute,
    crash: async () => {
      await program?.stop('SIGQUIT');
    },
    start,
    stop,
  };
}

function prepareData(directory: string, data: string): void {
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, PASSWORD);
  if (isRoot()) for (const path of [directory, passwordFile]) giveToServerUser(path);
  const { command, args } = asServerUser('initdb', [
    ...['-D', data, '-U', USER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
    ...['--encoding=UTF8', '--locale=C', '--no-sync'],
  ]);
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** `initdb` and the server lie side by side, and only the server may be on the PATH. */
function asServerUser(program: string, args: readonly string[]) {
  const path = join(dirname(realpathSync(findProgram('postgresql'))), program);
  if (!isRoot()) return { command: path, args };
  const become = [`--reuid=${SYSTEM_USER}`, `--regid=${SYSTEM_USER}`, '--init-groups'];
  return { command: 'setpriv', args: [...become, path, ...args] };
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function giveToServerUser(path: string): void {
  const idOf = (option: string): number =>
    Number(execFileSync('id', [option, SYSTEM_USER], { encoding: 'utf8' }));
  chownSync(path, idOf('-u'), idOf('-g'));
}

async function answers(program: ChildProgram, url: string): Promise<boolean> {
  if (program.exit !== undefined) throw new Error('it ended at once');
  return execute(url, 'SELECT 1').then(
    () => true,
    () => false,
  );
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  // A database that is dropped ends the connections to it.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

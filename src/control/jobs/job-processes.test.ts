// @needs postgresql
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { ChildProgram } from '../../../test/support/child-program.ts';
import { type Postgres, startPostgres } from '../../../test/support/start-postgres.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import { openPostgresStore } from '../../stores/postgres/postgres-store.ts';
import { openSqliteStore } from '../../stores/sqlite/sqlite-store.ts';
import type { Store } from '../../stores/store.ts';

const urlOf = (path: string): string => new URL(path, import.meta.url).href;
const PATIENCE = { timeoutMs: 40_000 };
const SILENT_MS = 2000;
const CLAIM = { name: 'work', holder: 'test', periodMs: 3_600_000 };

/**
 * One of several supervisors in small: a job that is due once an hour, and what becomes of each question for it. One
 * that waits does not end its run before the file `go` is there.
 */
const RUNNER = `
  import { existsSync } from 'node:fs';
  const [moduleUrl, open, options, name, go] = process.argv.slice(2);
  const adapter = await import(moduleUrl);
  const { JobRunner } = await import(${JSON.stringify(urlOf('./job-runner.ts'))});
  const { createClock } = await import(${JSON.stringify(urlOf('../../platform/clock.ts'))});
  const { createLogger } = await import(${JSON.stringify(urlOf('../../platform/logger.ts'))});
  const say = (line) => process.stdout.write(line + '\\n');
  const store = await adapter[open](JSON.parse(options));
  const asked = new Proxy(store, { get: (target, member) => {
    if (member !== 'takeJob') return target[member].bind(target);
    return async (...claim) => {
      const answer = await target.takeJob(...claim);
      say('asked ' + answer.kind);
      return answer;
    };
  } });
  const run = async () => {
    say('began');
    while (go !== '' && !existsSync(go)) await new Promise((resolve) => setTimeout(resolve, 20));
    return { findings: 1, detail: name };
  };
  const job = { name: 'work', periodMs: ${CLAIM.periodMs}, runMsMax: 3_600_000, run, report: () => say('reported') };
  const logger = createLogger({ level: 'warn', destination: { write: say } });
  new JobRunner({ jobs: [job], store: asked, clock: createClock(), logger, holder: name, pollMs: 50, silentMs: ${SILENT_MS} }).start();
`;

interface Setting {
  readonly moduleUrl: string;
  readonly open: string;
  readonly options: Readonly<Record<string, string>>;
  readonly connect: () => Promise<Store>;
}

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

async function onSqlite(): Promise<Setting> {
  const options = { directory: temporaryDirectory('jobs') };
  const moduleUrl = urlOf('../../stores/sqlite/sqlite-store.ts');
  return { moduleUrl, open: 'openSqliteStore', options, connect: () => openSqliteStore(options) };
}

async function onPostgres(): Promise<Setting> {
  const options = { url: await server.createDatabase() };
  const moduleUrl = urlOf('../../stores/postgres/postgres-store.ts');
  return {
    ...{ moduleUrl, open: 'openPostgresStore', options },
    connect: () => openPostgresStore(options),
  };
}

describe.each([
  ['SQLite', onSqlite, ['SIGSTOP']],
  ['PostgreSQL', onPostgres, ['SIGSTOP', 'SIGKILL']],
] as const)('three processes that share jobs on %s', (_engine, openSetting, signals) => {
  async function open() {
    const { connect, moduleUrl, open: opener, options } = await openSetting();
    const store = await connect();
    onTestFinished(() => store.close());
    const directory = temporaryDirectory('runners');
    const go = join(directory, 'go');
    const script = join(directory, 'runner.mjs');
    writeFileSync(script, RUNNER);
    const start = (name: string, waits = false): ChildProgram => {
      const args = [script, moduleUrl, opener, JSON.stringify(options), name, waits ? go : ''];
      const program = new ChildProgram({
        command: process.execPath,
        args: [...process.execArgv, ...args],
      });
      onTestFinished(async () => {
        program.child.kill('SIGCONT');
        await program.stop('SIGKILL');
      });
      return program;
    };
    const says = (program: ChildProgram, text: string) =>
      waitFor(() => program.stdout.includes(text), { ...PATIENCE, what: `"${text}"` });
    return { store, start, says, letGo: () => writeFileSync(go, '') };
  }

  it('a job that is due runs once in its period', async () => {
    const { store, start } = await open();
    const programs = ['a', 'b', 'c'].map((name) => start(name));
    await waitFor(() => programs.every(({ stdout }) => countOf(stdout, 'not_due') >= 5), {
      ...PATIENCE,
      what: 'each to have asked five times more',
    });
    const began = programs.map(({ stdout }) => countOf(stdout, 'began'));
    const reported = programs.map(({ stdout }) => countOf(stdout, 'reported'));
    expect(began.toSorted((one, other) => one - other)).toEqual([0, 0, 1]);
    expect(reported).toEqual(began);
    expect(await store.jobs()).toMatchObject([{ fence: 1, last: { outcome: 'done' } }]);
  }, 120_000);

  it.each(signals)(
    'while its holder beats nobody else runs it; after %s another does, and who wakes changes nothing',
    async (signal) => {
      const { store, start, says, letGo } = await open();
      const first = start('first', true);
      await says(first, 'began');
      const others = ['second', 'third'].map((name) => start(name));
      // So many beats take longer than the silence that others wait for.
      await waitFor(
        async () => {
          const answer = await store.takeJob(CLAIM, Date.now());
          const asked = others.every(({ stdout }) => countOf(stdout, 'running') >= 5);
          return asked && answer.kind === 'running' && answer.beat >= 6;
        },
        { ...PATIENCE, what: 'beats' },
      );
      expect(await store.jobs()).toMatchObject([{ fence: 1, holder: 'first' }]);

      first.child.kill(signal);
      const heir = await waitFor(() => others.find(({ stdout }) => stdout.includes('reported')), {
        ...PATIENCE,
        what: 'another to run it',
      });
      const after = await store.jobs();
      expect(after).toMatchObject([{ fence: 2, last: { outcome: 'done' } }]);
      expect(after[0]?.last?.detail).toMatch(/second|third/);
      const idle = others.filter((each) => each !== heir);
      expect(idle.map(({ stdout }) => countOf(stdout, 'began'))).toEqual([0]);

      if (signal === 'SIGKILL') return;
      letGo();
      first.child.kill('SIGCONT');
      await says(first, 'had been taken over');
      expect(first.stdout).not.toContain('reported');
      expect(await store.jobs()).toEqual(after);
    },
    120_000,
  );
});

function countOf(text: string, word: string): number {
  return text.split(word).length - 1;
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { loadConfig } from './config/load-config.ts';
import { checkDatabase, checkMachine, describeServer } from './doctor.ts';

const PLAIN = 'version: 1\nplans: { free: { title: Free, price: free } }\n';
const check = (text: string, data?: string) =>
  checkMachine(
    loadConfig(
      { text, file: 'tollkeeper.yaml' },
      { env: data === undefined ? {} : { TOLLKEEPER_DATA: data } },
    ),
  );

describe('checkDatabase', () => {
  const REPORT = {
    version: '15.18',
    schema: 1,
    schemaKnown: 1,
    confirmsWhatItKeeps: true,
    survivesPowerLoss: true,
  };
  it.each([
    ['ok', '', { schema: 1 }],
    ['ok', ': brought up to date at the next start', { schema: 0 }],
    ['fail', ': a newer version of Tollkeeper made it: start that', { schema: 2 }],
    [
      'fail',
      ': synchronous_commit is off, so that what was settled is lost when the server is killed: set it to on',
      { schema: 1, confirmsWhatItKeeps: false },
    ],
    [
      'warn',
      ': fsync is off, so that what was settled is lost when its machine loses power: set it to on',
      { schema: 1, survivesPowerLoss: false },
    ],
  ])('a server is %s%s', (status, problem, found) => {
    const line = describeServer({ ...REPORT, ...found });
    expect(line).toMatchObject({ name: 'database', status });
    const text = `PostgreSQL 15.18, schema version ${found.schema} of 1`;
    expect(line.detail).toBe(`${text}${problem}`);
  });

  it('one that is not there is told, without its password; of files nothing is said', async () => {
    const load = (store: string) =>
      loadConfig({ text: `version: 1\nstore: ${store}\n`, file: 'tollkeeper.yaml' }, { env: {} });
    expect(await checkDatabase(load('sqlite'))).toEqual([]);
    const [line] = await checkDatabase(load('postgres://me:pass-word@127.0.0.1:1/books'));
    expect(line).toMatchObject({
      name: 'database',
      status: 'fail',
      detail: expect.stringMatching(/^PostgreSQL does not answer: .*ECONNREFUSED/),
    });
    expect(line?.detail).not.toContain('pass-word');
  });
});

describe('checkMachine', () => {
  it('Node, the configuration and its version, the data directory', () => {
    const directory = temporaryDirectory('doctor');
    expect(check(PLAIN, directory)).toEqual([
      { name: 'node', status: 'ok', detail: process.versions.node },
      {
        name: 'configuration',
        status: 'ok',
        detail: expect.stringMatching(/^tollkeeper\.yaml \(version [0-9a-f]{12}\)$/),
      },
      { name: 'data', status: 'ok', detail: directory },
    ]);
  });

  it('one line for each mistake of the configuration, with its place; nothing is said of data then', () => {
    const lines = check(`${PLAIN}modles: {}\nproviderz: {}\n`);
    expect(lines.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'node ok',
      'configuration fail',
      'configuration fail',
    ]);
    expect(lines[1]?.detail).toContain('tollkeeper.yaml:3');
  });

  it.each(['data', 'deep/er/data'])(
    'a data directory %s that is not there yet is made later',
    (name) => {
      const directory = join(temporaryDirectory('doctor'), name);
      expect(check(PLAIN, directory).at(-1)).toEqual({
        name: 'data',
        status: 'ok',
        detail: `${directory} (made at the first start)`,
      });
    },
  );

  it.each(['', '/data'])(
    'a file where a directory should be is told with the way out: file%s',
    (below) => {
      const file = join(temporaryDirectory('doctor'), 'file');
      writeFileSync(file, '');
      expect(check(PLAIN, `${file}${below}`).at(-1)).toEqual({
        name: 'data',
        status: 'fail',
        detail: `${file} is not a directory that can be written: change its owner, or choose another with --data`,
      });
    },
  );
});

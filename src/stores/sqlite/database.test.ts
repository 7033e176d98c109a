import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import type { SqlScalar } from '../sql-scalar.ts';
import { CANNOT_BE_STORED, UNSTORABLE } from '../sql-scalar.conformance.ts';
import { Database } from './database.ts';
import { migrate } from './migrations.ts';

let directory: string;
let path: string;
const opened: Database[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tollkeeper-database-'));
  path = join(directory, 'test.db');
});
afterEach(async () => {
  for (const database of opened.splice(0)) database.close();
  await rm(directory, { recursive: true });
});

function open(busyTimeoutMs = 1000): Database {
  const database = new Database({ path, durability: 'full', busyTimeoutMs });
  opened.push(database);
  return database;
}

it('keeps every int64 exactly, and never returns a rounded number', () => {
  const database = open();
  database.execute('CREATE TABLE amounts (amount bigint)');
  const huge = 2n ** 63n - 1n;
  database.prepare('INSERT INTO amounts (amount) VALUES (?)').run(huge);
  const sql = 'SELECT amount FROM amounts';
  expect(database.prepareBigInts<{ amount: bigint }>(sql).get()?.amount).toBe(huge);
  expect(() => database.prepare(sql).get()).toThrow(/too large/);
});

it.each(UNSTORABLE)('refuses to bind %s', (_title, value) => {
  const statement = open().prepare('SELECT ? AS value');
  const parameters = [value] as readonly SqlScalar[];
  expect(() => statement.get(...parameters)).toThrow(CANNOT_BE_STORED);
});

it('rolls back all of a transaction that throws, and goes on', () => {
  const database = open();
  database.execute('CREATE TABLE things (id text PRIMARY KEY)');
  const insert = database.prepare('INSERT INTO things (id) VALUES (?)');
  const failing = () =>
    database.write(() => {
      insert.run('a');
      insert.run('a');
    });
  expect(failing).toThrow(expect.objectContaining({ code: 'invariant' }));
  database.write(() => insert.run('b'));
  expect(database.prepare('SELECT id FROM things').all()).toEqual([{ id: 'b' }]);
});

it.each(['read', 'write'] as const)(
  'a %s says what went wrong, also where that has ended its transaction, and goes on',
  (kind) => {
    const database = open();
    const failing = () =>
      database[kind](() => {
        // As SQLite does by itself after some errors of the disk: https://sqlite.org/lang_transaction.html.
        database.execute('ROLLBACK');
        throw new Error('disk I/O error');
      });
    expect(failing).toThrow('disk I/O error');
    expect(database[kind](() => 'now')).toBe('now');
  },
);

it('says unavailable when another writer does not end, and recovers when it does', () => {
  const [holder, waiter] = [open(), open(20)];
  const blocked = () => holder.write(() => waiter.write(() => 'never'));
  expect(blocked).toThrow(expect.objectContaining({ name: 'StoreError', code: 'unavailable' }));
  expect(waiter.write(() => 'now')).toBe('now');
});

it('readers see the last commit while a writer is at work', () => {
  const [writer, reader] = [open(), open(20)];
  writer.execute('CREATE TABLE things (id text PRIMARY KEY)');
  const count = reader.prepare<{ things: number }>('SELECT COUNT(*) AS things FROM things');
  const seen = writer.write(() => {
    writer.prepare('INSERT INTO things (id) VALUES (?)').run('a');
    return reader.read(() => count.get()?.things);
  });
  expect(seen).toBe(0);
  expect(count.get()?.things).toBe(1);
});

it('survives power loss by default for money: WAL and synchronous FULL', () => {
  const database = open();
  expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
});

it('migrates once, in order, and again with nothing to do', () => {
  const database = open();
  const steps = ['CREATE TABLE a (id text)', 'ALTER TABLE a ADD COLUMN more text'];
  migrate(database, steps.slice(0, 1));
  migrate(database, steps);
  migrate(database, steps);
  expect(database.prepare('SELECT id FROM migrations ORDER BY id').all()).toEqual([
    { id: 1 },
    { id: 2 },
  ]);
});

it('a failed migration leaves nothing behind', () => {
  const database = open();
  expect(() => migrate(database, ['CREATE TABLE a (id text); CREATE TABLE a (id text)'])).toThrow(
    /already exists/,
  );
  expect(database.prepare("SELECT name FROM sqlite_master WHERE name = 'a'").all()).toEqual([]);
});

it('refuses a database that a newer version has written', () => {
  const database = open();
  migrate(database, ['CREATE TABLE a (id text)', 'CREATE TABLE b (id text)']);
  expect(() => migrate(database, ['CREATE TABLE a (id text)'])).toThrow(
    expect.objectContaining({
      code: 'incompatible',
      message: expect.stringMatching(/schema version 2 .* knows 1: start the newer version/),
    }),
  );
});

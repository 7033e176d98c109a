import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { beforeEach, expect, it, onTestFinished } from 'vitest';

import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import { PLAIN_TERMS } from '../../domain/tenant-terms.ts';
import { ThreadClient } from './thread-client.ts';

const urlOf = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

/**
 * A store thread on a real database that notes each of its starts, and cannot open while the file `shut` is there. It dies
 * of a tenant called `throw`, after the first statement of its transaction, and ends at one called `end`.
 */
const THREAD = `
  const { appendFileSync, existsSync } = await import('node:fs');
  const { join } = await import('node:path');
  const { workerData } = await import('node:worker_threads');
  const { serveOperations } = await import(${urlOf('./serve-operations.ts')});
  const { Database } = await import(${urlOf('../sqlite/database.ts')});
  await serveOperations(() => {
    appendFileSync(join(workerData, 'starts'), 'x');
    if (existsSync(join(workerData, 'shut'))) throw new Error('shut');
    const path = join(workerData, 'some.db');
    const database = new Database({ path, durability: 'full', busyTimeoutMs: 100 });
    database.execute('CREATE TABLE IF NOT EXISTS ids (id TEXT)');
    const write = (id) => database.prepare('INSERT INTO ids VALUES (?)').run(id);
    return {
      createTenant: ({ id }) => {
        if (id === 'end') return process.exit();
        database.execute('BEGIN IMMEDIATE');
        write(id);
        if (id === 'throw') return new Promise(() => setTimeout(() => { throw new Error('planted'); }));
        database.execute('COMMIT');
      },
      liveOwners: () => database.prepare('SELECT id FROM ids').all().map((row) => row.id),
      close: () => database.close(),
    };
  });
`;

let directory: string;
let thread: URL;
let client: ThreadClient;
beforeEach(async () => {
  directory = temporaryDirectory('thread');
  const file = join(directory, 'some-thread.mjs');
  writeFileSync(file, THREAD);
  thread = pathToFileURL(file);
  client = await ThreadClient.open(thread, directory, 100);
  onTestFinished(() => client.close());
});

const create = (id: string): Promise<void> =>
  client.call('createTenant', { id, name: '', planId: '', terms: PLAIN_TERMS, createdAt: 0 });
const countStarts = (): number => readFileSync(join(directory, 'starts')).length;
const untilAnswered = (): Promise<readonly string[]> =>
  waitFor(() => client.call('liveOwners').catch(() => undefined), {
    timeoutMs: 20_000,
    what: 'the store to answer again',
  });

const UNAVAILABLE = { name: 'StoreError', code: 'unavailable' };

it('a thread that dies in a transaction is followed by another: what it was asked fails, and its transaction is taken back', async () => {
  await create('one');
  await expect(create('throw')).rejects.toMatchObject({
    ...UNAVAILABLE,
    message: 'the store thread failed: planted',
  });
  await expect(create('two')).rejects.toMatchObject(UNAVAILABLE);
  expect(await untilAnswered()).toEqual(['one']);
  await create('three');
  expect(await client.call('liveOwners')).toEqual(['one', 'three']);
  await expect(create('end')).rejects.toMatchObject(UNAVAILABLE);
  expect(await untilAnswered()).toEqual(['one', 'three']);
  expect(countStarts()).toBe(3);
});

it('one that cannot open its database is tried again until it can', async () => {
  writeFileSync(join(directory, 'shut'), '');
  await expect(create('throw')).rejects.toMatchObject(UNAVAILABLE);
  await waitFor(() => countStarts() > 2, { timeoutMs: 20_000, what: 'two attempts in vain' });
  await expect(create('one')).rejects.toMatchObject(UNAVAILABLE);
  rmSync(join(directory, 'shut'));
  expect(await untilAnswered()).toEqual([]);
});

it('closed between two threads, it starts no other', async () => {
  await expect(create('throw')).rejects.toMatchObject(UNAVAILABLE);
  await client.close();
  await expect(create('one')).rejects.toMatchObject({ message: 'the store is closed' });
  // Another client takes longer to start its thread than this one would have waited.
  const other = await ThreadClient.open(thread, directory, 1);
  await other.close();
  await client.close();
  expect(countStarts()).toBe(2);
});

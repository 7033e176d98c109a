import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';

import { beforeEach, expect, it, onTestFinished } from 'vitest';

import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { Journal } from '../engine/journal.ts';
import { ownerLockPath } from '../engine/reclaim.ts';
import { createLogger } from '../platform/logger.ts';
import { createProcessLock } from '../platform/process-lock.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import type { Store } from '../stores/store.ts';
import { journalDirectory } from './data-directory.ts';
import { OwnerSweeper } from './owner-sweeper.ts';

let directory: string;
let store: Store;
let lines: string[];
let sweeper: OwnerSweeper;

beforeEach(async () => {
  directory = temporaryDirectory('sweeper');
  mkdirSync(journalDirectory(directory));
  store = await openSqliteStore({ directory });
  onTestFinished(() => store.close());
  lines = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const logger = createLogger({ level: 'warn', destination });
  sweeper = new OwnerSweeper({ store, dataDirectory: directory, logger, now: Date.now });
  onTestFinished(() => sweeper.stop());
});

/** A process that died: the store thinks it lives, its lock file is there and nobody holds it. */
async function leaveBehind(owner: string): Promise<void> {
  await store.openOwner(owner, Date.now());
  writeFileSync(join(journalDirectory(directory), `${owner}.lock`), '');
}

it('finds every dead process of this machine, and leaves those of others alone', async () => {
  await leaveBehind('own_1');
  await leaveBehind('own_2');
  await store.openOwner('own_elsewhere', Date.now());
  await sweeper.sweep();
  expect(await store.liveOwners()).toEqual(['own_elsewhere']);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { owner: 'own_1', settled: 0, returned: 0, message: 'reclaimed the money of a dead process' },
    { owner: 'own_2' },
  ]);
});

it('a journal that charges what the books do not have is refused by its name, and the next one is read', async () => {
  await leaveBehind('own_1');
  const journal = new Journal(journalDirectory(directory), 'own_1');
  const charges = [{ index: 1, amount: 5 }];
  journal.append({ kind: 'charge', requestId: 'req_1', charges, overruns: [] });
  await leaveBehind('own_2');
  await sweeper.sweep();
  expect(await store.liveOwners()).toEqual(['own_1']);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { owner: 'own_1', error: expect.stringContaining('charges lease 1') as string },
    { owner: 'own_2', message: 'reclaimed the money of a dead process' },
  ]);
});

it('a journal that is refused in every round is told of once, and not twice a second', async () => {
  await leaveBehind('own_1');
  const journal = new Journal(journalDirectory(directory), 'own_1');
  const charges = [{ index: 1, amount: 5 }];
  journal.append({ kind: 'charge', requestId: 'req_1', charges, overruns: [] });
  for (let round = 0; round < 5; round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one round after the other
    await sweeper.sweep();
  }
  expect(lines).toHaveLength(1);
});

it('a journal that is gone is told of as a loss', async () => {
  await leaveBehind('own_1');
  const batch = { owner: 'own_1', now: Date.now(), seq: 3, leases: [], overruns: [] };
  await store.sync({ ...batch, changesAfter: 0 });
  await sweeper.sweep();
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { owner: 'own_1', level: 'error', message: expect.stringContaining('is not there') as string },
    { owner: 'own_1', message: 'reclaimed the money of a dead process' },
  ]);
});

it('a start removes what a process left that died while it made its lock', () => {
  const unfinished = join(journalDirectory(directory), 'own_1.lock.new');
  writeFileSync(unfinished, '');
  utimesSync(unfinished, 0, 0);
  sweeper.start();
  expect(existsSync(unfinished)).toBe(false);
});

it('looks again by itself', async () => {
  sweeper.start();
  await sweeper.sweep();
  await leaveBehind('own_1');
  await waitFor(() => lines.join().includes('"owner":"own_1"'), {
    timeoutMs: 10_000,
    what: 'the next round',
  });
  expect(await store.liveOwners()).toEqual([]);
});

it('one round at a time: a call during a round gets that round', () => {
  expect(sweeper.sweep()).toBe(sweeper.sweep());
});

it('a round that fails is logged, and the next one works', async () => {
  rmSync(journalDirectory(directory), { recursive: true });
  await sweeper.sweep();
  expect(lines.join()).toContain('sweep for dead processes failed');
  mkdirSync(journalDirectory(directory));
  await leaveBehind('own_1');
  await sweeper.sweep();
  expect(await store.liveOwners()).toEqual([]);
});

it('looks for the last time when it stops, also during a round that has passed who died, and then no more', async () => {
  const death = createProcessLock(ownerLockPath(journalDirectory(directory), 'own_1'));
  await store.openOwner('own_1', Date.now());
  const round = sweeper.sweep();
  death.release();
  await Promise.all([round, sweeper.stop()]);
  expect(await store.liveOwners()).toEqual([]);
  await leaveBehind('own_2');
  await sweeper.sweep();
  expect(await store.liveOwners()).toEqual(['own_2']);
});

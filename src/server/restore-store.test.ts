import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import {
  makeDirectory,
  removeDirectory,
  temporaryDirectory,
} from '../../test/support/temporary-directory.ts';
import { createClock } from '../platform/clock.ts';
import { takeProcessLock } from '../platform/process-lock.ts';
import { Database } from '../stores/sqlite/database.ts';
import { migrate, MIGRATIONS } from '../stores/sqlite/migrations.ts';
import { openCopySource } from '../stores/sqlite/copy-source.ts';
import { inspectDirectory, migrateDirectory } from '../stores/sqlite/schema.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import { addGrant, failure, requestIdAt, T0 } from '../stores/store-fixture.conformance.ts';
import { describeFile, writeManifest } from './backup-manifest.ts';
import { backUp } from './backup-store.ts';
import { journalDirectory } from './data-directory.ts';
import { restore, type Restored } from './restore-store.ts';

const CLOCK = createClock();
const DAY = 'requests-1970-01-01.db';

const saved = makeDirectory('saved');
let source: string;
let directory: string;

beforeAll(async () => {
  const data = join(saved, 'data');
  const store = await openSqliteStore({ directory: data });
  await addGrant(store, { tenantId: 'ten_1', amount: 1000n });
  const row = { at: 0, tenantId: 'ten_1', status: 402, code: 'X', facts: 'y'.repeat(20_000) };
  await store.appendRequests([{ ...row, requestId: requestIdAt(0) }]);
  await store.close();
  writeFileSync(join(data, 'demo.key'), 'key');
  await backUp({ directory: data, target: join(saved, 'backup') }, CLOCK);
});
afterAll(() => removeDirectory(saved));
beforeEach(() => {
  source = join(temporaryDirectory('backup'), 'monday');
  cpSync(join(saved, 'backup'), source, { recursive: true });
  directory = join(temporaryDirectory('restored'), 'data');
});

const run = (replaces = false) => restore({ source, directory, replaces }, CLOCK);

async function runWell(replaces = false): Promise<Restored> {
  const restored = await run(replaces);
  if (restored.kind === 'refused') throw new Error(restored.message);
  return restored;
}

async function balanceIn(of: string): Promise<bigint | undefined> {
  const store = await openSqliteStore({ directory: of });
  try {
    expect(await store.audit()).toEqual([]);
    return (await store.accounts('ten_1', T0, 0))[0]?.allowance;
  } finally {
    await store.close();
  }
}

/** A store of its own, with half the money, and what else lies in a data directory. */
async function fillDirectory(): Promise<void> {
  const store = await openSqliteStore({ directory });
  await addGrant(store, { tenantId: 'ten_1', amount: 500n });
  await store.close();
  mkdirSync(journalDirectory(directory));
  writeFileSync(join(journalDirectory(directory), 'own_1.000001.journal'), '');
  writeFileSync(join(directory, 'admin.token'), 'token');
}

/** Names and bytes of everything below. */
function contentsOf(of: string): readonly (readonly [string, string])[] {
  if (!existsSync(of)) return [];
  const names = readdirSync(of, { recursive: true, withFileTypes: true });
  return names
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((path) => [path, existsSync(join(path, '.')) ? '' : readFileSync(path, 'latin1')]);
}

describe('a backup', () => {
  it.each([
    ['a directory that is not there', () => undefined],
    [
      'an empty one, with what its file system puts there',
      () => mkdirSync(join(directory, 'lost+found'), { recursive: true }),
    ],
  ])('PERF-08: is put into %s: the balance is the same', async (_title, plant) => {
    plant();
    expect(await runWell()).toMatchObject({
      schema: MIGRATIONS.length,
      replaced: undefined,
      held: [],
    });
    const names = readdirSync(directory).filter((name) => name !== 'lost+found');
    expect(names.toSorted()).toEqual(['demo.key', 'ledger.db', DAY]);
    expect(await balanceIn(directory)).toBe(1000n);
  });

  it('takes the place of what is there when that is asked for, which is kept beside it; the admin token stays', async () => {
    await fillDirectory();
    const { replaced = '' } = await runWell(true);
    expect(readdirSync(replaced).toSorted()).toEqual(['journal', 'ledger.db']);
    expect(await balanceIn(replaced)).toBe(500n);
    expect(await balanceIn(directory)).toBe(1000n);
    expect(readFileSync(join(directory, 'admin.token'), 'utf8')).toBe('token');
    const { replaced: second = '' } = await runWell(true);
    expect(await balanceIn(second)).toBe(1000n);
    expect(existsSync(replaced)).toBe(true);
  });

  it('takes the place of a store that SQLite cannot read', async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'ledger.db'), 'not a database'.repeat(100));
    const { replaced = '' } = await runWell(true);
    expect(readFileSync(join(replaced, 'ledger.db'), 'utf8')).toMatch(/^not a database/);
    expect(await balanceIn(directory)).toBe(1000n);
  });

  it('of an earlier version is brought up to date', async () => {
    rmSync(source, { recursive: true });
    mkdirSync(source);
    const path = join(source, 'ledger.db');
    const ledger = new Database({ path, durability: 'normal', busyTimeoutMs: 1000 });
    migrate(ledger, MIGRATIONS.slice(0, 1));
    // The driver leaves a file when its statements are collected: whatever it writes then must be in it by now.
    ledger.execute('PRAGMA wal_checkpoint(TRUNCATE)');
    ledger.close();
    const files = [await describeFile(source, 'ledger.db')];
    const made_at = new Date(T0).toISOString();
    writeManifest(source, { made_at, tollkeeper: '0.0.9', schema: 1, files });
    expect(await runWell()).toMatchObject({ schema: MIGRATIONS.length });
    expect(await balanceIn(directory)).toBeUndefined();
  });
});

describe('refused, with the directory as it was', () => {
  const manifestPath = () => join(source, 'manifest.json');
  const changeManifest = (change: (text: string) => string) =>
    writeFileSync(manifestPath(), change(readFileSync(manifestPath(), 'utf8')));
  const spoil = (name: string) => {
    const bytes = readFileSync(join(source, name));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(join(source, name), bytes);
  };
  /** As a backup of a damaged file would be, whose checksum is right. */
  const describeAnew = async (name: string) => {
    const { bytes, sha256 } = await describeFile(source, name);
    const manifest = JSON.parse(readFileSync(manifestPath(), 'utf8')) as {
      files: { name: string; bytes: number; sha256: string }[];
    };
    const files = manifest.files.map((each) =>
      each.name === name ? { name, bytes, sha256 } : each,
    );
    writeFileSync(manifestPath(), JSON.stringify({ ...manifest, files }));
  };

  it.each<readonly [string, () => unknown, string, string]>([
    ['a directory without a manifest', () => rmSync(manifestPath()), 'NO_BACKUP', 'manifest.json'],
    [
      'a backup that is not there',
      () => rmSync(source, { recursive: true }),
      'NO_BACKUP',
      'monday',
    ],
    [
      'a manifest that is no JSON',
      () => changeManifest((text) => text.slice(0, 90)),
      'BACKUP_DAMAGED',
      'manifest.json',
    ],
    [
      'a manifest that is too large',
      () => changeManifest((text) => text + ' '.repeat(5_000_000)),
      'BACKUP_DAMAGED',
      'too large',
    ],
    [
      'a manifest that leads elsewhere',
      () => changeManifest((text) => text.replace('demo.key', '../demo.key')),
      'BACKUP_DAMAGED',
      'files.0.name',
    ],
    [
      'a manifest without a ledger',
      () => changeManifest((text) => text.replace('ledger.db', 'demo.key')),
      'BACKUP_DAMAGED',
      'files',
    ],
    [
      'another format',
      () => changeManifest((text) => text.replace('"format": 1', '"format": 2')),
      'NO_BACKUP',
      'format is 2',
    ],
    [
      'a newer schema',
      () => changeManifest((text) => text.replace(/"schema": \d+/, '"schema": 99')),
      'BACKUP_NEWER',
      'schema version 99',
    ],
    [
      'a ledger with another bit',
      () => spoil('ledger.db'),
      'BACKUP_DAMAGED',
      'ledger.db is damaged (its checksum',
    ],
    [
      'a log with another bit',
      () => spoil(DAY),
      'BACKUP_DAMAGED',
      `${DAY} is damaged (its checksum`,
    ],
    [
      'a file that was cut',
      () => writeFileSync(join(source, 'demo.key'), 'k'),
      'BACKUP_DAMAGED',
      'demo.key is damaged (it has 1 bytes of 3)',
    ],
    [
      'a file that is missing',
      () => rmSync(join(source, DAY)),
      'BACKUP_DAMAGED',
      `${DAY} is damaged (it is missing)`,
    ],
    [
      'a damaged file with the right checksum',
      async () => {
        writeFileSync(join(source, DAY), readFileSync(join(source, DAY)).fill(7, 8192));
        await describeAnew(DAY);
      },
      'BACKUP_DAMAGED',
      `${DAY} is damaged (`,
    ],
    [
      'books that do not add up',
      async () => {
        const path = join(source, 'ledger.db');
        const ledger = new Database({ path, durability: 'normal', busyTimeoutMs: 1000 });
        ledger.execute(
          'UPDATE entries SET amount = amount + 1 WHERE leg = 0; PRAGMA journal_mode = DELETE',
        );
        ledger.close();
        await describeAnew('ledger.db');
      },
      'BOOKS_WRONG',
      'I1 every ledger transaction sums to zero',
    ],
  ])('%s', async (_title, plant, code, message) => {
    await plant();
    expect(await run()).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(existsSync(directory)).toBe(false);
  });

  it('a directory that is not empty, unless it may be replaced; one of which the backup is damaged even then', async () => {
    await fillDirectory();
    const before = contentsOf(directory);
    expect(await run()).toMatchObject({
      code: 'DIRECTORY_NOT_EMPTY',
      message: expect.stringContaining('--replace'),
    });
    spoil('ledger.db');
    expect(await run(true)).toMatchObject({ code: 'BACKUP_DAMAGED' });
    expect(contentsOf(directory)).toEqual(before);
    expect(await balanceIn(directory)).toBe(500n);
  });

  it('a directory where a process is alive, or has the store open', async () => {
    await fillDirectory();
    const held = join(journalDirectory(directory), 'own_1.lock');
    const lock = takeProcessLock(held);
    const ledger = new Database({
      path: join(directory, 'ledger.db'),
      durability: 'normal',
      busyTimeoutMs: 100,
    });
    expect(await run(true)).toMatchObject({
      code: 'STORE_IN_USE',
      message: expect.stringContaining('gateway process own_1 works on'),
    });
    lock?.release();
    expect(await run(true)).toMatchObject({
      code: 'STORE_IN_USE',
      message: expect.stringContaining('has the store'),
    });
    ledger.close();
  });
});

describe('an interrupted restore', () => {
  const interrupt = () => mkdirSync(join(directory, 'restoring'), { recursive: true });

  it('lets nobody use the store, until a restore has ended well', async () => {
    await fillDirectory();
    interrupt();
    const refused = {
      ...failure('incompatible'),
      message: expect.stringContaining('run tollkeeper restore again'),
    };
    await expect(openSqliteStore({ directory })).rejects.toMatchObject(refused);
    const target = `${source}-again`;
    await expect(backUp({ directory, target }, CLOCK)).rejects.toMatchObject(refused);
    for (const use of [migrateDirectory, inspectDirectory, openCopySource]) {
      expect(() => use(directory)).toThrow(expect.objectContaining(refused));
    }
    writeFileSync(join(source, 'demo.key'), '');
    expect(await run(true)).toMatchObject({ code: 'BACKUP_DAMAGED' });
    await expect(openSqliteStore({ directory })).rejects.toMatchObject(refused);
    source = join(saved, 'backup');
    await runWell(true);
    expect(await balanceIn(directory)).toBe(1000n);
  });

  it('is waited for while it is at work', async () => {
    mkdirSync(directory);
    const lock = takeProcessLock(join(directory, 'restoring.lock'));
    onTestFinished(() => lock?.release());
    expect(await run()).toMatchObject({ code: 'RESTORE_RUNNING' });
  });
});

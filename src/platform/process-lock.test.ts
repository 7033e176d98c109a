import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { ChildProgram } from '../../test/support/child-program.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { createProcessLock, removeUnfinishedLocks, takeProcessLock } from './process-lock.ts';

const LOCK_URL = JSON.stringify(new URL('./process-lock.ts', import.meta.url).href);
const HOLDER = `
  const { takeProcessLock } = await import(${LOCK_URL});
  const lock = takeProcessLock(process.argv[1]);
  process.stdout.write(lock === undefined ? 'refused' : 'locked');
  setInterval(() => lock, 1000);
`;

async function startHolder(path: string): Promise<ChildProgram> {
  const args = [...process.execArgv, '--input-type=module', '-e', HOLDER, path];
  const program = new ChildProgram({ command: process.execPath, args });
  onTestFinished(async () => {
    await program.stop('SIGKILL');
  });
  await waitFor(() => program.stdout !== '' || program.exit !== undefined, {
    timeoutMs: 20_000,
    what: 'the holder of the lock',
  });
  expect(program.stderr).toBe('');
  return program;
}

it('is held while its process lives, even stopped, and is free once it was killed', async () => {
  const path = join(temporaryDirectory('lock'), 'own_1.lock');
  const holder = await startHolder(path);
  expect(holder.stdout).toBe('locked');
  expect(takeProcessLock(path)).toBeUndefined();
  holder.child.kill('SIGSTOP');
  expect(takeProcessLock(path)).toBeUndefined();
  holder.child.kill('SIGKILL');
  await holder.exited;
  const lock = takeProcessLock(path);
  expect(lock).toBeDefined();
  lock?.release();
}, 60_000);

it('keeps others out until it is released', async () => {
  const path = join(temporaryDirectory('lock'), 'own_1.lock');
  const lock = takeProcessLock(path);
  expect((await startHolder(path)).stdout).toBe('refused');
  lock?.release();
  expect((await startHolder(path)).stdout).toBe('locked');
}, 60_000);

const MAKER = `
  const { createProcessLock } = await import(${LOCK_URL});
  const locks = [];
  process.stdout.write('making');
  for (let index = 0; index < 1000; index += 1)
    locks.push(createProcessLock(process.argv[1] + '/own_' + index + '.lock'));
  process.stdout.write(' made');
  setInterval(() => locks, 1000);
`;

it('is found held from the moment it is made, by one who looks for dead processes all the time', async () => {
  const directory = temporaryDirectory('lock');
  const args = [...process.execArgv, '--input-type=module', '-e', MAKER, directory];
  const maker = new ChildProgram({ command: process.execPath, args });
  onTestFinished(async () => {
    await maker.stop('SIGKILL');
  });
  const seen = new Set<string>();
  const taken: string[] = [];
  const look = (name: string): void => {
    seen.add(name);
    const lock = takeProcessLock(join(directory, name));
    if (lock === undefined) return;
    taken.push(name);
    rmSync(join(directory, name));
    lock.release();
  };
  const deadline = performance.now() + 30_000;
  while (!maker.stdout.endsWith('made') && maker.exit === undefined) {
    for (const name of readdirSync(directory)) {
      if (name.endsWith('.lock') && !seen.has(name)) look(name);
    }
    expect(performance.now()).toBeLessThan(deadline);
    // oxlint-disable-next-line no-await-in-loop -- looks again and again, and hears the maker in between
    await new Promise(setImmediate);
  }
  expect(maker.stderr).toBe('');
  expect(seen.size).toBeGreaterThan(10);
  expect(taken).toEqual([]);
}, 60_000);

it('is one file while it is held, and what an earlier version left beside it goes when it is taken', () => {
  const directory = temporaryDirectory('lock');
  const made = createProcessLock(join(directory, 'own_1.lock'));
  writeFileSync(join(directory, 'own_2.lock'), '');
  writeFileSync(join(directory, 'own_2.lock-journal'), Buffer.alloc(512));
  const taken = takeProcessLock(join(directory, 'own_2.lock'));
  expect(readdirSync(directory).toSorted()).toEqual(['own_1.lock', 'own_2.lock']);
  made.release();
  taken?.release();
});

it('one whose maker died before it had its name is removed once nobody can be making it; a finished one and a held one stay', async () => {
  const directory = temporaryDirectory('lock');
  const maker = await startHolder(join(directory, 'own_1.lock.new'));
  const live = await startHolder(join(directory, 'own_2.lock.new'));
  maker.child.kill('SIGKILL');
  await maker.exited;
  createProcessLock(join(directory, 'own_3.lock')).release();
  expect(live.stdout).toBe('locked');
  removeUnfinishedLocks(directory, Date.now());
  expect(readdirSync(directory)).toHaveLength(3);
  removeUnfinishedLocks(directory, Date.now() + 61_000);
  expect(readdirSync(directory).toSorted()).toEqual(['own_2.lock.new', 'own_3.lock']);
  expect(takeProcessLock(join(directory, 'own_2.lock.new'))).toBeUndefined();
}, 60_000);

it('a path that cannot be a lock is an error, not a lock of somebody else', () => {
  expect(() => takeProcessLock(temporaryDirectory('lock'))).toThrow('unable to open');
});

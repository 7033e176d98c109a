import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { ChildProgram } from '../../test/support/child-program.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { takeProcessLock } from './process-lock.ts';

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

it('a path that cannot be a lock is an error, not a lock of somebody else', () => {
  expect(() => takeProcessLock(temporaryDirectory('lock'))).toThrow('unable to open');
});

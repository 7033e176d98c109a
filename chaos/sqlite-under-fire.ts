import { join, resolve } from 'node:path';

import { openSqliteStore } from '../src/stores/sqlite/sqlite-store.ts';
import { ChildProgram } from '../test/support/child-program.ts';
import { waitFor } from '../test/support/wait-for.ts';
import type { StoreUnderFire } from './store-under-fire.ts';

const LOCK_TIMEOUT_MS = 20_000;

/**
 * One data directory for all gateways. SQLite has no server to restart: another process has the ledger file to
 * itself instead, so that every write of every gateway waits, and meanwhile the caller kills one gateway whole.
 */
export function sqliteUnderFire(directory: string): StoreUnderFire {
  const holders = new Set<ChildProgram>();
  const kill = (): void => {
    for (const holder of holders) holder.child.kill('SIGKILL');
  };
  return {
    title: 'SQLite, one data directory',
    start: async () => undefined,
    settings: '',
    embedded: true,
    dataDirectory: () => directory,
    open: () => openSqliteStore({ directory }),
    async restart(outageMs, meanwhile) {
      const holder = new ChildProgram({
        command: process.execPath,
        args: [
          resolve(import.meta.dirname, 'hold-ledger-lock.mjs'),
          join(directory, 'ledger.db'),
          String(outageMs),
        ],
      });
      holders.add(holder);
      try {
        await waitFor(() => hasSaid(holder, 'locked'), {
          timeoutMs: LOCK_TIMEOUT_MS,
          what: 'the ledger to be locked',
        });
        await Promise.all([meanwhile(), waitForRelease(holder, outageMs)]);
      } finally {
        await holder.stop('SIGKILL');
        holders.delete(holder);
      }
    },
    kill,
    stop: async () => kill(),
  };
}

async function waitForRelease(holder: ChildProgram, outageMs: number): Promise<void> {
  await waitFor(() => hasSaid(holder, 'released'), {
    timeoutMs: outageMs + LOCK_TIMEOUT_MS,
    what: 'the ledger to be released',
  });
}

function hasSaid(holder: ChildProgram, word: string): boolean {
  if (holder.stdout.includes(word)) return true;
  if (holder.exit === undefined) return false;
  throw new Error(`the process that locks the ledger ended early: ${holder.stderr}`);
}

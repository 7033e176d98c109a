// `node hold-ledger-lock.mjs LEDGER MILLISECONDS`: a process that has the ledger to itself for so long. Says `locked`
// when it has, `released` when it has given it back. A process of its own, because waiting for the lock stands still.
import { setTimeout as sleep } from 'node:timers/promises';

import { DatabaseSync } from '@photostructure/sqlite';

const WAIT_MS = 10_000;
const [path = '', milliseconds = ''] = process.argv.slice(2);

const database = new DatabaseSync(path, { timeout: WAIT_MS });
database.exec('BEGIN EXCLUSIVE');
process.stdout.write('locked\n');
await sleep(Number(milliseconds));
database.exec('ROLLBACK');
database.close();
process.stdout.write('released\n');

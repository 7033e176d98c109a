import { join } from 'node:path';

import { DatabaseSync } from '@photostructure/sqlite';
import { onTestFinished } from 'vitest';

/** Another process that has the ledger to itself: every write of the gateway waits in vain. Ends with the test. */
export function lockLedger(data: string): { release(): void } {
  const database = new DatabaseSync(join(data, 'ledger.db'), { timeout: 5000 });
  database.exec('BEGIN IMMEDIATE');
  let locked = true;
  const release = (): void => {
    if (!locked) return;
    locked = false;
    database.exec('ROLLBACK');
    database.close();
  };
  onTestFinished(release);
  return { release };
}

import { expect, it, onTestFinished } from 'vitest';

import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { PLAIN_TERMS } from '../domain/tenant-terms.ts';
import { createLogger } from '../platform/logger.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import { warnOfStrandedCustomers } from './stranded-customers.ts';

/** More than a page of them. */
const CUSTOMERS = 450;

it('customers on a plan that is missing are told of at the start, by plan and number', async () => {
  const store = await openSqliteStore({ directory: temporaryDirectory('stranded') });
  onTestFinished(() => store.close());
  const add = (id: string, planId: string, terms = {}) =>
    store.createTenant({
      id,
      planId,
      name: id,
      createdAt: 0,
      terms: { ...PLAIN_TERMS, ...terms },
    });
  for (let each = 0; each < CUSTOMERS; each += 1) await add(`ten_${1000 + each}`, 'free');
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ level: 'warn', destination });
  const plans = new Map([['free', 1]]);
  await warnOfStrandedCustomers(store, plans, logger);
  expect(lines).toEqual([]);
  await add('ten_0', 'gold');
  await add('ten_9', 'gold');
  await add('ten_part', 'silver', { parentId: 'ten_1000', pooled: true });
  await warnOfStrandedCustomers(store, plans, logger);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({
      level: 'warn',
      count: 1,
      plans: [{ plan: 'gold', customers: 2, first: 'ten_0' }],
    }),
  ]);
});

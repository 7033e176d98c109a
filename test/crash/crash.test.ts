import { expect, it } from 'vitest';

import { openSqliteStore } from '../../src/stores/sqlite/sqlite-store.ts';
import { findFaults, playCrash } from './play-crash.ts';

/** PERF-05, issue "Part 1" show 5: the numbers it names. */
const REQUESTS_LEAST = 50_000;
const KILLS = [
  ...Array<'worker'>(30).fill('worker'),
  ...Array<'supervisor'>(5).fill('supervisor'),
  ...Array<'tree'>(2).fill('tree'),
];

it(
  'PERF-05: 37 random kill -9 under load lose no money, serve nothing uncharged and leave nothing reserved',
  { timeout: 600_000 },
  async () => {
    const outcome = await playCrash({
      kills: KILLS,
      requestsLeast: REQUESTS_LEAST,
      store: 'sqlite',
      openStore: (data) => openSqliteStore({ directory: data }),
    });
    expect(findFaults(outcome)).toEqual([]);
    expect(outcome.served_answers).toBeGreaterThanOrEqual(REQUESTS_LEAST);
    expect(outcome.streamed * 3).toBeGreaterThanOrEqual(outcome.calls);
  },
);

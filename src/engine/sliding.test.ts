import assert from 'node:assert/strict';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { ManualClock } from '../../test/support/manual-clock.ts';
import { makeDirectory, removeDirectory } from '../../test/support/temporary-directory.ts';
import type { AccountSpec } from '../domain/accounts.ts';
import { type Clock, createClock } from '../platform/clock.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import { slidingQuotaOf } from '../stores/store-fixture.conformance.ts';
import type { Store } from '../stores/store.ts';
import { LedgerEngine } from './ledger-engine.ts';

const ENGINES = 2;
const AMOUNT = 60;
const PERIOD_MS = 60_000;
const SETTLE_MS = 100;

/** The machine's time, and what it was moved by: who waits for another process waits some real milliseconds. */
class MovedClock implements Clock {
  readonly #clock = createClock();
  #byMs = 0;

  readonly now = (): number => this.#clock.now() + this.#byMs;
  readonly monotonicMs = (): number => this.#clock.monotonicMs() + this.#byMs;

  advance(byMs: number): void {
    this.#byMs += byMs;
  }
}

let directory: string;
let clock: ManualClock | MovedClock;
let store: Store;
let engines: LedgerEngine[];
/** Times of what was served, whatever the books say. */
let served: number[];
const errors: unknown[] = [];

async function openEngines(kind: ManualClock | MovedClock): Promise<void> {
  clock = kind;
  store = await openSqliteStore({ directory, clock });
  engines = await Promise.all(
    Array.from({ length: ENGINES }, (_, index) =>
      LedgerEngine.open({
        owner: `w${index}`,
        journalDirectory: directory,
        store,
        clock,
        events: {
          onFenced: () => errors.push('fenced'),
          onChanges: () => {},
          onError: (error) => errors.push(error),
          onOverrun: (overrun) => errors.push(overrun),
        },
      }),
    ),
  );
}

beforeEach(() => {
  directory = makeDirectory('sliding');
  served = [];
  errors.length = 0;
});

afterEach(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await store.close();
  removeDirectory(directory);
});

/** One call; when it is refused, the time from which it fits as it was told. */
async function call(engine: LedgerEngine, account: AccountSpec): Promise<number | undefined> {
  const { signal } = new AbortController();
  const outcome = await engine.reserve('req_1', [{ account, amount: 1 }], [], signal);
  if (outcome.kind === 'held') {
    assert.deepEqual(engine.capture(outcome.hold, [1]), [1]);
    served.push(clock.now());
    return undefined;
  }
  // Where units come free while callers wait, the last of them may lie in the other's slice: `held`, try again.
  assert.equal(outcome.kind, 'short');
  assert.ok(outcome.cause === 'gone' || outcome.cause === 'held', outcome.cause);
  return outcome.numbers?.resetsAt;
}

/** As ever, what was served is settled soon after it, and who is alive is heard of. */
async function pass(ms: number): Promise<void> {
  const soonMs = Math.min(SETTLE_MS, ms);
  for (const byMs of [soonMs, ms - soonMs]) {
    clock.advance(byMs);
    // oxlint-disable-next-line no-await-in-loop -- one moment after the other
    await Promise.all(engines.map((engine) => engine.settleNow()));
  }
}

/** By brute force over every stretch of a period that ends with something served. */
function mostInAnyPeriod(): number {
  const sums = served.map(
    (last) => served.filter((at) => at <= last && at >= last - PERIOD_MS).length,
  );
  return Math.max(0, ...sums);
}

it.each([
  ['at a steady pace', 1000, 2],
  ['in bursts', 15_000, 20],
])(
  'QUOTA-02: over three windows callers of two processes get nine tenths of the limit, and never more than it in any stretch: %s',
  async (_what, pauseMs, callsEach) => {
    await openEngines(new MovedClock());
    const account = slidingQuotaOf('ten_1', AMOUNT, PERIOD_MS);
    const startedAt = clock.now();
    while (clock.now() < startedAt + 3 * PERIOD_MS) {
      const calls = engines.flatMap((engine) =>
        Array.from({ length: callsEach }, () => call(engine, account)),
      );
      // oxlint-disable-next-line no-await-in-loop -- one moment after the other
      await Promise.all(calls);
      // oxlint-disable-next-line no-await-in-loop -- as above
      await pass(pauseMs);
    }
    expect(mostInAnyPeriod()).toBe(AMOUNT);
    expect(served.length).toBeGreaterThanOrEqual(0.9 * 3 * AMOUNT);
    expect(errors).toEqual([]);
    expect(await store.audit()).toEqual([]);
  },
  60_000,
);

it('QUOTA-05: a refusal says when its units fit: they do then, and not a moment before', async () => {
  await openEngines(new ManualClock());
  const account = slidingQuotaOf('ten_1', 4, PERIOD_MS);
  const [one, other] = engines;
  if (one === undefined || other === undefined) throw new Error('no engines');
  for (const engine of [one, one, other]) {
    // oxlint-disable-next-line no-await-in-loop -- one call after the other
    expect(await call(engine, account)).toBeUndefined();
    // oxlint-disable-next-line no-await-in-loop -- as above
    await pass(10_000);
  }
  expect(await call(other, account)).toBeUndefined();
  const resetsAt = await call(one, account);
  expect(resetsAt).toBeDefined();
  // Answered from memory, it is told the same.
  expect(one.refuseAtOnce([{ account, amount: 1 }])?.numbers?.resetsAt).toBe(resetsAt);
  await pass((resetsAt ?? 0) - clock.now() - 1);
  expect(await call(one, account)).toBe(resetsAt);
  await pass(1);
  expect(await call(one, account)).toBeUndefined();
  expect(one.peek(account)?.resetsAt).toBeUndefined();
});

it('another length of the same limit takes effect with the next slice', async () => {
  await openEngines(new ManualClock());
  const account = slidingQuotaOf('ten_1', 1, PERIOD_MS);
  const [one] = engines;
  if (one === undefined) throw new Error('no engine');
  expect(await call(one, account)).toBeUndefined();
  await pass(500);
  const hourly = slidingQuotaOf('ten_1', 1, 60 * PERIOD_MS);
  await pass(2 * PERIOD_MS);
  expect(await call(one, hourly)).toBeGreaterThan(clock.now() + 50 * PERIOD_MS);
});

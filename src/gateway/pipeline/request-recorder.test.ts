import { Writable } from 'node:stream';

import { beforeEach, expect, it, onTestFinished } from 'vitest';

import { AT, buildFacts, buildOutcome } from '../../../test/support/build-catalog.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import type { Facts, OutcomeFact } from '../../domain/facts.ts';
import { unpackFacts } from '../../domain/facts-record.ts';
import { createId } from '../../platform/ids.ts';
import { createLogger } from '../../platform/logger.ts';
import { decodeRows } from '../../stores/request-rows.ts';
import { openSqliteStore } from '../../stores/sqlite/sqlite-store.ts';
import type { Store } from '../../stores/store.ts';
import { RequestRecorder } from './request-recorder.ts';

const silent = createLogger({ level: 'silent' });

function factsThat(ending: OutcomeFact['ending'], status = 200, code = '', durationMs = 1): Facts {
  return buildFacts({
    requestId: createId('req', AT),
    outcome: buildOutcome({ status, code, durationMs, ending }),
  });
}

async function openStore(): Promise<Store> {
  const store = await openSqliteStore({ directory: temporaryDirectory('recorder') });
  onTestFinished(() => store.close());
  return store;
}

/** Of the rows of one test that were not written. */
const lost = {
  rows: 0,
  add: (rows = 1): void => {
    lost.rows += rows;
  },
};
beforeEach(() => {
  lost.rows = 0;
});

/** A store that takes rows only when it is let. */
class HeldLog {
  readonly batches: number[] = [];
  #let: () => void = () => undefined;
  readonly #allowed = new Promise<void>((resolve) => {
    this.#let = resolve;
  });
  bytesMost = 0;
  appendEncodedRequests(rows: Uint8Array): Promise<void> {
    this.batches.push(decodeRows(rows).length);
    this.bytesMost = Math.max(this.bytesMost, rows.length);
    return this.#allowed;
  }
  release(): void {
    this.#let();
  }
}

it('OBS-01: every request becomes one row without anybody asking for it to be written', async () => {
  const store = await openStore();
  const recorder = new RequestRecorder(store, silent, 'all', lost);
  const served = factsThat('complete');
  const refused = factsThat('refused', 402, 'INSUFFICIENT_CREDITS');
  const nobody: Facts = {
    ...factsThat('refused', 401, 'KEY_MISSING'),
    identity: { kind: 'anonymous' },
  };
  for (const facts of [served, refused, nobody]) recorder.add(facts);
  const row = await waitFor(() => store.request(nobody.requestId), {
    timeoutMs: 5000,
    what: 'the row',
  });
  expect(row).toMatchObject({ tenantId: '', status: 401, code: 'KEY_MISSING', at: AT });
  expect(await store.request(refused.requestId)).toMatchObject({
    tenantId: 'ten_1',
    status: 402,
    code: 'INSUFFICIENT_CREDITS',
  });
  expect(unpackFacts((await store.request(served.requestId))?.facts ?? '')).toEqual(served);
  expect(lost.rows).toBe(0);
});

it('log.requests: refusals keeps what was refused and nothing else', async () => {
  const store = await openStore();
  const recorder = new RequestRecorder(store, silent, 'refusals', lost);
  const all = (['complete', 'client-gone', 'upstream-broke', 'cut', 'refused'] as const).map(
    (ending) => factsThat(ending),
  );
  for (const facts of [...all, buildFacts()]) recorder.add(facts);
  await recorder.flush();
  const found = await Promise.all(all.map(({ requestId }) => store.request(requestId)));
  expect(found.map((row) => row !== undefined)).toEqual([false, false, false, false, true]);
});

it('EVID-01: what would have been refused is found as such, and kept with the refusals', async () => {
  const store = await openStore();
  const recorder = new RequestRecorder(store, silent, 'refusals', lost);
  const served = factsThat('complete');
  const observed = buildFacts({
    requestId: createId('req', AT),
    outcome: served.outcome && { ...served.outcome, wouldRefuse: 'REQUEST_QUOTA_EXCEEDED' },
  });
  recorder.add(served);
  recorder.add(observed);
  await recorder.flush();
  const search = { from: AT, to: AT + 1000, limit: 10, observed: true };
  expect((await store.searchRequests(search)).rows).toMatchObject([
    { requestId: observed.requestId, code: '', wouldRefuse: 'REQUEST_QUOTA_EXCEEDED' },
  ]);
});

it('bound: 100 batches of 128 KiB wait for a store that is behind, and go one at a time; further rows are dropped and counted', async () => {
  const log = new HeldLog();
  const recorder = new RequestRecorder(log, silent, 'all', lost);
  const facts = factsThat('complete');
  const added = 400_000;
  for (let i = 0; i < added; i += 1) recorder.add(facts);
  expect(log.batches).toHaveLength(1);
  expect(lost.rows).toBeGreaterThan(0);
  log.release();
  await recorder.flush();
  // One was under way, 100 waited, and the open one follows.
  expect(log.batches.length).toBeLessThanOrEqual(102);
  expect(log.bytesMost).toBeLessThanOrEqual(128 * 1024);
  expect(log.batches.reduce((sum, rows) => sum + rows, 0)).toBe(added - lost.rows);
});

it('rows that the store does not take are counted as dropped and logged, and the next ones are written', async () => {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  let works = false;
  let written = 0;
  const log = {
    appendEncodedRequests: (rows: Uint8Array) => {
      if (!works) return Promise.reject(new Error('disk full'));
      written += decodeRows(rows).length;
      return Promise.resolve();
    },
  };
  const recorder = new RequestRecorder(
    log,
    createLogger({ level: 'error', destination }),
    'all',
    lost,
  );
  recorder.add(factsThat('complete'));
  recorder.add(factsThat('complete'));
  await recorder.flush();
  expect(lost.rows).toBe(2);
  expect(JSON.parse(lines.join(''))).toMatchObject({
    rows: 2,
    error: 'Error: disk full',
    message: 'request log rows lost',
  });
  works = true;
  recorder.add(factsThat('complete'));
  await recorder.flush();
  expect([written, lost.rows]).toEqual([1, 2]);
});

it('quick, slow and very slow requests are batches of their own, so that none spans more time than its rows need', async () => {
  const log = new HeldLog();
  const recorder = new RequestRecorder(log, silent, 'all', lost);
  for (const durationMs of [1, 60_000, 1000, 1001, 30_000, 30_001, 2]) {
    recorder.add(factsThat('complete', 200, '', durationMs));
  }
  log.release();
  await recorder.flush();
  expect(log.batches).toEqual([3, 2, 2]);
});

it('bound: a row longer than a batch is dropped and counted, and the others are written', async () => {
  const log = new HeldLog();
  const recorder = new RequestRecorder(log, silent, 'all', lost);
  recorder.add(factsThat('complete'));
  recorder.add({ ...factsThat('complete'), path: 'x'.repeat(200_000) });
  recorder.add(factsThat('complete'));
  log.release();
  await recorder.flush();
  expect(log.batches).toEqual([1, 1]);
  expect(lost.rows).toBe(1);
});

it('OBS-01: rows after a slow write are written in their time too', async () => {
  const log = new HeldLog();
  const recorder = new RequestRecorder(log, silent, 'all', lost);
  recorder.add(factsThat('complete'));
  const first = recorder.flush();
  // The write takes longer than the pause between two of them.
  recorder.add(factsThat('complete'));
  await new Promise((resolve) => setTimeout(resolve, 200));
  log.release();
  await first;
  recorder.add(factsThat('complete'));
  await waitFor(() => log.batches.length === 3, { timeoutMs: 5000, what: 'the third row' });
  expect(log.batches).toEqual([1, 1, 1]);
});

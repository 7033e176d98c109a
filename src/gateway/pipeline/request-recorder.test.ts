import { Writable } from 'node:stream';

import { expect, it, onTestFinished } from 'vitest';

import { AT, buildFacts } from '../../../test/support/build-catalog.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import type { Facts, OutcomeFact } from '../../domain/facts.ts';
import { unpackFacts } from '../../domain/facts-record.ts';
import { createId } from '../../platform/ids.ts';
import { createLogger } from '../../platform/logger.ts';
import { openSqliteStore } from '../../stores/sqlite/sqlite-store.ts';
import type { RequestRow, Store } from '../../stores/store.ts';
import { RequestRecorder } from './request-recorder.ts';

const silent = createLogger({ level: 'silent' });

function factsThat(ending: OutcomeFact['ending'], status = 200, code = ''): Facts {
  return buildFacts({
    requestId: createId('req', AT),
    outcome: {
      status,
      code,
      durationMs: 1,
      model: undefined,
      target: undefined,
      upstreamStatus: undefined,
      ending,
      holdNano: 0,
      costNano: 0,
      overrunNano: 0,
      inputTokens: 0,
      cachedInputTokens: 0,
      outputTokens: 0,
      bytesIn: 0,
      bytesOut: 0,
      estimated: false,
      clampedOutputTokens: undefined,
    },
  });
}

async function openStore(): Promise<Store> {
  const store = await openSqliteStore({ directory: temporaryDirectory('recorder') });
  onTestFinished(() => store.close());
  return store;
}

/** A store that takes rows only when it is let. */
class HeldLog {
  readonly batches: number[] = [];
  #let: () => void = () => undefined;
  readonly #allowed = new Promise<void>((resolve) => {
    this.#let = resolve;
  });
  appendRequests(rows: readonly RequestRow[]): Promise<void> {
    this.batches.push(rows.length);
    return this.#allowed;
  }
  release(): void {
    this.#let();
  }
}

it('OBS-01: every request becomes one row without anybody asking for it to be written', async () => {
  const store = await openStore();
  const recorder = new RequestRecorder(store, silent, 'all');
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
  expect(recorder.dropped).toBe(0);
});

it('log.requests: refusals keeps what was refused and nothing else', async () => {
  const store = await openStore();
  const recorder = new RequestRecorder(store, silent, 'refusals');
  const all = (['complete', 'client-gone', 'upstream-broke', 'cut', 'refused'] as const).map(
    (ending) => factsThat(ending),
  );
  for (const facts of [...all, buildFacts()]) recorder.add(facts);
  await recorder.flush();
  const found = await Promise.all(all.map(({ requestId }) => store.request(requestId)));
  expect(found.map((row) => row !== undefined)).toEqual([false, false, false, false, true]);
});

it('bound: 20,000 rows wait for a store that is behind, in batches of 1,000, one at a time; more are dropped and counted', async () => {
  const log = new HeldLog();
  const recorder = new RequestRecorder(log, silent, 'all');
  const facts = factsThat('complete');
  for (let i = 0; i < 1000; i += 1) recorder.add(facts);
  expect(log.batches).toEqual([1000]);
  for (let i = 0; i < 20_005; i += 1) recorder.add(facts);
  expect([log.batches, recorder.dropped]).toEqual([[1000], 5]);
  log.release();
  await recorder.flush();
  expect(log.batches).toEqual(Array.from({ length: 21 }, () => 1000));
  expect(recorder.dropped).toBe(5);
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
    appendRequests: (rows: readonly RequestRow[]) => {
      if (!works) return Promise.reject(new Error('disk full'));
      written += rows.length;
      return Promise.resolve();
    },
  };
  const recorder = new RequestRecorder(log, createLogger({ level: 'error', destination }), 'all');
  recorder.add(factsThat('complete'));
  recorder.add(factsThat('complete'));
  await recorder.flush();
  expect(recorder.dropped).toBe(2);
  expect(JSON.parse(lines.join(''))).toMatchObject({
    rows: 2,
    error: 'Error: disk full',
    message: 'request log rows lost',
  });
  works = true;
  recorder.add(factsThat('complete'));
  await recorder.flush();
  expect([written, recorder.dropped]).toEqual([1, 2]);
});

import { describe, expect, it } from 'vitest';

import { buildFacts, buildIdentity, buildPlan } from '../../test/support/build-catalog.ts';
import { packFacts, unpackFacts } from '../domain/facts-record.ts';
import { RequestBatch } from './request-rows-batch.ts';
import {
  failure,
  freshName,
  type OpenFixture,
  requestIdAt,
  T0,
  useStore,
} from './store-fixture.conformance.ts';
import type { RequestRow, RequestSearch, Store } from './store.ts';

const DAY_MS = 86_400_000;

/** The request log: written once, found by id, searched newest first. */
export function describeRequestLog(open: OpenFixture): void {
  describe('request log', () => {
    describeRows(useStore(open));
  });
  describe('request search', () => {
    describeSearch(useStore(open));
  });
}

function rowOf(at: number, changed: Partial<RequestRow> = {}): RequestRow {
  return {
    requestId: requestIdAt(at),
    at,
    tenantId: 'ten-1',
    status: 402,
    code: 'INSUFFICIENT_CREDITS',
    facts: '{"route":"chat"}',
    ...changed,
  };
}

function describeRows(database: ReturnType<typeof useStore>): void {
  it('OBS-01: 1,000 requests are 1,000 rows, found by id from every process, each once', async () => {
    const { store } = database;
    const other = await database.connect();
    const rows = Array.from({ length: 1000 }, (_, index) =>
      rowOf(T0 + index, { facts: `{"n":${index}}` }),
    );
    await store.appendRequests(rows);
    await other.appendRequests(rows.slice(0, 10).map((row) => ({ ...row, status: 200 })));
    const found = await Promise.all(rows.map((row) => other.request(row.requestId)));
    expect(found).toEqual(rows);
  });

  it.each(['', 'req_', 'req_zz', '../../etc/passwd', requestIdAt(T0).toUpperCase()])(
    'GW-22: %o is no request and names no file',
    async (id) => {
      expect(await database.store.request(id)).toBeUndefined();
      await expect(
        database.store.appendRequests([rowOf(T0, { requestId: id })]),
      ).rejects.toMatchObject(failure('invalid_argument'));
    },
  );

  it('OBS-01: days are kept apart and forgotten whole', async () => {
    const { store } = database;
    const rows = Array.from({ length: 6 }, (_, day) => rowOf(T0 + (10 + day) * DAY_MS));
    await store.appendRequests(rows);
    expect(await store.pruneLog(T0 + 13 * DAY_MS)).toBeGreaterThanOrEqual(3);
    const found = await Promise.all(rows.map((row) => store.request(row.requestId)));
    expect(found).toEqual([undefined, undefined, undefined, ...rows.slice(3)]);
    await store.appendRequests(rows.slice(0, 1));
    expect(await store.request(rows[0]?.requestId ?? '')).toEqual(rows[0]);
  });
}

/** Every page until the end. */
async function searchAll(
  store: Store,
  search: Omit<RequestSearch, 'cursor'>,
): Promise<readonly RequestRow[]> {
  const rows: RequestRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.searchRequests({ ...search, cursor });
    expect(page.rows.length).toBeLessThanOrEqual(search.limit);
    rows.push(...page.rows);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return rows;
}

function describeSearch(database: ReturnType<typeof useStore>): void {
  const from = T0 - 2 * DAY_MS;
  const to = T0 + DAY_MS;
  /** Of three days, oldest first, of two tenants, served and refused in turn. */
  const rows = Array.from({ length: 60 }, (_, index) =>
    rowOf(from + index * (DAY_MS / 20) + 1, {
      tenantId: index % 3 === 0 ? 'ten-a' : 'ten-b',
      ...(index % 2 === 0 ? { status: 200, code: '' } : {}),
      ...(index % 10 === 0 ? { wouldRefuse: 'REQUEST_QUOTA_EXCEEDED' } : {}),
    }),
  );
  const newestFirst = rows.toReversed();

  it('OBS-02: finds every request of a time, newest first, whatever the size of a page', async () => {
    const { store } = database;
    await store.appendRequests(rows);
    for (const limit of [1, 7, 20, 60, 1000]) {
      expect(await searchAll(store, { from, to, limit })).toEqual(newestFirst);
    }
    const [first, last] = [rows[10], rows[40]];
    expect(await searchAll(store, { from: first?.at ?? 0, to: last?.at ?? 0, limit: 9 })).toEqual(
      rows.slice(10, 40).toReversed(),
    );
    expect(await searchAll(store, { from: 0, to: from, limit: 10 })).toEqual([]);
  });

  it('OBS-02: of a tenant, of codes, of both', async () => {
    const { store } = database;
    const ofTenant = newestFirst.filter(({ tenantId }) => tenantId === 'ten-a');
    expect(await searchAll(store, { from, to, limit: 4, tenantId: 'ten-a' })).toEqual(ofTenant);
    const codes = ['RATE_LIMITED', 'INSUFFICIENT_CREDITS'];
    expect(await searchAll(store, { from, to, limit: 8, codes })).toEqual(
      newestFirst.filter(({ code }) => code !== ''),
    );
    expect(await searchAll(store, { from, to, limit: 8, codes, tenantId: 'ten-a' })).toEqual(
      ofTenant.filter(({ code }) => code !== ''),
    );
    // A part of a code is none.
    expect(await searchAll(store, { from, to, limit: 8, codes: ['CREDITS'] })).toEqual([]);
  });

  it('EVID-01: of requests that would have been refused, by that code', async () => {
    const { store } = database;
    const observed = newestFirst.filter(({ wouldRefuse }) => wouldRefuse !== undefined);
    expect(observed).toHaveLength(6);
    expect(await searchAll(store, { from, to, limit: 4, observed: true })).toEqual(observed);
    const codes = ['REQUEST_QUOTA_EXCEEDED'];
    expect(await searchAll(store, { from, to, limit: 4, observed: true, codes })).toEqual(observed);
    expect(await searchAll(store, { from, to, limit: 4, codes })).toEqual([]);
    expect(await store.request(observed[0]?.requestId ?? '')).toEqual(observed[0]);
  });

  it('OBS-02: of a key, by what was decided and not by what a path says', async () => {
    const { store } = database;
    const at = T0 + 5 * DAY_MS;
    const of = (keyId: string, path: string): RequestRow => {
      const identity = { ...buildIdentity(buildPlan('free')), keyId };
      return rowOf(at, { facts: packFacts(buildFacts({ path, identity })) });
    };
    const key = freshName('key');
    const mine = [of(key, '/a'), of(key, '/b')];
    await store.appendRequests([...mine, of(`${key}0`, '/a'), of('other', `/x?"${key}"`)]);
    const found = await searchAll(store, { from: at, to: at + 1, limit: 1, keyId: key });
    expect(found).toEqual(mine.toReversed());
  });

  it('OBS-02: of requests that ran side by side, written in the order they ended and some of them twice', async () => {
    const { store } = database;
    const other = await database.connect();
    const start = T0 + 20 * DAY_MS;
    // One begins every 100 ms; of four in turn one ends at once, and the others after 3, 20 and 50 seconds.
    const calls = Array.from({ length: 800 }, (_, index) => ({
      row: rowOf(start + 100 * index, index % 7 === 0 ? {} : { status: 200, code: '' }),
      end: 100 * index + ([0, 3000, 20_000, 50_000][index % 4] ?? 0),
    }));
    const ended = calls.toSorted((one, two) => one.end - two.end).map(({ row }) => row);
    const size = 25;
    for (let index = 0; index < ended.length; index += size) {
      const to = index % 2 === 0 ? store : other;
      // oxlint-disable-next-line no-await-in-loop -- one batch after the other, as gateways send them
      await to.appendRequests(ended.slice(index, index + size));
    }
    await other.appendRequests(ended.slice(0, size));
    await other.appendRequests(ended.slice(10, 2 * size));
    const newest = calls.map(({ row }) => row).toReversed();
    const all = { from: start, to: start + DAY_MS };
    for (const limit of [7, 100, 1000]) {
      // oxlint-disable-next-line no-await-in-loop -- page sizes are tried one after the other
      expect(await searchAll(store, { ...all, limit })).toEqual(newest);
    }
    const codes = ['INSUFFICIENT_CREDITS'];
    expect(await searchAll(store, { ...all, limit: 9, codes })).toEqual(
      newest.filter(({ code }) => code !== ''),
    );
    const part = { from: start + 20_050, to: start + 40_050, limit: 11 };
    expect(await searchAll(store, part)).toEqual(newest.slice(399, 599));
    const found = await Promise.all(newest.map(({ requestId }) => store.request(requestId)));
    expect(found).toEqual(newest);
  });

  it('OBS-02: of what a gateway sends: facts of many keys in one batch', async () => {
    const { store } = database;
    const at = T0 + 30 * DAY_MS;
    const keys = [freshName('key'), freshName('key'), freshName('key')];
    const all = Array.from({ length: 60 }, (_, index) => {
      const identity = { ...buildIdentity(buildPlan('free')), keyId: keys[index % 3] ?? '' };
      return buildFacts({ requestId: requestIdAt(at + index), at: at + index, identity });
    });
    const batch = new RequestBatch();
    for (const facts of all) batch.add(facts);
    await store.appendEncodedRequests(batch.take() ?? new Uint8Array());
    const found = await searchAll(store, { from: at, to: at + 1000, limit: 7, keyId: keys[1] });
    expect(found.map(({ facts }) => unpackFacts(facts))).toEqual(
      all.filter((_, index) => index % 3 === 1).toReversed(),
    );
    const [first] = all;
    const row = await store.request(first?.requestId ?? '');
    expect(unpackFacts(row?.facts ?? '')).toEqual(first);
  });

  it('bytes that are no batch are refused', async () => {
    await expect(database.store.appendEncodedRequests(new Uint8Array(200))).rejects.toMatchObject(
      failure('invalid_argument'),
    );
  });

  it.each([
    [{ from: -1 }],
    [{ to: 0.5 }],
    [{ limit: 0 }],
    [{ cursor: '../x' }],
    [{ codes: ['a|b'] }],
    [{ codes: Array.from({ length: 21 }, () => 'A') }],
  ])('bad terms are refused: %o', async (wrong) => {
    await expect(
      database.store.searchRequests({ from, to, limit: 10, ...wrong }),
    ).rejects.toMatchObject(failure('invalid_argument'));
  });
}

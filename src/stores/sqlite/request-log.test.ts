import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { encodeRows } from '../request-rows.ts';
import { LOOKED_AT_MAX } from '../request-walk.ts';
import { requestIdAt } from '../store-fixture.conformance.ts';
import type { RequestRow, RequestSearch } from '../store.ts';
import { Database } from './database.ts';
import { RequestLogFiles } from './request-log.ts';

const DAY_MS = 86_400_000;
const ROW = { at: 0, tenantId: 't', status: 200, code: '', facts: '{}' };

function rowAt(time: number, changed: Partial<RequestRow> = {}): RequestRow {
  return { ...ROW, requestId: requestIdAt(time), at: time, ...changed };
}

function openLog(directory = temporaryDirectory('log')) {
  const log = new RequestLogFiles(directory, 1000);
  onTestFinished(() => log.close());
  return {
    log,
    append: (rows: readonly RequestRow[]): void => {
      for (const batch of encodeRows(rows)) log.append(batch);
    },
    searchAll: (search: RequestSearch): readonly RequestRow[] => {
      const rows: RequestRow[] = [];
      let cursor: string | undefined;
      do {
        const page = log.search({ ...search, cursor });
        rows.push(...page.rows);
        ({ cursor } = page);
      } while (cursor !== undefined);
      return rows;
    },
    /** Another connection to the second day. */
    openDay: (): Database => {
      const path = join(directory, 'requests-1970-01-02.db');
      const database = new Database({ path, durability: 'normal', busyTimeoutMs: 1000 });
      onTestFinished(() => database.close());
      return database;
    },
  };
}

function countRows(database: Database, table: 'batches' | 'requests'): number | undefined {
  const sql = `SELECT COUNT(*) AS count FROM ${table}`;
  return database.prepare<{ readonly count: number }>(sql).get()?.count;
}

describe('the files of the request log', () => {
  it('OBS-01: at most three days are open at a time', () => {
    const { log, append } = openLog();
    const rows = Array.from({ length: 6 }, (_, day) => rowAt(day * DAY_MS));
    append(rows);
    expect(log.openDays).toBe(3);
    expect(rows.map((row) => log.find(row.requestId))).toEqual(rows);
    expect(log.openDays).toBe(3);
  });

  it('OBS-01: a batch is one row of its table, however often it is sent', () => {
    const { log, append, openDay } = openLog();
    const rows = Array.from({ length: 500 }, (_, index) => rowAt(DAY_MS + index));
    append(rows);
    append(rows);
    const day = openDay();
    expect([countRows(day, 'batches'), countRows(day, 'requests')]).toEqual([1, 0]);
    expect(log.search({ from: DAY_MS, to: 2 * DAY_MS, limit: 1000 }).rows).toEqual(
      rows.toReversed(),
    );
  });

  it('GW-22: a batch with an id of no time there is makes no file', () => {
    const { log, append } = openLog();
    expect(() => append([rowAt(0), rowAt(253_402_300_800_000)])).toThrow(/not both request ids/);
    expect(log.openDays).toBe(0);
  });

  it('OBS-01: a batch of long streams or over midnight is kept row by row, each on its day', () => {
    const { log, append, openDay } = openLog();
    const long = [rowAt(DAY_MS), rowAt(DAY_MS + 32_001)];
    const night = [rowAt(DAY_MS - 1), rowAt(DAY_MS)];
    append(long);
    append(night);
    const day = openDay();
    expect([countRows(day, 'batches'), countRows(day, 'requests')]).toEqual([0, 3]);
    for (const row of [...long, ...night]) expect(log.find(row.requestId)).toEqual(row);
    append([rowAt(DAY_MS), rowAt(DAY_MS + 32_000)]);
    expect(countRows(day, 'batches')).toBe(1);
  });

  it('bound: looking for a request opens the batches of requests that began around it, 4,000 at most', () => {
    const { log, append, openDay } = openLog();
    const wanted = rowAt(DAY_MS + 60_000);
    append([wanted]);
    const day = openDay();
    const spoil = day.prepare(
      `INSERT INTO batches (first_id, last_id, row_count, refused, observed, data)
       VALUES (?, ?, 1, 0, 0, ?)`,
    );
    const broken = new Uint8Array(3);
    // All that ended before or began after, and none of them is looked at.
    for (const at of [1000, 28_000, 59_999, 60_001, 91_000]) {
      spoil.run(requestIdAt(DAY_MS + at), requestIdAt(DAY_MS + at), broken);
    }
    expect(log.find(wanted.requestId)).toEqual(wanted);

    const late = rowAt(DAY_MS + 200_000);
    const [empty = broken] = encodeRows([rowAt(DAY_MS)]);
    const [first, last] = [requestIdAt(DAY_MS + 190_000), requestIdAt(DAY_MS + 210_000)];
    day.write(() => {
      for (let count = 1; count < LOOKED_AT_MAX; count += 1) spoil.run(first, last, empty);
    });
    append([late]);
    expect(log.find(late.requestId)).toEqual(late);
    const later = rowAt(DAY_MS + 200_001);
    append([later]);
    expect(log.find(later.requestId)).toEqual(later);
    spoil.run(first, last, empty);
    const tooLate = rowAt(DAY_MS + 200_002);
    append([tooLate]);
    expect(log.find(tooLate.requestId)).toBeUndefined();
  });

  it('a file that the version before began is gone on with', () => {
    const { log, append, openDay, searchAll } = openLog();
    const [id, next] = [requestIdAt(DAY_MS), requestIdAt(DAY_MS + 1)];
    const old = openDay();
    old.execute(
      `CREATE TABLE requests (
         request_id text PRIMARY KEY, at bigint NOT NULL, tenant_id text NOT NULL, status bigint NOT NULL,
         code text NOT NULL, facts text NOT NULL
       ) WITHOUT ROWID`,
    );
    old.execute(`INSERT INTO requests VALUES ('${id}', ${DAY_MS}, 't', 402, 'A', '{}')`);
    const before = { ...ROW, requestId: id, at: DAY_MS, status: 402, code: 'A' };
    const observed = rowAt(DAY_MS, { requestId: next, wouldRefuse: 'RATE_LIMITED' });
    const after = Array.from({ length: 20 }, (_, index) => rowAt(DAY_MS + 2 + index));
    append([observed]);
    append(after);
    const range = { from: 0, to: 2 * DAY_MS, limit: 10 };
    expect(searchAll(range)).toEqual([...after.toReversed(), observed, before]);
    expect(searchAll({ ...range, limit: 1 })).toEqual([...after.toReversed(), observed, before]);
    expect(searchAll({ ...range, observed: true })).toEqual([observed]);
    expect(searchAll({ ...range, codes: ['A'] })).toEqual([before]);
    expect(log.find(id)).toEqual(before);
    // A row that is in both tables is one row.
    append([before]);
    expect(searchAll(range)).toHaveLength(22);
  });

  it('bound: a page of a search looks at 20,000 rows and 7 days, and says where to go on', () => {
    const { log, append } = openLog();
    // Too far apart for batches.
    append(Array.from({ length: 20_001 }, (_, index) => rowAt(200 * index)));
    const search = { from: 0, to: DAY_MS, limit: 5, tenantId: 'nobody' };
    const first = log.search(search);
    expect(first).toEqual({ rows: [], cursor: expect.stringMatching(/^req_0000000000c8/) });
    expect(log.search({ ...search, cursor: first.cursor })).toEqual({
      rows: [],
      cursor: undefined,
    });

    append(Array.from({ length: 9 }, (_, day) => rowAt(day * DAY_MS)));
    const days = { from: DAY_MS, to: 10 * DAY_MS, limit: 1000 };
    const page = log.search(days);
    expect(page.rows).toHaveLength(7);
    const rest = log.search({ ...days, cursor: page.cursor });
    expect(rest).toMatchObject({ rows: [{}], cursor: undefined });
    expect(log.openDays).toBe(3);
  });

  it('bound: in batches it looks at 20,000 rows and what is left of the last ones, and at every row once', () => {
    const { log, append, searchAll } = openLog();
    const rows = Array.from({ length: 50_000 }, (_, index) =>
      rowAt(DAY_MS + index, index === 10 ? { tenantId: 'rare' } : {}),
    );
    for (let index = 0; index < rows.length; index += 500) append(rows.slice(index, index + 500));
    const search = { from: DAY_MS, to: 2 * DAY_MS, limit: 1000, tenantId: 'nobody' };
    const pages: number[] = [];
    let [at, cursor] = [50_000, undefined as string | undefined];
    do {
      const page = log.search({ ...search, cursor });
      ({ cursor } = page);
      const next = cursor === undefined ? 0 : Number.parseInt(cursor.slice(4, 16), 16) - DAY_MS;
      pages.push(at - next);
      at = next;
    } while (cursor !== undefined);
    expect(pages).toHaveLength(3);
    for (const count of pages.slice(0, 2)) {
      expect(count).toBeGreaterThan(19_000);
      expect(count).toBeLessThan(25_000);
    }
    expect(searchAll({ ...search, tenantId: 'rare' })).toEqual([rows[10]]);
    expect(searchAll({ ...search, tenantId: 't' })).toHaveLength(49_999);
  });

  it('a page gets on also where more requests ran side by side than it looks at', () => {
    const { append, searchAll } = openLog();
    const rows = Array.from({ length: 24_000 }, (_, index) => rowAt(DAY_MS + index));
    // Every batch has rows of all the time.
    for (let part = 0; part < 24; part += 1) {
      append(rows.filter((_, index) => index % 24 === part));
    }
    const search = { from: DAY_MS, to: 2 * DAY_MS, limit: 900 };
    expect(searchAll(search)).toEqual(rows.toReversed());
  });
});

// @needs postgresql
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

import { freePort } from '../../../test/support/free-port.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { type Postgres, startPostgres } from '../../../test/support/start-postgres.ts';
import { encodeRows } from '../request-rows.ts';
import { requestIdAt, T0 } from '../store-fixture.conformance.ts';
import type { RequestRow } from '../store.ts';
import { Database } from './database.ts';
import { openPostgresStore } from './postgres-store.ts';
import { RequestLog } from './request-log.ts';

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

function rowAt(at: number): RequestRow {
  return { requestId: requestIdAt(at), at, tenantId: 't', status: 200, code: '', facts: '{}' };
}

/** Whoever appends one gives its memory away. */
function batchOf(row: RequestRow): Uint8Array {
  return encodeRows([row])[0] ?? new Uint8Array();
}

it('I8: rows that come while the server is away are written when it is back, once', async () => {
  const store = await openPostgresStore({ url: await server.createDatabase() });
  onTestFinished(() => store.close());
  const [known, unknown] = [rowAt(T0), rowAt(T0 + 1)];
  await store.appendEncodedRequests(batchOf(known));
  await server.crash();
  const appending = [known, unknown].map((row) => store.appendEncodedRequests(batchOf(row)));
  await server.start();
  await Promise.all(appending);
  const { rows } = await store.searchRequests({ from: T0, to: T0 + 1000, limit: 10 });
  expect(rows).toEqual([unknown, known]);
});

it('bound: a server that is away for 10 s is not waited for, by nobody who comes after that either', async () => {
  const clock = new ManualClock();
  const url = `postgres://nobody@127.0.0.1:${await freePort()}/none`;
  const database = new Database({ url, connections: 1 });
  onTestFinished(() => database.close());
  const log = new RequestLog(database, clock);
  const batch = batchOf(rowAt(T0));
  let ended = 0;
  const appending = log.append(batch).catch((error: unknown) => {
    ended += 1;
    return error;
  });
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(ended).toBe(0);
  clock.advance(10_000);
  expect(await appending).toMatchObject({ code: 'unavailable' });
  await expect(log.append(batch)).rejects.toMatchObject({ code: 'unavailable' });
});

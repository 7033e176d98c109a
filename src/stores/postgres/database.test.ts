// @needs postgresql
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { freePort } from '../../../test/support/free-port.ts';
import { type Postgres, startPostgres } from '../../../test/support/start-postgres.ts';
import { Database } from './database.ts';
import { migrate } from './migrations.ts';
import { Outdated } from './postgres-error.ts';
import { type SqlValue, Statement } from './statement.ts';
import { CANNOT_BE_STORED, UNSTORABLE } from '../sql-scalar.conformance.ts';

let server: Postgres;
let url: string;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());
beforeEach(async () => {
  url = await server.createDatabase();
});

function open(options = '', connections = 4): Database {
  const database = new Database({ url: `${url}${options}`, connections });
  onTestFinished(() => database.close());
  return database;
}

const MAKE_THINGS = new Statement<never>('CREATE TABLE things (id text PRIMARY KEY, count bigint)');
const ADD_THING = new Statement<never>('INSERT INTO things (id, count) VALUES ($1, $2)');
const LIST_THINGS = new Statement<{ readonly id: string; readonly count: number }>(
  'SELECT id, count FROM things ORDER BY id',
);
const LOCK_THING = new Statement<{ readonly count: number }>(
  'SELECT count FROM things WHERE id = $1 FOR UPDATE',
);
const COUNT_THING = new Statement<never>('UPDATE things SET count = count + 1 WHERE id = $1');

async function openThings(options = ''): Promise<Database> {
  const database = open(options);
  await database.query(MAKE_THINGS);
  for (const id of ['a', 'b']) await database.query(ADD_THING, id, 0);
  return database;
}

/** Resolves for all when this many have arrived. */
function meeting(members: number): () => Promise<void> {
  let arrived = 0;
  let open = (): void => undefined;
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    arrived += 1;
    if (arrived === members) open();
    return all;
  };
}

describe('values', () => {
  it('keeps every int64 exactly, and never returns a rounded number', async () => {
    const database = open();
    const huge = 2n ** 63n - 1n;
    const asText = new Statement<{ readonly value: string }>('SELECT ($1::bigint)::text AS value');
    for (const value of [huge, -(2n ** 63n), 2n ** 53n]) {
      expect(await database.query(asText, value)).toEqual([{ value: `${value}` }]);
    }
    const asNumber = new Statement<{ readonly value: number }>('SELECT $1::bigint AS value');
    const most = Number.MAX_SAFE_INTEGER;
    expect(await database.query(asNumber, most)).toEqual([{ value: most }]);
    await expect(database.query(asNumber, 2n ** 53n)).rejects.toMatchObject({
      code: 'unsafe_amount',
      message: expect.stringContaining('9007199254740992 is too large'),
    });
    expect(await database.query(asNumber, 1)).toEqual([{ value: 1 }]);
  });

  it.each([...UNSTORABLE, ['a list with one of these', [1, Number.NaN]] as const])(
    'refuses to bind %s',
    async (_title, value) => {
      const values = [value] as readonly SqlValue[];
      const asked = open().query(new Statement('SELECT $1::text AS value'), ...values);
      await expect(asked).rejects.toThrow(CANNOT_BE_STORED);
    },
  );

  it('a text that PostgreSQL cannot hold is bad input', async () => {
    const echo = new Statement('SELECT $1::text AS value');
    await expect(open().query(echo, 'a\0b')).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});

describe('transactions', () => {
  it('rolls back all of a transaction that throws, and goes on', async () => {
    const database = await openThings();
    const failing = database.write(async (transaction) => {
      transaction.send(COUNT_THING, 'a');
      await transaction.query(LOCK_THING, 'b');
      throw new Error('no more');
    });
    await expect(failing).rejects.toThrow('no more');
    await database.write(async (transaction) => transaction.send(COUNT_THING, 'b'));
    expect(await database.query(LIST_THINGS)).toEqual([
      { id: 'a', count: 0 },
      { id: 'b', count: 1 },
    ]);
  });

  it('fails, and keeps nothing, when what was sent with the commit fails', async () => {
    const database = await openThings();
    const failing = database.write(async (transaction) => {
      transaction.send(COUNT_THING, 'a');
      transaction.send(new Statement<never>('INSERT INTO things (id) VALUES (NULL)'));
    });
    await expect(failing).rejects.toMatchObject({ name: 'StoreError', code: 'invariant' });
    expect((await database.query(LIST_THINGS))[0]).toEqual({ id: 'a', count: 0 });
  });

  it('tells the first failure, not that of what was sent behind it', async () => {
    const database = await openThings();
    let attempts = 0;
    const failing = database.write(async (transaction) => {
      attempts += 1;
      transaction.send(ADD_THING, 'a', 1);
      await transaction.query(LOCK_THING, 'b');
    });
    await expect(failing).rejects.toMatchObject({
      code: 'invariant',
      message: expect.stringContaining('SQLSTATE 23505'),
    });
    // Somebody might just have written it.
    expect(attempts).toBe(8);
  });

  it('one of two that wait for each other begins again', async () => {
    const database = await openThings();
    const meet = meeting(2);
    let runs = 0;
    const countBoth = (first: string, second: string) =>
      database.write(async (transaction) => {
        runs += 1;
        await transaction.query(LOCK_THING, first);
        await meet();
        await transaction.query(LOCK_THING, second);
        transaction.send(COUNT_THING, first);
        transaction.send(COUNT_THING, second);
      });
    await Promise.all([countBoth('a', 'b'), countBoth('b', 'a')]);
    expect(await database.query(LIST_THINGS)).toEqual([
      { id: 'a', count: 2 },
      { id: 'b', count: 2 },
    ]);
    expect(runs).toBe(3);
  });

  it('what was not there and has been written meanwhile is found the second time', async () => {
    const database = await openThings();
    const meet = meeting(2);
    const findOrAdd = () =>
      database.write(async (transaction) => {
        const found = await transaction.query(LOCK_THING, 'c');
        await meet();
        if (found.length === 0) await transaction.query(ADD_THING, 'c', 7);
        return found.length === 0 ? 'added' : 'found';
      });
    expect((await Promise.all([findOrAdd(), findOrAdd()])).toSorted()).toEqual(['added', 'found']);
  });

  it('bound: a transaction that is always in the way of others is given up after 8 attempts', async () => {
    const database = await openThings();
    let attempts = 0;
    const body = (): Promise<never> => {
      attempts += 1;
      throw new Outdated('a thing was removed');
    };
    await expect(database.write(body)).rejects.toMatchObject({ code: 'unavailable' });
    expect(attempts).toBe(8);
  });

  it('a reader sees one moment, and waits for no writer', async () => {
    const database = await openThings();
    const seen = await database.read(async (reader) => {
      const before = await reader.query(LIST_THINGS);
      await database.write(async (transaction) => transaction.send(COUNT_THING, 'a'));
      return [before, await reader.query(LIST_THINGS)];
    });
    expect(seen[1]).toEqual(seen[0]);
    expect((await database.query(LIST_THINGS))[0]).toEqual({ id: 'a', count: 1 });
  });

  it('says unavailable when another does not let go of a lock, and recovers when it does', async () => {
    const database = await openThings('?lock_timeout=50');
    await database.write(async (holder) => {
      await holder.query(LOCK_THING, 'a');
      const waiting = database.write((transaction) => transaction.query(LOCK_THING, 'a'));
      await expect(waiting).rejects.toMatchObject({ name: 'StoreError', code: 'unavailable' });
    });
    expect(await database.write((waiter) => waiter.query(LOCK_THING, 'a'))).toHaveLength(1);
  });

  it('bound: one that was forgotten open gives its locks back', async () => {
    const database = await openThings('?idle_in_transaction_session_timeout=100');
    const forgotten = database.write(async (transaction) => {
      await transaction.query(LOCK_THING, 'a');
      // It waits for its own lock in another transaction, as a stopped process would hold up a running one.
      await database.write((other) => other.query(LOCK_THING, 'a'));
    });
    await expect(forgotten).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('connections', () => {
  it('bound: no more than were allowed, however many calls wait', async () => {
    const database = open('', 2);
    const count = new Statement<{ readonly connections: number }>(
      `SELECT COUNT(*) AS connections, pg_sleep(0.01)::text FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'tollkeeper'`,
    );
    const answers = await Promise.all(Array.from({ length: 20 }, () => database.query(count)));
    const most = Math.max(...answers.flat().map(({ connections }) => connections));
    expect(most).toBe(2);
  });

  it('connections that the server ends are replaced', async () => {
    const database = await openThings();
    const ending = database.write(async (transaction) => {
      await transaction.query(LOCK_THING, 'a');
      await server.execute(
        url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      await transaction.query(LOCK_THING, 'b');
    });
    await expect(ending).rejects.toMatchObject({ code: 'unavailable' });
    expect(await database.query(LIST_THINGS)).toHaveLength(2);
  });

  it('a server that is not there is unavailable, and no message tells the password', async () => {
    const at = new URL(url);
    at.port = `${await freePort()}`;
    url = at.href;
    const failed = await open()
      .query(LIST_THINGS)
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'unavailable' });
    expect(String(failed)).toContain('ECONNREFUSED');
    expect(String(failed)).not.toContain(at.password);
  });

  it('a session that has lost its statements, as behind a proxy that changes servers, is left for another', async () => {
    const database = await openThings();
    const list = () => database.write((transaction) => transaction.query(LIST_THINGS));
    await list();
    await database.write((transaction) => transaction.execute('DEALLOCATE ALL'));
    expect(await list()).toHaveLength(2);
    expect(await database.query(LIST_THINGS)).toHaveLength(2);
  });

  it('a database that lets nobody in for now is unavailable', async () => {
    await openThings();
    const name = new URL(url).pathname.slice(1);
    const letIn = (state: boolean) =>
      server.execute(
        url.replace(/[^/]+$/, 'postgres'),
        `ALTER DATABASE ${name} ALLOW_CONNECTIONS ${state}`,
      );
    await letIn(false);
    const refused = open().query(LIST_THINGS);
    await expect(refused).rejects.toMatchObject({ name: 'StoreError', code: 'unavailable' });
    await letIn(true);
    expect(await open().query(LIST_THINGS)).toHaveLength(2);
  });

  it('a wrong password is unavailable, and no message tells it', async () => {
    const at = new URL(url);
    at.password = 'wrong-word';
    url = at.href;
    const failed = await open()
      .query(LIST_THINGS)
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'unavailable' });
    expect(String(failed)).toContain('password authentication failed');
    expect(String(failed)).not.toContain('wrong-word');
  });
});

describe('migrations', () => {
  const LIST_STEPS = new Statement<{ readonly id: number }>(
    'SELECT id FROM migrations WHERE id > 0 ORDER BY id',
  );
  const STEPS = ['CREATE TABLE a (id text)', 'ALTER TABLE a ADD COLUMN more text'];

  it('makes the steps once, in order, and again with nothing to do', async () => {
    const database = open();
    await migrate(database, STEPS.slice(0, 1));
    await migrate(database, STEPS);
    await migrate(database, STEPS);
    expect(await database.query(LIST_STEPS)).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('four that begin at once make each step once', async () => {
    const databases = [open(), open(), open(), open()];
    await Promise.all(databases.map((database) => migrate(database, STEPS)));
    expect(await open().query(LIST_STEPS)).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('a failed step leaves nothing behind', async () => {
    const database = open();
    const failing = ['CREATE TABLE a (id text); CREATE TABLE a (id text)'];
    await expect(migrate(database, failing)).rejects.toThrow(/already exists/);
    await migrate(database, STEPS);
    expect(await database.query(LIST_STEPS)).toHaveLength(2);
  });

  it('refuses a database that a newer version has written', async () => {
    const database = open();
    await migrate(database, STEPS);
    await expect(migrate(database, STEPS.slice(0, 1))).rejects.toMatchObject({
      code: 'incompatible',
      message: expect.stringMatching(/schema version 2 .* knows 1: start the newer version/),
    });
  });

  it('a user that may not make tables is told what to do, and may serve where they are made', async () => {
    await server.execute(url, `CREATE ROLE server LOGIN PASSWORD 'its-word'`);
    const at = new URL(url);
    [at.username, at.password] = ['server', 'its-word'];
    const owner = open();
    url = at.href;
    const serving = open();
    await expect(migrate(serving, STEPS)).rejects.toMatchObject({
      code: 'incompatible',
      message: expect.stringMatching(/make it the owner .* permission denied for schema public/),
    });
    await migrate(owner, STEPS);
    await owner.query(
      new Statement<never>('GRANT SELECT ON ALL TABLES IN SCHEMA public TO server'),
    );
    await migrate(serving, STEPS);
  });
});

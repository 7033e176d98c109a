import {
  backup,
  DatabaseSync,
  type DatabaseSyncInstance,
  type StatementSyncInstance,
} from '@photostructure/sqlite';

import { assertScalar, type SqlScalar } from '../sql-scalar.ts';
import { StoreError } from '../store-error.ts';
import { assertSafeSqliteVersion } from './sqlite-version.ts';

export interface DatabaseOptions {
  readonly path: string;
  /** `full` survives power loss (money); `normal` survives kill -9 only (logs). */
  readonly durability: 'full' | 'normal';
  readonly busyTimeoutMs: number;
}

const BEGIN_ATTEMPTS = 2;
const COPIED_AT_ONCE_PAGES = 1000;
/** Primary result codes of https://sqlite.org/rescode.html. */
const SQLITE_BUSY = 5;
const SQLITE_CONSTRAINT = 19;
/** LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL: trouble of the moment or of the disk, not of the statement. */
const UNAVAILABLE = new Set([SQLITE_BUSY, 6, 7, 8, 10, 13, 14, 15]);

/** One connection, used by one thread, one short transaction at a time. */
export class Database {
  readonly #driver: DatabaseSyncInstance;

  constructor(options: DatabaseOptions) {
    this.#driver = translateErrors(() => openDriver(options));
  }

  /** A statement with constant text. `Row` names the columns it reads; integers are numbers and throw above 2^53. */
  prepare<Row>(sql: string): Statement<Row> {
    return translateErrors(() => new Statement<Row>(this.#driver.prepare(sql)));
  }

  /** The same, with every integer read as a bigint. */
  prepareBigInts<Row>(sql: string): Statement<Row> {
    return translateErrors(() => {
      const statement = this.#driver.prepare(sql);
      statement.setReadBigInts(true);
      return new Statement<Row>(statement);
    });
  }

  execute(sql: string): void {
    translateErrors(() => this.#driver.exec(sql));
  }

  /**
   * Runs `body` alone among all writers of this file; nothing of it stays when it throws. IMMEDIATE always: a
   * transaction that reads first and writes later fails with BUSY_SNAPSHOT however long it may wait. SQLite's
   * queue of writers is not fair, so callers batch and pause between two writes.
   */
  write<Result>(body: () => Result): Result {
    this.#begin();
    return this.#finish(body);
  }

  /** Runs `body` on one snapshot, without waiting for any writer. */
  read<Result>(body: () => Result): Result {
    this.execute('BEGIN');
    return this.#finish(body);
  }

  /** Writes all that this connection sees into a new file, while others go on; in a transaction, what that sees. */
  async copyTo(path: string): Promise<void> {
    try {
      await backup(this.#driver, path, { rate: COPIED_AT_ONCE_PAGES });
    } catch (error) {
      throw toStoreError(error);
    }
  }

  close(): void {
    this.#driver.close();
  }

  /** Some errors of the disk have ended the transaction already: a second end would hide why. */
  #finish<Result>(body: () => Result): Result {
    try {
      const result = body();
      this.execute('COMMIT');
      return result;
    } catch (error) {
      if (this.#driver.isTransaction) this.#driver.exec('ROLLBACK');
      throw error;
    }
  }

  #begin(): void {
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#driver.exec('BEGIN IMMEDIATE');
        return;
      } catch (error) {
        if (resultCodeOf(error) !== SQLITE_BUSY || attempt >= BEGIN_ATTEMPTS)
          throw toStoreError(error);
      }
    }
  }
}

/** A prepared statement. Parameters are positional. */
export class Statement<Row> {
  readonly #statement: StatementSyncInstance;
  readonly #columns: readonly string[];

  /** Rows come as lists of values and are named here: the driver takes half a microsecond for each member it names. */
  constructor(statement: StatementSyncInstance) {
    this.#statement = statement;
    this.#columns = statement.columns().map(({ name }) => name);
    statement.setReturnArrays(true);
  }

  get(...parameters: readonly SqlScalar[]): Row | undefined {
    const values: unknown[] | undefined = this.#guarded(parameters, () =>
      this.#statement.get(...parameters),
    );
    return values && this.#nameRow(values);
  }

  all(...parameters: readonly SqlScalar[]): Row[] {
    const rows: unknown[][] = this.#guarded(parameters, () => this.#statement.all(...parameters));
    return rows.map((values) => this.#nameRow(values));
  }

  /** All rows in batches of `size`, so that a table is never in memory whole. Read inside one transaction. */
  *batches(size: number): Generator<readonly Row[]> {
    const rows: Iterator<unknown[]> = this.#statement.iterate();
    for (;;) {
      const batch = translateErrors(() => takeRows(rows, size));
      if (batch.length > 0) yield batch.map((values) => this.#nameRow(values));
      if (batch.length < size) return;
    }
  }

  /** Returns the number of rows changed. */
  run(...parameters: readonly SqlScalar[]): number {
    return this.#guarded(parameters, () => this.#statement.run(...parameters).changes);
  }

  #nameRow(values: readonly unknown[]): Row {
    const row: Record<string, unknown> = {};
    for (let i = 0; i < values.length; i += 1) row[this.#columns[i] ?? ''] = values[i];
    return row as Row;
  }

  #guarded<Result>(parameters: readonly SqlScalar[], body: () => Result): Result {
    // The driver would turn true into 1, NaN into NULL and drop an object silently.
    for (const parameter of parameters) assertScalar(parameter);
    return translateErrors(body);
  }
}

function takeRows(rows: Iterator<unknown[]>, count: number): readonly unknown[][] {
  const taken: unknown[][] = [];
  while (taken.length < count) {
    const { done, value } = rows.next();
    if (done === true) break;
    taken.push(value);
  }
  return taken;
}

function openDriver(options: DatabaseOptions): DatabaseSyncInstance {
  const driver = new DatabaseSync(options.path, { timeout: options.busyTimeoutMs });
  try {
    assertSafeSqliteVersion(
      String(driver.prepare('SELECT sqlite_version() AS version').get().version),
    );
    enableWal(driver, options.busyTimeoutMs);
    driver.exec(`PRAGMA synchronous = ${options.durability}`);
    return driver;
  } catch (error) {
    driver.close();
    throw error;
  }
}

/** Switching a new file to WAL answers BUSY at once when another process does the same, whatever the time-out. */
function enableWal(driver: DatabaseSyncInstance, waitMs: number): void {
  const pauseMs = 10;
  for (let waitedMs = 0; ; waitedMs += pauseMs) {
    try {
      driver.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (resultCodeOf(error) !== SQLITE_BUSY || waitedMs >= waitMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
}

function translateErrors<Result>(body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw toStoreError(error);
  }
}

function toStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const resultCode = resultCodeOf(error);
  if (resultCode === undefined) return error;
  if (UNAVAILABLE.has(resultCode)) {
    return new StoreError('unavailable', `the database does not answer: ${error.message}`, {
      cause: error,
    });
  }
  if (resultCode === SQLITE_CONSTRAINT) {
    return new StoreError('invariant', `the database refused a change: ${error.message}`, {
      cause: error,
    });
  }
  return error;
}

/** The primary code; the extended code's low byte is it. */
function resultCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode % 256 : undefined;
}

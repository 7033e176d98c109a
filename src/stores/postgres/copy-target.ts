import {
  columnsOf,
  type Comparison,
  compareRows,
  contentsOf,
  COPIED_TABLES,
  type CopiedTable,
  COPY_BATCH_ROWS,
  type CopyQuery,
  type CopyResult,
  type CopyRow,
  type CopySource,
  RECOMPUTED,
} from '../store-copy.ts';
import type { Violation } from '../store.ts';
import { auditInside } from './audit.ts';
import { lockNews } from './changes.ts';
import { Database, type Transaction } from './database.ts';
import { migrate } from './migrations.ts';
import { Statement } from './statement.ts';

// Sums over all history, on either side, take longer than anything a gateway asks for.
const ALLOW_TIME = `SET LOCAL statement_timeout = '10min'; SET LOCAL idle_in_transaction_session_timeout = '10min'`;
const ANSWER_TIMEOUT_MS = 11 * 60_000;

const TABLES = COPIED_TABLES.map((table) => ({
  table,
  hasRows: new Statement<{ readonly found: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM ${table.name}) AS found`,
  ),
  insert: insertInto(table),
}));
const ANALYSE = COPIED_TABLES.map(({ name }) => `ANALYZE ${name}`).join('; ');
const QUERIES = [...COPIED_TABLES.map(contentsOf), ...RECOMPUTED];
const NUMBER_NEWS = new Statement<never>('UPDATE news SET newest = $1 WHERE id = 1');

/**
 * Copies a store into an empty database and compares the two, all in one transaction: a copy that breaks off, or that is
 * not the same, leaves the database without a row. Makes its tables if need be. Throws StoreError as the store does.
 */
export async function copyInto(url: string, source: CopySource): Promise<CopyResult> {
  const database = new Database({ url, connections: 1 });
  try {
    await migrate(database);
    return await database.write((transaction) => copy(transaction, source));
  } catch (error) {
    if (error instanceof CopyDiffers) return error.result;
    throw error;
  } finally {
    await database.close();
  }
}

/** Ends the transaction without keeping anything of it. */
class CopyDiffers extends Error {
  readonly result: CopyResult;

  constructor(result: CopyResult) {
    super('the copy is not the same');
    this.result = result;
  }
}

async function copy(transaction: Transaction, source: CopySource): Promise<CopyResult> {
  await transaction.execute(ALLOW_TIME);
  // Whoever begins to use this database as a store waits for this lock.
  await lockNews(transaction);
  const table = await findFilled(transaction);
  if (table !== undefined) return { kind: 'not_empty', table };
  await fill(transaction, source);
  // The joins below are planned by how many rows there are, which the server does not count by itself before a commit.
  await transaction.execute(ANALYSE, ANSWER_TIMEOUT_MS);
  const comparisons = await compareAll(transaction, source);
  const violations: readonly Violation[] = await auditInside(transaction);
  if (violations.length > 0 || comparisons.some(({ difference }) => difference !== undefined)) {
    throw new CopyDiffers({ kind: 'different', comparisons, violations });
  }
  return { kind: 'copied', comparisons };
}

/** The first table with a row in it. */
async function findFilled(transaction: Transaction): Promise<string | undefined> {
  const answers = await Promise.all(TABLES.map(({ hasRows }) => transaction.query(hasRows)));
  const index = answers.findIndex(([answer]) => answer?.found === true);
  return TABLES[index]?.table.name;
}

async function fill(transaction: Transaction, source: CopySource): Promise<void> {
  for (const { table, insert } of TABLES) {
    for (const batch of source.select(contentsOf(table))) {
      // oxlint-disable-next-line no-await-in-loop -- no more than one batch is in memory
      await transaction.query(insert, ...turn(batch, columnsOf(table).length));
    }
  }
  transaction.send(NUMBER_NEWS, source.newestChange());
}

async function compareAll(
  transaction: Transaction,
  source: CopySource,
): Promise<readonly Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const query of QUERIES) {
    const target = select(transaction, query);
    // oxlint-disable-next-line no-await-in-loop -- a connection answers one after the other
    comparisons.push(await compareRows(query.name, source.select(query), target));
  }
  return comparisons;
}

/** As `CopySource.select`. */
async function* select(
  transaction: Transaction,
  { name, sql }: CopyQuery,
): AsyncGenerator<readonly CopyRow[]> {
  const cursor = `copied_${name}`;
  const fetchRows = new Statement<Readonly<Record<string, string | null>>>(
    `FETCH ${COPY_BATCH_ROWS} FROM ${cursor}`,
  );
  await transaction.execute(`DECLARE ${cursor} CURSOR FOR ${sql}`, ANSWER_TIMEOUT_MS);
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- no more than one batch is in memory
    const rows = await transaction.queryFor(ANSWER_TIMEOUT_MS, fetchRows);
    if (rows.length > 0) yield rows.map((row) => Object.values(row));
    if (rows.length < COPY_BATCH_ROWS) break;
  }
  await transaction.execute(`CLOSE ${cursor}`);
}

function insertInto(table: CopiedTable): Statement<never> {
  const types = [...table.texts.map(() => 'text'), ...table.integers.map(() => 'bigint')];
  const lists = types.map((type, index) => `$${index + 1}::${type}[]`);
  return new Statement(
    `INSERT INTO ${table.name} (${columnsOf(table).join(', ')}) SELECT * FROM unnest(${lists.join(', ')})`,
  );
}

/** One list for each column. */
function turn(rows: readonly CopyRow[], columns: number): (string | null)[][] {
  return Array.from({ length: columns }, (_, column) => rows.map((row) => row[column] ?? null));
}

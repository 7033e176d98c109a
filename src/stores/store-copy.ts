import type { Violation } from './store.ts';

/** A table of the books or of the directory, with the columns that every adapter has. */
export interface CopiedTable {
  readonly name: string;
  /** Columns of the primary key, in which order rows are read: texts as bytes. */
  readonly key: readonly string[];
  readonly texts: readonly string[];
  readonly integers: readonly string[];
}

/** Everything but the request log, which is no part of the books, and the numbering of news (`newestChange`). */
export const COPIED_TABLES: readonly CopiedTable[] = [
  {
    name: 'owners',
    key: ['id'],
    texts: ['id', 'state', 'machine'],
    integers: ['last_seq', 'settlements', 'seen_at', 'seen_change'],
  },
  {
    name: 'accounts',
    key: ['id'],
    texts: ['id', 'tenant_id', 'kind', 'unit', 'label', 'usage'],
    integers: ['allowance', 'reserved', 'spent', 'window_ends_at', 'sliding_ms', 'free_at'],
  },
  {
    name: 'leases',
    key: ['owner', 'idx'],
    texts: ['owner', 'account_id'],
    integers: ['idx', 'granted', 'settled', 'recalled'],
  },
  {
    name: 'grants',
    key: ['id'],
    texts: [
      'id',
      'tenant_id',
      'asset',
      'category',
      'source',
      'state',
      'idempotency_key',
      'fingerprint',
    ],
    integers: [
      'amount',
      'priority',
      'effective_at',
      'expires_at',
      'remaining',
      'consumed',
      'expired',
      'created_at',
    ],
  },
  { name: 'transactions', key: ['id'], texts: ['id', 'kind', 'reference'], integers: ['at'] },
  {
    name: 'entries',
    key: ['transaction_id', 'leg'],
    texts: ['transaction_id', 'ledger_account', 'asset', 'grant_id'],
    integers: ['leg', 'amount'],
  },
  {
    name: 'rates',
    key: ['bucket_id'],
    texts: ['bucket_id'],
    integers: ['debt', 'at', 'period_ms', 'full_at'],
  },
  {
    name: 'tenants',
    key: ['id'],
    texts: ['id', 'name', 'plan_id', 'parent_id', 'terms'],
    integers: ['created_at'],
  },
  {
    name: 'api_keys',
    key: ['id'],
    texts: ['id', 'tenant_id', 'name', 'hash', 'environment', 'hint', 'terms'],
    integers: ['budget_nano', 'expires_at', 'revoked_at', 'created_at'],
  },
  { name: 'write_offs', key: ['owner'], texts: ['owner'], integers: ['at', 'read_at'] },
  {
    name: 'write_off_slices',
    key: ['owner', 'idx'],
    texts: ['owner', 'tenant_id', 'kind', 'unit'],
    integers: ['idx', 'amount', 'charged'],
  },
  {
    name: 'jobs',
    key: ['name'],
    texts: ['name', 'holder', 'outcome', 'detail'],
    integers: ['fence', 'beat', 'taken_at', 'started_at', 'ended_at', 'findings'],
  },
  { name: 'changes', key: ['seq'], texts: ['kind', 'id'], integers: ['seq'] },
  { name: 'secrets', key: ['name'], texts: ['name', 'value'], integers: [] },
  { name: 'idempotency', key: ['key'], texts: ['key', 'fingerprint', 'answer'], integers: [] },
];

/** A portable SELECT whose columns are all texts, integers in decimal, and whose rows have one order everywhere. */
export interface CopyQuery {
  /** An identifier. */
  readonly name: string;
  readonly sql: string;
}
/** In the order of the columns of its query. */
export type CopyRow = readonly (string | null)[];

/** Rows that are in memory at once, of each side. */
export const COPY_BATCH_ROWS = 2000;

/** Columns in the order of `contentsOf`. */
export function columnsOf({ texts, integers }: CopiedTable): readonly string[] {
  return [...texts, ...integers];
}

/** All rows of a table. */
export function contentsOf(table: CopiedTable): CopyQuery {
  const { name, key, texts, integers } = table;
  // As a text an integer of 64 bits stays what it is.
  const columns = [...texts, ...integers.map((column) => `CAST(${column} AS text) AS ${column}`)];
  // With the name of its table a column is the stored one and not the text made of it.
  const order = key.map((column) => `${name}.${column}`);
  return { name, sql: `SELECT ${columns.join(', ')} FROM ${name} ORDER BY ${order.join(', ')}` };
}

/** What must come out the same when it is computed anew from the entries. */
export const RECOMPUTED: readonly CopyQuery[] = [
  {
    name: 'sums_of_assets',
    sql: `SELECT asset, CAST(SUM(amount) AS text) AS total, CAST(COUNT(*) AS text) AS legs
          FROM entries GROUP BY asset ORDER BY asset`,
  },
  {
    name: 'balances',
    sql: `SELECT accounts.id, CAST(allowance - spent AS text) AS available, CAST(reserved AS text) AS held,
            CAST(COALESCE(e.total, 0) AS text) AS total
          FROM accounts LEFT JOIN (
            SELECT ledger_account, asset, SUM(amount) AS total FROM entries GROUP BY ledger_account, asset
          ) e ON e.ledger_account = 'tenant:' || accounts.tenant_id AND e.asset = accounts.unit
          ORDER BY accounts.id`,
  },
];

/** A store that is copied. Nobody else writes to it until it is closed. */
export interface CopySource {
  /** Gateway processes that have neither ended nor been reclaimed: their money is not settled. */
  liveOwners(): readonly string[];
  audit(): readonly Violation[];
  /** Number of the newest news. */
  newestChange(): number;
  /** Batches of COPY_BATCH_ROWS rows, and a smaller last one. */
  select(query: CopyQuery): Iterable<readonly CopyRow[]>;
  close(): void;
}

/** One query, asked on both sides. */
export interface Comparison {
  readonly name: string;
  /** Rows. */
  readonly source: number;
  readonly target: number;
  /** Where they differ first; undefined = they are the same in every column. Never holds a value: some are secret. */
  readonly difference: string | undefined;
}

/** Anything but `copied` left the target as it was: without a row. */
export type CopyResult =
  | { readonly kind: 'copied'; readonly comparisons: readonly Comparison[] }
  | { readonly kind: 'not_empty'; readonly table: string }
  | {
      readonly kind: 'different';
      readonly comparisons: readonly Comparison[];
      /** What is wrong with the books of the copy. */
      readonly violations: readonly Violation[];
    };

/** Compares row by row, with one batch of each side in memory. Both come in batches of one size. */
export async function compareRows(
  name: string,
  source: Iterable<readonly CopyRow[]>,
  target: AsyncIterable<readonly CopyRow[]>,
): Promise<Comparison> {
  const counts = { source: 0, target: 0 };
  let difference: string | undefined;
  const expected = source[Symbol.iterator]();
  const take = (): readonly CopyRow[] => {
    const { done, value } = expected.next();
    return done === true ? [] : value;
  };
  const look = (left: readonly CopyRow[], right: readonly CopyRow[]): void => {
    difference ??= firstDifference(left, right, counts.source);
    counts.source += left.length;
    counts.target += right.length;
  };
  for await (const batch of target) look(take(), batch);
  for (let rest = take(); rest.length > 0; rest = take()) look(rest, []);
  return { name, ...counts, difference };
}

function firstDifference(
  left: readonly CopyRow[],
  right: readonly CopyRow[],
  before: number,
): string | undefined {
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const [one, other] = [left[index], right[index]];
    if (one !== undefined && other !== undefined && isSame(one, other)) continue;
    return `row ${before + index + 1}, ${(one ?? other)?.[0] ?? 'null'}`;
  }
  return undefined;
}

function isSame(one: CopyRow, other: CopyRow): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index]);
}

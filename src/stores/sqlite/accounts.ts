import type { AccountSpec, LimitLabel } from '../../domain/accounts.ts';
import { StoreError } from '../store-error.ts';
import type { AccountBalance, AccountNumbers } from '../store.ts';
import type { Database, Statement } from './database.ts';
import { freeAtOf, recordUsage, usedIn } from './sliding-usage.ts';

export interface AccountRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly kind: 'balance' | 'quota';
  readonly unit: string;
  readonly allowance: number;
  readonly reserved: number;
  readonly spent: number;
  readonly window_ends_at: number | null;
  readonly label: string | null;
  /** Null = it does not slide, and the two after it are null too. */
  readonly sliding_ms: number | null;
  readonly usage: string | null;
  readonly free_at: number | null;
}

const COLUMNS =
  'id, tenant_id, kind, unit, allowance, reserved, spent, window_ends_at, label, sliding_ms, usage, free_at';
const PRUNE_BATCH = 500;

/** The accounts table. Runs inside its caller's transaction. */
export class Accounts {
  readonly #select: Statement<AccountRow>;
  readonly #selectTenant: Statement<AccountRow>;
  readonly #insert: Statement<never>;
  readonly #adopt: Statement<never>;
  readonly #move: Statement<never>;
  readonly #record: Statement<never>;
  readonly #prune: Statement<never>;

  constructor(database: Database) {
    this.#select = database.prepare(`SELECT ${COLUMNS} FROM accounts WHERE id = ?`);
    this.#selectTenant = database.prepare(
      `SELECT ${COLUMNS} FROM accounts WHERE tenant_id = ? AND (window_ends_at IS NULL OR window_ends_at > ?) ORDER BY id`,
    );
    this.#insert = database.prepare(
      `INSERT INTO accounts (${COLUMNS}) VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?)`,
    );
    this.#adopt = database.prepare(
      'UPDATE accounts SET allowance = ?, window_ends_at = ?, label = ?, sliding_ms = ?, free_at = ? WHERE id = ?',
    );
    this.#move = database.prepare(
      'UPDATE accounts SET allowance = allowance + ?, reserved = reserved + ?, spent = spent + ? WHERE id = ?',
    );
    this.#record = database.prepare(
      'UPDATE accounts SET reserved = reserved + ?, usage = ?, free_at = ? WHERE id = ?',
    );
    this.#prune = database.prepare(
      `DELETE FROM accounts WHERE id IN (
         SELECT a.id FROM accounts a
         WHERE (a.window_ends_at < ? OR a.free_at < ?)
           AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.account_id = a.id)
         LIMIT ${PRUNE_BATCH})`,
    );
  }

  /**
   * The account of this spec, made if missing. A quota's allowance is what the caller's plan says now (QUOTA-03),
   * and its window ends where the tenant's time zone says now (QUOTA-02).
   */
  ensure(spec: AccountSpec): AccountRow {
    const row = this.#select.get(spec.id);
    if (row === undefined) {
      this.#open(spec);
      return this.get(spec.id);
    }
    if (row.tenant_id !== spec.tenantId || row.kind !== spec.kind || row.unit !== spec.unit) {
      throw new StoreError('invalid_argument', `account ${spec.id} is already another account`);
    }
    if (row.kind === 'balance' || hasTermsOf(row, spec)) return row;
    return this.#adoptTerms(row, spec);
  }

  /** The quota of this spec, when it is there just as the spec has it: nothing of it needs to be written. */
  findQuota(spec: AccountSpec): AccountRow | undefined {
    const row = this.#select.get(spec.id);
    if (row === undefined || row.tenant_id !== spec.tenantId || !hasTermsOf(row, spec)) {
      return undefined;
    }
    return row.kind === 'quota' && row.unit === spec.unit ? row : undefined;
  }

  get(id: string): AccountRow {
    const row = this.#select.get(id);
    if (row === undefined) throw new StoreError('invariant', `account ${id} does not exist`);
    return row;
  }

  /** Accounts of a tenant whose window has not ended at `now`. */
  list(tenantId: string, now: number): readonly AccountRow[] {
    return this.#selectTenant.all(tenantId, now);
  }

  /** Adds to the three numbers; the table's checks keep them from passing their bounds. */
  move(id: string, by: Partial<AccountNumbers>): void {
    this.#move.run(by.allowance ?? 0, by.reserved ?? 0, by.spent ?? 0, id);
  }

  /** Of what is reserved, `spent` units were spent by `now`, and `handedBack` are there again. */
  settle(
    account: AccountRow,
    { spent, handedBack }: { readonly spent: number; readonly handedBack: number },
    now: number,
  ): void {
    const reserved = -(spent + handedBack);
    const usage = recordUsage(account, spent, now);
    if (usage === undefined) this.move(account.id, { reserved, spent });
    else this.#record.run(reserved, usage.text, usage.freeAt, account.id);
  }

  /** One bounded batch; returns how many went. */
  prune(before: number): number {
    return this.#prune.run(before, before);
  }

  #adoptTerms(
    row: AccountRow,
    { allowance, windowEndsAt, slidingMs, limit }: AccountSpec,
  ): AccountRow {
    const adopted = {
      ...row,
      allowance,
      window_ends_at: windowEndsAt ?? null,
      label: labelOf(limit),
      sliding_ms: slidingMs ?? null,
      free_at: slidingMs === undefined ? null : freeAtOf(row, slidingMs),
    };
    this.#adopt.run(
      allowance,
      adopted.window_ends_at,
      adopted.label,
      adopted.sliding_ms,
      adopted.free_at,
      row.id,
    );
    return adopted;
  }

  #open(spec: AccountSpec): void {
    const { id, tenantId, kind, unit, windowEndsAt, slidingMs, limit } = spec;
    const allowance = kind === 'quota' ? spec.allowance : 0;
    const slides = slidingMs !== undefined;
    this.#insert.run(
      id,
      tenantId,
      kind,
      unit,
      allowance,
      windowEndsAt ?? null,
      labelOf(limit),
      slidingMs ?? null,
      slides ? '[]' : null,
      slides ? 0 : null,
    );
  }
}

function labelOf(limit: LimitLabel | undefined): string | null {
  return limit === undefined ? null : JSON.stringify(limit);
}

function hasTermsOf(row: AccountRow, { allowance, windowEndsAt, slidingMs }: AccountSpec): boolean {
  return (
    row.allowance === allowance &&
    row.window_ends_at === (windowEndsAt ?? null) &&
    row.sliding_ms === (slidingMs ?? null)
  );
}

export function numbersOf(row: AccountRow, now: number): AccountNumbers {
  return { allowance: row.allowance, spent: usedIn(row, now), reserved: row.reserved };
}

/** Negative after a plan went down. */
export function availableIn(row: AccountRow, now: number): number {
  return row.allowance - row.reserved - usedIn(row, now);
}

export function balanceOf(row: AccountRow, now: number): AccountBalance {
  const limit: LimitLabel | undefined = row.label === null ? undefined : JSON.parse(row.label);
  const isFree = row.free_at === null || row.free_at <= now;
  return {
    spec: {
      id: row.id,
      tenantId: row.tenant_id,
      kind: row.kind,
      unit: row.unit,
      allowance: row.kind === 'quota' ? row.allowance : 0,
      windowEndsAt: row.window_ends_at ?? undefined,
      ...(row.sliding_ms === null ? {} : { slidingMs: row.sliding_ms }),
      limit,
    },
    allowance: BigInt(row.allowance),
    spent: BigInt(usedIn(row, now)),
    reserved: BigInt(row.reserved),
    ...(isFree ? {} : { resetsAt: row.free_at }),
  };
}

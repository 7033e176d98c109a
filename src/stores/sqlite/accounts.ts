import type { AccountSpec, LimitLabel } from '../../domain/accounts.ts';
import { StoreError } from '../store-error.ts';
import type { AccountBalance, AccountNumbers } from '../store.ts';
import type { Database, Statement } from './database.ts';

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
}

const COLUMNS = 'id, tenant_id, kind, unit, allowance, reserved, spent, window_ends_at, label';
const PRUNE_BATCH = 500;

/** The accounts table. Runs inside its caller's transaction. */
export class Accounts {
  readonly #select: Statement<AccountRow>;
  readonly #selectTenant: Statement<AccountRow>;
  readonly #insert: Statement<never>;
  readonly #adopt: Statement<never>;
  readonly #move: Statement<never>;
  readonly #prune: Statement<never>;

  constructor(database: Database) {
    this.#select = database.prepare(`SELECT ${COLUMNS} FROM accounts WHERE id = ?`);
    this.#selectTenant = database.prepare(
      `SELECT ${COLUMNS} FROM accounts WHERE tenant_id = ? AND (window_ends_at IS NULL OR window_ends_at > ?) ORDER BY id`,
    );
    this.#insert = database.prepare(
      `INSERT INTO accounts (${COLUMNS}) VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?)`,
    );
    this.#adopt = database.prepare(
      'UPDATE accounts SET allowance = ?, window_ends_at = ?, label = ? WHERE id = ?',
    );
    this.#move = database.prepare(
      'UPDATE accounts SET allowance = allowance + ?, reserved = reserved + ?, spent = spent + ? WHERE id = ?',
    );
    this.#prune = database.prepare(
      `DELETE FROM accounts WHERE id IN (
         SELECT a.id FROM accounts a
         WHERE a.window_ends_at < ?
           AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.account_id = a.id)
         LIMIT ${PRUNE_BATCH})`,
    );
  }

  /**
   * The account of this spec, made if missing. A quota's allowance is what the caller's plan says now (QUOTA-03),
   * and its window ends where the tenant's time zone says now (QUOTA-02).
   */
  ensure(spec: AccountSpec): AccountRow {
    const label = spec.limit === undefined ? null : JSON.stringify(spec.limit);
    const endsAt = spec.windowEndsAt ?? null;
    const row = this.#select.get(spec.id);
    if (row === undefined) {
      const allowance = spec.kind === 'quota' ? spec.allowance : 0;
      this.#insert.run(spec.id, spec.tenantId, spec.kind, spec.unit, allowance, endsAt, label);
      return this.get(spec.id);
    }
    if (row.tenant_id !== spec.tenantId || row.kind !== spec.kind || row.unit !== spec.unit) {
      throw new StoreError('invalid_argument', `account ${spec.id} is already another account`);
    }
    const isSame = row.allowance === spec.allowance && row.window_ends_at === endsAt;
    if (row.kind === 'balance' || isSame) return row;
    this.#adopt.run(spec.allowance, endsAt, label, spec.id);
    return { ...row, allowance: spec.allowance, window_ends_at: endsAt, label };
  }

  /** The quota of this spec, when it is there just as the spec has it: nothing of it needs to be written. */
  findQuota(spec: AccountSpec): AccountRow | undefined {
    const row = this.#select.get(spec.id);
    const isSame = row?.allowance === spec.allowance && row.tenant_id === spec.tenantId;
    if (!isSame || row.window_ends_at !== (spec.windowEndsAt ?? null)) return undefined;
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

  /** One bounded batch; returns how many went. */
  prune(before: number): number {
    return this.#prune.run(before);
  }
}

export function numbersOf(row: AccountRow): AccountNumbers {
  return { allowance: row.allowance, spent: row.spent, reserved: row.reserved };
}

/** Negative after a plan went down. */
export function availableIn(row: AccountRow): number {
  return row.allowance - row.reserved - row.spent;
}

export function balanceOf(row: AccountRow): AccountBalance {
  const limit: LimitLabel | undefined = row.label === null ? undefined : JSON.parse(row.label);
  return {
    spec: {
      id: row.id,
      tenantId: row.tenant_id,
      kind: row.kind,
      unit: row.unit,
      allowance: row.kind === 'quota' ? row.allowance : 0,
      windowEndsAt: row.window_ends_at ?? undefined,
      limit,
    },
    allowance: BigInt(row.allowance),
    spent: BigInt(row.spent),
    reserved: BigInt(row.reserved),
  };
}

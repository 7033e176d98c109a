import type { AccountSpec, LimitLabel } from '../../domain/accounts.ts';
import { StoreError } from '../store-error.ts';
import type { AccountBalance, AccountNumbers } from '../store.ts';
import { freeAtOf, recordUsage, usedIn } from './sliding-usage.ts';
import type { AccountRow, AccountTable } from './tables.ts';

/** What balances and quotas have, and how it changes. */
export class Accounts {
  readonly #table: AccountTable;

  constructor(table: AccountTable) {
    this.#table = table;
  }

  /**
   * The account of this spec, made if missing. A quota's allowance is what the caller's plan says now (QUOTA-03),
   * and its window ends where the tenant's time zone says now (QUOTA-02).
   */
  ensure(spec: AccountSpec): AccountRow {
    const row = this.#table.findOrAdd(newAccount(spec));
    if (row.tenant_id !== spec.tenantId || row.kind !== spec.kind || row.unit !== spec.unit) {
      throw new StoreError('invalid_argument', `account ${spec.id} is already another account`);
    }
    if (row.kind === 'balance' || hasTermsOf(row, spec)) return row;
    return this.#adoptTerms(row, spec);
  }

  /** The quota of this spec, when it is there just as the spec has it: nothing of it needs to be written. */
  findQuota(spec: AccountSpec): AccountRow | undefined {
    const row = this.#table.find(spec.id);
    if (row === undefined || row.tenant_id !== spec.tenantId || !hasTermsOf(row, spec)) {
      return undefined;
    }
    return row.kind === 'quota' && row.unit === spec.unit ? row : undefined;
  }

  get(id: string): AccountRow {
    const row = this.#table.find(id);
    if (row === undefined) throw missingAccount(id);
    return row;
  }

  /** By their ids. */
  getAll(ids: Iterable<string>): Map<string, AccountRow> {
    const rows = this.#table.findAll([...new Set(ids)]);
    return new Map(rows.map((row) => [row.id, row]));
  }

  move(id: string, by: Partial<AccountNumbers>): void {
    this.#table.move(id, by);
  }

  /**
   * Of what is reserved, `spent` units were spent by `now`, and `handedBack` are there again. Returns the account
   * after it.
   */
  settle(
    account: AccountRow,
    { spent, handedBack }: { readonly spent: number; readonly handedBack: number },
    now: number,
  ): AccountRow {
    const by = -(spent + handedBack);
    const reserved = account.reserved + by;
    const usage = spent === 0 ? undefined : recordUsage(account, spent, now);
    if (usage === undefined) {
      this.#table.move(account.id, { reserved: by, spent });
      return { ...account, reserved, spent: account.spent + spent };
    }
    this.#table.record(account.id, by, usage);
    return { ...account, reserved, usage: usage.text, free_at: usage.freeAt };
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
    this.#table.adopt(adopted);
    return adopted;
  }
}

export function missingAccount(id: string): StoreError {
  return new StoreError('invariant', `account ${id} does not exist`);
}

/** The account of this spec with nothing in it. */
export function newAccount(spec: AccountSpec): AccountRow {
  const { id, tenantId, kind, unit, windowEndsAt, slidingMs, limit } = spec;
  const slides = slidingMs !== undefined;
  return {
    id,
    tenant_id: tenantId,
    kind,
    unit,
    allowance: kind === 'quota' ? spec.allowance : 0,
    reserved: 0,
    spent: 0,
    window_ends_at: windowEndsAt ?? null,
    label: labelOf(limit),
    sliding_ms: slidingMs ?? null,
    usage: slides ? '[]' : null,
    free_at: slides ? 0 : null,
  };
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

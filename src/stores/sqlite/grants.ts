import { compareBurnOrder } from '../../domain/grant.ts';
import { balanceAccount } from '../../domain/accounts.ts';
import { createId } from '../../platform/ids.ts';
import { StoreError } from '../store-error.ts';
import type { Grant, GrantCategory, NewGrant } from '../store.ts';
import { type AccountRow, type Accounts } from './accounts.ts';
import type { Changes } from './changes.ts';
import type { Database, Statement } from './database.ts';
import { type Entries, type Leg, transfer } from './entries.ts';

interface GrantRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly asset: string;
  readonly amount: number;
  readonly category: GrantCategory;
  readonly priority: number;
  readonly effective_at: number;
  readonly expires_at: number | null;
  readonly source: string;
  /** `pending`: not yet effective, in no balance. `done`: nothing remains. */
  readonly state: 'pending' | 'active' | 'done';
  readonly remaining: number;
  readonly consumed: number;
  readonly expired: number;
  readonly created_at: number;
  readonly fingerprint: string;
}

const COLUMNS =
  'id, tenant_id, asset, amount, category, priority, effective_at, expires_at, source, state, remaining, consumed, expired, created_at, fingerprint';

/** Grants and what becomes of them. Runs inside its caller's transaction. */
export class Grants {
  readonly #accounts: Accounts;
  readonly #entries: Entries;
  readonly #changes: Changes;
  readonly #insert: Statement<never>;
  readonly #selectByKey: Statement<GrantRow>;
  readonly #selectTenant: Statement<GrantRow>;
  readonly #selectOpen: Statement<GrantRow>;
  readonly #update: Statement<never>;

  constructor(
    database: Database,
    books: { accounts: Accounts; entries: Entries; changes: Changes },
  ) {
    this.#accounts = books.accounts;
    this.#entries = books.entries;
    this.#changes = books.changes;
    this.#insert = database.prepare(
      `INSERT INTO grants (${COLUMNS}, idempotency_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, 0, 0, ?, ?, ?)`,
    );
    this.#selectByKey = database.prepare(`SELECT ${COLUMNS} FROM grants WHERE idempotency_key = ?`);
    this.#selectTenant = database.prepare(
      `SELECT ${COLUMNS} FROM grants WHERE tenant_id = ? ORDER BY id`,
    );
    this.#selectOpen = database.prepare(
      `SELECT ${COLUMNS} FROM grants WHERE tenant_id = ? AND asset = ? AND state IN ('pending', 'active')`,
    );
    this.#update = database.prepare(
      'UPDATE grants SET state = ?, remaining = ?, consumed = ?, expired = ? WHERE id = ?',
    );
  }

  add(grant: NewGrant, now: number): Grant {
    assertGrantable(grant);
    const fingerprint = fingerprintOf(grant);
    const earlier = this.#selectByKey.get(grant.idempotencyKey);
    if (earlier !== undefined) return replay(earlier, fingerprint, grant.idempotencyKey);
    const account = this.#accounts.ensure(balanceAccount(grant.tenantId, grant.asset));
    this.#assertCountable(account, grant);
    this.#write(grant, fingerprint, now);
    this.mature(account, now);
    this.#changes.append({ kind: 'account', id: account.id });
    return toGrant(this.#written(grant.idempotencyKey));
  }

  list(tenantId: string): readonly Grant[] {
    return this.#selectTenant.all(tenantId).map(toGrant);
  }

  /**
   * Brings a balance up to `now`: takes in grants that have become effective and takes out what has expired and
   * is not leased. `usableUntil` is the earliest expiry to come.
   */
  mature(
    account: AccountRow,
    now: number,
  ): { readonly account: AccountRow; readonly usableUntil: number | undefined } {
    const open = this.#open(account);
    const activated = open.filter(
      (grant) => grant.state === 'pending' && grant.effective_at <= now,
    );
    for (const grant of activated) this.#activate(account, grant, now);
    const active = activated.length === 0 ? open : this.#open(account);
    const isExpiring = active.some(
      (grant) => isActive(grant) && (grant.expires_at ?? now + 1) <= now,
    );
    if (isExpiring) this.#expire(account, active.filter(isActive), now);
    const usableUntil = active
      .filter((grant) => isActive(grant) && grant.expires_at !== null && grant.expires_at > now)
      .reduce(
        (earliest, grant) => Math.min(earliest, grant.expires_at ?? earliest),
        Number.POSITIVE_INFINITY,
      );
    return {
      account: activated.length === 0 && !isExpiring ? account : this.#accounts.get(account.id),
      usableUntil: Number.isFinite(usableUntil) ? usableUntil : undefined,
    };
  }

  /** Takes `amount` out of the account's grants in burn order; the legs record which (invariant I6). */
  burn(account: AccountRow, amount: number): readonly Leg[] {
    const legs: Leg[] = [];
    let left = amount;
    for (const grant of this.#open(account).filter(isActive)) {
      const taken = Math.min(left, grant.remaining);
      if (taken === 0) break;
      this.#take(grant, 'consumed', taken);
      legs.push({
        ledgerAccount: `tenant:${account.tenant_id}`,
        asset: account.unit,
        amount: -taken,
        grantId: grant.id,
      });
      left -= taken;
    }
    if (left === 0) return legs;
    throw new StoreError(
      'invariant',
      `account ${account.id} is charged ${left} more than its grants have`,
    );
  }

  /** Not used up, in burn order. */
  #open(account: AccountRow): readonly GrantRow[] {
    const rows = this.#selectOpen.all(account.tenant_id, account.unit);
    if (rows.length < 2) return rows;
    return rows.toSorted((left, right) => compareBurnOrder(toGrant(left), toGrant(right)));
  }

  #activate(account: AccountRow, grant: GrantRow, now: number): void {
    this.#update.run('active', grant.remaining, grant.consumed, grant.expired, grant.id);
    this.#accounts.move(account.id, { allowance: grant.amount });
    this.#entries.post({
      id: `funding:${grant.id}`,
      kind: 'funding',
      reference: grant.source,
      at: now,
      legs: transfer('house:funding', `tenant:${grant.tenant_id}`, {
        asset: grant.asset,
        amount: grant.amount,
        grantId: grant.id,
      }),
    });
  }

  /**
   * What is leased was promised before the expiry, and is charged in burn order: so that much is left where
   * a charge will look for it, and only the rest of an expired grant goes.
   */
  #expire(account: AccountRow, active: readonly GrantRow[], now: number): void {
    let leased = this.#accounts.get(account.id).reserved;
    for (const grant of active) {
      const kept = Math.min(leased, grant.remaining);
      leased -= kept;
      const amount = grant.remaining - kept;
      if (grant.expires_at === null || grant.expires_at > now || amount === 0) continue;
      this.#take(grant, 'expired', amount);
      this.#accounts.move(account.id, { allowance: -amount });
      this.#entries.post({
        id: `expiry:${grant.id}:${grant.expired + amount}`,
        kind: 'expiry',
        reference: grant.id,
        at: now,
        legs: transfer(`tenant:${grant.tenant_id}`, 'house:breakage', {
          asset: grant.asset,
          amount,
          grantId: grant.id,
        }),
      });
    }
  }

  #take(grant: GrantRow, as: 'consumed' | 'expired', amount: number): void {
    const remaining = grant.remaining - amount;
    const consumed = grant.consumed + (as === 'consumed' ? amount : 0);
    const expired = grant.expired + (as === 'expired' ? amount : 0);
    this.#update.run(remaining === 0 ? 'done' : 'active', remaining, consumed, expired, grant.id);
  }

  #write(grant: NewGrant, fingerprint: string, now: number): void {
    this.#insert.run(
      createId('grt', now),
      grant.tenantId,
      grant.asset,
      grant.amount,
      grant.category,
      grant.priority,
      grant.effectiveAt,
      grant.expiresAt ?? null,
      grant.source,
      grant.amount,
      now,
      fingerprint,
      grant.idempotencyKey,
    );
  }

  #written(idempotencyKey: string): GrantRow {
    const row = this.#selectByKey.get(idempotencyKey);
    if (row === undefined)
      throw new StoreError('invariant', `grant ${idempotencyKey} is not there`);
    return row;
  }

  /** Leases count in safe integers, so a balance with all that will come must stay one. */
  #assertCountable(account: AccountRow, grant: NewGrant): void {
    const pending = this.#open(account).filter((each) => each.state === 'pending');
    const total = pending.reduce(
      (sum, each) => sum + BigInt(each.amount),
      BigInt(account.allowance) + grant.amount,
    );
    if (total <= BigInt(Number.MAX_SAFE_INTEGER)) return;
    throw new StoreError(
      'unsafe_amount',
      `a grant of ${grant.amount} would bring ${account.id} to ${total} units; at most ${Number.MAX_SAFE_INTEGER} can be counted exactly`,
    );
  }
}

function isActive(grant: GrantRow): boolean {
  return grant.state === 'active';
}

function assertGrantable(grant: NewGrant): void {
  if (grant.amount <= 0n) {
    throw new StoreError(
      'invalid_argument',
      `amount ${grant.amount} must be positive: corrections are transactions of their own`,
    );
  }
  if (grant.expiresAt !== undefined && grant.expiresAt <= grant.effectiveAt) {
    throw new StoreError('invalid_argument', 'expiresAt must be after effectiveAt');
  }
}

/** Without its times: a retry a second later is the same wish. */
function fingerprintOf(grant: NewGrant): string {
  const { tenantId, asset, amount, category, priority, source } = grant;
  return JSON.stringify([tenantId, asset, amount.toString(), category, priority, source]);
}

function replay(earlier: GrantRow, fingerprint: string, idempotencyKey: string): Grant {
  if (earlier.fingerprint === fingerprint) return toGrant(earlier);
  throw new StoreError(
    'idempotency_conflict',
    `idempotency key ${idempotencyKey} was used for another grant (${earlier.id}): use a new key for a new grant`,
  );
}

function toGrant(row: GrantRow): Grant {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    asset: row.asset,
    amount: BigInt(row.amount),
    category: row.category,
    priority: row.priority,
    effectiveAt: row.effective_at,
    expiresAt: row.expires_at ?? undefined,
    source: row.source,
    consumed: BigInt(row.consumed),
    expired: BigInt(row.expired),
    createdAt: row.created_at,
  };
}

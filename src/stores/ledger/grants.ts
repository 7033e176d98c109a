import { compareBurnOrder } from '../../domain/grant.ts';
import { balanceAccount } from '../../domain/accounts.ts';
import { toSafeNumber } from '../../domain/money.ts';
import { createId } from '../../platform/ids.ts';
import { StoreError } from '../store-error.ts';
import type { Grant, NewGrant } from '../store.ts';
import type { Accounts } from './accounts.ts';
import { type Entries, transfer } from './entries.ts';
import type { AccountRow, ChangeTable, GrantRow, GrantTable, Leg } from './tables.ts';

/** Grants and what becomes of them. */
export class Grants {
  readonly #table: GrantTable;
  readonly #changes: ChangeTable;
  readonly #accounts: Accounts;
  readonly #entries: Entries;

  constructor(
    tables: { readonly grants: GrantTable; readonly changes: ChangeTable },
    books: { readonly accounts: Accounts; readonly entries: Entries },
  ) {
    this.#table = tables.grants;
    this.#changes = tables.changes;
    this.#accounts = books.accounts;
    this.#entries = books.entries;
  }

  add(grant: NewGrant, now: number): Grant {
    assertGrantable(grant);
    const fingerprint = fingerprintOf(grant);
    const earlier = this.#table.findByKey(grant.idempotencyKey);
    if (earlier !== undefined) return replay(earlier, fingerprint, grant.idempotencyKey);
    const account = this.#accounts.ensure(balanceAccount(grant.tenantId, grant.asset));
    this.#assertCountable(account, grant);
    this.#table.add(newGrant(grant, fingerprint, now), grant.idempotencyKey);
    this.mature(account, now);
    this.#changes.append({ kind: 'account', id: account.id });
    return toGrant(this.#written(grant.idempotencyKey));
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

  /** Brings the balances among these up to `now`. */
  matureAll(accounts: readonly AccountRow[], now: number): void {
    for (const account of accounts) if (account.kind === 'balance') this.mature(account, now);
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
    const rows = this.#table.open(account.tenant_id, account.unit);
    if (rows.length < 2) return rows;
    return rows.toSorted((left, right) => compareBurnOrder(toGrant(left), toGrant(right)));
  }

  #activate(account: AccountRow, grant: GrantRow, now: number): void {
    this.#table.save({ ...grant, state: 'active' });
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
    const state = remaining === 0 ? 'done' : 'active';
    this.#table.save({ ...grant, state, remaining, consumed, expired });
  }

  #written(idempotencyKey: string): GrantRow {
    const row = this.#table.findByKey(idempotencyKey);
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

/** Of no balance yet. The amount was found to be countable. */
function newGrant(grant: NewGrant, fingerprint: string, now: number): GrantRow {
  return {
    id: createId('grt', now),
    tenant_id: grant.tenantId,
    asset: grant.asset,
    amount: toSafeNumber(grant.amount),
    category: grant.category,
    priority: grant.priority,
    effective_at: grant.effectiveAt,
    expires_at: grant.expiresAt ?? null,
    source: grant.source,
    state: 'pending',
    remaining: toSafeNumber(grant.amount),
    consumed: 0,
    expired: 0,
    created_at: now,
    fingerprint,
  };
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

export function toGrant(row: GrantRow): Grant {
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

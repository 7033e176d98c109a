import {
  type HeldTotal,
  type OwnerLease,
  OWNER_LEASES_LISTED_MAX,
  type OwnerReport,
  OWNERS_LISTED_MAX,
} from '../owner-store.ts';

/** Columns of `ownersSql`. */
export interface OwnerReportRow {
  readonly id: string;
  readonly machine: string | null;
  readonly seen_at: number;
  readonly written_off_at: number | null;
}
/** Columns of `heldSql`. A sum may be more than a number holds, so it is a text. */
export interface HeldRow extends Pick<HeldTotal, 'kind' | 'unit' | 'tenants'> {
  readonly owner: string;
  readonly amount: string;
}
/** Columns of `ownerLeasesSql`. */
export interface OwnerLeaseRow extends Pick<HeldTotal, 'kind' | 'unit'> {
  readonly tenant_id: string;
  readonly amount: string;
}

const UNREAD = 'FROM write_offs w JOIN owners o ON o.id = w.owner WHERE w.read_at IS NULL';
const OF_LEASES =
  'SELECT l.owner, a.tenant_id, a.kind, a.unit, l.granted - l.settled AS amount FROM leases l JOIN accounts a ON a.id = l.account_id';
const OF_SLICES = 'SELECT s.owner, s.tenant_id, s.kind, s.unit, s.amount FROM write_off_slices s';

/** `heardBefore`, here and below: how the adapter writes its first parameter. */
export function ownersSql(heardBefore: string): string {
  return `SELECT id, machine, seen_at, written_off_at FROM (
      SELECT id, machine, seen_at, CAST(NULL AS bigint) AS written_off_at
      FROM owners WHERE state = 'live' AND seen_at < ${heardBefore}
      UNION ALL SELECT o.id, o.machine, o.seen_at, w.at ${UNREAD}
    ) known ORDER BY seen_at, id LIMIT ${OWNERS_LISTED_MAX}`;
}

export function heldSql(heardBefore: string): string {
  return `SELECT owner, kind, unit, CAST(SUM(amount) AS text) AS amount, COUNT(DISTINCT tenant_id) AS tenants FROM (
      ${OF_LEASES} JOIN owners o ON o.id = l.owner
      WHERE l.granted > l.settled AND o.state = 'live' AND o.seen_at < ${heardBefore}
      UNION ALL ${OF_SLICES} JOIN write_offs w ON w.owner = s.owner WHERE w.read_at IS NULL
    ) held GROUP BY owner, kind, unit ORDER BY owner, kind, unit`;
}

export function ownerLeasesSql(owner: string): string {
  return `SELECT tenant_id, kind, unit, CAST(SUM(amount) AS text) AS amount FROM (
      ${OF_LEASES} WHERE l.granted > l.settled AND l.owner = ${owner}
      UNION ALL ${OF_SLICES} WHERE s.owner = ${owner}
    ) held GROUP BY tenant_id, kind, unit
    ORDER BY SUM(amount) DESC, tenant_id, kind, unit LIMIT ${OWNER_LEASES_LISTED_MAX}`;
}

export function toOwnerReports(
  owners: readonly OwnerReportRow[],
  held: readonly HeldRow[],
): readonly OwnerReport[] {
  const totals = new Map<string, HeldTotal[]>(owners.map(({ id }) => [id, []]));
  for (const { owner, kind, unit, amount, tenants } of held) {
    totals.get(owner)?.push({ kind, unit, amount: BigInt(amount), tenants });
  }
  return owners.map((row) => ({
    id: row.id,
    machine: row.machine ?? undefined,
    seenAt: row.seen_at,
    writtenOffAt: row.written_off_at ?? undefined,
    held: totals.get(row.id) ?? [],
  }));
}

export function toOwnerLease({
  tenant_id: tenantId,
  kind,
  unit,
  amount,
}: OwnerLeaseRow): OwnerLease {
  return { tenantId, kind, unit, amount: BigInt(amount) };
}

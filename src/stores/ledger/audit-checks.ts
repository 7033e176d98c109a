export interface AuditCheck {
  readonly invariant: string;
  /** Selects one text column `detail` per violation; portable. */
  readonly sql: string;
}

/** Each recomputes a projection from what it was made of; sums over all history may pass 2^53, hence in SQL. */
export const AUDIT_CHECKS: readonly AuditCheck[] = [
  {
    invariant: 'I1 every ledger transaction sums to zero per asset',
    sql: `SELECT 'transaction ' || transaction_id || ' is off by ' || SUM(amount) || ' ' || asset AS detail
          FROM entries GROUP BY transaction_id, asset HAVING SUM(amount) <> 0`,
  },
  {
    invariant: 'I1 every entry belongs to a transaction, every transaction has entries',
    // Two looks by primary key: SQLite compares each row with each other in a full join with a subquery.
    sql: `SELECT 'transaction ' || t.id || ' is incomplete' AS detail FROM transactions t
          WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE e.transaction_id = t.id)
          UNION
          SELECT 'transaction ' || e.transaction_id || ' is incomplete' AS detail FROM entries e
          WHERE NOT EXISTS (SELECT 1 FROM transactions t WHERE t.id = e.transaction_id)`,
  },
  {
    invariant: 'I9 a balance is the sum of its tenant entries',
    sql: `SELECT 'account ' || a.id || ' has ' || (a.allowance - a.spent) || ', its entries sum to ' || COALESCE(e.total, 0) AS detail
          FROM accounts a LEFT JOIN (
            SELECT ledger_account, asset, SUM(amount) AS total FROM entries GROUP BY ledger_account, asset
          ) e ON e.ledger_account = 'tenant:' || a.tenant_id AND e.asset = a.unit
          WHERE a.kind = 'balance' AND a.allowance - a.spent <> COALESCE(e.total, 0)`,
  },
  {
    invariant: 'I2 per grant: amount = remaining + consumed + expired',
    sql: `SELECT 'grant ' || id || ' of ' || amount || ' has ' || remaining || ' + ' || consumed || ' + ' || expired AS detail
          FROM grants WHERE amount <> remaining + consumed + expired`,
  },
  {
    invariant: 'I2 what a grant consumed and what expired of it is what its entries say',
    sql: `SELECT 'grant ' || g.id || ' has ' || g.remaining || ' left, its entries leave ' || COALESCE(e.total, 0) AS detail
          FROM grants g LEFT JOIN (
            SELECT grant_id, SUM(amount) AS total FROM entries
            WHERE ledger_account LIKE 'tenant:%' GROUP BY grant_id
          ) e ON e.grant_id = g.id
          WHERE g.state <> 'pending' AND g.remaining <> COALESCE(e.total, 0)`,
  },
  {
    invariant: 'I2 a balance is what remains of its grants',
    sql: `SELECT 'account ' || a.id || ' has ' || (a.allowance - a.spent) || ', its grants ' || COALESCE(g.total, 0) AS detail
          FROM accounts a LEFT JOIN (
            SELECT tenant_id, asset, SUM(remaining) AS total FROM grants WHERE state <> 'pending' GROUP BY tenant_id, asset
          ) g ON g.tenant_id = a.tenant_id AND g.asset = a.unit
          WHERE a.kind = 'balance' AND a.allowance - a.spent <> COALESCE(g.total, 0)`,
  },
  {
    invariant: 'I3 available is never negative',
    sql: `SELECT 'account ' || id || ': ' || allowance || ' - ' || reserved || ' reserved - ' || spent || ' spent' AS detail
          FROM accounts WHERE kind = 'balance' AND allowance - reserved - spent < 0`,
  },
  {
    invariant: 'I10 reserved is what open leases hold',
    sql: `SELECT 'account ' || a.id || ' has ' || a.reserved || ' reserved, its leases ' || COALESCE(l.total, 0) AS detail
          FROM accounts a LEFT JOIN (
            SELECT account_id, SUM(granted - settled) AS total FROM leases GROUP BY account_id
          ) l ON l.account_id = a.id
          WHERE a.reserved <> COALESCE(l.total, 0)`,
  },
  {
    invariant: 'I10 only live owners have leases, and only of accounts that exist',
    sql: `SELECT 'lease ' || l.owner || '/' || l.idx || ' of ' || l.account_id || ', owner ' || COALESCE(o.state, 'unknown') AS detail
          FROM leases l LEFT JOIN owners o ON o.id = l.owner LEFT JOIN accounts a ON a.id = l.account_id
          WHERE o.state IS NULL OR o.state <> 'live' OR a.id IS NULL`,
  },
  {
    invariant: 'I9 what the house has at risk is what was written off and whose journal is unread',
    sql: `SELECT 'house:at_risk is off by ' || SUM(amount) || ' ' || asset AS detail FROM (
            SELECT asset, amount FROM entries WHERE ledger_account = 'house:at_risk'
            UNION ALL
            SELECT s.unit, -s.amount FROM write_off_slices s JOIN write_offs w ON w.owner = s.owner
            WHERE w.read_at IS NULL AND s.kind = 'balance'
          ) risks GROUP BY asset HAVING SUM(amount) <> 0`,
  },
];

/** More would tell nobody more. */
export const VIOLATIONS_PER_CHECK_MAX = 100;

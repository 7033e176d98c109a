import { AUDIT_CHECKS, VIOLATIONS_PER_CHECK_MAX } from '../ledger/audit-checks.ts';
import type { Violation } from '../store.ts';
import type { Database, Transaction } from './database.ts';
import { Statement } from './statement.ts';

const CHECKS = AUDIT_CHECKS.map(({ invariant, sql }) => ({
  invariant,
  select: new Statement<{ readonly detail: string }>(`${sql} LIMIT ${VIOLATIONS_PER_CHECK_MAX}`),
}));
// It looks at the whole history.
const ALLOW_TIME = new Statement<never>("SET LOCAL statement_timeout = '10min'");
const ANSWER_TIMEOUT_MS = 11 * 60_000;

/** The invariants of DESIGN 5 on live data. */
export function audit(database: Database): Promise<readonly Violation[]> {
  return database.read(auditInside);
}

/** The same on what a transaction sees. */
export async function auditInside(transaction: Transaction): Promise<readonly Violation[]> {
  transaction.send(ALLOW_TIME);
  const found = await Promise.all(CHECKS.map((check) => run(transaction, check)));
  return found.flat();
}

async function run(
  transaction: Transaction,
  { invariant, select }: (typeof CHECKS)[number],
): Promise<readonly Violation[]> {
  const rows = await transaction.queryFor(ANSWER_TIMEOUT_MS, select);
  return rows.map(({ detail }) => ({ invariant, detail }));
}

import { Accounts } from './accounts.ts';
import { Entries } from './entries.ts';
import { Grants } from './grants.ts';
import { Leases } from './leases.ts';
import { Owners } from './owners.ts';
import { Settlement } from './settlement.ts';
import type { LedgerTables } from './tables.ts';
import { WriteOffs } from './write-offs.ts';

/** The rules of money over the tables of a database: the same for every adapter, which sees to transactions. */
export interface Books {
  readonly grants: Grants;
  readonly leases: Leases;
  readonly settlement: Settlement;
  readonly writeOffs: WriteOffs;
}

export function openBooks(tables: LedgerTables): Books {
  const accounts = new Accounts(tables.accounts);
  const entries = new Entries(tables.entries);
  const owners = new Owners(tables.owners);
  const grants = new Grants(tables, { accounts, entries });
  const leases = new Leases(tables.leases, { accounts, grants, owners });
  const writeOffs = new WriteOffs(tables, { accounts, entries, owners });
  const settlement = new Settlement(tables, { accounts, grants, entries, owners, writeOffs });
  return { grants, leases, settlement, writeOffs };
}

import { decodeRows } from '../request-rows.ts';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { Accounts } from './accounts.ts';
import { Answers } from './answers.ts';
import { Audit } from './audit.ts';
import { Changes } from './changes.ts';
import { Database } from './database.ts';
import { Directory } from './directory.ts';
import { Entries } from './entries.ts';
import { Grants } from './grants.ts';
import { Leases } from './leases.ts';
import { migrate } from './migrations.ts';
import { Owners } from './owners.ts';
import { Rates } from './rates.ts';
import { RequestLogFiles } from './request-log.ts';
import { Settlement } from './settlement.ts';
import { Standing } from './standing.ts';

export interface OperationsOptions {
  readonly directory: string;
  readonly busyTimeoutMs: number;
}

/** What the store thread can be asked: plain synchronous functions of values that can be copied between threads. */
export type Operations = ReturnType<typeof openOperations>;

export const LEDGER_FILE = 'ledger.db';

export function openOperations({ directory, busyTimeoutMs }: OperationsOptions) {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const database = new Database({
    path: join(directory, LEDGER_FILE),
    durability: 'full',
    busyTimeoutMs,
  });
  try {
    migrate(database);
    return createOperations(database, new RequestLogFiles(directory, busyTimeoutMs));
  } catch (error) {
    database.close();
    throw error;
  }
}

function createOperations(database: Database, log: RequestLogFiles) {
  const accounts = new Accounts(database);
  const changes = new Changes(database);
  const entries = new Entries(database);
  const answers = new Answers(database);
  const audit = new Audit(database);
  const rates = new Rates(database);
  const owners = new Owners(database, changes);
  const directory = new Directory(database, changes);
  const grants = new Grants(database, { accounts, entries, changes });
  const leases = new Leases(database, { accounts, grants, owners });
  const settlement = new Settlement(database, { accounts, grants, entries, owners, changes });
  const standing = new Standing(database, { accounts, grants, owners, changes, rates });
  return {
    openOwner: (owner: string, now: number) => database.write(() => owners.open(owner, now)),
    liveOwners: () => owners.live(),
    acquire: leases.acquire.bind(leases),
    sync: settlement.sync.bind(settlement),
    closeOwner: settlement.closeOwner.bind(settlement),
    lastSettled: settlement.lastSettled.bind(settlement),
    reclaim: settlement.reclaim.bind(settlement),
    takeRate: rates.take.bind(rates),
    addGrant: (...args: Parameters<Grants['add']>) => database.write(() => grants.add(...args)),
    grants: grants.list.bind(grants),
    askForSettlement: standing.askForSettlement.bind(standing),
    countUnanswered: standing.countUnanswered.bind(standing),
    accounts: standing.list.bind(standing),
    newestChange: standing.newestChange.bind(standing),
    countBehind: standing.countBehind.bind(standing),
    prune: standing.prune.bind(standing),
    audit: audit.run.bind(audit),
    createTenant: directory.createTenant.bind(directory),
    setPlan: directory.setPlan.bind(directory),
    setTenantTerms: directory.setTenantTerms.bind(directory),
    setKeyTerms: directory.setKeyTerms.bind(directory),
    tenant: directory.tenant.bind(directory),
    tenants: directory.tenants.bind(directory),
    createKey: directory.createKey.bind(directory),
    findKey: directory.findKey.bind(directory),
    revokeKey: directory.revokeKey.bind(directory),
    keys: directory.keys.bind(directory),
    remember: answers.remember.bind(answers),
    recall: answers.recall.bind(answers),
    secret: answers.secret.bind(answers),
    appendRequests: (rows: Uint8Array) => log.append(decodeRows(rows)),
    request: log.find.bind(log),
    pruneLog: log.prune.bind(log),
    close: () => {
      log.close();
      database.close();
    },
  };
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { Accounts } from './accounts.ts';
import { Answers } from './answers.ts';
import { ApiKeys } from './api-keys.ts';
import { Audit } from './audit.ts';
import { Changes } from './changes.ts';
import { Database } from './database.ts';
import { Entries } from './entries.ts';
import { Grants } from './grants.ts';
import { Leases } from './leases.ts';
import { migrate } from './migrations.ts';
import { Owners } from './owners.ts';
import { Rates } from './rates.ts';
import { RequestLogFiles } from './request-log.ts';
import { Settlement } from './settlement.ts';
import { Standing } from './standing.ts';
import { Tenants } from './tenants.ts';

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
  const tenants = new Tenants(database, changes);
  const keys = new ApiKeys(database, { changes, tenants });
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
    createTenant: tenants.create.bind(tenants),
    changeTenant: tenants.change.bind(tenants),
    tenant: tenants.find.bind(tenants),
    tenants: tenants.list.bind(tenants),
    createKey: keys.create.bind(keys),
    findKey: keys.findByHash.bind(keys),
    key: keys.find.bind(keys),
    changeKey: keys.change.bind(keys),
    revokeKey: keys.revoke.bind(keys),
    keys: keys.list.bind(keys),
    remember: answers.remember.bind(answers),
    recall: answers.recall.bind(answers),
    secret: answers.secret.bind(answers),
    appendRequests: log.append.bind(log),
    request: log.find.bind(log),
    searchRequests: log.search.bind(log),
    pruneLog: log.prune.bind(log),
    close: () => {
      log.close();
      database.close();
    },
  };
}

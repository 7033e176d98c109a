import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { openBooks } from '../ledger/books.ts';
import { asksOthers } from '../ledger/leases.ts';
import { lastSettledOf } from '../ledger/owners.ts';
import { isQuiet } from '../ledger/settlement.ts';
import { bindDirectory } from '../thread/bind-directory.ts';
import { StoreError } from '../store-error.ts';
import type { Operations } from '../thread/operations.ts';
import { makeDirectory } from '../../platform/make-directory.ts';
import { SqliteAccounts } from './accounts.ts';
import { Answers } from './answers.ts';
import { ApiKeys } from './api-keys.ts';
import { Audit } from './audit.ts';
import { SqliteChanges } from './changes.ts';
import { Database } from './database.ts';
import { SqliteEntries } from './entries.ts';
import { SqliteGrants } from './grants.ts';
import { SqliteLeases } from './leases.ts';
import { Jobs } from './jobs.ts';
import { migrate } from './migrations.ts';
import { SqliteOwners } from './owners.ts';
import { Rates } from './rates.ts';
import { RequestLogFiles } from './request-log.ts';
import { Standing } from './standing.ts';
import { Tenants } from './tenants.ts';
import { SqliteWriteOffs } from './write-offs.ts';

export interface OperationsOptions {
  readonly directory: string;
  readonly busyTimeoutMs: number;
}

export const LEDGER_FILE = 'ledger.db';
/** In it a restore gathers what it then moves to its place: while it is there the directory is not whole. */
export const RESTORING_DIRECTORY = 'restoring';

export function openOperations({ directory, busyTimeoutMs }: OperationsOptions): Operations {
  makeDirectory(directory);
  assertWhole(directory);
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

/** Throws StoreError `incompatible` where a restore has not ended: what lies there may be parts of two stores. */
export function assertWhole(directory: string): void {
  if (!existsSync(join(directory, RESTORING_DIRECTORY))) return;
  throw new StoreError(
    'incompatible',
    `a restore into ${directory} is at work or was interrupted: wait for it, or run tollkeeper restore again`,
  );
}

function createOperations(database: Database, log: RequestLogFiles): Operations {
  const changes = new SqliteChanges(database);
  const tables = {
    accounts: new SqliteAccounts(database),
    leases: new SqliteLeases(database),
    grants: new SqliteGrants(database),
    owners: new SqliteOwners(database, changes),
    entries: new SqliteEntries(database),
    changes,
    writeOffs: new SqliteWriteOffs(database),
  };
  const { grants, leases, settlement, writeOffs } = openBooks(tables);
  const jobs = new Jobs(database);
  const answers = new Answers(database);
  const audit = new Audit(database);
  const rates = new Rates(database);
  const tenants = new Tenants(database, changes);
  const keys = new ApiKeys(database, { changes, tenants });
  const standing = new Standing(database, { ...tables, grants, rates });
  return {
    openOwner: (owner, now, machine) =>
      database.write(() => tables.owners.open(owner, now, machine)),
    liveOwners: () => tables.owners.live(),
    acquire: (owner, requests, now) => {
      const idle = asksOthers(requests)
        ? undefined
        : database.read(() => leases.answerIdle(owner, requests, now));
      return idle ?? database.write(() => leases.acquire(owner, requests, now));
    },
    sync: (batch) => {
      const idle = isQuiet(batch) ? database.read(() => settlement.answerIdle(batch)) : undefined;
      return idle ?? database.write(() => settlement.sync(batch));
    },
    closeOwner: (batch) => database.write(() => settlement.closeOwner(batch)),
    lastSettled: (owner) => lastSettledOf(tables.owners.find(owner), tables.writeOffs.find(owner)),
    reclaim: (...args) => database.write(() => settlement.reclaim(...args)),
    owners: (heardBefore) => database.read(() => tables.owners.reports(heardBefore)),
    ownerLeases: (owner) => tables.owners.ownerLeases(owner),
    writeOff: (...args) => database.write(() => writeOffs.writeOff(...args)),
    takeJob: jobs.take.bind(jobs),
    renewJob: jobs.renew.bind(jobs),
    finishJob: jobs.finish.bind(jobs),
    jobs: jobs.list.bind(jobs),
    takeRate: rates.take.bind(rates),
    addGrant: (...args) => database.write(() => grants.add(...args)),
    grants: (tenantId) => tables.grants.list(tenantId),
    askForSettlement: standing.askForSettlement.bind(standing),
    countUnanswered: standing.countUnanswered.bind(standing),
    accounts: standing.list.bind(standing),
    newestChange: standing.newestChange.bind(standing),
    countBehind: standing.countBehind.bind(standing),
    prune: standing.prune.bind(standing),
    audit: audit.run.bind(audit),
    ...bindDirectory({ tenants, keys, answers, log }),
    close: () => {
      log.close();
      database.close();
    },
  };
}

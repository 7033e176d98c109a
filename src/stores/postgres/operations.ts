import { balanceOf } from '../ledger/accounts.ts';
import { lastSettledOf, OWNER_SILENT_MS } from '../ledger/owners.ts';
import { bindDirectory } from '../thread/bind-directory.ts';
import type { Operations } from '../thread/operations.ts';
import { listAccounts, pruneAccounts } from './accounts.ts';
import { Answers } from './answers.ts';
import { ApiKeys } from './api-keys.ts';
import { audit } from './audit.ts';
import { newestChange } from './changes.ts';
import { Database, type DatabaseOptions } from './database.ts';
import { listGrants } from './grants.ts';
import { Jobs } from './jobs.ts';
import { countUnanswered, Ledger } from './ledger.ts';
import { migrate } from './migrations.ts';
import {
  countBehind,
  findOwner,
  listOwnerLeases,
  listOwners,
  liveOwners,
  openOwner,
} from './owners.ts';
import { pruneRates, takeRate } from './rates.ts';
import { RequestLog } from './request-log.ts';
import { ServerClock } from './server-clock.ts';
import { Tenants } from './tenants.ts';
import { findWriteOff } from './write-offs.ts';

export async function openOperations(options: DatabaseOptions): Promise<Operations> {
  const database = new Database(options);
  try {
    await migrate(database);
    return createOperations(database);
  } catch (error) {
    await database.close();
    throw error;
  }
}

function createOperations(database: Database): Operations {
  const jobs = new Jobs(database);
  const clock = new ServerClock(database);
  const ledger = new Ledger(database, clock);
  const toServer = async (time: number): Promise<number> => time + (await clock.aheadMs());
  const tenants = new Tenants(database);
  const keys = new ApiKeys(database);
  const answers = new Answers(database);
  const log = new RequestLog(database);
  return {
    openOwner: async (id, now, machine) =>
      openOwner(database, { id, machine }, await toServer(now)),
    liveOwners: () => liveOwners(database),
    acquire: ledger.acquire.bind(ledger),
    sync: ledger.sync.bind(ledger),
    closeOwner: ledger.closeOwner.bind(ledger),
    lastSettled: async (owner) =>
      lastSettledOf(await findOwner(database, owner), await findWriteOff(database, owner)),
    reclaim: ledger.reclaim.bind(ledger),
    owners: async (heardBefore) => listOwners(database, heardBefore, await clock.aheadMs()),
    ownerLeases: (owner) => listOwnerLeases(database, owner),
    writeOff: ledger.writeOff.bind(ledger),
    takeJob: jobs.take.bind(jobs),
    renewJob: jobs.renew.bind(jobs),
    finishJob: jobs.finish.bind(jobs),
    jobs: jobs.list.bind(jobs),
    takeRate: async (requests, now) => takeRate(database, requests, await toServer(now)),
    addGrant: ledger.addGrant.bind(ledger),
    grants: (tenantId) => listGrants(database, tenantId),
    askForSettlement: ledger.askForSettlement.bind(ledger),
    countUnanswered: async (tenantId, now) =>
      countUnanswered(database, tenantId, await toServer(now)),
    accounts: async (tenantId, now) => {
      const rows = await listAccounts(database, tenantId, now);
      return rows.map((row) => balanceOf(row, now));
    },
    newestChange: () => newestChange(database),
    countBehind: async (change, now) =>
      countBehind(database, change, (await toServer(now)) - OWNER_SILENT_MS),
    prune: async (before) => {
      await pruneRates(database, before);
      return pruneAccounts(database, before);
    },
    audit: () => audit(database),
    ...bindDirectory({ tenants, keys, answers, log }),
    close: () => database.close(),
  };
}

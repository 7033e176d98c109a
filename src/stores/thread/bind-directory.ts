import type { Operations } from './operations.ts';

/** What an adapter keeps beside its ledger. */
interface Directory {
  readonly tenants: {
    readonly create: Operations['createTenant'];
    readonly change: Operations['changeTenant'];
    readonly find: Operations['tenant'];
    readonly list: Operations['tenants'];
  };
  readonly keys: {
    readonly create: Operations['createKey'];
    readonly findByHash: Operations['findKey'];
    readonly find: Operations['key'];
    readonly change: Operations['changeKey'];
    readonly revoke: Operations['revokeKey'];
    readonly list: Operations['keys'];
  };
  readonly answers: Pick<Operations, 'remember' | 'recall' | 'secret'>;
  readonly log: {
    readonly append: Operations['appendRequests'];
    readonly find: Operations['request'];
    readonly search: Operations['searchRequests'];
    readonly prune: Operations['pruneLog'];
  };
}

/** The operations that one method of these answers each. */
export function bindDirectory({ tenants, keys, answers, log }: Directory) {
  return {
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
  } satisfies Partial<Operations>;
}

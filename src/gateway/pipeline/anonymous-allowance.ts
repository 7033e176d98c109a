import type { AccountHolder } from '../../domain/accounts.ts';
import { BoundedMap } from '../../domain/bounded-map.ts';
import type { Api, Catalog, Limit, Plan } from '../../domain/catalog.ts';
import type { IdentityFact } from '../../domain/facts.ts';
import { CallerAccounts } from './caller-accounts.ts';

/** Subnets remembered; the one heard of first is forgotten first. Its count is in the books all the same. */
export const SUBNETS_MAX = 10_000;

/** Everybody of one subnet who calls without a key. */
export interface AnonymousCaller {
  readonly identity: IdentityFact;
  readonly accounts: CallerAccounts;
}

/** What each subnet may call of an API without a key: a limit like any other, kept in the same books (QUOTA-15). */
export class AnonymousAllowance {
  readonly #terms: Pick<Plan, 'limits' | 'usage'>;
  readonly #catalog: Pick<Catalog, 'limits' | 'asset'>;
  readonly #known = new BoundedMap<string, AnonymousCaller>(SUBNETS_MAX);

  constructor(
    api: Pick<Api, 'id'>,
    { requests, window }: NonNullable<Api['anonymous']>,
    catalog: Pick<Catalog, 'limits' | 'asset'>,
  ) {
    const limit: Limit = {
      id: `anonymous_${api.id}`,
      unit: 'requests',
      window,
      scope: 'tenant',
      amount: requests,
      class: 'commercial',
      soft: false,
      models: [],
      routes: [],
      operations: [],
      overage: { kind: 'block' },
    };
    this.#terms = { limits: [limit], usage: 'included' };
    this.#catalog = catalog;
  }

  callerFrom(subnet: string): AnonymousCaller {
    const known = this.#known.get(subnet);
    if (known !== undefined) return known;
    const { limits, asset } = this.#catalog;
    const accounts = new CallerAccounts(this.#terms, holderOf(subnet, limits), asset);
    const caller: AnonymousCaller = { identity: { kind: 'anonymous', subnet }, accounts };
    this.#known.set(subnet, caller);
    return caller;
  }
}

/** Nobody's tenant: no plan, no balance, no key. */
function holderOf(subnet: string, houseLimits: readonly Limit[]): AccountHolder {
  const tenantId = `anonymous/${subnet}`;
  return {
    tenantId,
    payerId: tenantId,
    keyId: '',
    budgets: [],
    keyLimits: [],
    calendar: { timeZone: 'UTC', billingAnchorAt: undefined },
    ancestors: [],
    houseLimits,
  };
}

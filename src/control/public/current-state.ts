import { HOUSE } from '../../domain/accounts.ts';
import type { AccountNow, CheckNow, KeyNow } from '../../domain/checklist.ts';
import type { AccountNumbersNow } from '../../domain/checklist-limits.ts';
import type { Facts } from '../../domain/facts.ts';
import { PLAIN_KEY_TERMS } from '../../domain/key-terms.ts';
import { type StandingFact, standOf } from '../../domain/standing.ts';
import { accessOf, findBarred, type TenantAccess } from '../../domain/tenant-access.ts';
import type { AccountBalance, ApiKey, Tenant } from '../../stores/store.ts';
import { ACCOUNTS_WAIT_MS, balanceOf } from './balance.ts';
import { lookInTime } from './look-in-time.ts';
import type { PublicDeps } from './public-deps.ts';
import { ancestorsOf } from './tenant-chain.ts';

/** How the caller of a logged request is now: read from the store, exact. */
export interface CurrentState {
  /** Epoch ms. */
  readonly at: number;
  readonly key: ApiKey | undefined;
  /** Undefined for a caller without an account, or one whose plan has left the configuration. */
  readonly account: CurrentAccount | undefined;
}
export interface CurrentAccount {
  readonly tenant: Tenant;
  /** Who may not call, whatever is paid: the tenant, or the nearest above it. Undefined = it may. */
  readonly barred: Tenant | undefined;
  readonly access: TenantAccess;
  readonly standing: StandingFact;
  /** By account id. */
  readonly accounts: ReadonlyMap<string, AccountNumbersNow>;
  /** Nano; undefined = the plan uses no credit. */
  readonly availableNano: bigint | undefined;
}

export type StateDeps = Pick<PublicDeps, 'store' | 'catalog' | 'now'>;

export async function readCurrentState(
  deps: StateDeps,
  facts: Facts,
  tenantId: string,
): Promise<CurrentState> {
  const at = deps.now();
  const { identity } = facts;
  const key =
    identity.kind === 'key' ? await lookInTime(deps.store.key(identity.keyId)) : undefined;
  const tenant = tenantId === '' ? undefined : await lookInTime(deps.store.tenant(tenantId));
  const account = tenant && (await readAccount(deps, tenant, key, facts));
  return { at, key, account };
}

async function readAccount(
  deps: StateDeps,
  tenant: Tenant,
  key: ApiKey | undefined,
  { method }: Facts,
): Promise<CurrentAccount | undefined> {
  const at = deps.now();
  const catalog = deps.catalog();
  const ancestors = await lookInTime(ancestorsOf(deps.store, tenant));
  if ([tenant, ...ancestors].some(({ planId }) => !catalog.plans.has(planId))) return undefined;
  const access = accessOf({ key: key ?? NO_KEY, tenant, ancestors }, catalog, at);
  const { payer, plan } = access;
  const accounts = await readAccounts(deps, [tenant, ...ancestors]);
  const call = method === 'GET' || method === 'HEAD' ? 'read' : 'write';
  return {
    tenant,
    barred: findBarred({ tenant, ancestors }),
    access,
    standing: standOf(payer.terms, plan, call, at),
    accounts: byId(accounts),
    availableNano:
      plan.usage === 'prepaid' ? balanceOf(accounts, payer.id, catalog.asset).available : undefined,
  };
}

/** Exact numbers of all that calls of a tenant may count in. `chain`: the tenant and all above it. */
export async function readAccounts(
  { store, now }: Pick<StateDeps, 'store' | 'now'>,
  chain: readonly Tenant[],
): Promise<readonly AccountBalance[]> {
  const owners = [...chain.map(({ id }) => id), HOUSE];
  const lists = await Promise.all(
    owners.map((owner) => store.accounts(owner, now(), ACCOUNTS_WAIT_MS)),
  );
  return lists.flat();
}

export function byId(accounts: readonly AccountBalance[]): ReadonlyMap<string, AccountBalance> {
  return new Map(accounts.map((account) => [account.spec.id, account]));
}

/** Of a request whose key is gone: what the account allows is still of interest. */
const NO_KEY = { id: '', budgetNano: undefined, terms: PLAIN_KEY_TERMS };

/** The part of it that the checklist looks at. */
export function checkNowOf({ at, key, account }: CurrentState): CheckNow {
  return { at, key: key && keyNowOf(key), account: account && accountNowOf(account) };
}

function keyNowOf({ hint, environment, revokedAt, expiresAt, terms }: ApiKey): KeyNow {
  return { hint, environment, revokedAt, expiresAt, terms };
}

function accountNowOf({
  tenant,
  barred,
  access,
  standing,
  availableNano,
}: CurrentAccount): AccountNow {
  const { plan, payer } = access;
  return {
    state: barred?.terms.account ?? 'active',
    stateFrom: barred === undefined || barred === tenant ? 'tenant' : 'ancestor',
    planTitle: plan.title,
    paidPlan: plan.priceNano > 0n,
    standing,
    payment: payer.terms.payment,
    availableNano,
  };
}

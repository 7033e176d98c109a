import type { AccountSpec } from '../../domain/accounts.ts';
import type { Plan } from '../../domain/catalog.ts';
import { formatDecimal, formatMoney } from '../../domain/money.ts';
import type { AccountBalance, ApiKey, Grant, Tenant } from '../../stores/store.ts';
import { formatTime } from './parse-input.ts';

/** What the admin API shows: snake case, ISO times, money as decimal strings, null for "none". */
export function viewTenant(tenant: Tenant): object {
  return {
    id: tenant.id,
    name: tenant.name,
    plan: tenant.planId,
    created_at: formatTime(tenant.createdAt),
  };
}

/** `plan` is undefined when the tenant's plan is no longer in the configuration. */
export function viewTenantInFull(
  tenant: Tenant,
  plan: Plan | undefined,
  asset: string,
  accounts: readonly AccountBalance[],
): object {
  return {
    ...viewTenant(tenant),
    plan_version: plan?.version ?? null,
    plan_title: plan?.title ?? null,
    balance: viewBalance(accounts, asset),
    limits: accounts
      .filter(({ spec }) => spec.kind === 'quota')
      .map((account) => viewLimit(account, asset)),
  };
}

export function viewKey(key: ApiKey, asset: string, now: number): object {
  return {
    id: key.id,
    tenant_id: key.tenantId,
    name: key.name,
    environment: key.environment,
    hint: key.hint,
    state: keyState(key, now),
    budget:
      key.budgetNano === undefined ? null : formatMoney({ asset, units: BigInt(key.budgetNano) }),
    expires_at: optionalTime(key.expiresAt),
    revoked_at: optionalTime(key.revokedAt),
    created_at: formatTime(key.createdAt),
  };
}

export function viewGrant(grant: Grant): object {
  const money = (units: bigint) => formatMoney({ asset: grant.asset, units });
  return {
    id: grant.id,
    tenant_id: grant.tenantId,
    amount: money(grant.amount),
    consumed: money(grant.consumed),
    expired: money(grant.expired),
    remaining: money(grant.amount - grant.consumed - grant.expired),
    category: grant.category,
    priority: grant.priority,
    source: grant.source,
    effective_at: formatTime(grant.effectiveAt),
    expires_at: optionalTime(grant.expiresAt),
    created_at: formatTime(grant.createdAt),
  };
}

/** The accounts of `known`, and those of `specs` that nothing has touched yet, without windows that are over. */
export function mergeAccounts(
  specs: readonly AccountSpec[],
  known: readonly AccountBalance[],
  now: number,
): readonly AccountBalance[] {
  const byId = new Map(known.map((account) => [account.spec.id, account]));
  const current = specs.map(
    (spec) =>
      withAllowance(byId.get(spec.id), spec) ?? {
        spec,
        allowance: BigInt(spec.allowance),
        spent: 0n,
        reserved: 0n,
      },
  );
  const listed = new Set(specs.map((spec) => spec.id));
  const others = known.filter(
    ({ spec }) =>
      !listed.has(spec.id) && (spec.windowEndsAt === undefined || spec.windowEndsAt > now),
  );
  return [...current, ...others];
}

/** A quota allows what the plan says now; the store learns of a changed plan with the next call. */
function withAllowance(
  account: AccountBalance | undefined,
  spec: AccountSpec,
): AccountBalance | undefined {
  if (account === undefined || spec.kind === 'balance') return account;
  return { ...account, allowance: BigInt(spec.allowance) };
}

function viewBalance(accounts: readonly AccountBalance[], asset: string): object {
  const balance = accounts.find(({ spec }) => spec.kind === 'balance' && spec.unit === asset);
  const settled = balance === undefined ? 0n : balance.allowance - balance.spent;
  const held = balance?.reserved ?? 0n;
  return {
    asset,
    settled: formatDecimal(settled, 9),
    held: formatDecimal(held, 9),
    available: formatDecimal(settled - held, 9),
  };
}

function viewLimit(account: AccountBalance, asset: string): object {
  const { spec, allowance, spent, reserved } = account;
  const left = allowance - spent - reserved;
  const quantity = (units: bigint) =>
    spec.limit?.unit === 'spend' ? formatMoney({ asset, units }) : units.toString();
  return {
    id: spec.limit?.id ?? spec.id,
    unit: spec.limit?.unit ?? spec.unit,
    window: spec.limit?.window ?? null,
    scope: spec.limit?.scope ?? null,
    key_id: spec.limit?.keyId ?? null,
    limit: quantity(allowance),
    used: quantity(spent),
    held: quantity(reserved),
    // A smaller plan can leave more used than allowed.
    remaining: quantity(left > 0n ? left : 0n),
    resets_at: optionalTime(spec.windowEndsAt),
  };
}

function keyState(key: ApiKey, now: number): 'active' | 'revoked' | 'expired' {
  if (key.revokedAt !== undefined) return 'revoked';
  return key.expiresAt !== undefined && key.expiresAt <= now ? 'expired' : 'active';
}

function optionalTime(at: number | undefined): string | null {
  return at === undefined ? null : formatTime(at);
}

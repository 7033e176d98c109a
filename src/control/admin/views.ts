import type { Limit } from '../../domain/catalog.ts';
import { formatMoney } from '../../domain/money.ts';
import { isSlot } from '../../domain/take.ts';
import type { ApiKey, Grant } from '../../stores/store.ts';
import { viewBudget } from './budget-input.ts';
import { formatOptionalTime, formatTime } from './input-values.ts';

/** What the admin API shows: snake case, ISO times, money as decimal strings, null for "none". */
export function viewKey(key: ApiKey, asset: string, now: number): object {
  const { terms } = key;
  return {
    id: key.id,
    tenant_id: key.tenantId,
    name: key.name,
    environment: key.environment,
    hint: key.hint,
    state: keyState(key, now),
    ...viewBudget(key.budgetNano, terms.budgetWindow, asset),
    apis: terms.apis,
    models: terms.models,
    operations: terms.operations,
    addresses: terms.addresses,
    roles: terms.roles,
    context_tokens_max: terms.contextTokensMax ?? null,
    limits: terms.limits.map((limit) => viewOwnLimit(limit, asset)),
    expires_at: formatOptionalTime(key.expiresAt),
    revoked_at: formatOptionalTime(key.revokedAt),
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
    expires_at: formatOptionalTime(grant.expiresAt),
    created_at: formatTime(grant.createdAt),
  };
}

/** Units of a limit as they are given: money is text, everything else a number. */
export function viewQuantity(amount: number, unit: string, asset: string): number | string {
  return unit === 'spend' ? formatMoney({ asset, units: BigInt(amount) }) : amount;
}

/** Under the names it is given by; `window` is null where calls are counted at each moment. */
function viewOwnLimit(limit: Limit, asset: string): object {
  const { id, unit, window, amount, soft, models, routes, operations } = limit;
  return {
    id,
    unit,
    window: isSlot(unit) ? null : window,
    amount: viewQuantity(amount, unit, asset),
    class: limit.class,
    soft,
    models,
    routes,
    operations,
  };
}

function keyState(key: ApiKey, now: number): 'active' | 'revoked' | 'expired' {
  if (key.revokedAt !== undefined) return 'revoked';
  return key.expiresAt !== undefined && key.expiresAt <= now ? 'expired' : 'active';
}

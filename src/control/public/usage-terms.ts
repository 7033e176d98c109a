import type { Catalog, RateLimit } from '../../domain/catalog.ts';
import type { EffectivePlan } from '../../domain/effective-plan.ts';
import { formatDecimal, formatMoney } from '../../domain/money.ts';
import type { StandingFact } from '../../domain/standing.ts';
import type { TenantAccess } from '../../domain/tenant-access.ts';
import type { TenantTerms } from '../../domain/tenant-terms.ts';
import { isoTime } from './time-words.ts';

/** Subscription and payments as they stand (DEG-05). `code`: what calls are refused with. */
export function viewStanding(standing: StandingFact): object {
  return {
    subscription: standing.lifecycle,
    payments: standing.standing,
    service_level: standing.level,
    code: standing.code ?? null,
    since: isoOrNull(standing.since),
    grace_ends_at: isoOrNull(standing.graceEndsAt),
    overdue_invoices: standing.invoices,
  };
}

/** What the plan grants beside amounts: `context` in tokens with the price of each size, sizes in bytes. */
export function viewEntitlements(plan: EffectivePlan): object {
  return {
    models: plan.models,
    features: plan.features,
    purchases: plan.purchases,
    context: {
      tokens_max: plan.contextTiers.at(-1)?.tokensMax ?? null,
      tiers: plan.contextTiers.map(({ tokensMax, priceMultiplierPermille }) => ({
        tokens_max: tokensMax,
        price_multiplier: formatDecimal(BigInt(priceMultiplierPermille), 3, 1),
      })),
    },
    file_bytes_max: plan.fileBytesMax ?? null,
  };
}

/** Every rate a call counts in: of the plan, and of the tenants above. */
export function viewRateLimits({
  plan,
  ratesAbove,
}: Pick<TenantAccess, 'plan' | 'ratesAbove'>): readonly object[] {
  return [
    ...plan.rateLimits.map((rate) => viewRateLimit(rate, 'plan')),
    ...ratesAbove.flatMap(({ rateLimits }) =>
      rateLimits.map((rate) => viewRateLimit(rate, 'ancestor')),
    ),
  ];
}

function viewRateLimit(rate: RateLimit, from: 'plan' | 'ancestor'): object {
  const { id, scope, count, periodMs, burst, class: limitClass } = rate;
  return { id, scope, class: limitClass, from, count, period_seconds: periodMs / 1000, burst };
}

/** What is agreed beyond the plan: purchases, overrides, and use beyond the allowance. */
export function viewAgreed(
  terms: TenantTerms,
  plan: Pick<EffectivePlan, 'limits'>,
  catalog: Catalog,
  at: number,
): object {
  const { asset } = catalog;
  const isMoney = (limitId: string) =>
    plan.limits.some(({ id, unit }) => id === limitId && unit === 'spend');
  const isInForce = (from: number, until: number | undefined) =>
    from <= at && (until === undefined || at < until);
  return {
    purchases: terms.purchases.map((purchase) => ({
      add_on: purchase.addOnId,
      title: catalog.addOns.find(({ id }) => id === purchase.addOnId)?.title ?? null,
      bought_at: isoTime(purchase.at),
      expires_at: isoOrNull(purchase.expiresAt),
      in_force: isInForce(purchase.at, purchase.expiresAt),
    })),
    overrides: terms.overrides.map(({ limitId, amount, expiresAt }) => ({
      limit_id: limitId,
      amount: isMoney(limitId) ? formatMoney({ asset, units: BigInt(amount) }) : amount,
      expires_at: isoOrNull(expiresAt),
      in_force: isInForce(at, expiresAt),
    })),
    overage_authorized_until: isoOrNull(terms.overageAuthorizedUntil),
  };
}

function isoOrNull(at: number | undefined): string | null {
  return at === undefined ? null : isoTime(at);
}

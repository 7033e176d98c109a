import type { Catalog } from '../../domain/catalog.ts';
import type { EffectivePlan } from '../../domain/effective-plan.ts';
import { formatDecimal } from '../../domain/money.ts';
import type { StandingFact } from '../../domain/standing.ts';
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

export function viewRateLimits(plan: EffectivePlan): readonly object[] {
  return plan.rateLimits.map(({ id, scope, count, periodMs, burst, class: limitClass }) => ({
    id,
    scope,
    count,
    period_seconds: periodMs / 1000,
    burst,
    class: limitClass,
  }));
}

/** What is agreed beyond the plan: purchases, overrides, and use beyond the allowance. */
export function viewAgreed(terms: TenantTerms, catalog: Catalog, at: number): object {
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
      amount,
      expires_at: isoOrNull(expiresAt),
      in_force: isInForce(at, expiresAt),
    })),
    overage_authorized_until: isoOrNull(terms.overageAuthorizedUntil),
  };
}

function isoOrNull(at: number | undefined): string | null {
  return at === undefined ? null : isoTime(at);
}

import { ENGLISH } from '../contract/phrases/english.ts';
import type { Limit, Plan, PurchaseGrants } from './catalog.ts';
import type { EffectivePlan } from './effective-plan.ts';
import {
  formatBytes,
  formatCount,
  formatNano,
  formatNumber,
  formatUnits,
  periodOf,
} from './explain-words.ts';

/** One line of what a purchase changes (C402-04). */
export interface PlanChange {
  readonly what: string;
  readonly before: string;
  readonly after: string;
}

/** Everything that is another after it, in words; what stays the same is left out. */
export function describePlanChange(
  now: EffectivePlan,
  then: EffectivePlan,
  asset: string,
): readonly PlanChange[] {
  return [
    change('plan', now.title, then.title),
    change('calls are paid', PAYING[now.usage], PAYING[then.usage]),
    ...limitChanges(now, then, asset),
    ...rateChanges(now, then),
    change('models', listModels(now), listModels(then)),
    change('features', listNames(now.features), listNames(then.features)),
    change('bought items', listNames(now.purchases), listNames(then.purchases)),
    change('context of a call', contextOf(now), contextOf(then)),
    change('size of a body', sizeOf(now), sizeOf(then)),
  ].filter(({ before, after }) => before !== after);
}

const PAYING = { prepaid: 'from the balance', included: 'with the price of the plan' } as const;

function change(what: string, before: string, after: string): PlanChange {
  return { what, before, after };
}

function limitChanges(
  now: EffectivePlan,
  then: EffectivePlan,
  asset: string,
): readonly PlanChange[] {
  const ids = new Set([...now.limits, ...then.limits].map(({ id }) => id));
  return [...ids].map((id) => {
    const [before, after] = [now, then].map(({ limits }) =>
      limits.find((limit) => limit.id === id),
    );
    return change(`limit ${id}`, describeLimit(before, asset), describeLimit(after, asset));
  });
}

/** `10,000 requests a month`, `spend of 5.00 USD a day`; no limit at all is one too. */
export function describeLimit(limit: Limit | undefined, asset: string): string {
  if (limit === undefined) return 'none';
  if (limit.unit === 'spend') return describeAmount(limit, asset);
  const warning = limit.soft ? ' (a warning, no refusal)' : '';
  return `${describeAmount(limit, asset)}${warning}${overageOf(limit)}`;
}

/** The same without what happens at its end. */
function describeAmount(limit: Limit, asset: string): string {
  const { amount, unit } = limit;
  const fact = { kind: 'quota', unit } as const;
  const period = periodOf({ ...limit, keyId: undefined });
  if (unit === 'spend') return `spend of ${formatNano(amount, asset)} ${period}`;
  const isSize = unit.startsWith('bytes') || unit === 'storage_bytes';
  const count = formatUnits(fact, amount, asset);
  return isSize ? `${count} of ${ENGLISH.units[unit]} ${period}` : `${count} ${period}`;
}

/** What a purchase adds to the limits of a plan, one text each; of a limit the plan has not, nothing. */
export function describeMore(
  { limits, rateLimits }: PurchaseGrants,
  plan: Plan,
  asset: string,
): readonly string[] {
  const more = plan.limits.flatMap((limit) =>
    limits
      .filter(({ id }) => id === limit.id)
      .map(({ amount }) => `${describeAmount({ ...limit, amount }, asset)} more`),
  );
  const faster = plan.rateLimits.flatMap(({ id, periodMs }) =>
    rateLimits
      .filter((each) => each.id === id)
      .map(({ count }) => `${formatCount(count, 'call')} per ${periodMs / 1000} s more`),
  );
  return [...more, ...faster];
}

function overageOf({ overage }: Limit): string {
  return overage.kind === 'block' ? '' : ', more is billed';
}

function rateChanges(now: EffectivePlan, then: EffectivePlan): readonly PlanChange[] {
  const ids = new Set([...now.rateLimits, ...then.rateLimits].map(({ id }) => id));
  const rateOf = ({ rateLimits }: EffectivePlan, id: string): string => {
    const rate = rateLimits.find((each) => each.id === id);
    if (rate === undefined) return 'none';
    return `${formatNumber(rate.count)} per ${rate.periodMs / 1000} s, ${formatNumber(rate.burst)} at once`;
  };
  return [...ids].map((id) => change(`rate ${id}`, rateOf(now, id), rateOf(then, id)));
}

function listModels({ models }: EffectivePlan): string {
  return models.includes('*') ? 'all' : listNames(models);
}

function listNames(names: readonly string[]): string {
  return names.length === 0 ? 'none' : [...new Set(names)].join(', ');
}

function contextOf({ contextTiers }: EffectivePlan): string {
  const cap = contextTiers.at(-1)?.tokensMax;
  return cap === undefined ? "the model's own" : `${formatNumber(cap)} tokens`;
}

function sizeOf({ fileBytesMax }: EffectivePlan): string {
  return fileBytesMax === undefined ? "the route's own" : formatBytes(fileBytesMax);
}

import type { Catalog, RateLimit } from './catalog.ts';
import { planOfCaller } from './explain-plan.ts';
import {
  formatBareUnits,
  formatCount,
  formatNano,
  formatNumber,
  formatUnits,
  hasNoEnd,
  isBudget,
  nameOf,
  ownerOf,
  periodOf,
  unitsFree,
} from './explain-words.ts';
import type { Facts, LimitFact, ReservationFact } from './facts.ts';
import { isSlot } from './take.ts';

/** `Limit requests_per_month of this account: 41 of 10,000 requests a month used; the call needs 1 request.` */
export function describeLimit(limit: LimitFact, held: number | undefined, asset: string): string {
  const needs = `; the call needs ${formatUnits(limit, limit.need, asset)}.`;
  return `${describeOwner(limit)}: ${describeUse(limit, held, asset)}${needs}${describeOverage(limit, asset)}`;
}

function describeOwner(limit: LimitFact): string {
  const { label } = limit;
  if (label === undefined || isBudget(label)) return nameOf(limit);
  const guard = label.class === 'protective' ? 'Protective limit' : 'Limit';
  const house = label.from === 'house' ? ' (a rule of the provider)' : '';
  return `${guard} ${label.id} of ${ownerOf(label)}${house}`;
}

function describeUse(limit: LimitFact, held: number | undefined, asset: string): string {
  const { label } = limit;
  const bare = (units: number) => formatBareUnits(limit, units, asset);
  const free =
    held === undefined ? '' : `, ${bare(held)} held, ${bare(unitsFree(limit, held))} free`;
  if (label === undefined) return `${bare(limit.allowance - limit.spent)} settled${free}`;
  if (isSlot(limit.unit)) {
    const running = held === undefined ? '' : `, ${bare(held)} running`;
    return `at most ${formatUnits(limit, limit.allowance, asset)} ${periodOf(label)}${running}`;
  }
  if (!hasNoEnd(limit)) {
    return `${bare(limit.spent)} of ${formatUnits(limit, limit.allowance, asset)} ${periodOf(label)} used${free}`;
  }
  const used = `${formatUnits(limit, limit.spent, asset)} used`;
  if (label.softAt === undefined) return `${used} beyond the allowance, each is billed`;
  return `${used}, a warning from ${bare(label.softAt)} ${periodOf(label)} on, never a refusal`;
}

/** What a unit more costs where more can be had (PLAN-11). */
function describeOverage({ overage }: LimitFact, asset: string): string {
  if (overage === undefined) return '';
  const price = formatNano(overage.nano, asset);
  return overage.kind === 'bill'
    ? ' What goes beyond the allowance is billed.'
    : ` Beyond the allowance it would be billed, ${price} for this call, and nobody has allowed that.`;
}

/** `Rate limit burst of this key: at most 10 at once and 5 per 1 s; requests came faster, the next fits in 200 ms.` */
export function describeBucket(
  facts: Facts,
  { rateLimitId, retryAfterMs, from }: Extract<ReservationFact, { kind: 'limited' }>,
  catalog: Catalog,
): string {
  const next = `, the next fits in ${formatPeriod(Math.max(1, Math.ceil(retryAfterMs)))}`;
  if (from !== undefined) {
    return `Rate limit ${rateLimitId} of a tenant above: requests came too fast${next}.`;
  }
  const rate = findRate(facts, rateLimitId, catalog);
  if (rate === undefined) return `Rate limit ${rateLimitId}: requests came too fast${next}.`;
  const owner = rate.scope === 'key' ? 'this key' : 'this account';
  return `Rate limit ${rateLimitId} of ${owner}: at most ${rate.burst} at once and ${rate.count} ${formatRate(rate.periodMs)}; requests came faster${next}.`;
}

/** As fast as add-ons have made it. */
function findRate(facts: Facts, id: string, catalog: Catalog): RateLimit | undefined {
  const plan = planOfCaller(facts, catalog);
  const degraded = plan?.degraded?.rate;
  return (
    plan?.rateLimits.find((each) => each.id === id) ?? (degraded?.id === id ? degraded : undefined)
  );
}

const LONGER = [
  { ms: 86_400_000, name: 'day' },
  { ms: 3_600_000, name: 'hour' },
  { ms: 60_000, name: 'minute' },
] as const;

/** `per 5 s`, `per hour`. */
function formatRate(periodMs: number): string {
  return `per ${formatPeriod(periodMs).replace(/^1 (?=[a-z]{3})/, '')}`;
}

/** `200 ms`, `5 s`, `1 hour`; what is longer than a second is rounded up to one. */
function formatPeriod(periodMs: number): string {
  if (periodMs < 1000) return `${periodMs} ms`;
  const seconds = Math.ceil(periodMs / 1000);
  const longer = LONGER.find(({ ms }) => (seconds * 1000) % ms === 0);
  return longer === undefined
    ? `${formatNumber(seconds)} s`
    : formatCount((seconds * 1000) / longer.ms, longer.name);
}

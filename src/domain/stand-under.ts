import type { DegradedProfile, Plan, Route } from './catalog.ts';
import type { Facts } from './facts.ts';
import { isEnded } from './settlement.ts';
import { kindOfCall, type StandingFact } from './standing.ts';

const DAY_MS = 86_400_000;

type Terms = Pick<Plan, 'graceDays' | 'degraded'>;

/**
 * How a caller stands once it has another plan: a subscription that had ended runs again, and what is owed stays
 * owed. For how long that is forgiven and what is served meanwhile is for the new plan to say.
 */
export function standUnder(
  facts: Facts,
  change: { readonly from: Terms | undefined; readonly to: Terms },
  route: Pick<Route, 'degradedAccess'> | undefined,
): StandingFact | undefined {
  const { standing, at } = facts;
  if (standing === undefined) return undefined;
  const { to } = change;
  const code = isEnded(standing) ? undefined : standing.code;
  if (standing.standing === 'good' && code === undefined) return undefined;
  if (standing.standing === 'grace') {
    if (isForgiven(standing, change, at)) return { ...standing, code };
    return { ...standing, code: 'PAYMENT_METHOD_INVALID', stillServed: serves(facts, to, route) };
  }
  // A larger plan is no way to be served again without paying.
  return { ...standing, stillServed: standing.stillServed && serves(facts, to, route) };
}

/** Whether the days of grace of the new plan reach to this moment too. */
function isForgiven(
  { graceEndsAt }: StandingFact,
  { from, to }: { readonly from: Terms | undefined; readonly to: Terms },
  at: number,
): boolean {
  const daysLess = (from?.graceDays ?? to.graceDays) - to.graceDays;
  return at + daysLess * DAY_MS < (graceEndsAt ?? at);
}

/** Whether the plan serves this call to who owes. */
function serves(
  { method, entitlements }: Facts,
  { degraded }: Terms,
  route: Pick<Route, 'degradedAccess'> | undefined,
): boolean {
  const access = route?.degradedAccess ?? 'by-method';
  if (degraded === undefined || access === 'refuse') return false;
  const reads = kindOfCall(access, method) === 'read';
  return (reads || !degraded.readOnly) && entitlements.every((each) => isLeft(each, degraded));
}

function isLeft(
  { kind, id, needed = 0 }: Facts['entitlements'][number],
  { withheldFeatures, contextTokensMax }: DegradedProfile,
): boolean {
  if (kind === 'feature') return !withheldFeatures.includes(id);
  return kind !== 'context' || contextTokensMax === undefined || needed <= contextTokensMax;
}

import type { Route } from '../../domain/catalog.ts';
import { kindOfCall, type StandingFact, standOf } from '../../domain/standing.ts';
import type { Exchange } from './exchange.ts';
import type { CallRate } from './key-gate.ts';

const NO_RATES: readonly CallRate[] = [];

/** Notes how whoever pays for this call stands, when anything is known against them (DESIGN 2 "stand"). */
export function stand(exchange: Exchange, route: Route): void {
  const { access } = exchange;
  const gate = access?.gate;
  // What is free is never refused for money (GW-18).
  if (access === undefined || gate?.standing === undefined || route.endpointClass === 'free')
    return;
  const call = kindOfCall(route.degradedAccess, exchange.request.method);
  const fact = standOf(gate.standing, access.plan, call, exchange.at);
  if (!isKnown(fact)) return;
  exchange.standing = route.degradedAccess === 'refuse' ? refuseService(fact) : fact;
  if (fact.level !== 'degraded' || gate.degraded === undefined) return;
  exchange.degraded = fact.code === undefined ? gate.degraded.forgiven : gate.degraded.pending;
}

/** What the reduced service does not do is refused with the code of the standing (DEG-01). */
export function withholdService(exchange: Exchange): void {
  const { standing } = exchange;
  if (standing !== undefined) exchange.standing = refuseService(standing);
}

export function isRefusedByStanding({ standing }: Pick<Exchange, 'standing'>): boolean {
  return standing?.code !== undefined && !standing.stillServed;
}

/** Every rate this call counts in: the plan's, and while the service is degraded a slower one. */
export function ratesOf({ access, degraded }: Exchange): readonly CallRate[] {
  if (access === undefined) return NO_RATES;
  return degraded === undefined ? access.rates : (access.gate?.degraded?.rates ?? access.rates);
}

/** A trial that runs, or a period that was paid to its end, says nothing against anybody. */
function isKnown({ code, standing, level }: StandingFact): boolean {
  return code !== undefined || standing !== 'good' || level !== 'full';
}

function refuseService(standing: StandingFact): StandingFact {
  return { ...standing, stillServed: false };
}

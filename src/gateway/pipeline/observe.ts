import { decide, enforced } from '../../domain/decide.ts';
import { finalCode, findOffers } from '../../domain/offers.ts';
import { gatherFacts, releaseHold } from './answer.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';

/**
 * Whether what speaks against the call is only recorded (EVID-01): it then passes, and takes nothing of any
 * account, so that allowances last as long as they would if it had been refused. False = it is refused.
 */
export function observe(context: GatewayContext, exchange: Exchange): boolean {
  if (exchange.enforcement === 'enforce') return false;
  const facts = gatherFacts(context, exchange);
  if (decide(facts).kind === 'refuse') return false;
  const would = decide(enforced(facts));
  if (would.kind === 'admit') throw new Error(`observing ${exchange.requestId} without a reason`);
  const offers = findOffers(enforced(facts), would, context.compiled().catalog);
  exchange.wouldRefuse = finalCode(would, offers);
  // What else its body may need is no question any more: the first reason is the one that is recorded.
  exchange.pendingEntitlement = undefined;
  releaseHold(context, exchange);
  exchange.holdNano = 0;
  return true;
}

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
  const offers = findOffers(enforced(facts), would, exchange.compiled.catalog);
  exchange.wouldRefuse = finalCode(would, offers);
  // A bound that was worked out of what is only observed holds for nobody.
  exchange.clampedOutputTokens = undefined;
  // What else its body may need is no question any more: the first reason is the one that is recorded.
  exchange.pendingEntitlement = undefined;
  releaseHold(context, exchange);
  exchange.holdNano = 0;
  return true;
}

/**
 * The same in the middle of an answer that would be cut: what is held is charged, as it would be, and the rest
 * passes. False = it is cut.
 */
export function observeRest(context: GatewayContext, exchange: Exchange): boolean {
  if (exchange.enforcement === 'enforce') return false;
  const would = decide(enforced(gatherFacts(context, exchange)));
  exchange.wouldRefuse ??= would.kind === 'refuse' ? would.code : 'INSUFFICIENT_CREDITS';
  exchange.restIsFree = true;
  return true;
}

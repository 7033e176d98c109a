import { findClientAddress } from '../client-address.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';

/** Where the call comes from, behind the proxies that may say so; worked out once and only when somebody asks. */
export function addressOf(
  context: Pick<GatewayContext, 'trustsForwarded'>,
  exchange: Pick<Exchange, 'request' | 'address'>,
): string {
  exchange.address ??= findClientAddress(exchange.request, context.trustsForwarded);
  return exchange.address;
}

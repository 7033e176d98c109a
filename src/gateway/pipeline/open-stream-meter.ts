import type { StreamMeter } from '../../providers/provider.ts';
import type { RawHeaders } from '../listener.ts';
import { tellOperator } from './answer.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { UnderstoodCall } from './llm-call.ts';
import { findMoneyTrouble } from './upstream-trouble.ts';

/** The answer's meter. What the provider says of the operator's money in the midst of a stream is kept from the caller too. */
export function openStreamMeter(
  context: GatewayContext,
  exchange: Exchange,
  { provider, request, model }: UnderstoodCall,
  answer: { readonly inputTokensBound: number; readonly headers: RawHeaders },
): StreamMeter {
  return provider.openStreamMeter({
    inputTokensBound: answer.inputTokensBound,
    keepUsageChunk: request.wantsUsageChunk,
    withholds: (said) => {
      const { upstreamStatus: status = 200, target } = exchange;
      const { headers } = answer;
      const refusal = { status, headers, body: said, target, upstreamId: model.providerId };
      const fault = findMoneyTrouble(refusal);
      if (fault === undefined) return false;
      tellOperator(context, exchange, fault);
      exchange.forwarding = fault;
      return true;
    },
  });
}

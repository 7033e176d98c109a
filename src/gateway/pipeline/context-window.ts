import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { UnderstoodCall } from './llm-call.ts';

/** Whether a chat may be longer than its model reads, going by its bytes; most calls are not even near. */
export function mightExceedWindow({ route, model, request }: UnderstoodCall): boolean {
  // The inputs of one embeddings call are read one by one: their sum says nothing.
  if (route.kind !== 'chat') return false;
  return request.inputTokensBound + (request.outputTokensMax ?? 0) > model.contextWindow;
}

/**
 * Above the model's own window is 400, never 402 (REQUIREMENTS "context size"): no purchase widens it. True =
 * `exchange.understanding` says so. Where it is close, or the text cannot be counted, the upstream decides.
 */
export async function exceedsWindow(
  context: GatewayContext,
  exchange: Exchange,
  { model, request }: UnderstoodCall,
): Promise<boolean> {
  const inputTokens = await context.tokenizer.count(request.inputText()).catch(() => 0);
  // The count is a bound for prices: keys and numbers are in it that the model may read in fewer tokens.
  const needed = Math.floor((inputTokens * 3) / 4) + (request.outputTokensMax ?? 0);
  if (needed <= model.contextWindow) return false;
  exchange.window = { needed, allowed: model.contextWindow };
  exchange.understanding = {
    code: 'CONTEXT_LENGTH_EXCEEDED',
    problem: `at least ${needed} tokens do not fit the context window of ${model.contextWindow}`,
    pointer: '/messages',
  };
  return true;
}

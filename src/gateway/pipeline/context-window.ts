import type { EntitlementFact } from '../../domain/facts.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { UnderstoodCall } from './llm-call.ts';
import { withholdService } from './stand.ts';

/**
 * Whether the size of a call has to be counted, because going by its bytes it may be longer than its model reads
 * or than something allows it to be; most calls are not even near.
 */
export function mustCount(exchange: Exchange, call: UnderstoodCall): boolean {
  if (!isOneContext(call)) return false;
  const { inputTokensBound: input, outputTokensMax } = call.request;
  if (input + (outputTokensMax ?? 0) > call.model.contextWindow) return true;
  return input + (outputTokensMax ?? outputOf(call)) > smallestCap(exchange, call);
}

/** The call with its input counted, where its text can be. */
export async function countInput(
  context: GatewayContext,
  call: UnderstoodCall,
): Promise<UnderstoodCall> {
  const { inputText, inputTokensBound, inputTokensOverhead } = call.request;
  try {
    const counted = await context.tokenizer.count(inputText());
    const inputTokens = Math.min(inputTokensBound, counted + inputTokensOverhead);
    return { ...call, counted, inputTokens, inputSize: counted };
  } catch {
    // Too long, or too many at once: the upstream decides about its window, about a plan's that four bytes are a token.
    return { ...call, inputSize: Math.ceil(inputTokensBound / 4) };
  }
}

/**
 * Above the model's own window is 400, never 402 (REQUIREMENTS "context size"): no purchase widens it. True =
 * `exchange.understanding` says so. Where it is close, or the text cannot be counted, the upstream decides.
 */
export function exceedsWindow(exchange: Exchange, call: UnderstoodCall): boolean {
  const { model, request, counted } = call;
  if (counted === undefined || !isOneContext(call)) return false;
  // The count is a bound for prices: keys and numbers are in it that the model may read in fewer tokens.
  const needed = Math.floor((counted * 3) / 4) + (request.outputTokensMax ?? 0);
  if (needed <= model.contextWindow) return false;
  exchange.window = { needed, allowed: model.contextWindow };
  exchange.understanding = {
    code: 'CONTEXT_LENGTH_EXCEEDED',
    problem: `at least ${needed} tokens do not fit the context window of ${model.contextWindow}`,
    pointer: call.route.kind === 'chat' ? '/messages' : '/input',
  };
  return true;
}

/**
 * Notes the size that a plan, a key or a reduced service allows and this call needs (LLM-09, KEY-05, DEG-03).
 * Returns the call with its output bounded, where the caller left that to us and the cap leaves less than the model.
 */
export function entitleContext(exchange: Exchange, call: UnderstoodCall): UnderstoodCall {
  const cap = smallestCap(exchange, call);
  if (cap === Number.POSITIVE_INFINITY || !isOneContext(call)) return call;
  const { request } = call;
  const needed = sizeOf(call);
  const { plan, key } = call.access;
  const facts = [
    ...factOf('plan', needed, plan.contextTiers.at(-1)?.tokensMax),
    ...factOf('key', needed, key.terms.contextTokensMax),
  ];
  exchange.entitlements = [...exchange.entitlements, ...facts];
  if (needed > (exchange.degraded?.contextTokensMax ?? needed)) withholdService(exchange);
  const left = Math.max(1, cap - call.inputSize);
  if (request.outputTokensMax !== undefined || left >= outputOf(call)) return call;
  exchange.clampedOutputTokens = left;
  return { ...call, outputTokensMost: left };
}

/**
 * Whether the size of a refused call has to be counted before anything is offered instead: going by its bytes it
 * may be longer than some plan allows, and is not known to be.
 */
export function mustCountToOffer(call: UnderstoodCall, smallestCap: number): boolean {
  const isBound = call.counted === undefined && call.inputSize === call.request.inputTokensBound;
  return isBound && isOneContext(call) && sizeOf(call) > smallestCap;
}

/** What another plan has to allow: noted of a refused call also where its own plan bounds nothing (C402-07). */
export function noteSize(exchange: Exchange, call: UnderstoodCall): void {
  if (!isOneContext(call)) return;
  const others = exchange.entitlements.filter(
    ({ kind, id }) => kind !== 'context' || id !== 'plan',
  );
  const allowed = call.access.plan.contextTiers.at(-1)?.tokensMax;
  const needed = sizeOf(call);
  const fact: EntitlementFact = { kind: 'context', id: 'plan', granted: true, needed };
  exchange.entitlements = [
    ...others,
    ...(allowed === undefined ? [fact] : factOf('plan', needed, allowed)),
  ];
}

function sizeOf({ inputSize, request }: UnderstoodCall): number {
  return inputSize + (request.outputTokensMax ?? 0);
}

/** The inputs of one embeddings call are read one by one: their sum says nothing. */
function isOneContext({ route, parsed }: UnderstoodCall): boolean {
  if (route.kind === 'chat') return true;
  if (typeof parsed !== 'object' || parsed === null || !('input' in parsed)) return false;
  return typeof parsed.input === 'string';
}

function outputOf({ route, model }: UnderstoodCall): number {
  return route.kind === 'embeddings' ? 0 : model.outputTokensMax;
}

function smallestCap({ degraded }: Exchange, { access }: UnderstoodCall): number {
  return Math.min(
    access.plan.contextTiers.at(-1)?.tokensMax ?? Number.POSITIVE_INFINITY,
    access.key.terms.contextTokensMax ?? Number.POSITIVE_INFINITY,
    degraded?.contextTokensMax ?? Number.POSITIVE_INFINITY,
  );
}

function factOf(
  id: 'plan' | 'key',
  needed: number,
  allowed: number | undefined,
): readonly EntitlementFact[] {
  if (allowed === undefined) return [];
  return [{ kind: 'context', id, granted: needed <= allowed, needed, allowed }];
}

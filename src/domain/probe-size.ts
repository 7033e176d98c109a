import { decide } from './decide.ts';
import type { Facts } from './facts.ts';
import type { ProbeKind } from './probe.ts';
import { NO_TAKE, type Take } from './take.ts';

/** How much a call that is tried takes. `isKnown`: false when it was turned away before that was counted. */
export interface ProbeSize {
  readonly take: Take;
  readonly isKnown: boolean;
}

const REDUCED_INPUT_TOKENS = 16;
const REDUCED_OUTPUT_TOKENS = 1;
const REDUCED_BYTES = 1_000;

export function sizeOf(facts: Facts, kind: ProbeKind, model: string | undefined): ProbeSize {
  const take = takeOf(facts);
  const isCounted = wasCounted(facts, take);
  if (kind !== 'reduced') return { take, isKnown: isCounted };
  // What a small call to a model takes is known without the call.
  if (!isCounted && model !== undefined) return { take: SMALL_CALL, isKnown: true };
  return { take: reduce(take), isKnown: isCounted };
}

const SMALL_CALL: Take = {
  ...NO_TAKE,
  inputTokens: REDUCED_INPUT_TOKENS,
  outputTokens: REDUCED_OUTPUT_TOKENS,
  bytesIn: REDUCED_BYTES,
  bytesOut: REDUCED_BYTES,
};

/** What it takes at most; of a request that was served, what it held. */
export function takeOf({ take, outcome }: Facts): Take {
  if (take !== undefined) return take;
  if (outcome === undefined) return NO_TAKE;
  const { inputTokens, outputTokens, bytesIn, bytesOut, holdNano } = outcome;
  const { computeUnits = 0, computeMs = 0 } = outcome;
  return { inputTokens, outputTokens, bytesIn, bytesOut, computeUnits, computeMs, nano: holdNano };
}

/** Whether it came as far as the limits, or something was counted of it before. */
function wasCounted(facts: Facts, take: Take): boolean {
  if (take.inputTokens > 0 || take.outputTokens > 0 || take.nano > 0) return true;
  const decision = decide(facts);
  return decision.kind === 'admit' || decision.step === 'reserve' || decision.step === 'forward';
}

function reduce(take: Take): Take {
  return {
    ...take,
    inputTokens: Math.min(take.inputTokens, REDUCED_INPUT_TOKENS),
    outputTokens: Math.min(take.outputTokens, REDUCED_OUTPUT_TOKENS),
    bytesIn: Math.min(take.bytesIn, REDUCED_BYTES),
    bytesOut: Math.min(take.bytesOut, REDUCED_BYTES),
  };
}

import type { ReservationFact } from './facts.ts';
import type { Take } from './take.ts';

export function isSameTake(before: Take | undefined, now: Take | undefined): boolean {
  if (before === undefined || now === undefined) return before === now;
  return (
    before.nano === now.nano &&
    before.inputTokens === now.inputTokens &&
    before.outputTokens === now.outputTokens &&
    before.bytesIn === now.bytesIn &&
    before.bytesOut === now.bytesOut &&
    before.computeUnits === now.computeUnits &&
    before.computeMs === now.computeMs
  );
}

/** Both are short in the same way, or neither came so far. */
export function isSameShortage(
  before: ReservationFact | undefined,
  now: ReservationFact | undefined,
): boolean {
  if (before?.kind !== 'short' || now?.kind !== 'short')
    return before === undefined && now === undefined;
  return (
    before.index === now.index &&
    before.cause === now.cause &&
    before.held === now.held &&
    before.affordableOutputTokens === now.affordableOutputTokens
  );
}

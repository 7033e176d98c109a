import { z } from 'zod';

import { CODES } from '../../contract/codes.ts';
import { decide } from '../../domain/decide.ts';
import { explain } from '../../domain/explain.ts';
import { formatCount, formatNano } from '../../domain/explain-words.ts';
import type { CheckItem } from '../../domain/checklist.ts';
import { finalCode, findOffers } from '../../domain/offers.ts';
import { probe, type Probe, type ProbeKind } from '../../domain/probe.ts';
import type { CurrentState } from './current-state.ts';
import type { PublicDeps } from './public-deps.ts';
import type { ReadableRequest } from './read-request.ts';
import { isoTime, utcMinute } from './time-words.ts';

/** Dry runs kept of one request: its page is no place to run them in a loop. */
export const PROBES_MAX = 5;

/** What a dry run found, as it is kept (DIAG-07). */
const storedSchema = z.strictObject({
  at: z.string(),
  kind: z.enum(['same', 'reduced', 'cheaper']),
  model: z.string().nullable(),
  /** Null = nothing known stands in its way, and its size is not known. */
  passes: z.boolean().nullable(),
  status: z.number().nullable(),
  code: z.string().nullable(),
  cost_max: z.string().nullable(),
  text: z.string(),
});
export type StoredProbe = z.infer<typeof storedSchema>;

export type Probed =
  | { readonly kind: 'stored'; readonly probe: StoredProbe }
  | { readonly kind: 'not possible'; readonly reason: string };

/** Decides the request again with the numbers of now, and keeps what came out. Sends nothing and counts nothing. */
export async function runProbe(
  deps: PublicDeps,
  request: ReadableRequest,
  kind: ProbeKind,
  state: CurrentState,
): Promise<Probed> {
  const { account } = state;
  if (account === undefined) {
    return { kind: 'not possible', reason: 'the request has no account to try it with' };
  }
  const catalog = deps.catalog();
  const tried = probe(request.facts, kind, { ...account, at: state.at, catalog });
  if (tried === undefined) {
    return { kind: 'not possible', reason: 'the request asks for no model, so none is cheaper' };
  }
  return keep(deps, request, describe(deps, kind, tried));
}

/** In the order they were run. */
export async function readProbes(
  deps: Pick<PublicDeps, 'store'>,
  requestId: string,
): Promise<readonly StoredProbe[]> {
  const probes: StoredProbe[] = [];
  for (let slot = 1; slot <= PROBES_MAX; slot += 1) {
    // oxlint-disable-next-line no-await-in-loop -- the first free slot ends it
    const kept = await deps.store.recall(slotKey(requestId, slot));
    if (kept === undefined) break;
    probes.push(storedSchema.parse(JSON.parse(kept.answer)));
  }
  return probes;
}

export function probeItem({ at, text, passes }: StoredProbe): CheckItem {
  const verdict = passes === null ? 'unknown' : passes ? 'ok' : 'problem';
  return { verdict, text: `${utcMinute(Date.parse(at))}: ${text}` };
}

function slotKey(requestId: string, slot: number): string {
  return `probe:${requestId}:${slot}`;
}

/** The first slot that nobody else took at the same moment. */
async function keep(
  deps: Pick<PublicDeps, 'store'>,
  { id }: ReadableRequest,
  found: StoredProbe,
): Promise<Probed> {
  const text = JSON.stringify(found);
  for (let slot = 1; slot <= PROBES_MAX; slot += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each is tried only when the one before is taken
    const { kind } = await deps.store.remember(slotKey(id, slot), text, text);
    if (kind === 'new') return { kind: 'stored', probe: found };
  }
  const reason = `${PROBES_MAX} dry runs of this request are kept already; ask POST /v1/check for more`;
  return { kind: 'not possible', reason };
}

function describe(deps: PublicDeps, kind: ProbeKind, tried: Probe): StoredProbe {
  const catalog = deps.catalog();
  const { facts, model, take } = tried;
  const decision = decide(facts);
  const code =
    decision.kind === 'admit' ? null : finalCode(decision, findOffers(facts, decision, catalog));
  const cost = tried.sizeIsKnown ? formatNano(take.nano, catalog.asset) : null;
  const found = { at: isoTime(facts.at), kind, model: model ?? null, cost_max: cost };
  const name = nameOf(kind, tried);
  if (code !== null) {
    const { verdict } = explain(facts, { catalog, formatTime: utcMinute });
    const text = `${name} would be refused now with ${code}. ${verdict}`;
    return { ...found, passes: false, status: CODES[code].status, code, text };
  }
  if (cost === null) return { ...found, passes: null, status: null, code, text: `${name} ${OPEN}` };
  const text = `${name} would pass now and cost ${cost} at most.`;
  return { ...found, passes: true, status: 200, code, text };
}

const OPEN =
  'would not be refused now for what refused it. How much it takes was not counted then, so limits and balance may still refuse it: POST /v1/check says what it would get and cost.';

function nameOf(kind: ProbeKind, { model, take }: Probe): string {
  const size =
    take.inputTokens + take.outputTokens > 0
      ? ` of ${formatCount(take.inputTokens, 'input token')} and ${formatCount(take.outputTokens, 'output token')}`
      : '';
  switch (kind) {
    case 'same':
      return 'The same call';
    case 'reduced':
      return `A small call${size}`;
    case 'cheaper':
      return `The same call with the model ${model ?? ''}`;
  }
}

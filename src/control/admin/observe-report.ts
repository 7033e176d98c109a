import { decide, enforced, type Refusal } from '../../domain/decide.ts';
import { unpackFacts } from '../../domain/facts-record.ts';
import type { RequestRow } from '../../stores/store.ts';

/** Requests that would have been refused with one code, of one tenant, by one limit or entitlement. */
export interface ObservedRefusals {
  readonly code: string;
  /** Undefined = of callers without a key. */
  readonly tenantId: string | undefined;
  readonly limit: string | undefined;
  readonly entitlement: string | undefined;
  readonly requests: number;
}

/** What enforcement would have refused, counted request by request (EVID-01, EVID-09). */
export class ObserveReport {
  readonly #groups = new Map<string, ObservedRefusals>();
  #requests = 0;

  get requests(): number {
    return this.#requests;
  }

  add(row: RequestRow): void {
    if (row.wouldRefuse === undefined) return;
    const group = groupOf(row, row.wouldRefuse);
    const name = JSON.stringify([group.code, group.tenantId, group.limit, group.entitlement]);
    const known = this.#groups.get(name) ?? group;
    this.#groups.set(name, { ...known, requests: known.requests + 1 });
    this.#requests += 1;
  }

  /** Most frequent first. */
  get groups(): readonly ObservedRefusals[] {
    return [...this.#groups.values()].toSorted((left, right) => right.requests - left.requests);
  }
}

/** The decision is made again from the logged facts, as every other view of it. */
function groupOf({ tenantId, facts: text }: RequestRow, code: string): ObservedRefusals {
  const group = { code, tenantId: tenantId === '' ? undefined : tenantId, requests: 0 };
  const facts = unpackFacts(text);
  const decision = facts && decide(enforced(facts));
  if (facts === undefined || decision?.kind !== 'refuse')
    return { ...group, limit: undefined, entitlement: undefined };
  const { entitlement } = decision;
  const rate = facts.reservation?.kind === 'limited' ? facts.reservation.rateLimitId : undefined;
  return {
    ...group,
    limit: decision.step === 'reserve' ? (limitOf(decision) ?? rate) : undefined,
    entitlement: entitlement && `${entitlement.kind} ${entitlement.id}`,
  };
}

function limitOf({ limit }: Refusal): string | undefined {
  return limit && (limit.label?.id ?? limit.kind);
}

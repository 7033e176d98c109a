import type { Code } from '../../contract/codes.ts';
import type { ProblemForm } from '../../contract/dialects.ts';
import type { Language } from '../../contract/languages.ts';
import type { ProblemStatus } from '../../contract/code-row.ts';
import { BoundedMap } from '../../domain/bounded-map.ts';
import type { Refusal } from '../../domain/decide.ts';
import type { EntitlementFact, Facts, LimitFact } from '../../domain/facts.ts';
import { isSameShortage, isSameTake } from '../../domain/same-facts.ts';
import type { KeyAccess } from './key-access.ts';

/** Keys whose last refusal is remembered: some kilobytes each. */
const REMEMBERED_MAX = 1000;

/** How the answer is to be written, and what its links begin with. */
export interface AskedAs {
  readonly form: ProblemForm;
  readonly language: Language;
  readonly publicUrl: string;
  readonly jsonRpcId: string | number | null;
}

/** The ids of one call, which are all that differs between two that are refused alike. */
export interface CallIds {
  readonly requestId: string;
  readonly explainUrl: string;
}

/** A refusal as it is written, but for the headers that tell what is left. */
export interface WrittenRefusal {
  readonly code: Code;
  readonly status: ProblemStatus;
  /** Names of the headers that have the id of the call. */
  readonly idHeaders: readonly string[];
  /** The other headers: the same list whenever it is told again. */
  readonly shared: readonly string[];
  readonly retryAfterSeconds: number | undefined;
  readonly body: Buffer;
}

/** What a refusal says depends on these and on nothing else, ids apart. */
export interface RefusedCall {
  readonly access: KeyAccess | undefined;
  readonly facts: Facts;
  readonly refusal: Refusal;
  readonly asked: AskedAs;
}

interface Remembered {
  readonly call: RefusedCall;
  readonly ids: CallIds;
  readonly written: WrittenRefusal;
  readonly places: readonly IdPlace[];
}

/** Where an id stands in a body. */
interface IdPlace {
  readonly at: number;
  readonly id: keyof CallIds;
}

/**
 * What each key was last refused with. A client that repeats a refused call in a loop, as many do, is told the same
 * again: working it out a second time would let the loop cost more than calls that are paid.
 */
export class RefusalMemory {
  readonly #last = new BoundedMap<KeyAccess, Remembered>(REMEMBERED_MAX);

  get size(): number {
    return this.#last.size;
  }

  /** The same refusal under the ids of this call; undefined when anything it says would be different. */
  recall(call: RefusedCall, ids: CallIds): WrittenRefusal | undefined {
    const known = call.access && this.#last.get(call.access);
    if (known === undefined || !isSameRefusal(known.call, call)) return undefined;
    if (!isSameLength(known.ids, ids)) return undefined;
    const { code, status, idHeaders, shared, retryAfterSeconds, body } = known.written;
    return {
      code,
      status,
      idHeaders,
      shared,
      retryAfterSeconds,
      body: fillIn(body, known.places, ids),
    };
  }

  keep(call: RefusedCall, ids: CallIds, written: WrittenRefusal): void {
    const { access } = call;
    if (access === undefined || !isMemorable(call)) return;
    const places = findIds(written.body, ids);
    if (places === undefined) return;
    this.#last.set(access, { call, ids, written, places });
  }
}

/** Undefined when the link is written in a way that cannot be filled in anew. */
function findIds(body: Buffer, { requestId, explainUrl }: CallIds): readonly IdPlace[] | undefined {
  if (Buffer.byteLength(explainUrl) !== explainUrl.length) return undefined;
  const links = findAll(body, explainUrl);
  const isInLink = (at: number): boolean =>
    links.some((start) => at >= start && at < start + explainUrl.length);
  const signature = explainUrl.slice(explainUrl.indexOf(requestId) + requestId.length);
  if (signature !== '' && !findAll(body, signature).every(isInLink)) return undefined;
  const alone = findAll(body, requestId).filter((at) => !isInLink(at));
  return [
    ...links.map((at) => ({ at, id: 'explainUrl' }) as const),
    ...alone.map((at) => ({ at, id: 'requestId' }) as const),
  ];
}

function findAll(body: Buffer, text: string): readonly number[] {
  const found: number[] = [];
  for (let at = body.indexOf(text); at >= 0; at = body.indexOf(text, at + text.length)) {
    found.push(at);
  }
  return found;
}

function isSameLength(before: CallIds, now: CallIds): boolean {
  return (
    before.requestId.length === now.requestId.length &&
    before.explainUrl.length === now.explainUrl.length
  );
}

/** Ids are plain ASCII: a byte for each character. */
function fillIn(known: Buffer, places: readonly IdPlace[], own: CallIds): Buffer {
  const body = Buffer.allocUnsafe(known.length);
  body.set(known);
  for (const { at, id } of places) body.write(own[id], at, 'latin1');
  return body;
}

/** What a key is told in a loop: something is used up or not in its plan, or that it repeats itself too often. */
function isMemorable({ facts, refusal }: RefusedCall): boolean {
  if (facts.standing !== undefined || refusal.transient) return false;
  if (refusal.step === 'reserve') return isGone(facts);
  return refusal.step === 'storm' || refusal.step === 'entitle';
}

function isGone({ reservation }: Facts): boolean {
  return reservation?.kind === 'short' && reservation.cause === 'gone';
}

/** `before` is memorable. What its step did not look at is compared all the same: offers are tried with it. */
export function isSameRefusal(before: RefusedCall, now: RefusedCall): boolean {
  return (
    before.access === now.access &&
    isSameForm(before.asked, now.asked) &&
    isSameVerdict(before.refusal, now.refusal) &&
    isSameSituation(before.facts, now.facts) &&
    isSameNeed(before.facts, now.facts)
  );
}

function isSameForm(before: AskedAs, now: AskedAs): boolean {
  return (
    before.form === now.form &&
    before.language === now.language &&
    before.publicUrl === now.publicUrl &&
    before.jsonRpcId === now.jsonRpcId
  );
}

function isSameVerdict(before: Refusal, now: Refusal): boolean {
  return (
    before.code === now.code &&
    before.step === now.step &&
    before.transient === now.transient &&
    secondsOf(before.retryAfterMs) === secondsOf(now.retryAfterMs)
  );
}

function secondsOf(milliseconds: number | undefined): number | undefined {
  return milliseconds && Math.ceil(milliseconds / 1000);
}

function isSameSituation(before: Facts, now: Facts): boolean {
  return (
    before.catalogVersion === now.catalogVersion &&
    before.route === now.route &&
    before.identity === now.identity &&
    before.agreed === now.agreed &&
    before.enforcement === now.enforcement &&
    before.storm?.cause === now.storm?.cause &&
    // What begins or ends with time does so from one second to the next.
    Math.floor(before.at / 1000) === Math.floor(now.at / 1000) &&
    hasNoFault(now)
  );
}

function isSameNeed(before: Facts, now: Facts): boolean {
  return (
    isSameTake(before.take, now.take) &&
    isSameShortage(before.reservation, now.reservation) &&
    isSameList(before.limits, now.limits, isSameLimit) &&
    isSameList(before.entitlements, now.entitlements, isSameEntitlement)
  );
}

function hasNoFault(facts: Facts): boolean {
  const { routing, authorization, understanding, standing, forwarding } = facts;
  return (routing ?? authorization ?? understanding ?? standing ?? forwarding) === undefined;
}

function isSameLimit(before: LimitFact, now: LimitFact): boolean {
  return (
    before.accountId === now.accountId &&
    before.label === now.label &&
    before.need === now.need &&
    before.allowance === now.allowance &&
    before.spent === now.spent &&
    before.reserved === now.reserved &&
    before.resetsAt === now.resetsAt &&
    before.overage === undefined &&
    now.overage === undefined
  );
}

function isSameEntitlement(before: EntitlementFact, now: EntitlementFact): boolean {
  return (
    before.kind === now.kind &&
    before.id === now.id &&
    before.granted === now.granted &&
    before.needed === now.needed &&
    before.allowed === now.allowed
  );
}

function isSameList<Item>(
  before: readonly Item[],
  now: readonly Item[],
  isSame: (before: Item, now: Item) => boolean,
): boolean {
  if (before.length !== now.length) return false;
  for (let i = 0; i < before.length; i += 1) {
    const [one, other] = [before[i], now[i]];
    if (one === undefined || other === undefined || !isSame(one, other)) return false;
  }
  return true;
}

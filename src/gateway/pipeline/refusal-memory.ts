import type { Code } from '../../contract/codes.ts';
import type { ProblemForm } from '../../contract/dialects.ts';
import type { Language } from '../../contract/languages.ts';
import type { ProblemStatus } from '../../contract/code-row.ts';
import type { Refusal } from '../../domain/decide.ts';
import type { EntitlementFact, Facts, LimitFact } from '../../domain/facts.ts';
import type { Take } from '../../domain/take.ts';
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
  readonly headers: readonly string[];
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
  readonly body: BodyPieces;
}

/** A body taken apart at the ids in it: `ids[i]` stands between `texts[i]` and the one after it. */
interface BodyPieces {
  readonly texts: readonly Buffer[];
  readonly ids: readonly (keyof CallIds)[];
}

/**
 * What each key was last refused with. A client that repeats a refused call in a loop, as many do, is told the same
 * again: working it out a second time would let the loop cost more than calls that are paid.
 */
export class RefusalMemory {
  readonly #last = new Map<KeyAccess, Remembered>();

  get size(): number {
    return this.#last.size;
  }

  /** The same refusal under the ids of this call; undefined when anything it says would be different. */
  recall(call: RefusedCall, ids: CallIds): WrittenRefusal | undefined {
    const known = call.access && this.#last.get(call.access);
    if (known === undefined || !isSameRefusal(known.call, call)) return undefined;
    const { written } = known;
    const headers: string[] = [];
    for (const part of written.headers) {
      headers.push(part === known.ids.requestId ? ids.requestId : part);
    }
    const { code, status, retryAfterSeconds } = written;
    return { code, status, headers, retryAfterSeconds, body: putTogether(known.body, ids) };
  }

  keep(call: RefusedCall, ids: CallIds, written: WrittenRefusal): void {
    const { access } = call;
    if (access === undefined || !isMemorable(call)) return;
    const body = takeApart(written.body.toString(), ids);
    if (body === undefined) return;
    this.#last.delete(access);
    if (this.#last.size >= REMEMBERED_MAX) this.#forgetOldest();
    this.#last.set(access, { call, ids, written, body });
  }

  #forgetOldest(): void {
    // Map keeps insertion order.
    for (const oldest of this.#last.keys()) {
      this.#last.delete(oldest);
      return;
    }
  }
}

/** Undefined when the link is written in a way that cannot be filled in anew. */
function takeApart(body: string, { requestId, explainUrl }: CallIds): BodyPieces | undefined {
  if (Buffer.byteLength(explainUrl) !== explainUrl.length) return undefined;
  const signature = explainUrl.slice(explainUrl.indexOf(requestId) + requestId.length);
  const texts: string[] = [];
  const ids: (keyof CallIds)[] = [];
  for (const part of body.split(explainUrl)) {
    if (signature !== '' && part.includes(signature)) return undefined;
    if (texts.length > 0) ids.push('explainUrl');
    const pieces = part.split(requestId);
    texts.push(...pieces);
    for (let between = 1; between < pieces.length; between += 1) ids.push('requestId');
  }
  return { texts: texts.map((text) => Buffer.from(text)), ids };
}

/** Ids are plain ASCII: a byte for each character. */
function putTogether({ texts, ids }: BodyPieces, own: CallIds): Buffer {
  let length = 0;
  for (const text of texts) length += text.length;
  for (const id of ids) length += own[id].length;
  const body = Buffer.allocUnsafe(length);
  let at = 0;
  for (let i = 0; i < texts.length; i += 1) {
    const [text, id] = [texts[i], ids[i]];
    if (text !== undefined) at += text.copy(body, at);
    if (id !== undefined) at += body.write(own[id], at, 'latin1');
  }
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
    isSameShortage(before.facts, now.facts)
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

function isSameShortage(before: Facts, now: Facts): boolean {
  return (
    isSameTake(before.take, now.take) &&
    isSameReservation(before.reservation, now.reservation) &&
    isSameList(before.limits, now.limits, isSameLimit) &&
    isSameList(before.entitlements, now.entitlements, isSameEntitlement)
  );
}

function hasNoFault(facts: Facts): boolean {
  const { routing, authorization, understanding, standing, forwarding } = facts;
  return (routing ?? authorization ?? understanding ?? standing ?? forwarding) === undefined;
}

function isSameTake(before: Take | undefined, now: Take | undefined): boolean {
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

function isSameReservation(before: Facts['reservation'], now: Facts['reservation']): boolean {
  if (before?.kind !== 'short' || now?.kind !== 'short')
    return before === undefined && now === undefined;
  return (
    before.index === now.index &&
    before.cause === now.cause &&
    before.held === now.held &&
    before.affordableOutputTokens === now.affordableOutputTokens
  );
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

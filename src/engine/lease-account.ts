import type { AccountSpec } from '../domain/accounts.ts';
import { isSlot } from '../domain/take.ts';
import type { AccountNumbers, AcquireResult } from '../stores/store.ts';
import type { Need } from './engine.ts';

/** How long "gone" is answered from memory. A change of the account ends it at once. */
const GONE_MS = 250;

/** What a request has heard of an account since it first waited for it. */
export interface Hearing {
  /** Questions to the store that it was part of. */
  rounds: number;
  /** The one with which the others were asked on its behalf; 0 = they were not yet. */
  askedIn: number;
  /** Every other process has said since then what it does not need. */
  heard: boolean;
}

export interface Waiter {
  /** Least that is of use. */
  readonly amount: number;
  /** What it would take if that were here. */
  readonly want: number;
  /** Under its own hold, which is to grow: that does not come free for it. */
  readonly own: number;
  /** Monotonic milliseconds. */
  readonly deadline: number;
  readonly hearing: Hearing;
  readonly wake: (outcome: WaitOutcome) => void;
}
export interface ShortWait {
  readonly kind: 'short';
  readonly cause: 'gone' | 'held' | 'stranded' | 'unavailable';
  readonly held: number;
}
export type WaitOutcome = { readonly kind: 'ready' } | ShortWait;

/** One account as this process sees it: a slice of it, spent in memory. Fixed shape: it is on the hot path. */
export class LeaseAccount {
  spec: AccountSpec;
  /** Number of the lease at the store; 0 = it has none, and will not get one. */
  readonly index: number;
  /** Of calls at the same time: what is held comes back, and nothing is kept ahead for later. */
  readonly isSlot: boolean;
  granted = 0;
  /** Cumulative; only grows. */
  charged = 0;
  /** Set aside by open holds. */
  held = 0;
  openHolds = 0;
  /** Part of `held` that a settlement on its way charges; `charged` has it once the store has. */
  committing = 0;
  /** Part of `held` that answers which wait to be safe will cost: callers are told of it as spent. */
  announced = 0;
  /** Epoch milliseconds; new holds begin before it. */
  usableUntil = Number.POSITIVE_INFINITY;
  /** Monotonic milliseconds. */
  lastUsedAt: number;
  /** What the last hold took: the measure of a slice. */
  lastAmount = 0;
  /** What the next growth asks for. */
  want = 0;
  lastGrownAt = 0;
  dirty = false;
  /** Others wait for this account: hand back what is left and say so. */
  recalled = false;
  /** Until then (monotonic) what comes free is handed back without being asked again. */
  sharedUntil = 0;
  /** The last growth brought nothing: growing ahead would only ask in vain. */
  short = false;
  growing = false;
  /** A sync that lowers `granted` is under way: growing now would race with it. */
  handingBack = false;
  /** `charged` when the journal began to be written to disk: no more of it may be settled. Undefined = all of it. */
  told: number | undefined = undefined;
  /** `charged` as last sent to the store. */
  sentCharged = 0;
  retryMs = 0;
  /** Monotonic milliseconds at which the other holders were last asked to hand back. */
  askedAt = Number.NEGATIVE_INFINITY;
  /** The lease exists at the store, so it must be closed there. */
  known = false;
  /** The store was asked for a slice and did not say what became of it: the lease may exist, and is closed there too. */
  isInDoubt = false;
  numbers: AccountNumbers | undefined;
  /** Part of `charged` that `numbers.spent` already counts. */
  chargedAtNumbers = 0;
  /** A request for more than this is refused without asking again, until `goneUntil` (monotonic). */
  goneAbove = 0;
  goneUntil = 0;
  /** Of an account that slides and was short when it last grew: when what was asked for is there (epoch ms). */
  resetsAt: number | undefined = undefined;
  readonly waiters: Waiter[] = [];
  /** As last told, and what was charged and announced at that time. */
  #current: AccountNumbers | undefined = undefined;
  #currentAt = 0;

  constructor(spec: AccountSpec, index: number, monotonicMs: number) {
    this.spec = spec;
    this.index = index;
    this.isSlot = isSlot(spec.unit);
    this.lastUsedAt = monotonicMs;
  }

  /** The allowance changed since this slice was taken: it may promise more than there is. */
  get stale(): boolean {
    return (
      this.recalled &&
      this.left > 0 &&
      this.spec.kind === 'quota' &&
      this.numbers?.allowance !== this.spec.allowance
    );
  }

  /**
   * Whether `units` are here for a hold that has begun. What is used belongs to the window it began in, so a
   * quota gives them after its end too; money that has expired is gone.
   */
  canGive(units: number, nowMs: number): boolean {
    if (units === 0) return true;
    return this.left >= units && (this.spec.kind === 'quota' || nowMs < this.usableUntil);
  }

  /** Whether it cannot cover a need here and now. `queued`: the one who asks has waited its turn. */
  lacks(
    { amount, least = amount }: Pick<Need, 'amount' | 'least'>,
    nowMs: number,
    queued: boolean,
  ) {
    if (amount === 0) return false;
    if (this.left < least || nowMs >= this.usableUntil || this.stale) return true;
    // Those who wait come first, or a stream of small requests would starve a large one.
    return !queued && this.waiters.length > 0;
  }

  /** Whether what is left here has to go back before more is taken: it may promise more than there is. */
  mustReturn(nowMs: number): boolean {
    if (this.left <= 0) return false;
    return this.stale || (this.spec.kind === 'balance' && nowMs >= this.usableUntil);
  }

  /** Charges that may be settled. */
  get tellable(): number {
    return this.told ?? this.charged;
  }

  get left(): number {
    return this.granted - this.charged - this.held;
  }

  /** Idle: nothing open, nobody waiting, nothing under way. */
  get idle(): boolean {
    return this.openHolds === 0 && this.waiters.length === 0 && !this.growing && !this.handingBack;
  }

  hold(amount: number, monotonicMs: number): void {
    this.lastAmount = amount;
    this.held += amount;
    this.openHolds += 1;
    this.lastUsedAt = monotonicMs;
  }

  /** Resolves a hold of `heldAmount`: `take` of it (or more, from what is left) is spent. */
  settle(heldAmount: number, take: number): void {
    this.held -= heldAmount;
    this.openHolds -= 1;
    this.charged += take;
    this.dirty = true;
  }

  /** Of `held`, what was on its way to the store: charged there now, or not. */
  endCommit(units: number, isCharged: boolean): void {
    this.committing -= units;
    if (!isCharged) return;
    this.held -= units;
    this.charged += units;
    this.dirty = true;
  }

  learn(numbers: AccountNumbers, chargedThen: number): void {
    this.numbers = numbers;
    this.chargedAtNumbers = chargedThen;
    this.#current = undefined;
  }

  /** The store's last numbers with our own later charges added. Each answer tells them, and then its log row. */
  currentNumbers(): AccountNumbers | undefined {
    if (this.numbers === undefined) return undefined;
    const charged = this.charged + this.announced;
    if (this.#current === undefined || this.#currentAt !== charged) {
      const since = charged - this.chargedAtNumbers;
      this.#currentAt = charged;
      this.#current = {
        allowance: this.numbers.allowance,
        spent: this.numbers.spent + since,
        reserved: Math.max(0, this.numbers.reserved - since),
        resetsAt: this.resetsAt,
      };
    }
    return this.#current;
  }

  /** Another allowance for the same window (plan change): what this process holds is asked for anew. */
  adopt(spec: AccountSpec): void {
    this.spec = spec;
    this.recalled = true;
    this.goneUntil = 0;
  }

  recallUntil(monotonicMs: number): void {
    this.recalled = true;
    this.sharedUntil = monotonicMs;
  }
}

/** What others said before somebody came proves nothing to it: a call of theirs may have ended since. */
export function hasHeard(
  { rounds, askedIn }: Hearing,
  { recalling, heldElsewhere }: AcquireResult,
): boolean {
  if (recalling > 0 || rounds === 0) return false;
  return heldElsewhere === 0 || (askedIn > 0 && rounds > askedIn);
}

/**
 * The store asks the others only when it cannot give what the first in the queue needs. It could: whoever is left has
 * yet to be asked for, and would wait for what nobody was told to hand back.
 */
export function forgetAsking(account: LeaseAccount): void {
  for (const { hearing } of account.waiters) {
    if (hearing.askedIn === 0 || hearing.askedIn !== hearing.rounds) continue;
    hearing.askedIn = 0;
    account.askedAt = Number.NEGATIVE_INFINITY;
  }
}

/** How long "gone" stays true: what slides has room again from a moment on that is known. */
export function goneMs({ resetsAt }: AcquireResult, now: number): number {
  return resetsAt === undefined ? GONE_MS : Math.min(GONE_MS, resetsAt - now);
}

/** Why a second was not enough. What the store has, or a live process has yet to hand back, is our trouble, not the caller's. */
export function causeOf(
  amount: number,
  alive: number,
  unheard: number,
  atStore: number,
): 'stranded' | 'unavailable' | 'held' {
  if (amount > alive) return 'stranded';
  return amount <= atStore || amount > alive - unheard ? 'unavailable' : 'held';
}

import type { AccountSpec } from '../domain/accounts.ts';
import type { Clock } from '../platform/clock.ts';
import type { AcquireRequest, AcquireResult, LedgerStore } from '../stores/store.ts';
import { isOfOneRequest } from '../stores/store-error.ts';
import {
  causeOf,
  forgetAsking,
  goneMs,
  hasHeard,
  type Hearing,
  LeaseAccount,
  type ShortWait,
  type Waiter,
  type WaitOutcome,
} from './lease-account.ts';

const GROWTH_BATCH_MAX = 1000;
const WAITERS_PER_ACCOUNT_MAX = 1000;
const WAITERS_MAX = 10_000;
const ACCOUNTS_MAX = 200_000;
/** Growing again sooner than this doubles the slice; later than QUIET_MS halves it. */
const BUSY_MS = 1000;
const QUIET_MS = 5000;
/** A slice begins with this many calls like the first, and doubles while the account is busy. */
const WANT_FIRST = 8;
const WANT_MAX = 2 ** 50;
const RETRY_FIRST_MS = 5;
const RETRY_MOST_MS = 50;
/** Index of an account for which there was no room: it has no lease, and gets none. */
const NO_LEASE = 0;
/** Each question makes every holder settle: callers that come one after the other are asked for together. */
const ASK_PAUSE_MS = 50;
const READY: WaitOutcome = { kind: 'ready' };
const UNAVAILABLE: WaitOutcome = { kind: 'short', cause: 'unavailable', held: 0 };

/** Who waits, for what, and how long. */
export interface Wait {
  /** Least that is of use. */
  readonly amount: number;
  /** What it would take if that were here; absent = `amount`. */
  readonly want?: number;
  /** Units under its own hold, when that is to grow; absent = 0. */
  readonly own?: number;
  /** Monotonic milliseconds. */
  readonly deadline: number;
  readonly signal: AbortSignal;
  /** Of a request that has waited for this account before; absent = it has not. */
  readonly hearing?: Hearing;
}

/** A slice that is to grow. */
interface Asked {
  readonly account: LeaseAccount;
  readonly request: AcquireRequest;
}

/** The slices of this process, how they grow, and who waits for them. */
export class LeaseBook {
  readonly #owner: string;
  readonly #store: Pick<LedgerStore, 'acquire'>;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #accountsMax: number;
  readonly #accounts = new Map<string, LeaseAccount>();
  readonly #byIndex = new Map<number, LeaseAccount>();
  #toGrow: LeaseAccount[] = [];
  #flushing: Promise<void> | undefined;
  #lastIndex = 0;
  #waiting = 0;
  #stopped = false;

  constructor(
    owner: string,
    store: Pick<LedgerStore, 'acquire'>,
    clock: Clock,
    options: { readonly onError: (error: unknown) => void; readonly accountsMax?: number },
  ) {
    this.#owner = owner;
    this.#store = store;
    this.#clock = clock;
    this.#onError = options.onError;
    this.#accountsMax = options.accountsMax ?? ACCOUNTS_MAX;
  }

  /** So full that what is idle has to leave at once: callers that name their own users open accounts at will. */
  get crowded(): boolean {
    return this.#accounts.size * 2 > this.#accountsMax;
  }

  /**
   * The account of this spec, made on first use. A plan change arrives as a spec with another allowance. Beyond
   * the bound a new account is not kept: nothing can be held in it, and who waits for it is told `unavailable`.
   */
  find(spec: AccountSpec): LeaseAccount {
    const account = this.#accounts.get(spec.id);
    if (account === undefined) return this.#open(spec);
    if (account.spec === spec) return account;
    if (account.spec.allowance !== spec.allowance) account.adopt(spec);
    // Another time zone: the same window under the same name ends at another moment.
    else if (account.spec.windowEndsAt !== spec.windowEndsAt) account.spec = spec;
    else if (account.spec.slidingMs !== spec.slidingMs) account.spec = spec;
    return account;
  }

  get(id: string): LeaseAccount | undefined {
    return this.#accounts.get(id);
  }

  at(index: number): LeaseAccount | undefined {
    return this.#byIndex.get(index);
  }

  all(): IterableIterator<LeaseAccount> {
    return this.#accounts.values();
  }

  /** Takes an idle account out: a later request opens a new lease. */
  remove(account: LeaseAccount): void {
    this.#accounts.delete(account.spec.id);
    this.#byIndex.delete(account.index);
  }

  /**
   * Asks for a bigger slice before the present one is used up: at once where slices do not last, with the next
   * round of settlement where they do, so that a thousand quiet accounts are not a thousand transactions.
   */
  growAhead(account: LeaseAccount): void {
    // A slot that is kept ahead here is one that another process has to ask back.
    if (account.short || account.isSlot || account.left * 2 >= account.want) return;
    if (!this.#enlist(account)) return;
    if (this.#clock.monotonicMs() - account.lastGrownAt < BUSY_MS) this.growNow();
  }

  /** Asks for all slices that are due. */
  growNow(): void {
    if (this.#toGrow.length > 0) this.#flushing ??= this.#flush();
  }

  /** Asks for the first slice of an account that a request is about to wait for: all of its accounts in one message. */
  prefetch(account: LeaseAccount, amount: number): void {
    if (account.known || account.index === NO_LEASE) return;
    account.lastAmount = amount;
    this.#grow(account);
  }

  /** Resolves when the amount is free here, or says why it never will be (DESIGN 5 "slow path"). */
  waitFor(account: LeaseAccount, wait: Wait): Promise<WaitOutcome> {
    const known = this.judgeAtOnce(account, wait.amount);
    if (known !== undefined) return Promise.resolve(known);
    const full = account.waiters.length >= WAITERS_PER_ACCOUNT_MAX || this.#waiting >= WAITERS_MAX;
    if (full || this.#stopped || account.index === NO_LEASE || wait.signal.aborted) {
      return Promise.resolve(UNAVAILABLE);
    }
    return new Promise((resolve) => {
      this.#enqueue(account, wait, resolve);
      this.#grow(account);
    });
  }

  /** What this process can tell without asking: it was told so just now, or has all there is under open holds. */
  judgeAtOnce(account: LeaseAccount, amount: number): ShortWait | undefined {
    if (amount > account.goneAbove && this.#clock.monotonicMs() < account.goneUntil) {
      return { kind: 'short', cause: 'gone', held: account.held };
    }
    if (!account.isSlot || amount <= account.spec.allowance - account.held) return undefined;
    return { kind: 'short', cause: 'held', held: account.held };
  }

  /** Units came free in this process. */
  wakeWaiters(account: LeaseAccount): void {
    let room = account.left;
    // Two holds must not be promised the same units, hence the running remainder.
    for (const waiter of [...account.waiters]) {
      if (waiter.amount > room) continue;
      // Whoever is of less use takes all it can get.
      room -= Math.min(waiter.want, room);
      waiter.wake(READY);
    }
  }

  /** A sync that handed units back has been answered: growth may go on. */
  resumeGrowth(account: LeaseAccount): void {
    account.handingBack = false;
    if (account.waiters.length > 0) this.#grow(account);
  }

  /** No more waiting and growing; resolves once the growth under way has been heard of. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const account of this.#accounts.values()) failWaiters(account);
    for (const account of this.#toGrow) account.growing = false;
    this.#toGrow = [];
    await this.#flushing;
  }

  #open(spec: AccountSpec): LeaseAccount {
    if (this.#accounts.size >= this.#accountsMax) {
      return new LeaseAccount(spec, NO_LEASE, this.#clock.monotonicMs());
    }
    this.#lastIndex += 1;
    const account = new LeaseAccount(spec, this.#lastIndex, this.#clock.monotonicMs());
    this.#accounts.set(spec.id, account);
    this.#byIndex.set(account.index, account);
    return account;
  }

  #enqueue(account: LeaseAccount, wait: Wait, resolve: (outcome: WaitOutcome) => void): void {
    const leave = (outcome: WaitOutcome): void => {
      const position = account.waiters.indexOf(waiter);
      if (position < 0) return;
      account.waiters.splice(position, 1);
      this.#waiting -= 1;
      clearTimeout(timer);
      wait.signal.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    const onAbort = (): void => leave(UNAVAILABLE);
    const waiter: Waiter = {
      amount: wait.amount,
      want: wait.want ?? wait.amount,
      own: wait.own ?? 0,
      deadline: wait.deadline,
      hearing: wait.hearing ?? { rounds: 0, askedIn: 0, heard: false },
      wake: leave,
    };
    // Growth rounds decide at the deadline; this fires only when the store does not answer at all.
    const silentMs = wait.deadline - this.#clock.monotonicMs() + RETRY_MOST_MS * 2;
    // One look at what has arrived comes first: in a process that had no turn for long the answer may lie there.
    const timer = setTimeout(() => setImmediate(onAbort), Math.max(0, silentMs));
    wait.signal.addEventListener('abort', onAbort, { once: true });
    account.waiters.push(waiter);
    this.#waiting += 1;
  }

  #grow(account: LeaseAccount): void {
    if (account.growing || this.#enlist(account)) this.growNow();
  }

  /** False = it is under way, or cannot be now. */
  #enlist(account: LeaseAccount): boolean {
    if (account.growing || account.handingBack || this.#stopped) return false;
    if (account.mustReturn(this.#clock.now())) {
      // A slice that no longer counts must go back before more is taken; the next settlement does it and grows.
      account.recalled = true;
      return false;
    }
    account.growing = true;
    this.#toGrow.push(account);
    return true;
  }

  async #flush(): Promise<void> {
    // One message to the store for all accounts that come up in this turn of the loop.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#toGrow.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- a second message before the first answer would only queue in the store
      await this.#acquire(this.#takeBatch());
    }
    // In the same turn as the last look: who comes later starts anew and is not forgotten.
    this.#flushing = undefined;
  }

  #takeBatch(): readonly Asked[] {
    const batch = this.#toGrow.splice(0, GROWTH_BATCH_MAX);
    return batch.map((account) => ({ account, request: this.#requestFor(account) }));
  }

  /** What the store finds wrong with one of them is not the trouble of the others: those are asked for without it. */
  async #acquire(asked: readonly Asked[]): Promise<void> {
    const requests = asked.map(({ request }) => request);
    const charged = asked.map(({ account }) => account.sentCharged);
    try {
      const results = await this.#store.acquire(this.#owner, requests, this.#clock.now());
      for (const [position, { account }] of asked.entries()) {
        this.#apply(account, results[position], charged[position] ?? 0);
      }
    } catch (error) {
      if (asked.length > 1 && isOfOneRequest(error)) {
        const half = Math.ceil(asked.length / 2);
        await this.#acquire(asked.slice(0, half));
        await this.#acquire(asked.slice(half));
        return;
      }
      for (const { account } of asked) this.#apply(account, undefined, 0);
      this.#onError(error);
    }
  }

  #requestFor(account: LeaseAccount): AcquireRequest {
    const first = account.waiters[0];
    const wanted = account.waiters.reduce((sum, waiter) => sum + waiter.want, 0);
    // Growing ahead takes whatever there is; only somebody who waits needs a certain amount.
    const need = first === undefined ? 1 : Math.max(1, first.amount - account.left);
    const common = {
      index: account.index,
      account: account.spec,
      grantedBefore: account.granted,
      need,
      ask: this.#askNewly(account),
    };
    const least = Math.min(Math.max(need, wanted - account.left), Number.MAX_SAFE_INTEGER);
    if (account.isSlot) return { ...common, want: least, takesAll: true };
    const monotonicMs = this.#clock.monotonicMs();
    const elapsedMs = monotonicMs - account.lastGrownAt;
    const each = first?.want ?? Math.max(1, account.lastAmount);
    const want = Math.max(each * WANT_FIRST, adaptWant(account.want, elapsedMs));
    if (!account.short) account.want = Math.min(want, WANT_MAX);
    account.lastGrownAt = monotonicMs;
    return { ...common, want: Math.max(least, account.want) };
  }

  /** Who began to wait since the holders were last asked wants to hear from them anew; not everybody by itself. */
  #askNewly(account: LeaseAccount): boolean {
    let isNew = false;
    for (const { hearing } of account.waiters) {
      hearing.rounds += 1;
      isNew ||= hearing.askedIn === 0;
    }
    const monotonicMs = this.#clock.monotonicMs();
    if (!isNew || monotonicMs - account.askedAt < ASK_PAUSE_MS) return false;
    account.askedAt = monotonicMs;
    for (const { hearing } of account.waiters) {
      if (hearing.askedIn === 0) hearing.askedIn = hearing.rounds;
    }
    return true;
  }

  #apply(account: LeaseAccount, result: AcquireResult | undefined, chargedThen: number): void {
    account.growing = false;
    if (result === undefined) {
      account.isInDoubt = true;
      failWaiters(account);
      return;
    }
    account.known = true;
    account.short = result.granted <= account.granted;
    if (!account.short && !account.isSlot) forgetAsking(account);
    account.granted = result.granted;
    account.usableUntil = result.usableUntil ?? Number.POSITIVE_INFINITY;
    account.resetsAt = result.resetsAt;
    account.learn(result.account, chargedThen);
    this.wakeWaiters(account);
    this.#judgeWaiters(account, result);
    if (account.waiters.length === 0) account.retryMs = 0;
    else this.#askAgain(account);
  }

  /** What is left of the queue after a round: gone, out of time, or worth another round. */
  #judgeWaiters(account: LeaseAccount, result: AcquireResult): void {
    const monotonicMs = this.#clock.monotonicMs();
    const atStore = Math.max(
      0,
      result.account.allowance - result.account.spent - result.account.reserved,
    );
    const elsewhere = result.recalling + result.heldElsewhere;
    const alive = atStore + elsewhere + account.left + account.held;
    const reachable = alive + result.stranded;
    for (const waiter of [...account.waiters]) {
      const late = monotonicMs >= waiter.deadline;
      // A refusal shows exact numbers, so the others are heard first; they answer with their next settlement.
      const { hearing } = waiter;
      hearing.heard ||= hasHeard(hearing, result);
      const isHeld = waiter.amount <= alive && waiter.amount > atStore + account.left;
      if (account.isSlot && hearing.heard && isHeld) {
        // Calls may last for minutes: nobody waits for their end.
        waiter.wake({ kind: 'short', cause: 'held', held: account.held + result.heldElsewhere });
      } else if (waiter.amount > reachable - waiter.own && (hearing.heard || late)) {
        account.goneAbove = reachable;
        account.goneUntil = monotonicMs + goneMs(result, this.#clock.now());
        waiter.wake({ kind: 'short', cause: 'gone', held: account.held + result.heldElsewhere });
      } else if (late) {
        // Others are asked again and again; who answered once and owes an answer now still holds, as far as we know.
        const unheard = hearing.heard ? 0 : result.recalling;
        waiter.wake({
          kind: 'short',
          cause: causeOf(waiter.amount, alive, unheard, atStore),
          held: account.held + elsewhere - unheard,
        });
      }
    }
  }

  #askAgain(account: LeaseAccount): void {
    account.retryMs = Math.min(RETRY_MOST_MS, Math.max(RETRY_FIRST_MS, account.retryMs * 2));
    setTimeout(() => {
      // Whoever waited may be served by now: a slice that nobody asked for would show as held.
      if (account.waiters.length > 0) this.#grow(account);
    }, account.retryMs);
  }
}

/** Towards a slice that lasts between BUSY_MS and QUIET_MS: big enough to be rare, small enough to lose little. */
function adaptWant(want: number, elapsedMs: number): number {
  if (elapsedMs < BUSY_MS) return want * 2;
  return elapsedMs > QUIET_MS ? Math.floor(want / 2) : want;
}

function failWaiters(account: LeaseAccount): void {
  for (const waiter of [...account.waiters]) waiter.wake(UNAVAILABLE);
}

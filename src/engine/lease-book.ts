import type { AccountSpec } from '../domain/accounts.ts';
import type { Clock } from '../platform/clock.ts';
import type { AcquireRequest, AcquireResult, LedgerStore } from '../stores/store.ts';
import { LeaseAccount, type Waiter, type WaitOutcome } from './lease-account.ts';

const GROWTH_BATCH_MAX = 1000;
const WAITERS_PER_ACCOUNT_MAX = 1000;
const WAITERS_MAX = 10_000;
const ACCOUNTS_MAX = 200_000;
/** How long "gone" is answered from memory. A change of the account ends it at once. */
const GONE_MS = 250;
/** Growing again sooner than this doubles the slice; later than QUIET_MS halves it. */
const BUSY_MS = 250;
const QUIET_MS = 1000;
/** A slice begins with this many calls like the first, and doubles while the account is busy. */
const WANT_FIRST = 8;
const WANT_MAX = 2 ** 50;
const RETRY_FIRST_MS = 5;
const RETRY_MOST_MS = 50;
const READY: WaitOutcome = { kind: 'ready' };
const UNAVAILABLE: WaitOutcome = { kind: 'short', cause: 'unavailable', held: 0 };

/** The slices of this process, how they grow, and who waits for them. */
export class LeaseBook {
  readonly #owner: string;
  readonly #store: Pick<LedgerStore, 'acquire'>;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
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
    onError: (error: unknown) => void,
  ) {
    this.#owner = owner;
    this.#store = store;
    this.#clock = clock;
    this.#onError = onError;
  }

  /** The account of this spec, made on first use. A plan change arrives as a spec with another allowance. */
  find(spec: AccountSpec): LeaseAccount {
    const account = this.#accounts.get(spec.id);
    if (account === undefined) return this.#open(spec);
    if (account.spec.allowance !== spec.allowance) account.adopt(spec);
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

  /** Asks for a bigger slice before the present one is used up. */
  growAhead(account: LeaseAccount): void {
    if (!account.short && account.left * 2 < account.want) this.#grow(account);
  }

  /** Resolves when `amount` is free here, or says why it never will be (DESIGN 5 "slow path"). */
  waitFor(
    account: LeaseAccount,
    amount: number,
    deadline: number,
    signal: AbortSignal,
  ): Promise<WaitOutcome> {
    const monotonicMs = this.#clock.monotonicMs();
    if (amount > account.goneAbove && monotonicMs < account.goneUntil) {
      return Promise.resolve({ kind: 'short', cause: 'gone', held: account.held });
    }
    const full = account.waiters.length >= WAITERS_PER_ACCOUNT_MAX || this.#waiting >= WAITERS_MAX;
    if (full || this.#stopped || this.#accounts.size > ACCOUNTS_MAX || signal.aborted) {
      return Promise.resolve(UNAVAILABLE);
    }
    return new Promise((resolve) => {
      this.#enqueue(account, { amount, deadline, signal, resolve });
      this.#grow(account);
    });
  }

  /** Units came free in this process. */
  wakeWaiters(account: LeaseAccount): void {
    let room = account.left;
    // Two holds must not be promised the same units, hence the running remainder.
    for (const waiter of [...account.waiters]) {
      if (waiter.amount > room) continue;
      room -= waiter.amount;
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
    await this.#flushing;
  }

  #open(spec: AccountSpec): LeaseAccount {
    this.#lastIndex += 1;
    const account = new LeaseAccount(spec, this.#lastIndex, this.#clock.monotonicMs());
    this.#accounts.set(spec.id, account);
    this.#byIndex.set(account.index, account);
    return account;
  }

  #enqueue(
    account: LeaseAccount,
    entry: {
      amount: number;
      deadline: number;
      signal: AbortSignal;
      resolve: (outcome: WaitOutcome) => void;
    },
  ): void {
    const leave = (outcome: WaitOutcome): void => {
      const position = account.waiters.indexOf(waiter);
      if (position < 0) return;
      account.waiters.splice(position, 1);
      this.#waiting -= 1;
      clearTimeout(timer);
      entry.signal.removeEventListener('abort', onAbort);
      entry.resolve(outcome);
    };
    const onAbort = (): void => leave(UNAVAILABLE);
    const waiter: Waiter = {
      amount: entry.amount,
      deadline: entry.deadline,
      heard: false,
      wake: leave,
    };
    // Growth rounds decide at the deadline; this fires only when the store does not answer at all.
    const silentMs = entry.deadline - this.#clock.monotonicMs() + RETRY_MOST_MS * 2;
    // One look at what has arrived comes first: in a process that had no turn for long the answer may lie there.
    const timer = setTimeout(() => setImmediate(onAbort), Math.max(0, silentMs));
    entry.signal.addEventListener('abort', onAbort, { once: true });
    account.waiters.push(waiter);
    this.#waiting += 1;
  }

  #grow(account: LeaseAccount): void {
    if (account.growing || account.handingBack || this.#stopped) return;
    if ((account.stale || this.#clock.now() >= account.usableUntil) && account.left > 0) {
      // A slice that no longer counts must go back before more is taken; the next settlement does it and grows.
      account.recalled = true;
      return;
    }
    account.growing = true;
    this.#toGrow.push(account);
    this.#flushing ??= this.#flush();
  }

  async #flush(): Promise<void> {
    // One message to the store for all accounts that come up in this turn of the loop.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#toGrow.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- a second message before the first answer would only queue in the store
      await this.#acquire(this.#toGrow.splice(0, GROWTH_BATCH_MAX));
    }
    // In the same turn as the last look: who comes later starts anew and is not forgotten.
    this.#flushing = undefined;
  }

  async #acquire(batch: readonly LeaseAccount[]): Promise<void> {
    const requests = batch.map((account) => this.#requestFor(account));
    const charged = batch.map((account) => account.sentCharged);
    try {
      const results = await this.#store.acquire(this.#owner, requests, this.#clock.now());
      batch.forEach((account, position) =>
        this.#apply(account, results[position], charged[position] ?? 0),
      );
    } catch (error) {
      for (const account of batch) {
        account.growing = false;
        failWaiters(account);
      }
      this.#onError(error);
    }
  }

  #requestFor(account: LeaseAccount): AcquireRequest {
    const monotonicMs = this.#clock.monotonicMs();
    const first = account.waiters[0]?.amount ?? Math.max(1, account.lastAmount);
    const wanted = account.waiters.reduce((sum, waiter) => sum + waiter.amount, 0);
    const elapsedMs = monotonicMs - account.lastGrownAt;
    if (!account.short)
      account.want = Math.max(first * WANT_FIRST, adaptWant(account.want, elapsedMs));
    account.lastGrownAt = monotonicMs;
    // Growing ahead takes whatever there is; only somebody who waits needs a certain amount.
    const need = account.waiters.length === 0 ? 1 : Math.max(1, first - account.left);
    return {
      index: account.index,
      account: account.spec,
      grantedBefore: account.granted,
      need,
      want: Math.max(need, account.want, wanted - account.left),
    };
  }

  #apply(account: LeaseAccount, result: AcquireResult | undefined, chargedThen: number): void {
    account.growing = false;
    if (result === undefined) {
      failWaiters(account);
      return;
    }
    account.known = true;
    account.short = result.granted <= account.granted;
    account.granted = result.granted;
    account.usableUntil = result.usableUntil ?? Number.POSITIVE_INFINITY;
    account.learn(result.account, chargedThen);
    this.wakeWaiters(account);
    if (account.waiters.length > 0) this.#judgeWaiters(account, result);
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
    // A refusal shows exact numbers, so the others are heard first; they answer with their next settlement.
    const heard = result.recalling === 0;
    for (const waiter of [...account.waiters]) {
      const late = monotonicMs >= waiter.deadline;
      waiter.heard ||= heard;
      if (waiter.amount > reachable && (heard || late)) {
        account.goneAbove = reachable;
        account.goneUntil = monotonicMs + GONE_MS;
        waiter.wake({ kind: 'short', cause: 'gone', held: account.held + result.heldElsewhere });
      } else if (late) {
        // Others are asked again and again; who answered once and owes an answer now still holds, as far as we know.
        const unheard = waiter.heard ? 0 : result.recalling;
        waiter.wake({
          kind: 'short',
          cause: causeOf(waiter.amount, alive, unheard),
          held: account.held + elsewhere - unheard,
        });
      }
    }
    if (account.waiters.length === 0) return;
    account.retryMs = Math.min(RETRY_MOST_MS, Math.max(RETRY_FIRST_MS, account.retryMs * 2));
    setTimeout(() => {
      // Whoever waited may be served by now: a slice that nobody asked for would show as held.
      if (account.waiters.length > 0) this.#grow(account);
    }, account.retryMs);
  }
}

/** Why a second was not enough. A slice that a live process has not handed back yet is our trouble, not the caller's. */
function causeOf(
  amount: number,
  alive: number,
  unheard: number,
): 'stranded' | 'unavailable' | 'held' {
  if (amount > alive) return 'stranded';
  return amount > alive - unheard ? 'unavailable' : 'held';
}

/** Towards a slice that lasts between a quarter of a second and one: big enough to be rare, small enough to lose little. */
function adaptWant(want: number, elapsedMs: number): number {
  if (elapsedMs < BUSY_MS) return Math.min(want * 2, WANT_MAX);
  return elapsedMs > QUIET_MS ? Math.floor(want / 2) : want;
}

function failWaiters(account: LeaseAccount): void {
  for (const waiter of [...account.waiters]) waiter.wake(UNAVAILABLE);
}

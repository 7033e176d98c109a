import type { AccountSpec } from '../domain/accounts.ts';
import type { Clock } from '../platform/clock.ts';
import { waitAtMost } from '../platform/wait-at-most.ts';
import type { AccountNumbers, Change, LedgerStore, Overrun, RateStore } from '../stores/store.ts';
import { Charges } from './charges.ts';
import {
  type Engine,
  type ExtendOutcome,
  type Hold,
  type Need,
  type RateNeed,
  type ReserveOutcome,
  type ShortOutcome,
  UNAVAILABLE,
} from './engine.ts';
import { Journal } from './journal.ts';
import type { Hearing, LeaseAccount } from './lease-account.ts';
import { LeaseBook } from './lease-book.ts';
import { asLedgerHold, LedgerHold } from './ledger-hold.ts';
import { findReady, firstLacking, hasEnded, prefetch } from './needs.ts';
import { type RateRefusal, RateSlices } from './rate-slices.ts';
import { Securing } from './securing.ts';
import { Settler } from './settler.ts';

/** Longest a request waits for money before it is told no (DESIGN 5). */
const WAIT_MS_MAX = 1000;

export interface LedgerEngineOptions {
  /** Id of this process incarnation; never reused. */
  readonly owner: string;
  /** What this machine calls itself: who looks for an owner that is silent looks there. */
  readonly machine?: string | undefined;
  /** Directory of the journals, local to this machine. */
  readonly journalDirectory: string;
  readonly store: LedgerStore & RateStore;
  /** Where the buckets of protective limits are. Default: the store. */
  readonly rates?: RateStore | undefined;
  readonly clock: Clock;
  readonly events: {
    readonly onFenced: () => void;
    readonly onChanges: (changes: readonly Change[]) => void;
    readonly onError: (error: unknown) => void;
    readonly onOverrun: (overrun: Overrun) => void;
    /** Its caller was told 503, or broken off, and it is charged all the same (commit-before-serve). */
    readonly onUnserved?: (requestId: string) => void;
  };
}

/** The engine on leases: decisions in memory, charges in the journal, books in the store (DESIGN 5). */
export class LedgerEngine implements Engine {
  readonly #clock: Clock;
  readonly #book: LeaseBook;
  readonly #rates: RateSlices;
  readonly #journal: Journal;
  readonly #settler: Settler;
  readonly #charges: Charges;
  readonly #securing: Securing;
  readonly #events: LedgerEngineOptions['events'];

  private constructor(options: LedgerEngineOptions) {
    const { owner, store, clock } = options;
    this.#clock = clock;
    this.#events = options.events;
    this.#book = new LeaseBook(owner, store, clock, options.events);
    this.#rates = new RateSlices(options.rates ?? store, clock);
    this.#journal = new Journal(options.journalDirectory, owner);
    const events = {
      onFenced: options.events.onFenced,
      onError: options.events.onError,
      onChanges: (changes: readonly Change[]) => this.#hear(changes),
    };
    this.#settler = new Settler({
      owner,
      store,
      clock,
      book: this.#book,
      journal: this.#journal,
      events,
    });
    const parts = { journal: this.#journal, book: this.#book, settler: this.#settler, clock };
    this.#charges = new Charges(parts, options.events);
    const onUnserved = options.events.onUnserved ?? (() => undefined);
    this.#securing = new Securing({ ...parts, charges: this.#charges, onUnserved });
  }

  /** Registers the incarnation at the store and starts settling. */
  static async open(options: LedgerEngineOptions): Promise<LedgerEngine> {
    await options.store.openOwner(options.owner, options.clock.now(), options.machine);
    const engine = new LedgerEngine(options);
    engine.#settler.start();
    return engine;
  }

  get openHolds(): number {
    return this.#charges.openHolds;
  }

  tryReserve(
    requestId: string,
    needs: readonly Need[],
    rates: readonly RateNeed[],
  ): Hold | undefined {
    return this.#take({ requestId, needs, rates }, false);
  }

  refuseAtOnce(needs: readonly Need[]): ShortOutcome | undefined {
    if (hasEnded(needs, this.#clock.now())) return undefined;
    const index = firstLacking(this.#book, needs, this.#clock.now(), false);
    const need = needs[index];
    if (need === undefined) return undefined;
    const account = this.#book.find(need.account);
    const known = this.#book.judgeAtOnce(account, need.least ?? need.amount);
    if (known === undefined) return undefined;
    const { cause, held } = known;
    return { kind: 'short', index, cause, numbers: account.currentNumbers(), held };
  }

  async reserve(
    requestId: string,
    needs: readonly Need[],
    rates: readonly RateNeed[],
    signal: AbortSignal,
  ): Promise<ReserveOutcome> {
    const patience: Patience = {
      deadline: this.#clock.monotonicMs() + WAIT_MS_MAX,
      signal,
      hearings: new Map(),
    };
    let queued = false;
    for (;;) {
      if (this.#charges.isResting) return UNAVAILABLE;
      if (hasEnded(needs, this.#clock.now())) return { kind: 'stale' };
      const hold = this.#take({ requestId, needs, rates }, queued);
      if (hold !== undefined) return { kind: 'held', hold };
      prefetch(this.#book, needs);
      const index = firstLacking(this.#book, needs, this.#clock.now(), queued);
      if (index < 0) {
        // oxlint-disable-next-line no-await-in-loop -- each round waits for what the last one found missing
        const refused = await this.#fillRates(rates, patience.deadline);
        if (refused !== undefined) return refused;
        queued = false;
        continue;
      }
      // oxlint-disable-next-line no-await-in-loop -- each round waits for what the last one found missing
      const short = await this.#waitFor(needs, index, patience);
      if (short !== undefined) return short;
      queued = true;
    }
  }

  extend(hold: Hold, more: readonly number[], least = more): boolean {
    const own = asLedgerHold(hold);
    if (own.state !== 'held' || !own.grow(more, least, this.#clock.now())) return false;
    for (let i = 0; i < own.accounts.length; i += 1) {
      const account = own.accounts[i];
      if (account !== undefined && (more[i] ?? 0) > 0) this.#book.growAhead(account);
    }
    return true;
  }

  async extendSlowly(
    hold: Hold,
    more: readonly number[],
    signal: AbortSignal,
  ): Promise<ExtendOutcome> {
    const own = asLedgerHold(hold);
    const deadline = this.#clock.monotonicMs() + WAIT_MS_MAX;
    while (own.state === 'held') {
      if (this.extend(hold, more)) return 'grown';
      if (this.#clock.monotonicMs() >= deadline) return 'unavailable';
      const index = own.accounts.findIndex((account, i) => account.left < (more[i] ?? 0));
      const account = own.accounts[index];
      // Enough is here, yet may not be used: money that has expired.
      if (account === undefined) return 'gone';
      // oxlint-disable-next-line no-await-in-loop -- each round waits for what the last one found missing
      const outcome = await this.#book.waitFor(account, {
        amount: more[index] ?? 0,
        own: own.amounts[index] ?? 0,
        deadline,
        signal,
      });
      if (outcome.kind === 'ready') continue;
      // What others hold is not there for a stream, which cannot wait for the end of their calls.
      return outcome.cause === 'gone' || outcome.cause === 'held' ? 'gone' : 'unavailable';
    }
    return 'gone';
  }

  capture(hold: Hold, amounts: readonly number[]): readonly number[] | undefined {
    return this.#charges.resolve(asLedgerHold(hold), amounts, 'charge');
  }

  progress(hold: Hold, amounts: readonly number[]): boolean {
    return this.#charges.progress(asLedgerHold(hold), amounts);
  }

  finish(hold: Hold, amounts: readonly number[]): readonly number[] | undefined {
    return this.#charges.resolve(asLedgerHold(hold), amounts, 'done');
  }

  release(hold: Hold): void {
    this.#charges.release(asLedgerHold(hold));
  }

  readonly secureCharge: Engine['secureCharge'] = (...args) => this.#securing.charge(...args);

  readonly secureProgress: Engine['secureProgress'] = (...args) => this.#securing.progress(...args);

  takeToken(rate: RateNeed): number | Promise<number> {
    if (this.#rates.ready([rate], this.#clock.monotonicMs())) {
      this.#rates.take([rate]);
      return 0;
    }
    return this.#fillAndTake(rate);
  }

  spare(account: AccountSpec): number {
    const own = this.#book.get(account.id);
    if (own === undefined || this.#clock.now() >= own.usableUntil) return 0;
    return Math.max(0, own.left);
  }

  peek(account: AccountSpec): AccountNumbers | undefined {
    return this.#book.get(account.id)?.currentNumbers();
  }

  readonly askRate: Engine['askRate'] = (rate) => this.#rates.ask(rate);

  peekRate(rate: RateNeed): number | undefined {
    return this.#rates.remaining(rate, this.#clock.monotonicMs());
  }

  /** Where the buckets are has changed: who was refused asks again. */
  forgetRateRefusals(): void {
    this.#rates.forgetRefusals();
  }

  /** Settles at once: before a page shows exact numbers. */
  settleNow(): Promise<void> {
    return this.#settler.settleNow();
  }

  /** Refuses new holds' waits, settles, hands everything back and ends the incarnation. Open holds must be gone. */
  async close(): Promise<void> {
    await this.#book.stop();
    this.#charges.stop();
    await this.#settler.stop();
    this.#journal.retire();
  }

  #take(request: ReserveRequest, queued: boolean): LedgerHold | undefined {
    const { needs, rates } = request;
    if (this.#charges.isResting) return undefined;
    const accounts = findReady(this.#book, needs, this.#clock.now(), queued);
    if (accounts === undefined) return undefined;
    const monotonicMs = this.#clock.monotonicMs();
    if (rates.length > 0) {
      if (!this.#rates.ready(rates, monotonicMs)) return undefined;
      this.#rates.take(rates);
    }
    const hold = new LedgerHold(request.requestId, needs, accounts, monotonicMs);
    for (let i = 0; i < accounts.length; i += 1) {
      const account = accounts[i];
      if (account !== undefined) this.#book.growAhead(account);
    }
    this.#charges.noteHeld();
    return hold;
  }

  async #waitFor(
    needs: readonly Need[],
    index: number,
    { deadline, signal, hearings }: Patience,
  ): Promise<ReserveOutcome | undefined> {
    const need = needs[index];
    if (need === undefined) return undefined;
    const account = this.#book.find(need.account);
    const hearing = hearings.get(index) ?? { rounds: 0, askedIn: 0, heard: false };
    hearings.set(index, hearing);
    const amount = need.least ?? need.amount;
    const wait = { amount, want: need.amount, deadline, signal, hearing };
    const outcome = await this.#book.waitFor(account, wait);
    if (outcome.kind === 'ready') return undefined;
    const numbers = outcome.cause === 'unavailable' ? undefined : account.currentNumbers();
    return { kind: 'short', index, cause: outcome.cause, numbers, held: outcome.held };
  }

  async #fillRates(rates: readonly RateNeed[], deadline: number) {
    try {
      const refused = await this.#askForTokens(rates, deadline);
      return refused === undefined ? undefined : ({ kind: 'limited', ...refused } as const);
    } catch (error) {
      this.#events.onError(error);
      return UNAVAILABLE;
    }
  }

  #askForTokens(rates: readonly RateNeed[], deadline: number): Promise<RateRefusal | undefined> {
    const leftMs = Math.max(0, deadline - this.#clock.monotonicMs());
    return waitAtMost(this.#rates.fill(rates), leftMs, 'asking for tokens of a rate limit');
  }

  async #fillAndTake(rate: RateNeed): Promise<number> {
    const deadline = this.#clock.monotonicMs() + WAIT_MS_MAX;
    while (!this.#rates.ready([rate], this.#clock.monotonicMs())) {
      // oxlint-disable-next-line no-await-in-loop -- others may take what one round brought
      const refused = await this.#askForTokens([rate], deadline);
      if (refused !== undefined) return refused.retryAfterMs;
    }
    this.#rates.take([rate]);
    return 0;
  }

  /** News from the store: answers kept in memory that may no longer hold are dropped. */
  #hear(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'rates') this.#rates.forgetRefusals();
      if (change.kind === 'account') this.#refresh(this.#book.get(change.id));
      if (change.kind === 'tenant') this.#refreshTenant(change.id);
    }
    this.#events.onChanges(changes);
  }

  #refreshTenant(tenantId: string): void {
    for (const account of this.#book.all()) {
      if (account.spec.tenantId === tenantId) account.recalled = true;
    }
    this.#rates.forgetRefusals();
  }

  #refresh(account: LeaseAccount | undefined): void {
    if (account === undefined) return;
    account.goneUntil = 0;
    account.short = false;
  }
}

/** How long a request waits, and what it has heard meanwhile of which of its needs. */
interface Patience {
  /** Monotonic milliseconds. */
  readonly deadline: number;
  readonly signal: AbortSignal;
  readonly hearings: Map<number, Hearing>;
}

/** A request that wants to set money aside. */
interface ReserveRequest {
  readonly requestId: string;
  readonly needs: readonly Need[];
  readonly rates: readonly RateNeed[];
}

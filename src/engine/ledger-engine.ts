import type { AccountSpec } from '../domain/accounts.ts';
import { HOLD_TRANSITIONS, type HoldEvent, type HoldState } from '../domain/hold.ts';
import type { Clock } from '../platform/clock.ts';
import type { AccountNumbers, Change, LedgerStore, Overrun } from '../stores/store.ts';
import type { Engine, Hold, Need, RateNeed, ReserveOutcome } from './engine.ts';
import { type GroupKind, Journal } from './journal.ts';
import type { LeaseAccount } from './lease-account.ts';
import { LeaseBook } from './lease-book.ts';
import { RateSlices } from './rate-slices.ts';
import { Settler } from './settler.ts';

/** Longest a request waits for money before it is told no (DESIGN 5). */
const WAIT_MS_MAX = 1000;

export interface LedgerEngineOptions {
  /** Id of this process incarnation; never reused. */
  readonly owner: string;
  /** Directory of the journals, local to this machine. */
  readonly journalDirectory: string;
  readonly store: LedgerStore;
  readonly clock: Clock;
  readonly events: {
    readonly onFenced: () => void;
    readonly onChanges: (changes: readonly Change[]) => void;
    readonly onError: (error: unknown) => void;
    readonly onOverrun: (overrun: Overrun) => void;
  };
}

class LedgerHold implements Hold {
  readonly requestId: string;
  readonly needs: readonly Need[];
  readonly accounts: readonly LeaseAccount[];
  readonly amounts: number[];
  state: HoldState = 'held';
  /** Journal segment of the first PROGRESS, or 0. */
  segment = 0;
  /** Last amounts written as PROGRESS. */
  progressed: readonly number[] | undefined;

  constructor(requestId: string, needs: readonly Need[], accounts: readonly LeaseAccount[]) {
    this.requestId = requestId;
    this.needs = needs;
    this.accounts = accounts;
    this.amounts = needs.map((need) => need.amount);
  }
}

/** The engine on leases: decisions in memory, charges in the journal, books in the store (DESIGN 5). */
export class LedgerEngine implements Engine {
  readonly #clock: Clock;
  readonly #book: LeaseBook;
  readonly #rates: RateSlices;
  readonly #journal: Journal;
  readonly #settler: Settler;
  readonly #events: LedgerEngineOptions['events'];
  #openHolds = 0;
  #journalBroken = false;

  private constructor(options: LedgerEngineOptions) {
    const { owner, store, clock } = options;
    this.#clock = clock;
    this.#events = options.events;
    this.#book = new LeaseBook(owner, store, clock, options.events.onError);
    this.#rates = new RateSlices(store, clock);
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
  }

  /** Registers the incarnation at the store and starts settling. */
  static async open(options: LedgerEngineOptions): Promise<LedgerEngine> {
    await options.store.openOwner(options.owner, options.clock.now());
    const engine = new LedgerEngine(options);
    engine.#settler.start();
    return engine;
  }

  get openHolds(): number {
    return this.#openHolds;
  }

  tryReserve(
    requestId: string,
    needs: readonly Need[],
    rates: readonly RateNeed[],
  ): Hold | undefined {
    return this.#take({ requestId, needs, rates, queued: false });
  }

  async reserve(
    requestId: string,
    needs: readonly Need[],
    rates: readonly RateNeed[],
    signal: AbortSignal,
  ): Promise<ReserveOutcome> {
    const deadline = this.#clock.monotonicMs() + WAIT_MS_MAX;
    let queued = false;
    for (;;) {
      const hold = this.#take({ requestId, needs, rates, queued });
      if (hold !== undefined) return { kind: 'held', hold };
      const index = this.#firstLacking(needs, queued);
      if (index < 0) {
        // oxlint-disable-next-line no-await-in-loop -- each round waits for what the last one found missing
        const refused = await this.#fillRates(rates);
        if (refused !== undefined) return refused;
        queued = false;
        continue;
      }
      // oxlint-disable-next-line no-await-in-loop -- as above
      const short = await this.#waitFor(needs, index, deadline, signal);
      if (short !== undefined) return short;
      queued = true;
    }
  }

  extend(hold: Hold, more: readonly number[]): boolean {
    const own = asLedgerHold(hold);
    if (own.state !== 'held') return false;
    const nowMs = this.#clock.now();
    if (
      !own.accounts.every(
        (account, i) => nowMs < account.usableUntil && account.left >= (more[i] ?? 0),
      )
    )
      return false;
    own.accounts.forEach((account, i) => {
      account.held += more[i] ?? 0;
      own.amounts[i] = (own.amounts[i] ?? 0) + (more[i] ?? 0);
      if ((more[i] ?? 0) > 0) this.#book.growAhead(account);
    });
    return true;
  }

  async extendSlowly(hold: Hold, more: readonly number[], signal: AbortSignal): Promise<boolean> {
    const own = asLedgerHold(hold);
    const deadline = this.#clock.monotonicMs() + WAIT_MS_MAX;
    while (own.state === 'held' && this.#clock.monotonicMs() < deadline) {
      if (this.extend(hold, more)) return true;
      const index = own.accounts.findIndex((account, i) => account.left < (more[i] ?? 0));
      const account = own.accounts[index];
      // Enough is here, yet may not be used: the window of a quota has ended.
      if (account === undefined) return false;
      // oxlint-disable-next-line no-await-in-loop -- each round waits for what the last one found missing
      const outcome = await this.#book.waitFor(account, more[index] ?? 0, deadline, signal);
      if (outcome.kind !== 'ready') return false;
    }
    return false;
  }

  capture(hold: Hold, amounts: readonly number[]): readonly number[] | undefined {
    return this.#resolve(asLedgerHold(hold), amounts, 'charge');
  }

  progress(hold: Hold, amounts: readonly number[]): boolean {
    const own = asLedgerHold(hold);
    if (own.state !== 'held') return false;
    const capped = own.amounts.map((held, i) => Math.min(held, amounts[i] ?? 0));
    if (own.progressed !== undefined && capped.every((amount, i) => amount === own.progressed?.[i]))
      return true;
    if (!this.#write('progress', own, capped, [])) return false;
    if (own.progressed === undefined) own.segment = this.#journal.openStream();
    own.progressed = capped;
    return true;
  }

  finish(hold: Hold, amounts: readonly number[]): readonly number[] | undefined {
    return this.#resolve(asLedgerHold(hold), amounts, 'done');
  }

  release(hold: Hold): void {
    const own = asLedgerHold(hold);
    // A stream that has PROGRESS on disk needs its DONE, or a replay would charge it again.
    if (own.progressed !== undefined) this.#write('done', own, [], []);
    this.#close(own, 'release', []);
  }

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

  /** Settles at once: before a page shows exact numbers. */
  settleNow(): Promise<void> {
    return this.#settler.settleNow();
  }

  /** Refuses new holds' waits, settles, hands everything back and ends the incarnation. Open holds must be gone. */
  async close(): Promise<void> {
    await this.#book.stop();
    await this.#settler.stop();
    this.#journal.remove();
  }

  #take(request: {
    requestId: string;
    needs: readonly Need[];
    rates: readonly RateNeed[];
    queued: boolean;
  }): LedgerHold | undefined {
    const { needs, rates } = request;
    const monotonicMs = this.#clock.monotonicMs();
    if (this.#firstLacking(needs, request.queued) >= 0) return undefined;
    if (rates.length > 0 && !this.#rates.ready(rates, monotonicMs)) return undefined;
    this.#rates.take(rates);
    const accounts = needs.map((need) => this.#book.find(need.account));
    const hold = new LedgerHold(request.requestId, needs, accounts);
    for (let i = 0; i < accounts.length; i += 1) {
      accounts[i]?.hold(hold.amounts[i] ?? 0, monotonicMs);
      const account = accounts[i];
      if (account !== undefined) this.#book.growAhead(account);
    }
    this.#openHolds += 1;
    return hold;
  }

  /** Index of the first account that cannot cover its need here and now; -1 = all can. */
  #firstLacking(needs: readonly Need[], queued: boolean): number {
    const nowMs = this.#clock.now();
    for (let i = 0; i < needs.length; i += 1) {
      const need = needs[i];
      if (need === undefined) break;
      const account = this.#book.find(need.account);
      if (account.left < need.amount || nowMs >= account.usableUntil || account.stale) return i;
      // Those who wait come first, or a stream of small requests would starve a large one.
      if (!queued && account.waiters.length > 0) return i;
    }
    return -1;
  }

  async #waitFor(
    needs: readonly Need[],
    index: number,
    deadline: number,
    signal: AbortSignal,
  ): Promise<ReserveOutcome | undefined> {
    const need = needs[index];
    if (need === undefined) return undefined;
    const account = this.#book.find(need.account);
    const outcome = await this.#book.waitFor(account, need.amount, deadline, signal);
    if (outcome.kind === 'ready') return undefined;
    const numbers = outcome.cause === 'unavailable' ? undefined : account.currentNumbers();
    return { kind: 'short', index, cause: outcome.cause, numbers, held: outcome.held };
  }

  async #fillRates(rates: readonly RateNeed[]): Promise<ReserveOutcome | undefined> {
    try {
      const refused = await this.#rates.fill(rates);
      return refused === undefined ? undefined : { kind: 'limited', ...refused };
    } catch (error) {
      this.#events.onError(error);
      return { kind: 'short', index: -1, cause: 'unavailable', numbers: undefined, held: 0 };
    }
  }

  async #fillAndTake(rate: RateNeed): Promise<number> {
    while (!this.#rates.ready([rate], this.#clock.monotonicMs())) {
      // oxlint-disable-next-line no-await-in-loop -- others may take what one round brought
      const refused = await this.#rates.fill([rate]);
      if (refused !== undefined) return refused.retryAfterMs;
    }
    this.#rates.take([rate]);
    return 0;
  }

  /** Charges: at most the hold plus what is free here at this moment; the house pays the rest. */
  #resolve(
    hold: LedgerHold,
    amounts: readonly number[],
    kind: GroupKind,
  ): readonly number[] | undefined {
    const takes: number[] = [];
    const overruns: Overrun[] = [];
    hold.accounts.forEach((account, i) => {
      const wanted = amounts[i] ?? 0;
      const held = hold.amounts[i] ?? 0;
      const take = Math.min(wanted, held + Math.max(0, account.left));
      takes.push(take);
      if (wanted > take) overruns.push(overrunOf(hold.requestId, account.spec, wanted - take));
    });
    const nothing =
      hold.progressed === undefined && overruns.length === 0 && takes.every((take) => take === 0);
    if (!nothing && !this.#write(kind, hold, takes, overruns)) {
      this.#close(hold, 'release', []);
      return undefined;
    }
    for (const overrun of overruns) {
      this.#settler.addOverrun(overrun);
      this.#events.onOverrun(overrun);
    }
    this.#close(hold, overruns.length > 0 ? 'capture-above' : 'capture', takes);
    return takes;
  }

  #close(hold: LedgerHold, event: HoldEvent, takes: readonly number[]): void {
    const next = HOLD_TRANSITIONS[hold.state][event];
    if (next === undefined)
      throw new Error(`hold of ${hold.requestId} is ${hold.state}: cannot ${event} it again`);
    hold.state = next;
    this.#openHolds -= 1;
    if (hold.segment > 0) this.#journal.closeStream(hold.segment);
    for (let i = 0; i < hold.accounts.length; i += 1) {
      const account = hold.accounts[i];
      if (account === undefined) continue;
      account.settle(hold.amounts[i] ?? 0, takes[i] ?? 0);
      if (account.waiters.length > 0) this.#book.wakeWaiters(account);
    }
  }

  #write(
    kind: GroupKind,
    hold: LedgerHold,
    amounts: readonly number[],
    overruns: readonly Overrun[],
  ): boolean {
    if (this.#journalBroken) return false;
    const charges: { index: number; amount: number }[] = [];
    for (let i = 0; i < amounts.length; i += 1) {
      const account = hold.accounts[i];
      const amount = amounts[i] ?? 0;
      if (account !== undefined && amount > 0) charges.push({ index: account.index, amount });
    }
    try {
      this.#journal.append({ kind, requestId: hold.requestId, charges, overruns });
      return true;
    } catch (error) {
      // A torn record would hide every later one from replay: this journal takes no more, so nothing more is served.
      this.#journalBroken = true;
      this.#events.onError(error);
      return false;
    }
  }

  /** News from the store: answers kept in memory that may no longer hold are dropped. */
  #hear(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'rates') this.#rates.forget();
      if (change.kind === 'account') this.#refresh(this.#book.get(change.id));
      if (change.kind === 'tenant') this.#refreshTenant(change.id);
    }
    this.#events.onChanges(changes);
  }

  #refreshTenant(tenantId: string): void {
    for (const account of this.#book.all()) {
      if (account.spec.tenantId === tenantId) account.recalled = true;
    }
    this.#rates.forget();
  }

  #refresh(account: LeaseAccount | undefined): void {
    if (account === undefined) return;
    account.goneUntil = 0;
    account.short = false;
  }
}

function overrunOf(requestId: string, spec: AccountSpec, amount: number): Overrun {
  return { requestId, tenantId: spec.tenantId, unit: spec.unit, amount };
}

function asLedgerHold(hold: Hold): LedgerHold {
  if (!(hold instanceof LedgerHold)) throw new TypeError('a hold must come from this engine');
  return hold;
}

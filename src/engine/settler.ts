import type { Clock } from '../platform/clock.ts';
import type {
  Change,
  LeaseTotals,
  LedgerStore,
  Overrun,
  SyncBatch,
  SyncResult,
} from '../stores/store.ts';
import type { Journal } from './journal.ts';
import type { LeaseAccount } from './lease-account.ts';
import type { LeaseBook } from './lease-book.ts';

/** Between two rounds, at least. The next waits four times as long as the last took, so that the store is not asked without end. */
const PAUSE_MS = 25;
/** How often charges become entries, unless somebody waits. The journal has them from the first byte on. */
const SETTLE_MS = 100;
/** With thousands of accounts in use a settlement takes long; then the next gathers more charges of each (PERF-03). */
const SETTLE_FACTOR = 20;
const SETTLE_MOST_MS = 1000;
const PAUSE_FACTOR = 4;
/** A revoked key is refused within a second, however slow the store is (KEY-01). */
const PAUSE_MOST_MS = 250;
/** A slice not used for this goes back, so that the balance is not stranded and the books show it. */
const IDLE_MS = 1000;
/** After a recall, what open holds release goes on to whoever waits, for as long as a waiter may wait. */
const SHARED_MS = 1000;

type SettledStore = Pick<LedgerStore, 'sync' | 'closeOwner' | 'lastSettled'>;

export interface SettlerEvents {
  /** Somebody declared this process dead: it must stop serving at once. */
  readonly onFenced: () => void;
  readonly onChanges: (changes: readonly Change[]) => void;
  readonly onError: (error: unknown) => void;
}

/** Charges that are to be at the store before their answer leaves. */
export interface Ticket {
  /** They are part of the settlement that is about to be sent. False = nobody wants them any more: they are not. */
  send(): boolean;
  /** The store has charged them. */
  noteCommitted(): void;
  /** It has not, and will not. */
  noteRefused(): void;
}

/**
 * The heartbeat of one process with the store: group-committed cumulative settlement, remainders handed
 * back, recalls answered, news heard. Everything it sends is a total, so sending it twice is harmless.
 */
export class Settler {
  readonly #owner: string;
  readonly #store: SettledStore;
  readonly #clock: Clock;
  readonly #book: LeaseBook;
  readonly #journal: Journal;
  readonly #events: SettlerEvents;
  #overruns: Overrun[] = [];
  /** Closed here, not yet confirmed there. */
  #closing: LeaseTotals[] = [];
  #lastChange = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #recalled = false;
  /** Until then (monotonic) slices are shared with whoever waits elsewhere: every round settles. */
  #sharedUntilMs = 0;
  #settledAtMs = 0;
  #settleAfterMs = SETTLE_MS;
  #settledSeq = 0;
  /** A settlement of which nobody knows whether the store has it: until that is known there is no other. */
  #doubt: { readonly seq: number; readonly tickets: readonly Ticket[] } | undefined;
  #stopped = false;

  constructor(parts: {
    owner: string;
    store: SettledStore;
    clock: Clock;
    book: LeaseBook;
    journal: Journal;
    events: SettlerEvents;
  }) {
    this.#owner = parts.owner;
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#book = parts.book;
    this.#journal = parts.journal;
    this.#events = parts.events;
  }

  start(): void {
    this.#schedule(PAUSE_MS);
  }

  addOverrun(overrun: Overrun): void {
    this.#overruns.push(overrun);
  }

  /** Settles everything now, waiting for a settlement under way first. */
  settleNow(): Promise<void> {
    return this.#run(true);
  }

  /**
   * Settles everything now, and the charges of these tickets with it. False = the store has not said that it has them:
   * each ticket that was sent hears later what became of it. The others were never part of anything. `waitsUntilMs`, by
   * `machineMs`: the store takes them until then and not later.
   */
  async commit(tickets: readonly Ticket[], waitsUntilMs: number): Promise<boolean> {
    if (this.#stopped) return false;
    const commitment: Commitment = { tickets, waitsUntilMs, isKept: false };
    await this.#run(true, commitment);
    // What else was in it has nobody who gives up waiting: it is settled by itself.
    if (!commitment.isKept && !this.#stopped) void this.#run(true);
    return commitment.isKept;
  }

  /** The last settlement; every lease is handed back. The caller has made sure that no hold is open. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
    await this.#resolveDoubt();
    for (const account of this.#book.all()) {
      account.granted = account.charged;
      account.told = undefined;
    }
    const accounts = [...this.#book.all()].filter((account) => account.known);
    const totals = accounts.map((account) => totalsOf(account, true));
    const batch = this.#batch([...totals, ...this.#closing], this.#overruns, this.#journal.seq);
    await this.#store.closeOwner(batch);
  }

  #schedule(afterMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#run(false), afterMs);
  }

  /** One round after the other. */
  #run(urgent: boolean, commitment?: Commitment): Promise<void> {
    this.#running = this.#running.then(() => this.#round(urgent, commitment));
    return this.#running;
  }

  /** Settles when it is time or urgent; in between it only listens, which costs the store no write. */
  #round(urgent: boolean, commitment?: Commitment): Promise<void> {
    clearTimeout(this.#timer);
    this.#book.growNow();
    const startedMs = this.#clock.monotonicMs();
    const due =
      startedMs - this.#settledAtMs >= this.#settleAfterMs || startedMs < this.#sharedUntilMs;
    const round = urgent || due ? this.#settle(startedMs, commitment) : this.#listen();
    return round
      .catch((error: unknown) => {
        this.#recalled = false;
        this.#events.onError(error);
      })
      .then(() => this.#pause(startedMs));
  }

  /** Hears of recalls and changes; with nothing to settle the store only reads. */
  async #listen(): Promise<void> {
    this.#apply(await this.#store.sync(this.#batch([], [], this.#settledSeq)));
  }

  async #settle(startedMs: number, commitment?: Commitment): Promise<void> {
    this.#settledAtMs = startedMs;
    if (this.#doubt !== undefined) await this.#resolveDoubt();
    const { tickets, waitsUntilMs } = commitment ?? NO_COMMITMENT;
    const seq = tickets.length > 0 ? this.#journal.skip() : this.#journal.seq;
    if (this.#journal.keepsOnDisk) await this.#waitForDisk();
    // From here to the sending nothing may come between: a slice that grew meanwhile would be handed back unknowingly.
    const sent = tickets.filter((ticket) => ticket.send());
    const settlement = this.#compose(seq, waitsUntilMs);
    try {
      const result = await this.#store.sync(settlement.batch);
      if (commitment !== undefined && !result.fenced) noteKept(commitment, sent);
      this.#noteSettled(settlement, startedMs);
      this.#apply(result);
    } catch (error) {
      // Totals are cumulative: the next round says it all again. Overruns are facts and are kept.
      this.#overruns = [...settlement.batch.overruns, ...this.#overruns];
      for (const account of settlement.included) this.#undo(account);
      if (sent.length > 0) this.#doubt = { seq, tickets: sent };
      throw error;
    }
    // Last: a disk in trouble takes back nothing that the store has said, and keeps no news from anybody.
    this.#journal.trim(seq);
  }

  #compose(seq: number, waitsUntilMs: number | undefined): Settlement {
    const included = this.#collect();
    const closing = this.#closing;
    const totals = included.map((account) => totalsOf(account, false));
    for (const account of included) account.sentCharged = account.tellable + account.committing;
    const batch = { ...this.#batch([...totals, ...closing], this.#overruns, seq), waitsUntilMs };
    this.#overruns = [];
    return { batch, included, totals, closings: closing.length };
  }

  #noteSettled({ batch, included, totals, closings }: Settlement, startedMs: number): void {
    const tookMs = this.#clock.monotonicMs() - startedMs;
    this.#settleAfterMs = Math.min(SETTLE_MOST_MS, Math.max(SETTLE_MS, tookMs * SETTLE_FACTOR));
    this.#closing = this.#closing.slice(closings);
    this.#settledSeq = batch.seq;
    for (const [position, account] of included.entries()) {
      if (totals[position]?.answersRecall === true) account.recalled = false;
      if (account.handingBack) this.#book.resumeGrowth(account);
    }
  }

  /**
   * A DONE that is settled and then lost with the power would leave its PROGRESS on disk, to be charged a second time: what
   * is told to the store is on disk before, and what is charged meanwhile is told the next time.
   */
  async #waitForDisk(): Promise<void> {
    for (const account of this.#book.all()) account.told = account.charged;
    // That the disk fails is told to those who wait for it; the store is the safer place by then.
    await this.#journal.sync().catch(() => undefined);
    // Those that are new: what they were charged, they were charged meanwhile.
    for (const account of this.#book.all()) account.told ??= 0;
  }

  /** Whether the store has the settlement it did not answer: its number, which no other has, tells. */
  async #resolveDoubt(): Promise<void> {
    const doubt = this.#doubt;
    if (doubt === undefined) return;
    const settled = await this.#store.lastSettled(this.#owner);
    if (settled === undefined) {
      this.#events.onFenced();
      return;
    }
    this.#doubt = undefined;
    for (const ticket of doubt.tickets) {
      if (settled >= doubt.seq) ticket.noteCommitted();
      else ticket.noteRefused();
    }
  }

  #pause(startedMs: number): void {
    const tookMs = this.#clock.monotonicMs() - startedMs;
    const pauseMs = Math.min(PAUSE_MOST_MS, Math.max(PAUSE_MS, tookMs * PAUSE_FACTOR));
    // Somebody waits for what this process holds: answer in the next turn of the loop.
    this.#schedule(this.#recalled ? 0 : pauseMs);
  }

  /** Accounts with something to say. Idle ones leave the book here; slices that are wanted elsewhere shrink. */
  #collect(): LeaseAccount[] {
    const monotonicMs = this.#clock.monotonicMs();
    const nowMs = this.#clock.now();
    const idleMs = this.#book.crowded ? 0 : IDLE_MS;
    const included: LeaseAccount[] = [];
    for (const account of this.#book.all()) {
      const expired = nowMs >= account.usableUntil;
      const isWhole = account.tellable === account.charged;
      if (isWhole && account.idle && (expired || monotonicMs - account.lastUsedAt > idleMs)) {
        this.#close(account);
        continue;
      }
      if (!account.known) continue;
      // A growth under way is about to change `granted`: only what was charged is told then.
      const shares = expired || monotonicMs < account.sharedUntil;
      if (!account.growing && isOwed(account, shares)) handBack(account);
      if (!account.dirty) continue;
      account.dirty = !isWhole;
      included.push(account);
    }
    return included;
  }

  #close(account: LeaseAccount): void {
    this.#book.remove(account);
    if (!account.known && !account.isInDoubt) return;
    account.granted = account.charged;
    this.#closing.push(totalsOf(account, true));
  }

  #batch(leases: readonly LeaseTotals[], overruns: readonly Overrun[], seq: number): SyncBatch {
    return {
      owner: this.#owner,
      now: this.#clock.now(),
      seq,
      leases,
      overruns,
      changesAfter: this.#lastChange,
    };
  }

  #apply(result: SyncResult): void {
    if (result.fenced) {
      this.#events.onFenced();
      return;
    }
    for (const { index, numbers } of result.accounts) {
      const account = this.#book.at(index);
      if (account !== undefined) account.learn(numbers, account.sentCharged);
    }
    const sharedUntilMs = this.#clock.monotonicMs() + SHARED_MS;
    this.#recalled = result.recalls.length > 0;
    if (this.#recalled) this.#sharedUntilMs = sharedUntilMs;
    for (const index of result.recalls) this.#book.at(index)?.recallUntil(sharedUntilMs);
    this.#lastChange = result.lastChange;
    if (result.changes.length > 0) this.#events.onChanges(result.changes);
  }

  #undo(account: LeaseAccount): void {
    account.dirty = true;
    if (account.handingBack) this.#book.resumeGrowth(account);
  }
}

/** Tickets of one settlement, and whether the store has it. */
interface Commitment {
  readonly tickets: readonly Ticket[];
  readonly waitsUntilMs: number;
  isKept: boolean;
}

const NO_COMMITMENT = { tickets: [], waitsUntilMs: undefined } as const;

function noteKept(commitment: Commitment, sent: readonly Ticket[]): void {
  for (const ticket of sent) ticket.noteCommitted();
  commitment.isKept = true;
}

/** What is sent, and whom it is about. */
interface Settlement {
  readonly batch: SyncBatch;
  readonly included: readonly LeaseAccount[];
  /** Of those included, in their order. */
  readonly totals: readonly LeaseTotals[];
  /** Leases in it that are closed. */
  readonly closings: number;
}

/** A recall is answered, even with nothing; who shares gives what is left without being asked again. */
function isOwed(account: LeaseAccount, shares: boolean): boolean {
  return account.recalled || (shares && account.left > 0);
}

function handBack(account: LeaseAccount): void {
  account.granted = account.charged + account.held;
  account.handingBack = true;
  account.dirty = true;
}

function totalsOf(account: LeaseAccount, close: boolean): LeaseTotals {
  return {
    index: account.index,
    charged: account.tellable + account.committing,
    granted: account.granted,
    close,
    answersRecall: account.handingBack && account.recalled,
    keepsGrant: account.growing,
  };
}

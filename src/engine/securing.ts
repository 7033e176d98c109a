import { type Clock, machineMs } from '../platform/clock.ts';
import type { Charges } from './charges.ts';
import type { Hold, Secured } from './engine.ts';
import { GroupQueue } from './group-queue.ts';
import type { Journal } from './journal.ts';
import { asLedgerHold, type LedgerHold } from './ledger-hold.ts';
import type { Settler, Ticket } from './settler.ts';

/** Answers that a kill may leave charged and unserved, of each durability class: those of one group. */
export const GROUP_MAX = 64;
/** Answers that wait for a later group. They are not charged yet; beyond that many they are refused. */
export const WAITING_MAX = 1024;
/** Several processes share one store, and it is no fair queue: each leaves it alone for a moment. */
const COMMIT_PAUSE_MS = 5;
/** A store that is well does it in milliseconds. One that comes to it later than this does not charge it any more. */
const STORE_WAIT_MS_MAX = 3000;
/** So long its answer may take besides: then nobody knows what it did, and the caller is told 503. */
const STORE_ANSWER_MS_MAX = 1000;
/** Longest an answer waits for the store. */
export const COMMIT_WAIT_MS_MAX = STORE_WAIT_MS_MAX + STORE_ANSWER_MS_MAX;

interface ToDisk {
  readonly hold: LedgerHold;
  /** Cumulative, no more than is held. */
  readonly amounts: readonly number[];
  readonly tell: (isSecured: boolean) => void;
}
interface ToStore {
  /** Undefined = what has been charged already is waited for. */
  readonly ticket: CommitTicket | undefined;
  /** By `machineMs`. */
  readonly waitsUntilMs: number;
  readonly tell: (isSecured: boolean) => void;
}

/**
 * Charges that are safe before their answer leaves: on disk, or at the store, many at once. Until then they are a
 * PROGRESS of their hold, or a part of a settlement: whatever fails, the hold can still be released (DESIGN 5).
 */
export class Securing {
  readonly #charges: Charges;
  readonly #journal: Journal;
  readonly #settler: Settler;
  readonly #clock: Clock;
  readonly #onUnserved: (requestId: string) => void;
  readonly #toDisk: GroupQueue<ToDisk>;
  readonly #toStore: GroupQueue<ToStore>;

  constructor(parts: {
    readonly charges: Charges;
    readonly journal: Journal;
    readonly settler: Settler;
    readonly clock: Clock;
    readonly onUnserved: (requestId: string) => void;
  }) {
    this.#charges = parts.charges;
    this.#journal = parts.journal;
    this.#settler = parts.settler;
    this.#clock = parts.clock;
    this.#onUnserved = parts.onUnserved;
    const bounds = { groupMax: GROUP_MAX, waitingMax: WAITING_MAX };
    this.#toDisk = new GroupQueue({
      ...bounds,
      perform: (group) => this.#writeToDisk(group),
      pauseMs: 0,
    });
    this.#toStore = new GroupQueue({
      ...bounds,
      perform: (group) => this.#commit(group),
      pauseMs: COMMIT_PAUSE_MS,
    });
  }

  /** See `Engine.secureProgress`. */
  progress(hold: Hold, amounts: readonly number[], durability: Secured): Promise<boolean> {
    return this.#secureNext(asLedgerHold(hold), amounts, durability);
  }

  /** See `Engine.secureCharge`. */
  async charge(
    hold: Hold,
    amounts: readonly number[],
    durability: Secured,
  ): Promise<readonly number[] | undefined> {
    const own = asLedgerHold(hold);
    const { isStream } = own;
    // What the journal has as PROGRESS, a replay adds to what is settled: a stream ends where it has begun.
    const isSecured = this.#secureNext(own, amounts, isStream ? 'journal-fsync' : durability);
    own.announce(amounts);
    const isSafe = await isSecured;
    own.announce([]);
    if (!isSafe) {
      if (own.state === 'held') this.#giveUp(own);
      return undefined;
    }
    const takes = this.#charges.resolve(own, amounts, 'done');
    if (!isStream || durability === 'journal-fsync' || takes === undefined) return takes;
    if (await this.#waitForStore(undefined)) return takes;
    // Its end is charged: only that the store has it nobody knows yet.
    this.#onUnserved(own.requestId);
    return undefined;
  }

  /** What its caller has seen is charged. */
  #giveUp(hold: LedgerHold): void {
    if (hold.onDisk === undefined) this.#charges.release(hold);
    else this.#charges.resolve(hold, hold.onDisk, 'done');
  }

  /** One after the other: amounts are cumulative, and two commits on their way together would be added up. */
  async #secureNext(
    hold: LedgerHold,
    amounts: readonly number[],
    durability: Secured,
  ): Promise<boolean> {
    if (hold.underWay !== undefined && !(await hold.underWay)) return false;
    return this.#secure(hold, amounts, durability);
  }

  #secure(hold: LedgerHold, amounts: readonly number[], durability: Secured): Promise<boolean> {
    if (hold.state !== 'held' || hold.commit !== undefined) return Promise.resolve(false);
    hold.growTo(amounts, this.#clock.now());
    const capped = hold.cap(amounts);
    const isDone = durability === 'journal-fsync' ? hold.isOnDisk(capped) : hold.isAtStore(capped);
    if (isDone) return Promise.resolve(true);
    if (durability === 'commit-before-serve') {
      const ticket = new CommitTicket(hold, capped, this.#charges, this.#onUnserved);
      const underWay = this.#waitForStore(ticket).finally(() => {
        hold.underWay = undefined;
      });
      hold.underWay = underWay;
      return underWay;
    }
    hold.isStream = true;
    return new Promise((resolve) => {
      if (!this.#toDisk.add({ hold, amounts: capped, tell: resolve })) resolve(false);
    });
  }

  #waitForStore(ticket: CommitTicket | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      // After a pause of this process the answer may be here already: what has arrived is looked at first.
      const timer = setTimeout(() => setImmediate(() => resolve(false)), COMMIT_WAIT_MS_MAX);
      const tell = (isSecured: boolean): void => {
        clearTimeout(timer);
        resolve(isSecured);
      };
      const waitsUntilMs = machineMs() + STORE_WAIT_MS_MAX;
      if (!this.#toStore.add({ ticket, waitsUntilMs, tell })) tell(false);
    });
  }

  async #writeToDisk(group: readonly ToDisk[]): Promise<void> {
    const written = group.filter(({ hold, amounts, tell }) => {
      const isWritten = this.#charges.progress(hold, amounts);
      if (!isWritten) tell(false);
      return isWritten;
    });
    const isOnDisk = await this.#journal.sync().then(
      () => true,
      (error: unknown) => {
        this.#charges.breakJournal(error);
        return false;
      },
    );
    for (const { hold, amounts, tell } of written) {
      if (isOnDisk) hold.onDisk = amounts;
      tell(isOnDisk);
    }
  }

  async #commit(group: readonly ToStore[]): Promise<void> {
    const [tickets, told]: [CommitTicket[], ToStore[]] = [[], []];
    const now = machineMs();
    for (const each of group) {
      const { ticket, tell } = each;
      if (ticket?.isEnded === true || now > each.waitsUntilMs) {
        tell(false);
        continue;
      }
      told.push(each);
      if (ticket !== undefined) tickets.push(ticket);
    }
    if (told.length === 0) return;
    // They are in one transaction: it waits no longer than the first of them.
    const waitsUntilMs = Math.min(...told.map((each) => each.waitsUntilMs));
    const isCommitted = await this.#settler.commit(tickets, waitsUntilMs);
    for (const { ticket, tell } of told) tell(ticket === undefined ? isCommitted : ticket.isKept);
  }
}

/** The charges of one hold on their way to the store. */
class CommitTicket implements Ticket {
  /** Its hold was released meanwhile. */
  isAbandoned = false;
  /** The store has it. */
  isKept = false;
  readonly #hold: LedgerHold;
  readonly #amounts: readonly number[];
  readonly #charges: Charges;
  readonly #onUnserved: (requestId: string) => void;

  constructor(
    hold: LedgerHold,
    amounts: readonly number[],
    charges: Charges,
    onUnserved: (requestId: string) => void,
  ) {
    this.#hold = hold;
    this.#amounts = amounts;
    this.#charges = charges;
    this.#onUnserved = onUnserved;
  }

  /** Somebody has released it before its turn came. */
  get isEnded(): boolean {
    return this.#hold.state !== 'held';
  }

  send(): boolean {
    if (this.isEnded) return false;
    this.#hold.commit = this;
    this.#hold.beginCommit(this.#amounts);
    return true;
  }

  noteCommitted(): void {
    this.#hold.commit = undefined;
    this.#hold.endCommit(this.#amounts, true);
    this.isKept = true;
    if (this.isAbandoned) this.#closeUnserved();
  }

  noteRefused(): void {
    this.#hold.commit = undefined;
    this.#hold.endCommit(this.#amounts, false);
    if (this.isAbandoned) this.#charges.release(this.#hold);
  }

  #closeUnserved(): void {
    this.#charges.close(this.#hold, 'capture', this.#amounts);
    this.#onUnserved(this.#hold.requestId);
  }
}

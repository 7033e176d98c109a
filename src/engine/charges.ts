import { HOLD_TRANSITIONS, type HoldEvent } from '../domain/hold.ts';
import type { Clock } from '../platform/clock.ts';
import type { Overrun } from '../stores/store.ts';
import { ChargeWriter } from './charge-writer.ts';
import type { GroupKind, Journal, JournalGroup } from './journal.ts';
import type { LeaseBook } from './lease-book.ts';
import type { LedgerHold } from './ledger-hold.ts';
import type { Settler } from './settler.ts';

/** What holds come to: written to the journal, then taken of their slices (DESIGN 5). */
export class Charges {
  readonly #journal: Journal;
  readonly #book: LeaseBook;
  readonly #settler: Settler;
  readonly #events: {
    readonly onError: (error: unknown) => void;
    readonly onOverrun: (overrun: Overrun) => void;
  };
  readonly #writer: ChargeWriter;
  #openHolds = 0;
  #isBroken = false;

  constructor(
    parts: {
      readonly journal: Journal;
      readonly book: LeaseBook;
      readonly settler: Settler;
      readonly clock: Clock;
    },
    events: {
      readonly onError: (error: unknown) => void;
      readonly onOverrun: (overrun: Overrun) => void;
    },
  ) {
    this.#journal = parts.journal;
    this.#book = parts.book;
    this.#settler = parts.settler;
    this.#writer = new ChargeWriter(parts.journal, parts.clock, events.onError);
    this.#events = events;
  }

  /** The journal takes nothing just now: nobody can be charged, so nobody is sent on. */
  get isResting(): boolean {
    return this.#writer.isResting;
  }

  /** What is owed to the journal is left to whoever reads it. */
  stop(): void {
    this.#writer.stop();
  }

  get openHolds(): number {
    return this.#openHolds;
  }

  /** A hold was made: `resolve` or `release` ends it. */
  noteHeld(): void {
    this.#openHolds += 1;
  }

  /** See `Engine.progress`. */
  progress(hold: LedgerHold, amounts: readonly number[]): boolean {
    if (hold.state !== 'held') return false;
    const capped = hold.cap(amounts);
    if (hold.progressed !== undefined && capped.every((each, i) => each === hold.progressed?.[i]))
      return true;
    if (!this.#write('progress', hold, hold.charges(capped), [])) return false;
    if (hold.progressed === undefined) hold.segment = this.#journal.openStream();
    hold.progressed = capped;
    return true;
  }

  /** Charges: at most the hold plus what is free here at this moment; the house pays the rest. */
  resolve(
    hold: LedgerHold,
    amounts: readonly number[],
    kind: GroupKind,
  ): readonly number[] | undefined {
    const takes = hold.chargeable(amounts);
    const overruns = hold.overruns(amounts, takes);
    const charges = hold.charges(takes);
    const nothing = hold.progressed === undefined && overruns.length === 0 && charges.length === 0;
    if (!nothing && !this.#write(kind, hold, charges, overruns)) {
      // What PROGRESS said stands.
      if (hold.isSeen) this.#endLater(hold, 'capture', hold.progressed ?? []);
      else this.#endLater(hold, 'release', []);
      return undefined;
    }
    for (const overrun of overruns) {
      this.#settler.addOverrun(overrun);
      this.#events.onOverrun(overrun);
    }
    this.close(hold, overruns.length > 0 ? 'capture-above' : 'capture', takes);
    return takes;
  }

  /** Nothing was served. What is on its way to the store waits for what becomes of it there. */
  release(hold: LedgerHold): void {
    if (hold.commit !== undefined) {
      hold.commit.isAbandoned = true;
      return;
    }
    // A stream that has PROGRESS on disk needs its DONE, or a replay would charge it again.
    if (hold.progressed === undefined || this.#write('done', hold, [], [])) {
      this.close(hold, 'release', []);
    } else this.#endLater(hold, 'release', []);
  }

  /**
   * The end of a hold that the journal did not take. Where it has PROGRESS the hold stays open until it does, or a replay
   * would charge that a second time; in a journal that is lost, until this process ends and somebody reads it.
   */
  #endLater(hold: LedgerHold, event: HoldEvent, takes: readonly number[]): void {
    const { requestId, progressed, isSeen } = hold;
    if (progressed === undefined || (this.#isBroken && !isSeen)) this.close(hold, 'release', []);
    else if (!this.#isBroken) {
      const end = { kind: 'done', requestId, charges: hold.charges(takes), overruns: [] } as const;
      this.#writer.writeLater(end, () => this.close(hold, event, takes));
    }
  }

  close(hold: LedgerHold, event: HoldEvent, takes: readonly number[]): void {
    const next = HOLD_TRANSITIONS[hold.state][event];
    if (next === undefined)
      throw new Error(`hold of ${hold.requestId} is ${hold.state}: cannot ${event} it again`);
    hold.state = next;
    this.#openHolds -= 1;
    if (hold.segment > 0) this.#journal.closeStream(hold.segment);
    for (let i = 0; i < hold.accounts.length; i += 1) {
      const account = hold.accounts[i];
      if (account === undefined) continue;
      const committed = hold.committed?.[i] ?? 0;
      account.settle((hold.amounts[i] ?? 0) - committed, Math.max(0, (takes[i] ?? 0) - committed));
      if (account.waiters.length > 0) this.#book.wakeWaiters(account);
    }
  }

  /** Records may be lost that were written: nothing more is charged, so nothing more is served. */
  breakJournal(error: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#events.onError(error);
  }

  #write(
    kind: GroupKind,
    { requestId }: LedgerHold,
    charges: JournalGroup['charges'],
    overruns: readonly Overrun[],
  ): boolean {
    return !this.#isBroken && this.#writer.write({ kind, requestId, charges, overruns });
  }
}

import type { HoldState } from '../domain/hold.ts';
import type { Overrun } from '../stores/store.ts';
import type { Hold, Need } from './engine.ts';
import type { JournalGroup } from './journal.ts';
import type { LeaseAccount } from './lease-account.ts';

/** What one request has set aside, in which slices. Fixed shape: one is made for every request. */
export class LedgerHold implements Hold {
  readonly requestId: string;
  readonly needs: readonly Need[];
  readonly accounts: readonly LeaseAccount[];
  readonly amounts: number[];
  state: HoldState = 'held';
  /** Journal segment of the first PROGRESS, or 0. */
  segment = 0;
  /** Last amounts written as PROGRESS. */
  progressed: readonly number[] | undefined;
  /** Those that are on disk, of an answer that waits for that. */
  onDisk: readonly number[] | undefined;
  /** It has PROGRESS in the journal, or will have. */
  isStream = false;
  /** Charged at the store already, ahead of its end: nothing of it is journalled. */
  committed: readonly number[] | undefined;
  /** Of a commit that is queued or sent: whether the store will have it. */
  underWay: Promise<boolean> | undefined;
  /** Of a commit that is sent. */
  commit: { isAbandoned: boolean } | undefined;
  #announced: readonly number[] = NONE;

  /** Takes of each account its need, or what is left of an account whose need says that less is of use. */
  constructor(
    requestId: string,
    needs: readonly Need[],
    accounts: readonly LeaseAccount[],
    monotonicMs: number,
  ) {
    this.requestId = requestId;
    this.needs = needs;
    this.accounts = accounts;
    this.amounts = [];
    for (let i = 0; i < accounts.length; i += 1) {
      const account = accounts[i];
      const amount = needs[i]?.amount ?? 0;
      const taken = account === undefined || amount <= account.left ? amount : account.left;
      this.amounts.push(taken);
      account?.hold(taken, monotonicMs);
    }
  }

  /** Sets `more` aside, or as much of it as is left, when `least` is there everywhere. */
  grow(more: readonly number[], least: readonly number[], nowMs: number): boolean {
    const { accounts, amounts } = this;
    for (let i = 0; i < accounts.length; i += 1) {
      if (accounts[i]?.canGive(least[i] ?? 0, nowMs) !== true) return false;
    }
    for (let i = 0; i < accounts.length; i += 1) {
      const account = accounts[i];
      if (account?.canGive(1, nowMs) !== true) continue;
      const taken = Math.min(more[i] ?? 0, account.left);
      account.held += taken;
      amounts[i] = (amounts[i] ?? 0) + taken;
    }
    return true;
  }

  /** Sets aside what is lacking for `amounts`, as far as it is here. */
  growTo(amounts: readonly number[], nowMs: number): void {
    const more = this.amounts.map((held, i) => Math.max(0, (amounts[i] ?? 0) - held));
    if (more.some((units) => units > 0)) {
      this.grow(
        more,
        more.map(() => 0),
        nowMs,
      );
    }
  }

  /** Of `amounts` no more than is held. */
  cap(amounts: readonly number[]): number[] {
    return this.amounts.map((held, i) => Math.min(held, amounts[i] ?? 0));
  }

  /** Whether its caller may have seen what PROGRESS says. */
  get isSeen(): boolean {
    return (this.isStream ? this.onDisk : this.progressed) !== undefined;
  }

  /** Whether a replay would charge these amounts, also after a loss of power. */
  isOnDisk(amounts: readonly number[]): boolean {
    const known = this.onDisk ?? (this.progressed === undefined ? NONE : undefined);
    return known !== undefined && amounts.every((amount, i) => amount === (known[i] ?? 0));
  }

  /** Whether the store has charged these amounts. */
  isAtStore(amounts: readonly number[]): boolean {
    return amounts.every((amount, i) => amount <= (this.committed?.[i] ?? 0));
  }

  /** Counts them in what callers are told of their accounts, while their charge is on its way. */
  announce(amounts: readonly number[]): void {
    const units = amounts.map((_, i) => this.#uncommitted(amounts, i));
    for (let i = 0; i < this.accounts.length; i += 1) {
      const account = this.accounts[i];
      if (account === undefined) continue;
      account.announced += (units[i] ?? 0) - (this.#announced[i] ?? 0);
    }
    this.#announced = units;
  }

  /** From here on a settlement has `amounts` in it. */
  beginCommit(amounts: readonly number[]): void {
    for (let i = 0; i < this.accounts.length; i += 1) {
      const account = this.accounts[i];
      if (account === undefined) continue;
      account.committing += this.#uncommitted(amounts, i);
      account.dirty = true;
    }
  }

  /** The store has charged them, or has not. */
  endCommit(amounts: readonly number[], isCharged: boolean): void {
    for (let i = 0; i < this.accounts.length; i += 1) {
      const units = this.#uncommitted(amounts, i);
      this.accounts[i]?.endCommit(units, isCharged);
    }
    if (isCharged) this.committed = amounts;
  }

  #uncommitted(amounts: readonly number[], i: number): number {
    return Math.max(0, (amounts[i] ?? 0) - (this.committed?.[i] ?? 0));
  }

  /** What `amounts` can be charged: of each the hold, and what is left here at this moment. */
  chargeable(amounts: readonly number[]): number[] {
    const takes: number[] = [];
    for (let i = 0; i < this.accounts.length; i += 1) {
      const most = (this.amounts[i] ?? 0) + Math.max(0, this.accounts[i]?.left ?? 0);
      takes.push(Math.min(amounts[i] ?? 0, most));
    }
    return takes;
  }

  /** What is above the hold and not left here either: the house pays it. */
  overruns(amounts: readonly number[], takes: readonly number[]): readonly Overrun[] {
    const { requestId, accounts } = this;
    let overruns = NO_OVERRUNS;
    for (let i = 0; i < takes.length; i += 1) {
      const spec = accounts[i]?.spec;
      const amount = (amounts[i] ?? 0) - (takes[i] ?? 0);
      if (amount <= 0 || spec === undefined) continue;
      overruns = [...overruns, { requestId, tenantId: spec.tenantId, unit: spec.unit, amount }];
    }
    return overruns;
  }

  /** As the journal has it: nothing of an account that nothing is charged in, or not by the journal. */
  charges(amounts: readonly number[]): JournalGroup['charges'] {
    const { committed } = this;
    const charges: { index: number; amount: number }[] = [];
    for (let i = 0; i < amounts.length; i += 1) {
      const account = this.accounts[i];
      const all = amounts[i] ?? 0;
      const amount = committed === undefined ? all : all - (committed[i] ?? 0);
      if (account !== undefined && amount > 0) charges.push({ index: account.index, amount });
    }
    return charges;
  }
}

const NONE: readonly number[] = [];
const NO_OVERRUNS: readonly Overrun[] = [];

/** The engine's own hold behind the one that callers see. Throws a TypeError on any other. */
export function asLedgerHold(hold: Hold): LedgerHold {
  if (!(hold instanceof LedgerHold)) throw new TypeError('a hold must come from this engine');
  return hold;
}

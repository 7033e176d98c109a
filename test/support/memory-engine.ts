import type { AccountSpec } from '../../src/domain/accounts.ts';
import type {
  Engine,
  ExtendOutcome,
  Hold,
  Need,
  RateNeed,
  ReserveOutcome,
} from '../../src/engine/engine.ts';
import type { AccountNumbers } from '../../src/stores/store.ts';

interface MemoryHold extends Hold {
  readonly amounts: number[];
}

/**
 * An engine of one process without books: exact, and gone with the test. Windows are the accounts' own, and no hold
 * grows.
 */
export class MemoryEngine implements Engine {
  /** Nano by account id; everything else is allowed as much as its account says. */
  readonly balances = new Map<string, number>();
  readonly #spent = new Map<string, number>();
  readonly #held = new Map<string, number>();
  readonly #tokensTaken = new Map<string, number>();
  /** The books do not answer. */
  broken = false;
  /** Neither disk nor store says that it has a charge. */
  insecure = false;
  /** Why no hold grows. */
  noGrowth: Exclude<ExtendOutcome, 'grown'> = 'gone';

  tryReserve(
    requestId: string,
    needs: readonly Need[],
    rates: readonly RateNeed[],
  ): Hold | undefined {
    if (this.broken || this.#firstShort(needs) >= 0 || this.#firstLimited(rates) >= 0) {
      return undefined;
    }
    for (const { bucketId } of rates) add(this.#tokensTaken, bucketId, 1);
    const amounts = needs.map(({ account, amount }) => Math.min(amount, this.#left(account)));
    needs.forEach(({ account }, index) => add(this.#held, account.id, amounts[index] ?? 0));
    const hold: MemoryHold = { requestId, needs, amounts };
    return hold;
  }

  refuseAtOnce(): undefined {
    return undefined;
  }

  reserve(
    requestId: string,
    needs: readonly Need[],
    rates: readonly RateNeed[],
  ): Promise<ReserveOutcome> {
    const hold = this.tryReserve(requestId, needs, rates);
    if (hold !== undefined) return Promise.resolve({ kind: 'held', hold });
    const index = this.#firstShort(needs);
    if (index < 0 && !this.broken) {
      const limited = this.#firstLimited(rates);
      return Promise.resolve({
        kind: 'limited',
        index: limited,
        retryAfterMs: this.#waitMs(rates[limited]),
      });
    }
    const account = needs[Math.max(0, index)]?.account;
    const numbers = this.broken || account === undefined ? undefined : this.#numbers(account);
    return Promise.resolve({
      kind: 'short',
      index: Math.max(0, index),
      cause: this.broken ? 'unavailable' : 'gone',
      numbers,
      held: numbers?.reserved ?? 0,
    });
  }

  extend(): boolean {
    return false;
  }

  extendSlowly(): Promise<ExtendOutcome> {
    return Promise.resolve(this.noGrowth);
  }

  /** What is not there is the house's. */
  capture(hold: Hold, amounts: readonly number[]): readonly number[] {
    this.release(hold);
    return hold.needs.map(({ account }, index) => {
      const taken = Math.min(amounts[index] ?? 0, this.#left(account));
      add(this.#spent, account.id, taken);
      return taken;
    });
  }

  progress(): boolean {
    return true;
  }

  finish(hold: Hold, amounts: readonly number[]): readonly number[] {
    return this.capture(hold, amounts);
  }

  secureCharge(hold: Hold, amounts: readonly number[]): Promise<readonly number[] | undefined> {
    if (!this.insecure) return Promise.resolve(this.capture(hold, amounts));
    this.release(hold);
    return Promise.resolve(undefined);
  }

  secureProgress(): Promise<boolean> {
    return Promise.resolve(!this.insecure);
  }

  release(hold: Hold): void {
    hold.needs.forEach(({ account }, index) =>
      add(this.#held, account.id, -(hold.amounts[index] ?? 0)),
    );
  }

  takeToken(rate: RateNeed): number {
    if (this.#firstLimited([rate]) >= 0) return this.#waitMs(rate);
    add(this.#tokensTaken, rate.bucketId, 1);
    return 0;
  }

  spare(account: AccountSpec): number {
    return this.#left(account);
  }

  peek(account: AccountSpec): AccountNumbers {
    return this.#numbers(account);
  }

  askRate(rate: RateNeed): Promise<number> {
    return Promise.resolve(this.peekRate(rate) < 1 ? this.#waitMs(rate) : 0);
  }

  peekRate({ bucketId, burst }: RateNeed): number {
    return burst - (this.#tokensTaken.get(bucketId) ?? 0);
  }

  /** Units charged, by account: empty = nothing was taken of any. */
  get charged(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#spent].filter(([, units]) => units > 0));
  }

  /** Of rates, by bucket. */
  get tokensTaken(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#tokensTaken);
  }

  /** Units under open holds, all accounts together. */
  get openUnits(): number {
    return [...this.#held.values()].reduce((sum, units) => sum + units, 0);
  }

  #numbers(account: AccountSpec): AccountNumbers {
    return {
      allowance:
        account.kind === 'balance' ? (this.balances.get(account.id) ?? 0) : account.allowance,
      spent: this.#spent.get(account.id) ?? 0,
      reserved: this.#held.get(account.id) ?? 0,
    };
  }

  #left(account: AccountSpec): number {
    const { allowance, spent, reserved } = this.#numbers(account);
    return allowance - spent - reserved;
  }

  #firstShort(needs: readonly Need[]): number {
    return needs.findIndex(
      ({ account, amount, least = amount }) => least > 0 && this.#left(account) < least,
    );
  }

  /** Time stands still: of every token that was taken its whole period is left. */
  #waitMs(rate: RateNeed | undefined): number {
    if (rate === undefined) return 0;
    return Math.ceil(((1 - this.peekRate(rate)) * rate.periodMs) / rate.count);
  }

  #firstLimited(rates: readonly RateNeed[]): number {
    return rates.findIndex((rate) => this.peekRate(rate) < 1);
  }
}

function add(units: Map<string, number>, id: string, more: number): void {
  units.set(id, (units.get(id) ?? 0) + more);
}

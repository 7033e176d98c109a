import type { Clock } from '../platform/clock.ts';
import type { RateStore } from '../stores/store.ts';
import type { RateNeed } from './engine.ts';

const SLICES_MAX = 100_000;
/** Tokens not used within this are forgotten, so that a stale slice cannot add to a later burst. */
const SLICE_LIFE_MS = 1000;

interface Slice {
  tokens: number;
  expiresAt: number;
  /** Refused without asking the store until then. Monotonic. */
  deniedUntil: number;
  /** Terms that changed since make a refusal void. */
  deniedUnder: number;
  want: number;
  /** What the shared bucket had left when it was last asked. */
  atStore: number;
  /** When that was. Monotonic. */
  heardMs: number;
}

/** A question to the store that is under way. */
interface Filling {
  readonly answer: Promise<unknown>;
  /** Who wants a token of the bucket. */
  callers: number;
}

export interface RateRefusal {
  /** Of the bucket that has no token, among those asked for. */
  readonly index: number;
  readonly retryAfterMs: number;
}

/**
 * Protective limits of this process: tokens taken ahead from shared buckets, in slices that grow while
 * a bucket is busy and shrink as it empties, so that a burst is exact to a token near its end (QUOTA-07).
 */
export class RateSlices {
  readonly #store: RateStore;
  readonly #clock: Clock;
  readonly #slices = new Map<string, Slice>();
  /** Buckets the store is being asked for. */
  readonly #filling = new Map<string, Filling>();
  /** Buckets the store is being asked about. */
  readonly #asking = new Map<string, Promise<number>>();

  /** How often terms have changed. */
  #terms = 0;

  constructor(store: RateStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Whether every bucket has a token here now. Takes none. */
  ready(rates: readonly RateNeed[], monotonicMs: number): boolean {
    for (const rate of rates) {
      const slice = this.#slices.get(rate.bucketId);
      if (slice === undefined || slice.tokens < 1 || monotonicMs >= slice.expiresAt) return false;
    }
    return true;
  }

  /** Takes one token of each; only after `ready`. */
  take(rates: readonly RateNeed[]): void {
    for (const rate of rates) {
      const slice = this.#slices.get(rate.bucketId);
      if (slice !== undefined) slice.tokens -= 1;
    }
  }

  /**
   * Fills the slices that are empty. A bucket that refused comes back with its index; undefined = look again:
   * there are new tokens, though others may have taken them by now. A bucket is asked for by one caller at a
   * time, or a hundred that find it empty together would take a hundred slices and leave nothing to the rest: it asks
   * for all who came in the same turn.
   */
  async fill(rates: readonly RateNeed[]): Promise<RateRefusal | undefined> {
    const monotonicMs = this.#clock.monotonicMs();
    const denied = this.#findDenied(rates, monotonicMs);
    if (denied !== undefined) return denied;
    const empty = rates.filter((rate) => !this.ready([rate], monotonicMs));
    const [first, ...others] = empty.flatMap(({ bucketId }) => this.#filling.get(bucketId) ?? []);
    if (first !== undefined) {
      for (const filling of [first, ...others]) filling.callers += 1;
      await first.answer;
      return undefined;
    }
    if (empty.length === 0) return undefined;
    const answer = this.#ask(empty);
    for (const { bucketId } of empty) this.#filling.set(bucketId, { answer, callers: 1 });
    try {
      const refused = await answer;
      return refused && { ...refused, index: rates.indexOf(refused.rate) };
    } finally {
      for (const { bucketId } of empty) this.#filling.delete(bucketId);
    }
  }

  /**
   * Milliseconds until there is a token, here or in the shared bucket; 0 = there is one. Takes none. A storm of
   * callers asks the store once at a time.
   */
  async ask(rate: RateNeed): Promise<number> {
    const monotonicMs = this.#clock.monotonicMs();
    if (this.ready([rate], monotonicMs)) return 0;
    const denied = this.#findDenied([rate], monotonicMs);
    if (denied !== undefined) return denied.retryAfterMs;
    const others = this.#asking.get(rate.bucketId);
    if (others !== undefined) return others;
    const asking = this.#look(rate).finally(() => this.#asking.delete(rate.bucketId));
    this.#asking.set(rate.bucketId, asking);
    return asking;
  }

  /**
   * Tokens a caller could take at once: what was last heard of, and what has come back since, parts of one included.
   * Undefined = this process has not asked for the bucket, and others may have emptied it.
   */
  remaining(rate: RateNeed, monotonicMs: number): number | undefined {
    const slice = this.#slices.get(rate.bucketId);
    if (slice === undefined) return undefined;
    const here = monotonicMs < slice.expiresAt ? slice.tokens : 0;
    const since = ((monotonicMs - slice.heardMs) * rate.count) / rate.periodMs;
    return Math.min(rate.burst, here + slice.atStore + since);
  }

  /** A rate limit changed or was lifted: who was refused asks the store again. Tokens that were taken stay. */
  forgetRefusals(): void {
    this.#terms += 1;
  }

  async #ask(
    empty: readonly RateNeed[],
  ): Promise<{ readonly rate: RateNeed; readonly retryAfterMs: number } | undefined> {
    await new Promise((resolve) => setImmediate(resolve));
    const requests = empty.map((rate) => ({ ...rate, want: this.#wantOf(rate) }));
    const results = await this.#store.takeRate(requests, this.#clock.now());
    // However long the store took: tokens that were forgotten before they came would count for nobody.
    const heardMs = this.#clock.monotonicMs();
    let refused: { rate: RateNeed; retryAfterMs: number } | undefined;
    empty.forEach((rate, position) => {
      const result = results[position];
      if (result === undefined) return;
      this.#remember(rate.bucketId, result, heardMs);
      if (result.retryAfterMs > 0) refused ??= { rate, retryAfterMs: result.retryAfterMs };
    });
    return refused;
  }

  /** A token for each who waits at least: over a slow way one question more may be one too many for them. */
  #wantOf({ bucketId }: RateNeed): number {
    const callers = this.#filling.get(bucketId)?.callers ?? 1;
    return Math.max(callers, this.#slices.get(bucketId)?.want ?? 1);
  }

  async #look(rate: RateNeed): Promise<number> {
    const [result] = await this.#store.takeRate([{ ...rate, want: 0 }], this.#clock.now());
    return result?.retryAfterMs ?? 0;
  }

  #findDenied(rates: readonly RateNeed[], monotonicMs: number): RateRefusal | undefined {
    const index = rates.findIndex(({ bucketId }) => {
      const known = this.#slices.get(bucketId);
      return known?.deniedUnder === this.#terms && known.deniedUntil > monotonicMs;
    });
    const slice = this.#slices.get(rates[index]?.bucketId ?? '');
    return slice === undefined
      ? undefined
      : { index, retryAfterMs: slice.deniedUntil - monotonicMs };
  }

  #remember(
    bucketId: string,
    result: { granted: number; remaining: number; retryAfterMs: number },
    monotonicMs: number,
  ): void {
    const before = this.#slices.get(bucketId);
    const tokens =
      (before === undefined || monotonicMs >= before.expiresAt ? 0 : before.tokens) +
      result.granted;
    this.#slices.delete(bucketId);
    this.#evict();
    this.#slices.set(bucketId, {
      tokens,
      expiresAt: monotonicMs + SLICE_LIFE_MS,
      deniedUnder: this.#terms,
      deniedUntil: monotonicMs + result.retryAfterMs,
      want: Math.max(1, Math.min((before?.want ?? 1) * 2, Math.floor(result.remaining / 8))),
      atStore: result.remaining,
      heardMs: monotonicMs,
    });
  }

  /** Oldest first: Map keeps insertion order and a refilled slice moves to the end. */
  #evict(): void {
    if (this.#slices.size < SLICES_MAX) return;
    const oldest = this.#slices.keys().next().value;
    if (oldest !== undefined) this.#slices.delete(oldest);
  }
}

import { waitFor } from '../test/support/wait-for.ts';
import type { ChatOutcome } from './chat-call.ts';
import type { OutageReport } from './report.ts';
import type { StoreUnderFire } from './store-under-fire.ts';

export interface OutageSetting {
  readonly store: StoreUnderFire;
  readonly gateways: number;
  readonly lengthMs: number;
  /** It begins once so many units are served, so that slices have the size of the traffic. */
  readonly afterUnits: number;
  readonly unitsServed: () => number;
  readonly talk: (text: string) => void;
}

const WARM_TIMEOUT_MS = 120_000;
const RECOVERY_TIMEOUT_MS = 60_000;

/** One long absence of the store under traffic, and what callers are told meanwhile: of calls that began and ended in it. */
export class Outage {
  readonly #setting: OutageSetting;
  readonly #codes = new Map<string, number>();
  readonly #recovered = new Set<number>();
  #awayMs = Number.POSITIVE_INFINITY;
  #backMs = Number.POSITIVE_INFINITY;
  #recoveredMs = 0;
  #servedAnswers = 0;
  #servedUnits = 0;
  #refused = 0;
  #noAnswer = 0;
  #longestMs = 0;

  constructor(setting: OutageSetting) {
    this.#setting = setting;
  }

  /** Resolves when every gateway serves again, with nobody's help; rejects when one does not. */
  async run(): Promise<void> {
    const { store, gateways, lengthMs, afterUnits, unitsServed, talk } = this.#setting;
    await waitFor(() => unitsServed() >= afterUnits, {
      timeoutMs: WARM_TIMEOUT_MS,
      what: 'traffic before the outage',
    });
    talk(`the store is away for ${lengthMs} ms`);
    await store.restart(lengthMs, () => {
      this.#awayMs = performance.now();
      return Promise.resolve();
    });
    this.#backMs = performance.now();
    talk('the store is back');
    await waitFor(() => this.#recovered.size === gateways, {
      timeoutMs: RECOVERY_TIMEOUT_MS,
      what: 'every gateway to serve again',
    });
  }

  note(gateway: number, startedMs: number, outcome: ChatOutcome): void {
    const endedMs = performance.now();
    if (startedMs >= this.#backMs) {
      if (outcome.status === 200) this.#recover(gateway, endedMs);
      return;
    }
    if (startedMs < this.#awayMs || endedMs >= this.#backMs || outcome.ended === 'left') return;
    this.#longestMs = Math.max(this.#longestMs, endedMs - startedMs);
    if (outcome.status === 200) {
      this.#servedAnswers += 1;
      this.#servedUnits += outcome.units;
    } else if (outcome.status === 402) this.#refused += 1;
    else if (outcome.status === 0) this.#noAnswer += 1;
    else {
      const code = `${outcome.status} ${outcome.code ?? 'without a code'}`;
      this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
    }
  }

  report(): OutageReport {
    return {
      seconds: (this.#backMs - this.#awayMs) / 1000,
      served_answers: this.#servedAnswers,
      served_units: this.#servedUnits,
      refused: this.#refused,
      no_answer: this.#noAnswer,
      codes: Object.fromEntries(this.#codes),
      longest_ms: Math.round(this.#longestMs),
      recovered_ms: Math.round(this.#recoveredMs),
    };
  }

  #recover(gateway: number, endedMs: number): void {
    if (this.#recovered.has(gateway)) return;
    this.#recovered.add(gateway);
    this.#recoveredMs = endedMs - this.#backMs;
  }
}

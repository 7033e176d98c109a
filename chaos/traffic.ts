import { setTimeout as sleep } from 'node:timers/promises';

import type { ChatCall, ChatOutcome } from './chat-call.ts';
import type { Random } from './seeded-random.ts';
import { CALL_ID_HEADER, type ServedRecord } from './served-record.ts';
import { DELAY_HEADER } from './units-model.ts';

/** Most units of one call; small calls are the more frequent ones. */
export const UNITS_MOST = 20;
const SKEW = 1.3;
/** A little over a third, because a call that meets a dead gateway is drawn anew. */
const STREAM_SHARE = 0.36;
/** Of the calls of a client that leaves. */
const LEAVE_SHARE = 0.7;
/** A whole answer is left before it has begun. */
const LEAVE_MS_MOST = 12;
const DELAY_MS_MOST = 4;
/** After no answer, after a refusal that is over soon, and after one that is not. */
const PAUSE_MS = 20;
const REFUSED_PAUSE_MS = 50;
/** The last refusals of each client that are looked up in the request log. */
const REFUSALS_KEPT = 20;

export interface Client {
  /** Of its key. */
  readonly id: string;
  readonly key: string;
  readonly record: ServedRecord;
  /** It hangs up midway now and then. What others are charged must be what they saw, exactly. */
  readonly leaves: boolean;
}

export interface TrafficSetting {
  readonly clients: readonly Client[];
  /** Calls that each client has under way at a time. */
  readonly callersEach: number;
  /** Chat endpoints; each call takes any of them, as behind a load balancer. */
  readonly urls: readonly string[];
  readonly model: string;
  readonly random: Random;
  /** A status by which a call is refused for want of money. */
  readonly isRefusal: (status: number) => boolean;
  /** Units there are in all, and those that the killed may have taken along: a refusal before all is sold is false. */
  readonly budget: number;
  readonly lost: () => number;
  /** False = callers wait before their next call. */
  readonly mayCall: () => boolean;
  /** Hears of every call when it has ended; `startedMs` by `performance.now()`. */
  readonly onOutcome?: (gateway: number, startedMs: number, outcome: ChatOutcome) => void;
}

/** Mixed calls of 1 to 20 units, plain, streamed and left midway, until somebody stops them or the money is gone. */
export class Traffic {
  readonly #setting: TrafficSetting;
  readonly #inFlightAt: number[];
  /** Final refusals of calls that there was money for, whatever the running calls may cost. */
  falseRefusals = 0;
  readonly #refusals: string[] = [];
  #callers: Promise<void>[] = [];
  #calls = 0;
  #mode: 'on' | 'selling-out' | 'stopped' = 'on';

  constructor(setting: TrafficSetting) {
    this.#setting = setting;
    this.#inFlightAt = setting.urls.map(() => 0);
  }

  get inFlight(): number {
    return this.#inFlightAt.reduce((sum, each) => sum + each, 0);
  }

  get unitsServed(): number {
    return this.#setting.clients.reduce((sum, { record }) => sum + record.units, 0);
  }

  /** Request ids of the newest final refusals since it was last asked. */
  takeRefusals(): readonly string[] {
    return this.#refusals.splice(0);
  }

  inFlightAt(gateway: number): number {
    return this.#inFlightAt[gateway] ?? 0;
  }

  /** For those who watch. */
  describe(): string {
    const { clients, budget } = this.#setting;
    const answers = new Map<number, number>();
    for (const { record } of clients) {
      for (const [status, calls] of record.statuses)
        answers.set(status, (answers.get(status) ?? 0) + calls);
    }
    const statuses = [...answers].map(([status, calls]) => `${status}: ${calls}`).join(', ');
    return `${this.unitsServed} of ${budget} units, ${this.inFlight} calls in flight, by status ${statuses}`;
  }

  /** `callersEach` callers of every client begin. */
  start(): void {
    this.#mode = 'on';
    const { clients, callersEach } = this.#setting;
    this.#callers = clients.flatMap((client) =>
      Array.from({ length: callersEach }, () => this.#run(client)),
    );
  }

  /** Resolves when every caller has been refused a single unit: the money is gone. */
  async sellOut(): Promise<void> {
    if (this.#mode === 'on') this.#mode = 'selling-out';
    await Promise.all(this.#callers);
  }

  /** Resolves when the running calls have ended. */
  async stop(): Promise<void> {
    this.#mode = 'stopped';
    await Promise.all(this.#callers);
  }

  async #run(client: Client): Promise<void> {
    const { random, isRefusal, mayCall } = this.#setting;
    let most = UNITS_MOST;
    while (this.#mode !== 'stopped') {
      if (!mayCall()) {
        // oxlint-disable-next-line no-await-in-loop -- a client waits before it tries again
        await sleep(PAUSE_MS);
        continue;
      }
      const units = 1 + Math.floor(most * random() ** SKEW);
      // oxlint-disable-next-line no-await-in-loop -- a client makes its next call when it has heard of the last
      const outcome = await this.#call(client, units);
      if (outcome.status === 200) most = Math.min(UNITS_MOST, most * 2);
      // oxlint-disable-next-line no-await-in-loop -- a client waits before it tries again
      else if (!isRefusal(outcome.status)) await sleep(PAUSE_MS);
      else if (!outcome.transient) {
        this.#noteRefusal(outcome, units);
        if (units === 1 && this.#mode !== 'on') return;
        most = Math.max(1, Math.floor(units / 2));
      }
      // oxlint-disable-next-line no-await-in-loop -- a client waits before it tries again
      if (isRefusal(outcome.status)) await sleep(REFUSED_PAUSE_MS);
    }
  }

  async #call(client: Client, units: number): Promise<ChatOutcome> {
    const { urls, random, onOutcome } = this.#setting;
    const startedMs = performance.now();
    const gateway = Math.floor(random() * urls.length);
    this.#inFlightAt[gateway] = this.inFlightAt(gateway) + 1;
    const outcome = await client.record.call(this.#draw(urls[gateway] ?? '', client, units));
    this.#inFlightAt[gateway] = this.inFlightAt(gateway) - 1;
    onOutcome?.(gateway, startedMs, outcome);
    return outcome;
  }

  #draw(url: string, client: Client, units: number): ChatCall {
    const { random, model } = this.#setting;
    this.#calls += 1;
    const stream = random() < STREAM_SHARE;
    const leaves = client.leaves && random() < LEAVE_SHARE;
    const delayMs = Math.floor(random() * (DELAY_MS_MOST + 1));
    return {
      url,
      key: client.key,
      model,
      units,
      stream,
      // Only a stream that takes its time can be left midway.
      ...(leaves && stream ? { leaveAfter: 1 + Math.floor(random() * units) } : {}),
      ...(leaves && !stream ? { leaveAfterMs: Math.floor(random() * LEAVE_MS_MOST) } : {}),
      headers: {
        [CALL_ID_HEADER]: String(this.#calls),
        [DELAY_HEADER]: String(leaves ? 1 + delayMs : delayMs),
      },
    };
  }

  #noteRefusal({ requestId }: ChatOutcome, units: number): void {
    const { clients, budget, lost } = this.#setting;
    const left = clients.reduce((sum, { record }) => sum + record.unitsLeftMost, 0);
    // What runs now may take as much as it could ask for; so may have what ended while this refusal was on its way.
    const mostTaken = this.unitsServed + left + lost() + 2 * this.inFlight * UNITS_MOST;
    if (budget - mostTaken >= units) this.falseRefusals += 1;
    if (requestId === undefined) return;
    this.#refusals.push(requestId);
    if (this.#refusals.length > REFUSALS_KEPT * this.#setting.clients.length)
      this.#refusals.shift();
  }
}

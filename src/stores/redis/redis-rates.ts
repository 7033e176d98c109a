import { Redis } from 'ioredis';

import { assertRateRequest } from '../rate-terms.ts';
import { StoreError } from '../store-error.ts';
import type { RateRequest, RateResult, RateStore } from '../store.ts';
import { TAKE_RATES_SCRIPT, TAKE_RATES_SHA } from './take-rates-script.ts';

export interface RedisRatesOptions {
  /** `redis://[user:password@]host:port/database`, `rediss://` for TLS. Never shown. */
  readonly url: string;
  /** What every key begins with; at most 64 letters, digits, `-`, `_`, `.` and `:`. */
  readonly prefix: string;
  /** By what this process is counted among those that live; never reused. */
  readonly process: string;
  /**
   * Whose time buckets go by. `redis` in service: clocks of several machines differ, and the one ahead would refill
   * for itself what the others then wait for. `caller`: the suite that judges the arithmetic sets the time.
   */
  readonly time: 'redis' | 'caller';
}

/** Longest a caller waits for an answer. */
const COMMAND_TIMEOUT_MS = 500;
const CONNECT_TIMEOUT_MS = 1000;
/** A connection that is silent for this long while something was asked is replaced. */
const SILENT_MS = 1000;
const RECONNECT_FIRST_MS = 50;
const RECONNECT_MOST_MS = 2000;

/**
 * Shared buckets in Redis or Valkey (QUOTA-07), one script call for a list. All keys of an installation carry one hash
 * tag: a cluster keeps them on one node, where a list can be taken all or none.
 */
export class RedisRates implements RateStore {
  readonly #redis: Redis;
  readonly #keyStart: string;
  readonly #process: string;
  readonly #time: RedisRatesOptions['time'];
  /** Why there is no connection, as far as it is known. */
  #trouble = 'not connected yet';

  private constructor({ url, prefix, process, time }: RedisRatesOptions) {
    this.#keyStart = `{${prefix}}:`;
    this.#process = process;
    this.#time = time;
    this.#redis = new Redis(url, {
      lazyConnect: true,
      connectionName: prefix,
      // The one protocol that every server and proxy speaks.
      protocol: 2,
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SILENT_MS,
      // Nothing waits for a connection and nothing is sent twice: whoever asks gets its answer from elsewhere.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (times) =>
        Math.min(RECONNECT_MOST_MS, RECONNECT_FIRST_MS * 2 ** Math.min(times, 10)),
      // After a failover this may be the address of a replica: another connection finds who writes now.
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
    });
    // Only the message: the error of a refused AUTH carries the command, and so the password.
    this.#redis.on('error', (error: Error) => (this.#trouble = describe(error)));
  }

  /** Connects in the background: whoever asks before that gets `unavailable`. */
  static open(options: RedisRatesOptions): RedisRates {
    const rates = new RedisRates(options);
    rates.#redis.connect().catch((error: unknown) => (rates.#trouble = describe(error)));
    return rates;
  }

  async takeRate(requests: readonly RateRequest[], now: number): Promise<readonly RateResult[]> {
    for (const request of requests) assertRateRequest(request);
    const terms = requests.flatMap(({ count, periodMs, burst, want }) => {
      return [count, periodMs, burst, want];
    });
    const buckets = requests.map(({ bucketId }) => `${this.#keyStart}${bucketId}`);
    const time = this.#time === 'caller' ? String(now) : '';
    const answer = await this.#call(buckets, [time, '', ...terms]);
    return requests.map((_, index) => ({
      granted: answer[3 * index + 1] ?? 0,
      remaining: answer[3 * index + 2] ?? 0,
      retryAfterMs: answer[3 * index + 3] ?? 0,
    }));
  }

  /** Says that this process lives. Resolves with how many did within the last 5 s, this one included. */
  async beat(): Promise<number> {
    const [processes] = await this.#call([], ['', this.#process]);
    return processes ?? 1;
  }

  /** Resolves once there is a connection, or after `waitMs`. */
  async waitUntilReady(waitMs: number): Promise<void> {
    if (this.#redis.status === 'ready') return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#redis.once('ready', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** No longer counted among the living, as far as Redis can be told. */
  async close(): Promise<void> {
    await within(this.#redis.zrem(this.#roster, this.#process)).catch(() => undefined);
    this.#redis.disconnect();
  }

  get #roster(): string {
    return `${this.#keyStart}processes`;
  }

  async #call(
    buckets: readonly string[],
    args: readonly (string | number)[],
  ): Promise<readonly number[]> {
    if (this.#redis.status !== 'ready') throw new StoreError('unavailable', this.#trouble);
    try {
      return readNumbers(await within(this.#run([this.#roster, ...buckets], args)));
    } catch (error) {
      throw new StoreError('unavailable', describe(error));
    }
  }

  async #run(keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(TAKE_RATES_SHA, keys.length, ...keys, ...args);
    } catch (error) {
      if (!describe(error).startsWith('NOSCRIPT')) throw error;
      return this.#redis.eval(TAKE_RATES_SCRIPT, keys.length, ...keys, ...args);
    }
  }
}

/** Rejects after COMMAND_TIMEOUT_MS. */
function within<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void =>
      reject(new StoreError('unavailable', `no answer within ${COMMAND_TIMEOUT_MS} ms`));
    // After this process was busy itself the answer may lie in the socket: one round of the loop reads it first.
    const timer = setTimeout(() => setImmediate(giveUp), COMMAND_TIMEOUT_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function readNumbers(answer: unknown): readonly number[] {
  if (Array.isArray(answer) && answer.every((each) => typeof each === 'number')) return answer;
  throw new StoreError('unavailable', "it answers in a form that is not the script's");
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

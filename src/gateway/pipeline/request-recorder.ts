import type { Facts } from '../../domain/facts.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Counter } from '../../platform/metrics.ts';
import { RequestBatch } from '../../stores/request-rows-batch.ts';
import type { RequestLog } from '../../stores/store.ts';

const FLUSH_MS = 100;
/** Batches waiting for a store that is behind; beyond them rows are dropped and counted: the ledger is the record of money. */
const WAITING_MAX = 100;
/**
 * Requests that took at most so long share a batch. Rows come in the order requests end, and are looked for by when
 * they began: one long stream among short calls would make the store look through their batch for all its time.
 */
const QUICK_MS = 1000;
const SLOW_MS = 30_000;

interface Waiting {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

/** Log rows on their way to the store, kept as bytes outside the collector's heap. */
export class RequestRecorder {
  readonly #log: Pick<RequestLog, 'appendEncodedRequests'>;
  readonly #logger: Logger;
  readonly #which: 'all' | 'refusals';
  readonly #quick = new RequestBatch();
  /** Few gateways have all three, and none needs all at once. */
  #slow: RequestBatch | undefined;
  #slowest: RequestBatch | undefined;
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  readonly #lost: Counter;

  /** `lost` counts the rows that are not written. */
  constructor(
    log: Pick<RequestLog, 'appendEncodedRequests'>,
    logger: Logger,
    which: 'all' | 'refusals',
    lost: Counter,
  ) {
    this.#log = log;
    this.#logger = logger;
    this.#which = which;
    this.#lost = lost;
  }

  add(facts: Facts): void {
    if (this.#which === 'refusals' && !isRefusal(facts)) return;
    const batch = this.#batchOf(facts);
    if (!batch.add(facts)) {
      this.#close(batch);
      // A row that fits into no batch is longer than anything a request may say.
      if (!batch.add(facts)) this.#lost.add();
      void this.#write();
    }
    this.#timer ??= setTimeout(() => this.#flushInTime(), FLUSH_MS);
  }

  /** Writes everything that was added. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#close(this.#quick);
    this.#close(this.#slow);
    this.#close(this.#slowest);
    await this.#write();
  }

  #batchOf({ outcome }: Facts): RequestBatch {
    if (outcome === undefined || outcome.durationMs <= QUICK_MS) return this.#quick;
    if (outcome.durationMs <= SLOW_MS) return (this.#slow ??= new RequestBatch());
    return (this.#slowest ??= new RequestBatch());
  }

  #flushInTime(): void {
    this.#timer = undefined;
    void this.flush();
  }

  /** The batch waits for the store, or is dropped when too many wait; its next row begins another. */
  #close(batch: RequestBatch | undefined): void {
    const rows = batch?.rowCount ?? 0;
    const bytes = batch?.take();
    if (bytes === undefined) return;
    if (this.#waiting.length >= WAITING_MAX) this.#lost.add(rows);
    else this.#waiting.push({ bytes, rows });
  }

  /** One batch at a time, so that a slow store is not handed more. The open one waits until it is full or old. */
  async #write(): Promise<void> {
    if (this.#waiting.length > 0) this.#writing ??= this.#writeWaiting();
    await this.#writing;
  }

  async #writeWaiting(): Promise<void> {
    for (let batch = this.#waiting.shift(); batch !== undefined; batch = this.#waiting.shift()) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- batches go one after the other on purpose
        await this.#log.appendEncodedRequests(batch.bytes);
      } catch (error) {
        this.#lost.add(batch.rows);
        this.#logger.error({ rows: batch.rows, error: String(error) }, 'request log rows lost');
      }
    }
    // In the same turn as the last look: a batch that comes later is written anew and not forgotten.
    this.#writing = undefined;
  }
}

/** Also one that was only noted: the report of what enforcement would refuse is counted over the log (EVID-01). */
function isRefusal({ outcome }: Facts): boolean {
  return outcome?.ending === 'refused' || outcome?.wouldRefuse !== undefined;
}

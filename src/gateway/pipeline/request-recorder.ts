import type { Facts } from '../../domain/facts.ts';
import { packFacts } from '../../domain/facts-record.ts';
import type { Logger } from '../../platform/logger.ts';
import { encodeRow } from '../../stores/request-rows.ts';
import type { RequestLog } from '../../stores/store.ts';

const FLUSH_MS = 100;
/** A few hundred rows: what the store takes at once, so that calls about money come between two batches. */
const BATCH_BYTES = 128 * 1024;
/** Batches waiting for a store that is behind; beyond them rows are dropped and counted: the ledger is the record of money. */
const WAITING_MAX = 100;
/** UTF-8 needs at most this for one UTF-16 unit. */
const BYTES_PER_UNIT = 3;

interface Batch {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

/** Log rows on their way to the store, kept as bytes outside the collector's heap. */
export class RequestRecorder {
  readonly #log: Pick<RequestLog, 'appendEncodedRequests'>;
  readonly #logger: Logger;
  readonly #which: 'all' | 'refusals';
  readonly #buffer = Buffer.alloc(BATCH_BYTES);
  readonly #waiting: Batch[] = [];
  #used = 0;
  #rows = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #dropped = 0;

  constructor(
    log: Pick<RequestLog, 'appendEncodedRequests'>,
    logger: Logger,
    which: 'all' | 'refusals',
  ) {
    this.#log = log;
    this.#logger = logger;
    this.#which = which;
  }

  get dropped(): number {
    return this.#dropped;
  }

  add(facts: Facts): void {
    if (this.#which === 'refusals' && !isRefusal(facts)) return;
    const text = encodeRow({
      requestId: facts.requestId,
      at: facts.at,
      tenantId: facts.identity.kind === 'key' ? facts.identity.tenantId : '',
      status: facts.outcome?.status ?? 0,
      code: facts.outcome?.code ?? '',
      wouldRefuse: facts.outcome?.wouldRefuse,
      facts: packFacts(facts),
    });
    if (this.#used + text.length * BYTES_PER_UNIT > BATCH_BYTES) {
      this.#closeBatch();
      void this.#write();
    }
    this.#used += this.#buffer.write(text, this.#used);
    this.#rows += 1;
    this.#timer ??= setTimeout(() => this.#flushInTime(), FLUSH_MS);
  }

  /** Writes everything that was added. */
  async flush(): Promise<void> {
    this.#closeBatch();
    await this.#write();
  }

  #flushInTime(): void {
    this.#timer = undefined;
    void this.flush();
  }

  /** Copies the open batch out, or drops it when too many wait, and begins another. */
  #closeBatch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#rows === 0) return;
    if (this.#waiting.length >= WAITING_MAX) this.#dropped += this.#rows;
    else {
      // A copy of exactly these bytes: sending a view between threads would send the whole buffer behind it.
      const bytes = new Uint8Array(this.#buffer.subarray(0, this.#used));
      this.#waiting.push({ bytes, rows: this.#rows });
    }
    this.#used = 0;
    this.#rows = 0;
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
        this.#dropped += batch.rows;
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

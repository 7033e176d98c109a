import type { Facts } from '../../domain/facts.ts';
import { packFacts } from '../../domain/facts-record.ts';
import type { Logger } from '../../platform/logger.ts';
import type { RequestLog, RequestRow } from '../../stores/store.ts';

const FLUSH_MS = 100;
const BATCH_MAX = 1000;
/** Rows waiting for a store that is behind. Beyond it rows are dropped and counted: the ledger is the record of money. */
const WAITING_MAX = 20_000;

/** Batches of log rows on their way to the store. */
export class RequestRecorder {
  readonly #log: Pick<RequestLog, 'appendRequests'>;
  readonly #logger: Logger;
  readonly #which: 'all' | 'refusals';
  #rows: RequestRow[] = [];
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #dropped = 0;

  constructor(log: Pick<RequestLog, 'appendRequests'>, logger: Logger, which: 'all' | 'refusals') {
    this.#log = log;
    this.#logger = logger;
    this.#which = which;
  }

  get dropped(): number {
    return this.#dropped;
  }

  add(facts: Facts): void {
    if (this.#which === 'refusals' && facts.outcome?.ending !== 'refused') return;
    if (this.#rows.length >= WAITING_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#rows.push({
      requestId: facts.requestId,
      at: facts.at,
      tenantId: facts.identity.kind === 'key' ? facts.identity.tenantId : '',
      status: facts.outcome?.status ?? 0,
      code: facts.outcome?.code ?? '',
      facts: packFacts(facts),
    });
    if (this.#rows.length >= BATCH_MAX) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS);
  }

  /** Writes what is waiting; one batch at a time, so that a slow store is not handed more. */
  flush(): Promise<void> {
    this.#flushing ??= this.#write().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#rows.length > 0) {
      const batch = this.#rows.splice(0, BATCH_MAX);
      try {
        // oxlint-disable-next-line no-await-in-loop -- batches go one after the other on purpose
        await this.#log.appendRequests(batch);
      } catch (error) {
        this.#dropped += batch.length;
        this.#logger.error({ rows: batch.length, error: String(error) }, 'request log rows lost');
      }
    }
  }
}

import type { BatchHead } from '../request-rows-reader.ts';
import { joinResults, type SearchBounds, type SearchResult } from '../request-search.ts';
import type { RequestRow, RequestSearch } from '../store.ts';
import { Database } from './database.ts';
import { RequestBatches } from './request-batches.ts';
import { SingleRows } from './request-single-rows.ts';

/** The requests of one day: nearly all in batches, the others one by one. */
export class RequestDay {
  readonly #database: Database;
  readonly #batches: RequestBatches;
  readonly #rows: SingleRows;

  constructor(path: string, busyTimeoutMs: number) {
    this.#database = new Database({ path, durability: 'normal', busyTimeoutMs });
    this.#rows = new SingleRows(this.#database);
    this.#batches = new RequestBatches(this.#database);
  }

  /** `head`: of the batch, that `isKeptWhole`. */
  appendBatch(head: BatchHead, batch: Uint8Array): void {
    this.#database.write(() => this.#batches.append(head, batch));
  }

  appendRows(rows: readonly RequestRow[]): void {
    this.#database.write(() => this.#rows.append(rows));
  }

  find(requestId: string): RequestRow | undefined {
    return this.#database.read(() => this.#batches.find(requestId) ?? this.#rows.find(requestId));
  }

  search(search: RequestSearch, bounds: SearchBounds): SearchResult {
    return this.#database.read(() =>
      joinResults(
        this.#batches.search(search, bounds),
        this.#rows.search(search, bounds),
        bounds.rowsMax,
      ),
    );
  }

  close(): void {
    this.#database.close();
  }
}

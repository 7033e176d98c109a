import type { Store } from '../src/stores/store.ts';

/**
 * The store that all gateways share, as the harness treats it. A kind of store is one file beside this one and one
 * line in stores.ts; it has to say how a gateway is led to it, how it is taken away and given back, and how
 * its books are read.
 */
export interface StoreUnderFire {
  /** In reports. */
  readonly title: string;
  /** Resolves when gateways may be led to it. */
  start(): Promise<void>;
  /** Once it has started: lines of a tollkeeper.yaml that lead a gateway to it; '' = its data directory is the store. */
  readonly settings: string;
  /**
   * The engine runs inside the gateways' processes: a restart of it takes one whole gateway down too. A database
   * server says false, because its restart breaks every gateway's connections by itself.
   */
  readonly embedded: boolean;
  /** Data directory of a gateway: its journals and its admin token, and the store itself where it is embedded. */
  dataDirectory(gateway: number): string;
  /** No write succeeds for `outageMs`; `meanwhile` begins when it is away. Resolves when it is back. */
  restart(outageMs: number, meanwhile: () => Promise<void>): Promise<void>;
  /** A connection of the harness's own, to read the books. */
  open(): Promise<Store>;
  /** Ends every process it started, at once, also while one is starting. */
  kill(): void;
  /** The same, and removes what it wrote outside the directory it was given. */
  stop(): Promise<void>;
}

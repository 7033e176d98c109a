import type { MetricSnapshot } from '../platform/metrics.ts';
import type {
  LogSettings,
  RedisSettings,
  ServerSettings,
  StoreSettings,
  TlsSettings,
} from './config/loaded-config.ts';

/** Everything a gateway worker needs to serve; it reads no file of its own. */
export interface WorkerStart {
  readonly type: 'start';
  readonly name: string;
  /** Of serializeCatalog. */
  readonly catalog: string;
  readonly server: ServerSettings;
  /** How many share what is limited by address. */
  readonly workers: number;
  readonly log: LogSettings;
  readonly store: StoreSettings;
  readonly redis: RedisSettings | undefined;
  /** Payments are play money, and pages may give it away. */
  readonly playMoney: boolean;
  readonly clockShiftMs: number;
}

/** What of a new configuration a running worker takes on. */
export interface Adoption {
  /** Of serializeCatalog. */
  readonly catalog: string;
  /** For a worker that serves TLS. */
  readonly tls: TlsSettings | undefined;
}

export type ToWorker =
  | WorkerStart
  | (Adoption & { readonly type: 'adopt'; readonly call: number })
  | { readonly type: 'report-metrics'; readonly call: number }
  | { readonly type: 'drain'; readonly deadlineMs: number };

export type FromWorker =
  /** Its modules are loaded: what was sent before this would have been lost. */
  | { readonly type: 'loaded' }
  | { readonly type: 'ready'; readonly owner: string; readonly port: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'adopted'; readonly call: number }
  | { readonly type: 'metrics'; readonly call: number; readonly snapshot: MetricSnapshot };

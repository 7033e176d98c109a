import type { Context } from 'hono';

import type { Catalog } from '../../domain/catalog.ts';
import type { Logger } from '../../platform/logger.ts';
import type { MetricSnapshot } from '../../platform/metrics.ts';
import type { Store, Violation } from '../../stores/store.ts';

/** What the admin API needs; server/ supplies it. */
export interface AdminDeps {
  readonly store: Store;
  readonly catalog: () => Catalog;
  /** Epoch ms. */
  readonly now: () => number;
  readonly logger: Logger;
  /** A line for each change. */
  readonly auditTrail: Pick<Logger, 'info'>;
  readonly adminToken: string;
  /** Host names, without a port, that this listener answers to beside the loopback ones. */
  readonly hostNames: readonly string[];
  /** Public origin of the gateway, without a slash at the end: links in errors begin with it. */
  readonly publicUrl: () => string;
  readonly operations: AdminOperations;
}

/** What only the process that owns the workers and the configuration can tell or do. */
export interface AdminOperations {
  configuration(): LoadedConfiguration;
  /** Parses and checks first; on a problem the old configuration stays in force. */
  reload(): Promise<ReloadOutcome>;
  /** Recomputes the books, however long that takes, without holding up `store`. */
  audit(): Promise<readonly Violation[]>;
  workers(): readonly WorkerStatus[];
  /** Summed over all processes. */
  metrics(): Promise<MetricSnapshot>;
  readiness(): Promise<readonly ReadinessPart[]>;
}

export interface LoadedConfiguration {
  readonly version: string;
  readonly loadedAt: number;
  /** The file as a tree, secrets replaced by `***`. */
  readonly source: unknown;
}
export type ReloadOutcome =
  | {
      readonly kind: 'reloaded';
      readonly version: string;
      /** By path of two levels (`plans.free`). */
      readonly changed: readonly string[];
      /** Those of `changed` that wait for the next start. */
      readonly needsRestart: readonly string[];
      /** Whether every worker has confirmed that it decides by it. */
      readonly inForce: boolean;
    }
  | { readonly kind: 'kept'; readonly problems: readonly ConfigurationProblem[] };
export interface ConfigurationProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `plans.free.limits[0].unit`. */
  readonly path: string;
  readonly message: string;
  readonly suggestion?: string | undefined;
}
export interface WorkerStatus {
  readonly name: string;
  readonly pid: number;
  readonly state: 'starting' | 'serving' | 'draining';
  readonly startedAt: number;
}
export interface ReadinessPart {
  readonly name: string;
  readonly ok: boolean;
  /** It serves, though not as it should. */
  readonly degraded?: true;
  readonly detail: string;
}

export interface AdminEnv {
  Variables: {
    requestId: string;
    /** The request repeats an order that was taken before. */
    replayed?: boolean;
  };
}
export type AdminContext = Context<AdminEnv>;

/** A value, or the answer that says why there is none. */
export type Parsed<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  | { readonly kind: 'refused'; readonly response: Response };

import type { Catalog, RateLimit } from '../../domain/catalog.ts';
import type { ConfigProblem } from './config-problem.ts';
import type { LogLevel } from '../../platform/logger.ts';

/** A configuration that was read, checked and compiled. Immutable; a reload makes another. */
export interface LoadedConfig {
  /** As it was named. */
  readonly file: string;
  readonly server: ServerSettings;
  readonly store: StoreSettings;
  /** Where shared buckets of rate limits are; undefined = in the store. */
  readonly redis: RedisSettings | undefined;
  readonly log: LogSettings;
  readonly journal: JournalSettings;
  readonly jobs: JobSettings;
  readonly catalog: Catalog;
  readonly demo: DemoSettings | undefined;
  /** The file with overrides and defaults of the settings, every secret as `***`: for `config print`. */
  readonly source: unknown;
  /** By path: every setting of `server`, `store`, `log`, `journal` and `jobs`, and every other key of the first level. */
  readonly origins: Readonly<Record<string, Origin>>;
  /** What works, but probably not as it was meant. */
  readonly warnings: readonly ConfigProblem[];
  /** By path of two levels (`plans.free`), a hash that changes with what stands there, secrets too. */
  readonly fingerprints: ReadonlyMap<string, string>;
}

export type Origin = 'flag' | 'env' | 'file' | 'default';

/** Our own parser over sockets, or node:http and undici. */
export type HttpTransport = 'sockets' | 'node';

export interface ServerSettings {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  /** Origin for links in answers; undefined = wherever the gateway listens. */
  readonly publicUrl: string | undefined;
  readonly workers: number | 'auto';
  /** PEM text. */
  readonly tls: TlsSettings | undefined;
  /** Addresses and CIDR ranges. */
  readonly trustedProxies: readonly string[];
  /** Of each address, before anything else is looked at; undefined = none (DESIGN 10). */
  readonly addressLimit: Pick<RateLimit, 'count' | 'periodMs' | 'burst'> | undefined;
  /** Whether callers on this machine are limited, too. */
  readonly addressLimitLoopback: boolean;
  readonly drainMs: number;
  readonly headerBytesMax: number;
  readonly headersTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly connectionsMax: number;
  /** Of one worker; the others are shed. */
  readonly requestsMax: number;
  readonly http: HttpTransport;
}

export interface TlsSettings {
  readonly cert: string;
  readonly key: string;
}

export type StoreSettings = SqliteSettings | PostgresSettings;

interface SqliteSettings {
  readonly type: 'sqlite';
  /** Absolute: data, journals, the admin token. */
  readonly directory: string;
}

interface PostgresSettings {
  readonly type: 'postgres';
  /** Absolute: the journals of this machine, the admin token. */
  readonly directory: string;
  /** A secret. */
  readonly url: string;
  /** Most connections of a process; undefined = as many as the store thinks right. */
  readonly connections: number | undefined;
}

export interface RedisSettings {
  /** With its password: never shown. */
  readonly url: string;
  readonly prefix: string;
}

/** How long settled journals are kept: whichever bound is met first. */
export interface JournalSettings {
  readonly keptMs: number;
  readonly bytesMax: number;
}

export interface JobSettings {
  /** From one reconciliation of the books to the next. */
  readonly reconcileMs: number;
}

export interface LogSettings {
  readonly level: LogLevel;
  readonly requests: 'all' | 'refusals';
}

export interface DemoSettings {
  readonly customerName: string;
  readonly planId: string;
  readonly creditNano: bigint;
}

import type { LoadTarget } from './drive-load.ts';

/** The variants of the first table, in its order and in that of every round. */
export const VARIANTS = [
  'nginx',
  'bare',
  'everything',
  'no-store',
  'one-limit',
  'ten-limits',
  'journal-fsync',
  'commit-before-serve',
  'refused',
] as const;
/** What a quick run measures: the promise of `ratio_to_nginx`. */
export const QUICK_VARIANTS: readonly Variant[] = ['nginx', 'bare', 'everything', 'no-store'];
export type Variant = (typeof VARIANTS)[number];

/** Something that serves, running, pinned to the gateway's core. */
export interface Subject {
  /** Its row in the table. */
  readonly variant: string;
  readonly target: LoadTarget;
  /** The processes that serve. */
  readonly pids: readonly number[];
  /** The process beside them that must cost nothing per request; undefined where there is none. */
  readonly supervisorPid: number | undefined;
  /** Throws unless the books say what must be so after `requests` answers. */
  verify(requests: number): Promise<void>;
  stop(): Promise<unknown>;
}

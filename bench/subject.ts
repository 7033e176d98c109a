import type { LoadTarget } from './drive-load.ts';

/** The variants, in the order of the table and of every round. */
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

/** One variant, running, pinned to the gateway's core. */
export interface Subject {
  readonly variant: Variant;
  readonly target: LoadTarget;
  /** The process that serves. */
  readonly pid: number;
  /** The process beside it that must cost nothing per request; undefined where there is none. */
  readonly supervisorPid: number | undefined;
  /** Throws unless the books say what must be so after `requests` answers. */
  verify(requests: number): Promise<void>;
  stop(): Promise<unknown>;
}

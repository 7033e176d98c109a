import { sqliteUnderFire } from './sqlite-under-fire.ts';
import type { StoreUnderFire } from './store-under-fire.ts';

/** The kinds of store there are, in the words of `--store`. */
export const STORES = ['sqlite'] as const;
export type StoreKind = (typeof STORES)[number];

const STARTERS: Readonly<Record<StoreKind, (directory: string) => Promise<StoreUnderFire>>> = {
  sqlite: sqliteUnderFire,
};

/** `directory`: empty, and the store's own until the run has ended. */
export function startStore(kind: StoreKind, directory: string): Promise<StoreUnderFire> {
  return STARTERS[kind](directory);
}

import { postgresUnderFire } from './postgres-under-fire.ts';
import { sqliteUnderFire } from './sqlite-under-fire.ts';
import type { StoreUnderFire } from './store-under-fire.ts';

/** The kinds of store there are, in the words of `--store`. */
export const STORES = ['sqlite', 'postgres'] as const;
export type StoreKind = (typeof STORES)[number];

const CREATORS: Readonly<Record<StoreKind, (directory: string) => StoreUnderFire>> = {
  sqlite: sqliteUnderFire,
  postgres: postgresUnderFire,
};

/** `directory`: empty, and the store's own until the run has ended. Nothing runs before `start`. */
export function createStore(kind: StoreKind, directory: string): StoreUnderFire {
  return CREATORS[kind](directory);
}

import { StoreError } from './store-error.ts';

/** What bringing a schema up to date has found and made, in numbered steps. */
export interface SchemaChange {
  /** Steps that were made before; 0 = there was nothing. */
  readonly from: number;
  readonly to: number;
}

/** Throws StoreError `incompatible` for a database that has steps which this program does not know. */
export function assertKnownSchema(made: number, known: number): void {
  if (made <= known) return;
  throw new StoreError(
    'incompatible',
    `the database has schema version ${made} and this program knows ${known}: start the newer version of Tollkeeper that wrote it`,
  );
}

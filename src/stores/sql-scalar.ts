import { StoreError } from './store-error.ts';

/** What a database keeps exactly as it was given. */
export type SqlScalar = null | number | bigint | string | Uint8Array;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Throws `invalid_argument` for what a caller without types could pass: drivers make something else of it in silence. */
export function assertScalar(value: unknown): void {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array) return;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return;
  if (typeof value === 'bigint' && value >= INT64_MIN && value <= INT64_MAX) return;
  const shown = typeof value === 'number' || typeof value === 'bigint' ? `${value}` : typeof value;
  throw new StoreError(
    'invalid_argument',
    `${shown} cannot be stored: a value is null, a text, bytes, a safe integer, or a bigint of 64 bits`,
  );
}

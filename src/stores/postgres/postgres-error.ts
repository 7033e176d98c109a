import { DatabaseError } from 'pg';

import { StoreError, type StoreErrorCode } from '../store-error.ts';

/** Thrown in a transaction that found the world changed since it began: it is begun again. */
export class Outdated extends Error {
  override readonly name = 'Outdated';
}

/** A prepared statement is not there: somebody between here and the server has put another session in place of ours. */
const SESSION_LOST = '26000';

/**
 * Serialization failure and deadlock: the server chose this transaction to begin again. Unique violation: what was
 * looked for and not there has been written meanwhile, and is found the next time.
 */
const REPEATABLE = new Set(['40001', '40P01', '23505', SESSION_LOST]);

/** SQLSTATE or its class (https://www.postgresql.org/docs/current/errcodes-appendix.html), the longest match counts. */
const CODES: Readonly<Record<string, StoreErrorCode>> = {
  // Connection, resources, operator, system, internal: trouble of the moment or of the server.
  '08': 'unavailable',
  '53': 'unavailable',
  '57': 'unavailable',
  '58': 'unavailable',
  XX: 'unavailable',
  '40': 'unavailable',
  // Wrong password, no such database: whoever runs the server can mend it while this program runs.
  '28': 'unavailable',
  '3D': 'unavailable',
  // A lock that others hold, a database that lets nobody in for now.
  '55': 'unavailable',
  [SESSION_LOST]: 'unavailable',
  // A transaction took too long; a server that has become a replica writes nothing.
  '25P03': 'unavailable',
  '25P04': 'unavailable',
  '25006': 'unavailable',
  '23': 'invariant',
  '22003': 'unsafe_amount',
  // Texts of this server cannot hold U+0000.
  '22021': 'invalid_argument',
  // No right to read or make a table.
  '42501': 'incompatible',
};

export function isRepeatable(error: unknown): boolean {
  return error instanceof Outdated || REPEATABLE.has(sqlStateOf(error) ?? '');
}

/** The driver takes its statements for prepared where nobody knows them: this connection will only fail. */
export function hasLostSession(error: unknown): boolean {
  return sqlStateOf(error) === SESSION_LOST;
}

/** Of an error of the driver, or of what `toStoreError` made of one. */
export function sqlStateOf(error: unknown): string | undefined {
  const origin = error instanceof StoreError ? error.cause : error;
  return origin instanceof DatabaseError ? origin.code : undefined;
}

/** What the driver threw, in the words of the port. It never holds the connection string. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) return error;
  const cause = { cause: error };
  if (!(error instanceof DatabaseError)) {
    return new StoreError('unavailable', `PostgreSQL does not answer: ${reasonOf(error)}`, cause);
  }
  const state = error.code ?? '';
  const code = CODES[state] ?? CODES[state.slice(0, 2)];
  if (code === undefined) return error;
  const explanation = EXPLANATIONS[code] ?? 'PostgreSQL refused a change';
  return new StoreError(code, `${explanation}: ${error.message} (SQLSTATE ${state})`, cause);
}

const EXPLANATIONS: Readonly<Partial<Record<StoreErrorCode, string>>> = {
  unavailable: 'PostgreSQL does not answer',
  invalid_argument: 'PostgreSQL cannot keep this text',
  incompatible:
    'PostgreSQL does not let this user in: make it the owner of its database, or grant it the rights',
};

/** A host with several addresses fails with an error for each, and a message of none. */
function reasonOf(error: Error): string {
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}

import { openCopySource } from '../stores/sqlite/copy-source.ts';
import type { CopyResult, CopySource } from '../stores/store-copy.ts';
import { findRunning } from './find-running.ts';
import { type Refusal, refuse } from './store-refusal.ts';

export interface CopyPlan {
  /** Data directory of the embedded store. */
  readonly directory: string;
  /** `postgres://...`: an empty database. A secret. */
  readonly url: string;
}

export type CopyRefusal = Refusal<
  'NO_STORE' | 'STORE_IN_USE' | 'STORE_NOT_SETTLED' | 'BOOKS_WRONG'
>;

/**
 * Copies the books and the directory of an embedded store at rest into PostgreSQL, or refuses; the source stays as it is.
 * Throws StoreError when one of them does not answer or is of another version.
 */
export async function copyStore({ directory, url }: CopyPlan): Promise<CopyResult | CopyRefusal> {
  const running = findRunning(directory);
  if (running !== undefined) {
    return refuse(
      'STORE_IN_USE',
      `gateway process ${running} works on ${directory}: stop the gateway, and copy again`,
    );
  }
  const source = openCopySource(directory);
  if (source === undefined) {
    return refuse(
      'NO_STORE',
      `${directory} holds no SQLite store: name the data directory of the gateway with --from`,
    );
  }
  try {
    const { copyInto } = await import('../stores/postgres/copy-target.ts');
    return findUnsettled(source) ?? (await copyInto(url, source));
  } finally {
    source.close();
  }
}

/** Why the numbers of a store that nobody uses are not the last word. */
function findUnsettled(source: CopySource): CopyRefusal | undefined {
  const [owner, ...others] = source.liveOwners();
  if (owner !== undefined) {
    const which = others.length === 0 ? owner : `${owner} and ${others.length} more`;
    return refuse(
      'STORE_NOT_SETTLED',
      `gateway process ${which} ended without settling: start the gateway on this directory once, which reads its journal, stop it, and copy again`,
    );
  }
  const [violation] = source.audit();
  if (violation === undefined) return undefined;
  return refuse(
    'BOOKS_WRONG',
    `the books of the store do not add up, so a copy could not be checked: ${violation.invariant}: ${violation.detail}`,
  );
}

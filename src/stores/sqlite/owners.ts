import { StoreError } from '../store-error.ts';
import type { Changes } from './changes.ts';
import type { Database, Statement } from './database.ts';

/** An owner not heard of for this long is stranded: it neither answers recalls nor counts as a rival. */
export const OWNER_SILENT_MS = 2000;
/** A heartbeat that says nothing new is written down only this often, so that idle gateways only read. */
const SEEN_WRITTEN_EVERY_MS = 500;

export interface OwnerRow {
  readonly id: string;
  readonly state: 'live' | 'closed' | 'reclaimed';
  readonly last_seq: number;
  readonly settlements: number;
  readonly seen_at: number;
  readonly seen_change: number;
}

/** Process incarnations. Runs inside its caller's transaction. */
export class Owners {
  readonly #changes: Changes;
  readonly #select: Statement<OwnerRow>;
  readonly #selectLive: Statement<{ readonly id: string }>;
  readonly #countHeard: Statement<{ readonly owners: number }>;
  readonly #countBehind: Statement<{ readonly owners: number }>;
  readonly #insert: Statement<never>;
  readonly #update: Statement<never>;

  constructor(database: Database, changes: Changes) {
    this.#changes = changes;
    this.#select = database.prepare(
      'SELECT id, state, last_seq, settlements, seen_at, seen_change FROM owners WHERE id = ?',
    );
    this.#selectLive = database.prepare("SELECT id FROM owners WHERE state = 'live' ORDER BY id");
    this.#countHeard = database.prepare(
      "SELECT COUNT(*) AS owners FROM owners WHERE state = 'live' AND seen_at >= ?",
    );
    this.#countBehind = database.prepare(
      "SELECT COUNT(*) AS owners FROM owners WHERE state = 'live' AND seen_at >= ? AND seen_change < ?",
    );
    this.#insert = database.prepare(
      "INSERT INTO owners (id, state, last_seq, settlements, seen_at, seen_change) VALUES (?, 'live', 0, 0, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#update = database.prepare(
      'UPDATE owners SET state = ?, last_seq = ?, settlements = ?, seen_at = ?, seen_change = ? WHERE id = ?',
    );
  }

  /** A new owner has cached nothing, so it has seen every change made so far. */
  open(id: string, now: number): void {
    if (this.#insert.run(id, now, this.#changes.newest()) === 1) return;
    throw new StoreError(
      'already_exists',
      `owner ${id} was used before: give every process start an id of its own`,
    );
  }

  find(id: string): OwnerRow | undefined {
    return this.#select.get(id);
  }

  live(): readonly string[] {
    return this.#selectLive.all().map((row) => row.id);
  }

  /** Live owners heard of lately. */
  countHeard(now: number): number {
    return this.#countHeard.get(now - OWNER_SILENT_MS)?.owners ?? 0;
  }

  /** Of those, the ones that have not seen change number `seq`. */
  countBehind(seq: number, now: number): number {
    return this.#countBehind.get(now - OWNER_SILENT_MS, seq)?.owners ?? 0;
  }

  /** The owner, if it is live; marks it as heard of. */
  hear(id: string, now: number): OwnerRow {
    const owner = this.#select.get(id);
    if (owner?.state !== 'live') {
      throw new StoreError(
        'fenced',
        `owner ${id} is ${owner?.state ?? 'unknown'}: it may not take leases`,
      );
    }
    if (isSeenStale(owner, now)) this.save({ ...owner, seen_at: now });
    return owner;
  }

  save(owner: OwnerRow): void {
    this.#update.run(
      owner.state,
      owner.last_seq,
      owner.settlements,
      owner.seen_at,
      owner.seen_change,
      owner.id,
    );
  }
}

export function isSeenStale(owner: OwnerRow, now: number): boolean {
  return now - owner.seen_at >= SEEN_WRITTEN_EVERY_MS;
}

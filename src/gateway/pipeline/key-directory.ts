import { parseApiKey } from '../../domain/api-key.ts';
import { BoundedMap } from '../../domain/bounded-map.ts';
import type { Catalog } from '../../domain/catalog.ts';
import type { Clock } from '../../platform/clock.ts';
import { sha256Hex } from '../../platform/sha256.ts';
import { waitAtMost } from '../../platform/wait-at-most.ts';
import type { Change, DirectoryStore, KeyWithTenant } from '../../stores/store.ts';
import { ownString } from '../own-string.ts';
import { KeyAccess } from './key-access.ts';
import type { TenantKeys } from './tenant-keys.ts';

export type KeyRefusal = 'KEY_MISSING' | 'KEY_UNKNOWN' | 'KEY_REVOKED' | 'KEY_EXPIRED';
export type Identification =
  | { readonly kind: 'key'; readonly access: KeyAccess }
  | { readonly kind: 'refused'; readonly code: KeyRefusal; readonly since: number | undefined };

const KEYS_MAX = 100_000;
const UNKNOWN_MAX = 10_000;
/** How long a key that does not exist is refused from memory. A created key clears it at once. */
const UNKNOWN_MS = 1000;
/** Longest a request waits for the store to say whose key it has: as long as for money (DESIGN 5). */
const LOOK_MS_MAX = 1000;
/** Who notes nothing for longer stood still. Nobody waits for the news to reach a process that is silent for twice that. */
const STILL_MS_MAX = 1000;

const MISSING: Identification = { kind: 'refused', code: 'KEY_MISSING', since: undefined };
const UNKNOWN: Identification = { kind: 'refused', code: 'KEY_UNKNOWN', since: undefined };

/** Who calls: verified keys in a bounded cache by raw key, the store behind it. Changes empty what they touch. */
export class KeyDirectory {
  readonly #store: Pick<DirectoryStore, 'findKey'>;
  readonly #clock: Clock;
  readonly #catalog: () => Catalog;
  readonly #known = new BoundedMap<string, KeyAccess>(KEYS_MAX);
  readonly #unknown = new Map<string, number>();
  /** By tenant: what its keys that came last have in common. */
  readonly #siblings = new Map<string, TenantKeys>();
  /** Keys the store is being asked for: calls with the same one share the question. */
  readonly #looking = new Map<string, Promise<Identification>>();
  #awakeMs: number;

  constructor(store: Pick<DirectoryStore, 'findKey'>, clock: Clock, catalog: () => Catalog) {
    this.#store = store;
    this.#clock = clock;
    this.#catalog = catalog;
    this.#awakeMs = clock.monotonicMs();
  }

  /**
   * To be called twice a second, also when nobody calls: what a process that stood still wakes up to may come before the
   * news of changes that are in force everywhere else.
   */
  noteAwake(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#awakeMs > STILL_MS_MAX) this.forgetAll();
    this.#awakeMs = nowMs;
  }

  /** Synchronous when the key is known here. Rejects when the store does not say within a second. */
  identify(rawKey: string | undefined): Identification | Promise<Identification> {
    if (rawKey === undefined || rawKey === '') return MISSING;
    this.noteAwake();
    const access = this.#known.get(rawKey);
    if (access !== undefined && this.#clock.now() < access.validUntil) return this.#judge(access);
    // The checksum tells a typo from a key without asking the store.
    if (parseApiKey(rawKey) === undefined) return UNKNOWN;
    const refusedUntil = this.#unknown.get(rawKey);
    if (refusedUntil !== undefined && refusedUntil > this.#clock.monotonicMs()) return UNKNOWN;
    return waitAtMost(this.#lookOnce(ownString(rawKey)), LOOK_MS_MAX, 'looking the key up');
  }

  /** A new configuration: plans may have changed. */
  forgetAll(): void {
    this.#known.clear();
    this.#unknown.clear();
    this.#siblings.clear();
  }

  /** All of them in one pass: it may be a hundred thousand keys that are looked through. */
  hear(changes: readonly Change[]): void {
    // What is being looked up may be as it was before: nobody who comes now shares the answer.
    if (changes.length > 0) this.#looking.clear();
    const hashes = idsOf(changes, 'key');
    const tenantIds = idsOf(changes, 'tenant');
    if (hashes.size > 0) this.#unknown.clear();
    if (hashes.size + tenantIds.size === 0) return;
    for (const [rawKey, { key, siblings }] of this.#known) {
      if (hashes.has(key.hash) || siblings.hasAny(tenantIds)) this.#known.delete(rawKey);
    }
  }

  #lookOnce(rawKey: string): Promise<Identification> {
    const others = this.#looking.get(rawKey);
    if (others !== undefined) return others;
    const looking = this.#look(rawKey).finally(() => this.#looking.delete(rawKey));
    this.#looking.set(rawKey, looking);
    return looking;
  }

  async #look(rawKey: string): Promise<Identification> {
    const found = await this.#store.findKey(sha256Hex(rawKey));
    if (found === undefined) {
      if (this.#unknown.size >= UNKNOWN_MAX) this.#unknown.clear();
      this.#unknown.set(rawKey, this.#clock.monotonicMs() + UNKNOWN_MS);
      return UNKNOWN;
    }
    const now = this.#clock.now();
    const access = new KeyAccess(found, this.#catalog(), now, this.#siblingsOf(found, now));
    if (this.#siblings.size >= KEYS_MAX) this.#siblings.clear();
    this.#siblings.set(found.tenant.id, access.siblings);
    this.#known.set(rawKey, access);
    return this.#judge(access);
  }

  #siblingsOf(found: KeyWithTenant, now: number): TenantKeys | undefined {
    const siblings = this.#siblings.get(found.tenant.id);
    return siblings?.holdsFor(found, now) === true ? siblings : undefined;
  }

  #judge(access: KeyAccess): Identification {
    const { revokedAt, expiresAt } = access.key;
    if (revokedAt !== undefined) return { kind: 'refused', code: 'KEY_REVOKED', since: revokedAt };
    if (expiresAt !== undefined && this.#clock.now() >= expiresAt)
      return { kind: 'refused', code: 'KEY_EXPIRED', since: expiresAt };
    return access.identification;
  }
}

function idsOf(changes: readonly Change[], kind: Change['kind']): ReadonlySet<string> {
  return new Set(changes.filter((change) => change.kind === kind).map(({ id }) => id));
}

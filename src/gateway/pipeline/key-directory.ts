import { parseApiKey } from '../../domain/api-key.ts';
import type { Catalog } from '../../domain/catalog.ts';
import type { Clock } from '../../platform/clock.ts';
import { sha256Hex } from '../../platform/sha256.ts';
import type { Change, DirectoryStore } from '../../stores/store.ts';
import { ownString } from '../own-string.ts';
import { KeyAccess } from './key-access.ts';

export type KeyRefusal = 'KEY_MISSING' | 'KEY_UNKNOWN' | 'KEY_REVOKED' | 'KEY_EXPIRED';
export type Identification =
  | { readonly kind: 'key'; readonly access: KeyAccess }
  | { readonly kind: 'refused'; readonly code: KeyRefusal; readonly since: number | undefined };

const KEYS_MAX = 100_000;
const UNKNOWN_MAX = 10_000;
/** How long a key that does not exist is refused from memory. A created key clears it at once. */
const UNKNOWN_MS = 1000;

const MISSING: Identification = { kind: 'refused', code: 'KEY_MISSING', since: undefined };
const UNKNOWN: Identification = { kind: 'refused', code: 'KEY_UNKNOWN', since: undefined };

/** Who calls: verified keys in a bounded cache by raw key, the store behind it. Changes empty what they touch. */
export class KeyDirectory {
  readonly #store: Pick<DirectoryStore, 'findKey'>;
  readonly #clock: Clock;
  readonly #catalog: () => Catalog;
  readonly #known = new Map<string, KeyAccess>();
  readonly #unknown = new Map<string, number>();

  constructor(store: Pick<DirectoryStore, 'findKey'>, clock: Clock, catalog: () => Catalog) {
    this.#store = store;
    this.#clock = clock;
    this.#catalog = catalog;
  }

  /** Synchronous when the key is known here. */
  identify(rawKey: string | undefined): Identification | Promise<Identification> {
    if (rawKey === undefined || rawKey === '') return MISSING;
    const access = this.#known.get(rawKey);
    if (access !== undefined && this.#clock.now() < access.validUntil) return this.#judge(access);
    // The checksum tells a typo from a key without asking the store.
    if (parseApiKey(rawKey) === undefined) return UNKNOWN;
    const refusedUntil = this.#unknown.get(rawKey);
    if (refusedUntil !== undefined && refusedUntil > this.#clock.monotonicMs()) return UNKNOWN;
    return this.#look(ownString(rawKey));
  }

  /** A new configuration: plans may have changed. */
  forgetAll(): void {
    this.#known.clear();
    this.#unknown.clear();
  }

  hear(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'key') {
        this.#unknown.clear();
        this.#forgetWhere((access) => access.key.hash === change.id);
      }
      if (change.kind === 'tenant')
        this.#forgetWhere((access) => access.tenantIds.includes(change.id));
    }
  }

  async #look(rawKey: string): Promise<Identification> {
    const found = await this.#store.findKey(sha256Hex(rawKey));
    if (found === undefined) {
      if (this.#unknown.size >= UNKNOWN_MAX) this.#unknown.clear();
      this.#unknown.set(rawKey, this.#clock.monotonicMs() + UNKNOWN_MS);
      return UNKNOWN;
    }
    const access = new KeyAccess(found, this.#catalog(), this.#clock.now());
    if (this.#known.size >= KEYS_MAX) this.#forgetOldest();
    this.#known.set(rawKey, access);
    return this.#judge(access);
  }

  #judge(access: KeyAccess): Identification {
    const { revokedAt, expiresAt } = access.key;
    if (revokedAt !== undefined) return { kind: 'refused', code: 'KEY_REVOKED', since: revokedAt };
    if (expiresAt !== undefined && this.#clock.now() >= expiresAt)
      return { kind: 'refused', code: 'KEY_EXPIRED', since: expiresAt };
    return access.identification;
  }

  #forgetOldest(): void {
    const oldest = this.#known.keys().next().value;
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  #forgetWhere(matches: (access: KeyAccess) => boolean): void {
    for (const [rawKey, access] of this.#known) {
      if (matches(access)) this.#known.delete(rawKey);
    }
  }
}

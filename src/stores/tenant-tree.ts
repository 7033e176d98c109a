import { StoreError } from './store-error.ts';
import { ANCESTORS_MAX, type Tenant } from './store.ts';

/** What is around a tenant that is to get a parent. */
export interface Surroundings {
  /** The parent, its own parent and so on; empty = there is no such parent. */
  readonly above: readonly Tenant[];
  /** Tenants in the longest line below; 0 of a new one. */
  readonly below: number;
}

/** Where a parent is written is where a circle would begin: no reader need look for one. */
export function assertMayBeBelow(
  id: string,
  parentId: string,
  { above, below }: Surroundings,
): void {
  if (above.length === 0 && parentId !== id) throw unknownTenant(parentId);
  if (parentId === id || above.some((each) => each.id === id)) {
    throw new StoreError(
      'invalid_change',
      `tenant ${parentId} is tenant ${id} or below it: a tenant cannot be above itself, so choose a parent outside`,
    );
  }
  if (above.length + below > ANCESTORS_MAX) {
    throw new StoreError(
      'invalid_change',
      `a tenant would have ${above.length + below} others above it, and may have ${ANCESTORS_MAX}: choose a parent nearer to the top`,
    );
  }
}

/** Where a change is written: of two at once, one may make a tenant part of the pool that the other takes it out of. */
export function assertMayPool({ id, terms }: Tenant): void {
  if (!terms.pooled || terms.parentId !== undefined) return;
  throw new StoreError(
    'invalid_change',
    `tenant ${id} is pooled, and draws on the plan and balance of a parent: give it one, or set pooled to false`,
  );
}

export function unknownTenant(id: string): StoreError {
  return new StoreError('unknown_tenant', `tenant ${id} does not exist: create it first`);
}

export function tenantExists(id: string): StoreError {
  return new StoreError('already_exists', `tenant ${id} exists`);
}

export function keyExists(id: string): StoreError {
  return new StoreError('already_exists', `key ${id} or its hash exists`);
}

import { isDeepStrictEqual } from 'node:util';

import type { Catalog, LimitScope } from '../../domain/catalog.ts';
import { PLAIN_KEY_TERMS } from '../../domain/key-terms.ts';
import { holderWith, tenantAccess, type TenantAccess } from '../../domain/tenant-access.ts';
import type { ApiKey, KeyWithTenant, Tenant } from '../../stores/store.ts';
import { CallerAccounts, everyLimitOf } from './caller-accounts.ts';
import { type CallRate, compileRates } from './key-gate.ts';

type Found = Pick<KeyWithTenant, 'tenant' | 'ancestors'>;

/**
 * What all keys of one tenant have in common, compiled once: a hundred thousand keys would each be kilobytes, and
 * calls of each would find nothing of the others' in the processor's caches.
 */
export class TenantKeys {
  readonly tenant: Tenant;
  readonly payer: Tenant;
  readonly access: TenantAccess;
  readonly #ancestors: readonly Tenant[];
  readonly #catalog: Catalog;
  /** Undefined = some limit counts each key by itself. */
  readonly #accounts: CallerAccounts | undefined;
  /** Undefined = some rate is of each key. */
  readonly #rates: readonly CallRate[] | undefined;

  /** Throws when the configuration lacks the plan of a tenant. */
  constructor(found: Found, catalog: Catalog, at: number) {
    const { tenant, ancestors } = found;
    this.tenant = tenant;
    this.#ancestors = ancestors;
    this.#catalog = catalog;
    this.access = tenantAccess(found, catalog, at);
    const { payer, plan, holder, ratesAbove } = this.access;
    this.payer = ancestors.find(({ id }) => id === payer.id) ?? tenant;
    this.#accounts = hasKeyScope(everyLimitOf(plan, holder)) ? undefined : this.#open(holder);
    const rateLimits = [...plan.rateLimits, ...ratesAbove.flatMap((above) => above.rateLimits)];
    this.#rates = hasKeyScope(rateLimits) ? undefined : this.#compileRates('');
  }

  /** Whether another of its keys was found with the same terms, and they are still in force at `at`. */
  holdsFor({ tenant, ancestors }: Found, at: number): boolean {
    return (
      at < this.access.validUntil &&
      isDeepStrictEqual(tenant, this.tenant) &&
      isDeepStrictEqual(ancestors, this.#ancestors)
    );
  }

  /** A change of any of these is a change of this. */
  hasAny(tenantIds: ReadonlySet<string>): boolean {
    return tenantIds.has(this.tenant.id) || this.#ancestors.some(({ id }) => tenantIds.has(id));
  }

  accountsOf(key: ApiKey): CallerAccounts {
    const isPlain = key.budgetNano === undefined && key.terms.limits.length === 0;
    if (isPlain && this.#accounts !== undefined) return this.#accounts;
    return this.#open(holderWith(key, this.access.holder, this.#catalog));
  }

  ratesOf(keyId: string): readonly CallRate[] {
    return this.#rates ?? this.#compileRates(keyId);
  }

  /** The key with what it shares with others as one object. */
  compact(key: ApiKey): ApiKey {
    const isPlain = isDeepStrictEqual(key.terms, PLAIN_KEY_TERMS);
    return { ...key, tenantId: this.tenant.id, terms: isPlain ? PLAIN_KEY_TERMS : key.terms };
  }

  #open(holder: TenantAccess['holder']): CallerAccounts {
    const { plan, payer } = this.access;
    const { overageAuthorizedUntil } = payer.terms;
    return new CallerAccounts(plan, holder, this.#catalog.asset, overageAuthorizedUntil);
  }

  #compileRates(keyId: string): readonly CallRate[] {
    const { plan, payer, ratesAbove } = this.access;
    return compileRates(plan.rateLimits, { payerId: payer.id, keyId, above: ratesAbove });
  }
}

function hasKeyScope(limits: readonly { readonly scope: LimitScope }[]): boolean {
  return limits.some(({ scope }) => scope === 'key');
}

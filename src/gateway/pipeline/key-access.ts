import type { EffectivePlan } from '../../domain/effective-plan.ts';
import type { Catalog } from '../../domain/catalog.ts';
import type { AgreedTerms, IdentityFact } from '../../domain/facts.ts';
import type { ApiKey, KeyWithTenant, Tenant } from '../../stores/store.ts';
import type { CallerAccounts } from './caller-accounts.ts';
import { type CallRate, compileKeyGate, type KeyGate } from './key-gate.ts';
import { TenantKeys } from './tenant-keys.ts';

/** Everything about one key that does not change between requests, compiled once (DESIGN 9 "decide at load time"). */
export class KeyAccess {
  readonly key: ApiKey;
  readonly tenant: Tenant;
  /** Whose plan it is: the tenant, or the pool it draws on. */
  readonly payer: Tenant;
  readonly plan: EffectivePlan;
  readonly identity: IdentityFact;
  /** Undefined = nothing beyond the plan. */
  readonly agreed: AgreedTerms | undefined;
  /** Epoch ms: an override or purchase ends, and what was compiled with it. */
  readonly validUntil: number;
  /** What calls of it count in: its own, or what all keys of the tenant do. */
  readonly accounts: CallerAccounts;
  /** The answer of KeyDirectory, made once. */
  readonly identification: { readonly kind: 'key'; readonly access: KeyAccess } = {
    kind: 'key',
    access: this,
  };
  readonly rates: readonly CallRate[];
  /** Undefined = nothing narrows what this key may do. */
  readonly gate: KeyGate | undefined;
  /** What it has in common with the other keys of its tenant. */
  readonly siblings: TenantKeys;

  /** Throws when the configuration lacks the plan of a tenant. */
  constructor(
    found: KeyWithTenant,
    catalog: Catalog,
    at: number,
    siblings = new TenantKeys(found, catalog, at),
  ) {
    const { access, tenant, payer } = siblings;
    this.siblings = siblings;
    this.key = siblings.compact(found.key);
    this.tenant = tenant;
    this.payer = payer;
    this.plan = access.plan;
    this.agreed = access.agreed;
    this.validUntil = access.validUntil;
    this.accounts = siblings.accountsOf(found.key);
    this.identity = {
      kind: 'key',
      keyId: this.key.id,
      tenantId: tenant.id,
      planId: this.plan.id,
      planVersion: this.plan.version,
      planTitle: this.plan.title,
      freePlan: this.plan.priceNano === 0n,
    };
    this.rates = siblings.ratesOf(this.key.id);
    this.gate = compileKeyGate(found, access, catalog.models);
  }
}

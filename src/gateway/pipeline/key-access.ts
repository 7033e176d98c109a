import type { Catalog } from '../../domain/catalog.ts';
import type { EffectivePlan } from '../../domain/effective-plan.ts';
import type { AgreedTerms, IdentityFact } from '../../domain/facts.ts';
import { accessOf } from '../../domain/tenant-access.ts';
import type { ApiKey, KeyWithTenant, Tenant } from '../../stores/store.ts';
import { CallerAccounts } from './caller-accounts.ts';
import { type CallRate, compileKeyGate, compileRates, type KeyGate } from './key-gate.ts';

/** Everything about one key that does not change between requests, compiled once (DESIGN 9 "decide at load time"). */
export class KeyAccess extends CallerAccounts {
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
  /** The answer of KeyDirectory, made once. */
  readonly identification: { readonly kind: 'key'; readonly access: KeyAccess } = {
    kind: 'key',
    access: this,
  };
  readonly rates: readonly CallRate[];
  /** Undefined = nothing narrows what this key may do. */
  readonly gate: KeyGate | undefined;
  /** The tenant and all above it: a change of any is a change of this. */
  readonly tenantIds: readonly string[];

  /** Throws when the configuration lacks the plan of a tenant. */
  constructor(found: KeyWithTenant, catalog: Catalog, at: number) {
    const access = accessOf(found, catalog, at);
    const { overageAuthorizedUntil } = access.payer.terms;
    super(access.plan, access.holder, catalog.asset, overageAuthorizedUntil);
    this.key = found.key;
    this.tenant = found.tenant;
    this.tenantIds = [found.tenant, ...found.ancestors].map(({ id }) => id);
    this.plan = access.plan;
    const { id: payerId } = access.payer;
    this.payer = found.ancestors.find(({ id }) => id === payerId) ?? found.tenant;
    this.agreed = access.agreed;
    this.validUntil = access.validUntil;
    this.identity = {
      kind: 'key',
      keyId: found.key.id,
      tenantId: found.tenant.id,
      planId: this.plan.id,
      planVersion: this.plan.version,
      planTitle: this.plan.title,
      freePlan: this.plan.priceNano === 0n,
    };
    const owners = { payerId, keyId: found.key.id, above: access.ratesAbove };
    this.rates = compileRates(this.plan.rateLimits, owners);
    this.gate = compileKeyGate(found, access);
  }
}

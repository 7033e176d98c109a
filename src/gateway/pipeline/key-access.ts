import { compileRateLimitPolicy, type RateLimitPolicy } from '../../contract/headers.ts';
import {
  accountsFor,
  bucketId,
  type AccountHolder,
  type AccountSpec,
} from '../../domain/accounts.ts';
import type { Catalog, Plan, Route } from '../../domain/catalog.ts';
import type { IdentityFact } from '../../domain/facts.ts';
import { windowSeconds } from '../../domain/window.ts';
import type { Need, RateNeed } from '../../engine/engine.ts';
import type { ApiKey, KeyWithTenant, Tenant } from '../../stores/store.ts';

/** One account of a key with what the hot path needs of it. */
export interface AccountView {
  readonly spec: AccountSpec;
  /** Undefined on a balance. */
  readonly policy: RateLimitPolicy | undefined;
}

/** What one call takes from each kind of account: requests, tokens, nano. */
export interface Take {
  readonly tokens: number;
  readonly nano: number;
}

/** Everything about one key that does not change between requests, compiled once (DESIGN 9 "decide at load time"). */
export class KeyAccess {
  readonly key: ApiKey;
  readonly tenant: Tenant;
  readonly plan: Plan;
  readonly identity: IdentityFact;
  /** The answer of KeyDirectory, made once. */
  readonly identification: { readonly kind: 'key'; readonly access: KeyAccess } = {
    kind: 'key',
    access: this,
  };
  readonly rates: readonly RateNeed[];
  readonly rateIds: readonly string[];
  readonly #holder: AccountHolder;
  readonly #asset: string;
  #accounts: readonly AccountView[] = [];
  #accountsUntil = 0;
  /** Needs of flat-priced routes: the same array for every call until a window ends. */
  #flatNeeds = new Map<string, readonly Need[]>();

  constructor(found: KeyWithTenant, plan: Plan, catalog: Catalog) {
    this.key = found.key;
    this.tenant = found.tenant;
    this.plan = plan;
    this.#asset = catalog.asset;
    this.#holder = {
      tenantId: found.tenant.id,
      keyId: found.key.id,
      budgetNano: found.key.budgetNano,
    };
    this.identity = {
      kind: 'key',
      keyId: found.key.id,
      tenantId: found.tenant.id,
      planId: plan.id,
      planVersion: plan.version,
      planTitle: plan.title,
      freePlan: plan.priceNano === 0n,
    };
    this.rates = plan.rateLimits.map((limit) => ({
      bucketId: bucketId(limit, this.#holder),
      count: limit.count,
      periodMs: limit.periodMs,
      burst: limit.burst,
    }));
    this.rateIds = plan.rateLimits.map((limit) => limit.id);
  }

  /** Whether priced calls draw on the balance. */
  get prepaid(): boolean {
    return this.plan.usage === 'prepaid';
  }

  accountsAt(now: number): readonly AccountView[] {
    if (now >= this.#accountsUntil) this.#rollWindows(now);
    return this.#accounts;
  }

  /** Needs of a call whose cost is known before it leaves. */
  flatNeedsAt(route: Route, take: Take, now: number): readonly Need[] {
    if (now >= this.#accountsUntil) this.#rollWindows(now);
    const known = this.#flatNeeds.get(route.id);
    if (known !== undefined) return known;
    const needs = this.needsAt(take, now);
    this.#flatNeeds.set(route.id, needs);
    return needs;
  }

  /** Accounts that this call takes nothing from are left out. */
  needsAt(take: Take, now: number): readonly Need[] {
    const needs: Need[] = [];
    for (const { spec } of this.accountsAt(now)) {
      const amount = amountFor(spec, take);
      if (amount > 0) needs.push({ account: spec, amount });
    }
    return needs;
  }

  #rollWindows(now: number): void {
    const specs = accountsFor(this.plan, this.#holder, this.#asset, now);
    this.#accounts = specs.map((spec) => ({ spec, policy: policyOf(spec, now) }));
    this.#accountsUntil = Math.min(
      ...specs.map((spec) => spec.windowEndsAt ?? Number.POSITIVE_INFINITY),
    );
    this.#flatNeeds = new Map();
  }
}

/** How much of `take` an account counts. Requests count one each. */
export function amountFor(spec: AccountSpec, take: Take): number {
  if (spec.unit === 'requests') return 1;
  if (spec.unit === 'tokens') return take.tokens;
  return take.nano;
}

function policyOf(spec: AccountSpec, now: number): RateLimitPolicy | undefined {
  if (spec.limit === undefined) return undefined;
  return compileRateLimitPolicy({
    name: spec.limit.id,
    quota: spec.allowance,
    windowSeconds: windowSeconds(spec.limit.window, now),
    unit: spec.unit === 'spend' ? 'nano' : spec.unit,
  });
}

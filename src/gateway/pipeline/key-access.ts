import { compileRateLimitPolicy, type RateLimitPolicy } from '../../contract/headers.ts';
import {
  accountsFor,
  bucketId,
  type AccountHolder,
  type AccountSpec,
  type CountedCall,
} from '../../domain/accounts.ts';
import type { Catalog, Route } from '../../domain/catalog.ts';
import type { EffectivePlan } from '../../domain/effective-plan.ts';
import type { AgreedTerms, IdentityFact } from '../../domain/facts.ts';
import { amountFor, type Take } from '../../domain/take.ts';
import { accessOf } from '../../domain/tenant-access.ts';
import { type Calendar, windowSeconds } from '../../domain/window.ts';
import type { Need, RateNeed } from '../../engine/engine.ts';
import type { ApiKey, KeyWithTenant, Tenant } from '../../stores/store.ts';

/** One account of a key with what the hot path needs of it. */
export interface AccountView {
  readonly spec: AccountSpec;
  /** Undefined on a balance. */
  readonly policy: RateLimitPolicy | undefined;
}

/** Kinds of calls a key may make whose accounts are remembered: routes times models, not end users. */
const SHAPES_MAX = 256;

/** Everything about one key that does not change between requests, compiled once (DESIGN 9 "decide at load time"). */
export class KeyAccess {
  readonly key: ApiKey;
  readonly tenant: Tenant;
  /** Whose plan it is: the tenant, or the pool it draws on. */
  readonly payerId: string;
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
  readonly rates: readonly RateNeed[];
  /** The tenant and all above it: a change of any is a change of this. */
  readonly tenantIds: readonly string[];
  readonly holder: AccountHolder;
  readonly #asset: string;
  #shapes = new Map<string, readonly AccountView[]>();
  #shapesUntil = 0;
  /** Needs of flat-priced routes: the same array for every call until a window ends. */
  #flatNeeds = new Map<string, readonly Need[]>();

  /** Throws when the configuration lacks the plan of a tenant. */
  constructor(found: KeyWithTenant, catalog: Catalog, at: number) {
    this.key = found.key;
    this.tenant = found.tenant;
    this.#asset = catalog.asset;
    this.tenantIds = [found.tenant, ...found.ancestors].map(({ id }) => id);
    const access = accessOf(found, catalog, at);
    this.plan = access.plan;
    this.payerId = access.payer.id;
    this.agreed = access.agreed;
    this.validUntil = access.validUntil;
    this.holder = access.holder;
    this.identity = {
      kind: 'key',
      keyId: found.key.id,
      tenantId: found.tenant.id,
      planId: this.plan.id,
      planVersion: this.plan.version,
      planTitle: this.plan.title,
      freePlan: this.plan.priceNano === 0n,
    };
    this.rates = this.plan.rateLimits.map((limit) => ({
      bucketId: bucketId(limit, { tenantId: this.payerId, keyId: found.key.id }),
      count: limit.count,
      periodMs: limit.periodMs,
      burst: limit.burst,
    }));
  }

  /** Whether priced calls draw on the balance. */
  get prepaid(): boolean {
    return this.plan.usage === 'prepaid';
  }

  accountsAt(call: CountedCall, now: number): readonly AccountView[] {
    if (now >= this.#shapesUntil) this.#rollWindows();
    if (call.endUser !== undefined) return this.#viewsOf(call, now);
    const shape = `${call.routeId} ${call.model ?? ''}`;
    const known = this.#shapes.get(shape);
    if (known !== undefined) return known;
    const views = this.#viewsOf(call, now);
    if (this.#shapes.size >= SHAPES_MAX) this.#shapes.clear();
    this.#shapes.set(shape, views);
    return views;
  }

  /** Needs of a call whose cost is known before it leaves. */
  flatNeedsAt(route: Route, take: Take, now: number): readonly Need[] {
    if (now >= this.#shapesUntil) this.#rollWindows();
    const known = this.#flatNeeds.get(route.id);
    if (known !== undefined) return known;
    const needs = this.needsAt(countedAs(route), take, now);
    this.#flatNeeds.set(route.id, needs);
    return needs;
  }

  /** Accounts that this call takes nothing from are left out. */
  needsAt(call: CountedCall, take: Take, now: number): readonly Need[] {
    const needs: Need[] = [];
    for (const { spec } of this.accountsAt(call, now)) {
      const amount = amountFor(spec.unit, take);
      if (amount > 0) needs.push({ account: spec, amount });
    }
    return needs;
  }

  #viewsOf(call: CountedCall, now: number): readonly AccountView[] {
    const terms = { asset: this.#asset, at: now };
    const specs = accountsFor(this.plan, this.holder, call, terms);
    for (const { windowEndsAt } of specs) {
      if (windowEndsAt !== undefined && windowEndsAt < this.#shapesUntil) {
        this.#shapesUntil = windowEndsAt;
      }
    }
    return specs.map((spec) => ({ spec, policy: policyOf(spec, this.holder.calendar, now) }));
  }

  #rollWindows(): void {
    this.#shapes = new Map();
    this.#flatNeeds = new Map();
    this.#shapesUntil = Number.POSITIVE_INFINITY;
  }
}

/** A call of a route that no model and no end user is known of. */
export function countedAs(
  route: Pick<Route, 'id' | 'operation'>,
  model?: string,
  endUser?: string,
): CountedCall {
  return { routeId: route.id, operation: route.operation, model, endUser };
}

function policyOf(
  { limit, allowance, unit }: AccountSpec,
  calendar: Calendar,
  now: number,
): RateLimitPolicy | undefined {
  if (limit === undefined) return undefined;
  return compileRateLimitPolicy({
    name: limit.id,
    quota: limit.softAt ?? allowance,
    windowSeconds: windowSeconds(limit.window, now, calendar),
    unit: unit === 'spend' ? 'nano' : unit,
  });
}

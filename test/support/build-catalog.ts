import type { AccountHolder } from '../../src/domain/accounts.ts';
import type { BudgetNode } from '../../src/domain/budget-tree.ts';
import type {
  Api,
  Catalog,
  DegradedProfile,
  Limit,
  Model,
  Plan,
  PurchaseGrants,
  RateLimit,
  Route,
  Upstream,
} from '../../src/domain/catalog.ts';
import type { Facts, LimitFact, OutcomeFact } from '../../src/domain/facts.ts';
import type { Price } from '../../src/domain/pricing.ts';

/** What tests need of the domain's values, each member with a default that changes nothing. */
export function buildPrice(members: Partial<Price> = {}): Price {
  return {
    asset: 'USD',
    perRequest: 0n,
    perInputToken: 0n,
    perCachedInputToken: 0n,
    perOutputToken: 0n,
    perByteIn: 0n,
    perByteOut: 0n,
    ...members,
  };
}

export function buildModel(id: string, price: Partial<Price> = {}): Model {
  return {
    id,
    aliasOf: undefined,
    providerId: 'demo',
    upstreamModel: id,
    contextWindow: 8192,
    outputTokensMax: 4096,
    price: buildPrice(price),
    durability: undefined,
  };
}

export function buildPlan(id: string, members: Partial<Plan> = {}): Plan {
  return {
    id,
    version: `v-${id}`,
    title: id.toUpperCase(),
    priceNano: 0n,
    usage: 'prepaid',
    limits: [],
    models: [],
    features: [],
    rateLimits: [],
    contextTiers: [],
    fileBytesMax: undefined,
    degraded: undefined,
    graceDays: 7,
    enforcement: 'enforce',
    onSale: true,
    ...members,
  };
}

export function buildLimit(amount: number, members: Partial<Limit> = {}): Limit {
  return {
    id: 'requests_per_month',
    unit: 'requests',
    window: 'month',
    scope: 'tenant',
    amount,
    class: 'commercial',
    soft: false,
    models: [],
    routes: [],
    operations: [],
    overage: { kind: 'block' },
    ...members,
  };
}

/** An add-on that grants nothing. */
export const NO_GRANTS: PurchaseGrants = {
  features: [],
  models: [],
  purchases: [],
  limits: [],
  rateLimits: [],
  contextTokensMax: undefined,
  fileBytesMax: undefined,
};

/** Degraded service: nothing but reading. */
export const READ_ONLY: DegradedProfile = {
  readOnly: true,
  duringGrace: false,
  contextTokensMax: undefined,
  rate: undefined,
  substitutes: new Map(),
  withheldFeatures: [],
};

export function buildApi(members: Partial<Api> = {}): Api {
  return {
    id: 'demo',
    hosts: [],
    routes: [],
    cors: undefined,
    enforcement: 'enforce',
    anonymous: undefined,
    addressPolicy: undefined,
    environment: undefined,
    ...members,
  };
}

/** One target that nothing listens at, for a pipeline whose upstream is in memory. */
export const UPSTREAM: Upstream = {
  id: 'main',
  targets: [{ url: 'http://127.0.0.1:9', weight: 1 }],
  health: {
    path: undefined,
    intervalMs: 1000,
    timeoutMs: 1000,
    unhealthyAfter: 3,
    healthyAfter: 1,
  },
  credentials: [],
};

export function buildRateLimit(members: Partial<RateLimit> = {}): RateLimit {
  return {
    id: 'rate_per_minute',
    scope: 'tenant',
    count: 60,
    periodMs: 60_000,
    burst: 60,
    class: 'protective',
    ...members,
  };
}

/** The budget of `key_1`, for ever. */
export function buildBudget(amountNano: number, members: Partial<BudgetNode> = {}): BudgetNode {
  return {
    id: 'key_budget',
    ownerId: 'key_1',
    tenantId: 'ten_1',
    from: 'key',
    amountNano,
    window: 'lifetime',
    calendar: { timeZone: 'UTC', billingAnchorAt: undefined },
    ...members,
  };
}

/** A key and tenant about which nothing special is agreed. */
export function buildHolder(members: Partial<AccountHolder> = {}): AccountHolder {
  return {
    tenantId: 'ten_1',
    keyId: 'key_1',
    budgets: [],
    keyLimits: [],
    calendar: { timeZone: 'UTC', billingAnchorAt: undefined },
    payerId: 'ten_1',
    ancestors: [],
    houseLimits: [],
    ...members,
  };
}

export function buildRoute(members: Partial<Route> = {}): Route {
  return {
    id: 'weather',
    apiId: 'demo',
    kind: 'proxy',
    dialect: 'plain',
    endpointClass: 'metered',
    match: { methods: [], path: { kind: 'exact', value: '/' }, headers: [] },
    upstreamId: 'main',
    price: buildPrice(),
    durability: 'journal',
    requires: [],
    operation: 'weather',
    compute: undefined,
    endUserHeader: 'x-end-user-id',
    role: undefined,
    parameters: [],
    degradedAccess: 'by-method',
    rewrite: undefined,
    requestHeaders: { set: [], remove: [] },
    responseHeaders: { set: [], remove: [] },
    timeouts: { connectMs: 1, headersMs: 1, idleMs: 1 },
    bodyBytesMax: undefined,
    ...members,
  };
}

export function buildCatalog(plans: readonly Plan[], members: Partial<Catalog> = {}): Catalog {
  return {
    version: '0123456789ab',
    apis: [],
    upstreams: new Map(),
    providers: new Map(),
    models: new Map(),
    plans: new Map(plans.map((plan) => [plan.id, plan])),
    packs: [],
    addOns: [],
    limits: [],
    customisations: [],
    asset: 'USD',
    retryStormPerMinute: 0,
    ...members,
  };
}

/** 2027-01-15T08:00:00Z. */
export const AT = 1_800_000_000_000;

export function buildFacts(members: Partial<Facts> = {}): Facts {
  return {
    requestId: 'req_0192f7c0a1b27c3d8e4f5a6b7c8d9e0f',
    at: AT,
    catalogVersion: '0123456789ab',
    method: 'POST',
    path: '/v1/chat/completions',
    route: undefined,
    routing: undefined,
    identity: buildIdentity(buildPlan('free')),
    authorization: undefined,
    understanding: undefined,
    standing: undefined,
    entitlements: [],
    limits: [],
    reservation: undefined,
    take: undefined,
    agreed: undefined,
    enforcement: 'enforce',
    storm: undefined,
    forwarding: undefined,
    outcome: undefined,
    ...members,
  };
}

/** Of a call that was answered at once and cost nothing. */
export function buildOutcome(members: Partial<OutcomeFact> = {}): OutcomeFact {
  return {
    status: 200,
    code: '',
    durationMs: 1,
    model: undefined,
    target: undefined,
    upstreamStatus: undefined,
    ending: 'complete',
    holdNano: 0,
    costNano: 0,
    overrunNano: 0,
    inputTokens: 0,
    cachedInputTokens: 0,
    outputTokens: 0,
    bytesIn: 0,
    bytesOut: 0,
    estimated: false,
    clampedOutputTokens: undefined,
    ...members,
  };
}

export function buildIdentity(plan: Plan): Extract<Facts['identity'], { kind: 'key' }> {
  return {
    kind: 'key',
    keyId: 'key_1',
    tenantId: 'ten_1',
    planId: plan.id,
    planVersion: plan.version,
    planTitle: plan.title,
    freePlan: plan.priceNano === 0n,
  };
}

/** Of a balance in nano. */
export function buildBalance(members: Partial<LimitFact> = {}): LimitFact {
  return {
    accountId: 'bal:ten_1:USD',
    kind: 'balance',
    unit: 'USD',
    label: undefined,
    need: 1,
    allowance: 0,
    spent: 0,
    reserved: 0,
    resetsAt: undefined,
    ...members,
  };
}

/** Of a quota, by the limit it comes from. */
export function buildQuota(limit: Limit, members: Partial<LimitFact> = {}): LimitFact {
  return {
    ...buildBalance(),
    accountId: `quo:${limit.id === 'key_budget' ? 'key_1' : 'ten_1'}:${limit.id}:2027-01`,
    kind: 'quota',
    unit: limit.unit,
    label: {
      id: limit.id,
      unit: limit.unit,
      window: limit.window,
      scope: limit.scope,
      keyId: limit.scope === 'key' ? 'key_1' : undefined,
      ...(limit.class === 'protective' ? { class: limit.class } : {}),
      ...(limit.id === 'key_budget' ? { from: 'key' as const } : {}),
    },
    allowance: limit.amount,
    ...members,
  };
}

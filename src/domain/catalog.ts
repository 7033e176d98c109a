import type { Price } from './pricing.ts';

/**
 * What the provider sells, as one loaded configuration says it: immutable, and cited by `version`
 * in every decision. server/config parses tollkeeper.yaml into this; gateway, engine and control read it.
 */
export interface Catalog {
  /** Hash of the configuration: 12 hex characters. */
  readonly version: string;
  readonly apis: readonly Api[];
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly providers: ReadonlyMap<string, Provider>;
  /** By public name; aliases are resolved here too (`alias` -> the model it points to). */
  readonly models: ReadonlyMap<string, Model>;
  readonly plans: ReadonlyMap<string, Plan>;
  readonly packs: readonly Pack[];
  /** Ledger asset of every price and balance: `USD`. */
  readonly asset: string;
  /** Refusals after a 402 with the same key and cause, a minute, before 429 PAYMENT_RETRY_STORM. 0 = off. */
  readonly retryStormPerMinute: number;
}

export interface Api {
  readonly id: string;
  readonly hosts: readonly string[];
  readonly routes: readonly Route[];
  readonly cors: Cors | undefined;
}

export interface Cors {
  /** Exact origins, or `*`. */
  readonly origins: readonly string[];
  readonly allowCredentials: boolean;
  readonly maxAgeSeconds: number;
}

export type Dialect = 'plain' | 'openai';
/** What the gateway must understand of a call to price it. */
export type RouteKind = 'proxy' | 'chat' | 'embeddings' | 'models';
/** GW-18, PLAN-07. `free` routes need no key and are never refused for money. */
export type EndpointClass = 'free' | 'metered' | 'premium';

export interface Route {
  readonly id: string;
  readonly apiId: string;
  readonly kind: RouteKind;
  readonly dialect: Dialect;
  readonly endpointClass: EndpointClass;
  readonly match: RouteMatch;
  /** Undefined for LLM routes: there the model names the upstream. */
  readonly upstreamId: string | undefined;
  readonly price: Price;
  /** Feature the plan must include, or undefined. */
  readonly feature: string | undefined;
  readonly rewrite: PathRewrite | undefined;
  readonly requestHeaders: HeaderEdits;
  readonly responseHeaders: HeaderEdits;
  readonly timeouts: Timeouts;
  /** Bytes; undefined = unlimited and unbuffered. */
  readonly bodyBytesMax: number | undefined;
}

export interface RouteMatch {
  /** Upper case; empty = any. */
  readonly methods: readonly string[];
  readonly path: PathMatch;
  /** Header names lower case; every one must be present with that exact value. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}
export type PathMatch =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string };

export type PathRewrite =
  | { readonly kind: 'strip-prefix'; readonly prefix: string }
  | { readonly kind: 'replace'; readonly pattern: string; readonly with: string };

export interface HeaderEdits {
  readonly set: readonly { readonly name: string; readonly value: string }[];
  readonly remove: readonly string[];
}

export interface Timeouts {
  readonly connectMs: number;
  /** From the request's last byte to the answer's head. */
  readonly headersMs: number;
  /** Longest silence inside an answer's body. */
  readonly idleMs: number;
}

export interface Upstream {
  readonly id: string;
  readonly targets: readonly Target[];
  readonly health: HealthCheck;
  /** Sent to the upstream and to nobody else (GW-08): secrets, e.g. `authorization`. */
  readonly credentials: readonly { readonly name: string; readonly value: string }[];
}
export interface Target {
  /** Origin and optional base path, no trailing slash: `http://127.0.0.1:9000/v1`. */
  readonly url: string;
  readonly weight: number;
}
export interface HealthCheck {
  /** Active probe: undefined = passive only. */
  readonly path: string | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly unhealthyAfter: number;
  readonly healthyAfter: number;
}

export interface Provider {
  readonly id: string;
  readonly type: 'openai-compatible';
  readonly upstreamId: string;
}

export interface Model {
  /** The name callers use. */
  readonly id: string;
  /** Set when this entry is an alias of another model. */
  readonly aliasOf: string | undefined;
  readonly providerId: string;
  readonly upstreamModel: string;
  readonly contextWindow: number;
  readonly outputTokensMax: number;
  readonly price: Price;
}

/** One immutable version of a plan; `version` is a hash of its terms. */
export interface Plan {
  readonly id: string;
  readonly version: string;
  readonly title: string;
  /** Nano a month. 0 = the free tier: its used-up quota is FREE_TIER_EXHAUSTED. */
  readonly priceNano: bigint;
  /** `prepaid`: priced calls draw on the tenant's balance. `included`: the plan's price covers them. */
  readonly usage: 'prepaid' | 'included';
  readonly limits: readonly Limit[];
  /** Model ids, or `*`. */
  readonly models: readonly string[];
  readonly features: readonly string[];
  readonly rateLimits: readonly RateLimit[];
  /** Whether it may be offered as an upgrade. */
  readonly onSale: boolean;
}

export type LimitUnit = 'requests' | 'tokens' | 'spend';
export type LimitWindow = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'lifetime';
export type LimitScope = 'tenant' | 'key';

/** A commercial quota: refused with 402. `amount` is in requests, tokens, or nano for `spend`. */
export interface Limit {
  readonly id: string;
  readonly unit: LimitUnit;
  readonly window: LimitWindow;
  readonly scope: LimitScope;
  readonly amount: number;
}

/** A protective limit: refused with 429. At most `burst` at once, `count` per `periodMs` sustained (QUOTA-07). */
export interface RateLimit {
  readonly id: string;
  readonly scope: LimitScope;
  readonly count: number;
  readonly periodMs: number;
  readonly burst: number;
}

/** Prepaid credit on sale: pay `priceNano`, get `creditNano`. */
export interface Pack {
  readonly id: string;
  readonly title: string;
  readonly priceNano: bigint;
  readonly creditNano: bigint;
}

import type { PeriodName, UnitName } from '../contract/phrases/phrasebook.ts';
import type { CustomisationRule } from '../contract/customisation.ts';
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
  readonly addOns: readonly AddOn[];
  /** Limits of the provider itself, over all callers: upstream capacity, a house budget (scope `global`). */
  readonly limits: readonly Limit[];
  /** How the provider words its refusals (C402-11). */
  readonly customisations: readonly CustomisationRule[];
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
  readonly enforcement: Enforcement;
  /** Free calls of callers without a key; undefined = every caller needs one (QUOTA-15). */
  readonly anonymous: AnonymousAllowance | undefined;
  /** Who may call at all, whatever they pay (GW-14). */
  readonly addressPolicy: AddressPolicy | undefined;
  /** Only keys of this environment may call; undefined = any (KEY-04). */
  readonly environment: 'live' | 'test' | undefined;
  /** When it ends, or ended; left out = it stays (C402-17). */
  readonly retirement?: Retirement;
}

/** From `at` (epoch ms) on every call is told that the API is gone, and what replaces it. */
export interface Retirement {
  readonly at: number;
  /** `/v2/shop`; undefined = nothing does. */
  readonly successor: string | undefined;
}

/** `observe` records what would be refused for money or a limit, and lets it pass (EVID-01). */
export type Enforcement = 'observe' | 'enforce';

/** What one subnet (IPv4 /24, IPv6 /64) may call without a key before it is told a price. */
export interface AnonymousAllowance {
  readonly requests: number;
  readonly window: LimitWindow;
}

/** CIDR blocks. An address must be in `allow`, when there is one, and in no block of `deny`. */
export interface AddressPolicy {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

export interface Cors {
  /** Exact origins, or `*`. */
  readonly origins: readonly string[];
  readonly allowCredentials: boolean;
  readonly maxAgeSeconds: number;
}

export type Dialect = 'plain' | 'openai' | 'anthropic' | 'gemini' | 'jsonrpc';
/** What the gateway must understand of a call to price it. */
export type RouteKind = 'proxy' | 'chat' | 'embeddings' | 'models';
/**
 * What a charge has to outlive before the first byte of its answer leaves: the process, the machine's power, or the
 * machine (docs/decisions, "durability is a class").
 */
export type Durability = 'journal' | 'journal-fsync' | 'commit-before-serve';
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
  readonly durability: Durability;
  /** What the plan or a purchase must grant, each under its own condition (GW-19). */
  readonly requires: readonly Requirement[];
  /** What this call is counted as by limits on a named operation; default the route's id. */
  readonly operation: string;
  /** Units a call takes of limits on compute; the answer's header may say less. */
  readonly compute: ComputeTerms | undefined;
  /** Request header that names the end user whom limits may count (QUOTA-03), lower case. */
  readonly endUserHeader: string;
  /** Role a key must have, or undefined (GW-14). */
  readonly role: string | undefined;
  /** Required members of the request, checked before anything is counted (GW-15). */
  readonly parameters: readonly Parameter[];
  /** What is still served while a payment is pending (DEG-01): default, GET and HEAD are reads. */
  readonly degradedAccess: 'allow' | 'refuse' | 'by-method';
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
  /** Undefined = as the route that is called. */
  readonly durability: Durability | undefined;
}

/** One entitlement a call needs. `id` may hold `{name}` of a named group of the route's regular expression. */
export interface Requirement {
  readonly kind: 'feature' | 'purchase';
  readonly id: string;
  /** All must hold; empty = always. */
  readonly when: readonly Condition[];
}

/** Where a request says what it wants. `name`: header (lower case), query parameter, or JSON pointer into the body. */
export type Condition =
  | {
      readonly kind: 'header' | 'query' | 'body';
      readonly name: string;
      readonly equals: string | undefined;
    }
  | { readonly kind: 'body-bytes'; readonly above: number };

/** A parameter that must be there, and its type. */
export interface Parameter {
  readonly in: 'query' | 'header' | 'body';
  /** JSON pointer when `in` is `body`. */
  readonly name: string;
  readonly type: 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object';
  readonly required: boolean;
}

export interface ComputeTerms {
  /** Held for each call. */
  readonly unitsMax: number;
  /** Header of the upstream's answer that says how many were used, lower case; undefined = always `unitsMax`. */
  readonly usedHeader: string | undefined;
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
  /** By size of the call, smallest first; the last is the plan's cap. Empty = the model's own window (LLM-10). */
  readonly contextTiers: readonly ContextTier[];
  /** Largest body this plan sends to a route, in bytes (PLAN-06); undefined = the route's own bound. */
  readonly fileBytesMax: number | undefined;
  /** What is served while a payment is pending; undefined = nothing (DEG-04). */
  readonly degraded: DegradedProfile | undefined;
  /** A failed renewal is forgiven for so long (REQUIREMENTS "grace"). */
  readonly graceDays: number;
  readonly enforcement: Enforcement;
  /** Whether it may be offered as an upgrade. */
  readonly onSale: boolean;
}

/** A call of at most `tokensMax` costs its price times `priceMultiplierPermille` / 1000. */
export interface ContextTier {
  readonly tokensMax: number;
  readonly priceMultiplierPermille: number;
}

/** Partial service (DEG-01..03). */
export interface DegradedProfile {
  /** Writes are refused with the code of the standing. */
  readonly readOnly: boolean;
  /** Already while a failed renewal is forgiven, without refusing anything (SUB-09). */
  readonly duringGrace: boolean;
  readonly contextTokensMax: number | undefined;
  readonly rate: RateLimit | undefined;
  /** Model asked for -> model served. */
  readonly substitutes: ReadonlyMap<string, string>;
  /** Features that rest meanwhile. */
  readonly withheldFeatures: readonly string[];
}

/** `spend` counts nano of the asset; `compute_ms` wall time at the upstream; `operations` calls of one operation. */
export type LimitUnit = UnitName;
/** A period of the calendar, or any stretch of its length, wherever it begins (QUOTA-02). */
export type LimitWindow = PeriodName | SlidingWindow;
/** Of periods that are always of the same length. */
export type SlidingWindow = `sliding_${'second' | 'minute' | 'hour' | 'day' | 'week'}`;
/** Each of these is counted by itself: each key, each end user, each model of a tenant. `global`: all callers together. */
export type LimitScope =
  | 'global'
  | 'tenant'
  | 'app'
  | 'key'
  | 'end_user'
  | 'model'
  | 'route'
  | 'operation';
/** Refused with 402 or with 429, whoever could pay (REQUIREMENTS "402 or 429"). */
export type LimitClass = 'commercial' | 'protective';

/** A quota of one window. `amount` is in its unit. */
export interface Limit {
  readonly id: string;
  readonly unit: LimitUnit;
  readonly window: LimitWindow;
  readonly scope: LimitScope;
  readonly amount: number;
  readonly class: LimitClass;
  /** Counted and warned about, never refused. */
  readonly soft: boolean;
  /** Only these models, routes and operations count; empty = all. */
  readonly models: readonly string[];
  readonly routes: readonly string[];
  readonly operations: readonly string[];
  readonly overage: OveragePolicy;
}

/** What happens when an allowance is used up (PLAN-11). `unitPico`: price of one more unit, in pico of the asset. */
export type OveragePolicy =
  | { readonly kind: 'block' }
  | { readonly kind: 'bill'; readonly unitPico: bigint }
  | { readonly kind: 'authorize'; readonly unitPico: bigint };

/** At most `burst` at once, `count` per `periodMs` sustained (QUOTA-07). Protective = 429, commercial = 402 (QUOTA-09). */
export interface RateLimit {
  readonly id: string;
  readonly scope: 'tenant' | 'key';
  readonly count: number;
  readonly periodMs: number;
  readonly burst: number;
  readonly class: LimitClass;
}

/** Something sold beside plans: once, or for as long as it is paid (PLAN-05, PLAN-10). */
export interface AddOn {
  readonly id: string;
  readonly title: string;
  readonly priceNano: bigint;
  readonly interval: 'once' | 'month';
  readonly grants: PurchaseGrants;
}

/** What a purchase adds to the plan. */
export interface PurchaseGrants {
  readonly features: readonly string[];
  readonly models: readonly string[];
  /** One-time resources: `course-7`; `course-*` grants all that begin so. */
  readonly purchases: readonly string[];
  /** Added to the allowance of the limit with that id. */
  readonly limits: readonly { readonly id: string; readonly amount: number }[];
  /** Added to count and burst of the rate limit with that id. */
  readonly rateLimits: readonly {
    readonly id: string;
    readonly count: number;
    readonly burst: number;
  }[];
  /** Caps it raises; undefined = as they are. */
  readonly contextTokensMax: number | undefined;
  readonly fileBytesMax: number | undefined;
}

/** Prepaid credit on sale: pay `priceNano`, get `creditNano`. */
export interface Pack {
  readonly id: string;
  readonly title: string;
  readonly priceNano: bigint;
  readonly creditNano: bigint;
}

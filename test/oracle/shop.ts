/**
 * The oracle's own words for a provider, its customers and their calls: plain values, nothing of the product's.
 * Money is in nano of the currency, sizes in bytes, contexts in tokens.
 */
export interface Shop {
  readonly plans: readonly ShopPlan[];
  readonly extras: readonly Extra[];
  readonly packs: readonly CreditPack[];
  readonly doors: readonly Door[];
  readonly models: readonly ShopModel[];
  /** Of the provider itself, over all callers. */
  readonly house: readonly Allowance[];
}

export interface ShopPlan {
  readonly name: string;
  readonly monthly: number;
  readonly forSale: boolean;
  /** Its price covers the calls: they cost nothing more. */
  readonly coversCalls: boolean;
  readonly apis: readonly string[];
  readonly models: readonly string[];
  readonly features: readonly string[];
  /** Smallest first; the last is the largest call. None = as large as the model takes. */
  readonly contextSteps: readonly { readonly upTo: number; readonly permille: number }[];
  readonly fileMax: number | undefined;
  readonly allowances: readonly Allowance[];
  readonly paces: readonly Pace[];
  /** What is served to those who owe; undefined = nothing. */
  readonly whileUnpaid: WhileUnpaid | undefined;
  readonly graceDays: number;
  readonly watchOnly: boolean;
}

export interface WhileUnpaid {
  readonly readOnly: boolean;
  readonly duringGrace: boolean;
  readonly contextMax: number | undefined;
  readonly resting: readonly string[];
}

export type Countable =
  | 'calls'
  | 'operations'
  | 'bytes'
  | 'compute'
  | 'written'
  | 'money'
  | 'at once';
export interface Allowance {
  readonly name: string;
  readonly counts: Countable;
  readonly amount: number;
  /** Bought or given away: more of it is for sale. Else it protects. */
  readonly bought: boolean;
  readonly soft: boolean;
  readonly each: 'everybody' | 'customer' | 'key' | 'user' | 'model' | 'door' | 'operation';
  /** Only this operation, or this door. */
  readonly operation: string | undefined;
  readonly door: string | undefined;
  readonly beyond: { readonly kind: 'stop' | 'bill' | 'ask'; readonly price: number };
}

/** As many at once, and so few again in an hour or a day that none comes back during a test. */
export interface Pace {
  readonly each: 'customer' | 'key';
  readonly per: 'hour' | 'day';
  readonly count: number;
  readonly burst: number;
  readonly bought: boolean;
}

export interface Extra {
  readonly name: string;
  readonly features: readonly string[];
  readonly models: readonly string[];
  /** `course-7`, or `course-*` for all of them. */
  readonly things: readonly string[];
  readonly allowances: readonly { readonly name: string; readonly more: number }[];
  readonly pace: Omit<Pace, 'bought'> | undefined;
  readonly contextMax: number | undefined;
  readonly fileMax: number | undefined;
}

export interface CreditPack {
  readonly name: string;
  readonly credit: number;
}

export interface ShopModel {
  readonly name: string;
  readonly window: number;
  /** Of one token of the answer. */
  readonly tokenPrice: number;
}

export interface Door {
  readonly name: string;
  readonly api: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Open to everybody and never charged. */
  readonly free: boolean;
  /** Answers so many calls of each neighbourhood without a key. */
  readonly nameless: number | undefined;
  readonly watchOnly: boolean;
  readonly price: number;
  /** `flag` undefined = always needed; else only when the call raises it. */
  readonly needs: readonly { readonly feature: string; readonly flag: string | undefined }[];
  /** Needs the thing that the path names. */
  readonly sellsThings: boolean;
  readonly role: string | undefined;
  /** A flag without which the call makes no sense. */
  readonly must: string | undefined;
  readonly operation: string;
  readonly compute: number;
  readonly bodyMax: number | undefined;
  readonly whileUnpaid: 'allow' | 'refuse' | 'by-method';
  /** Takes a model and an answer's length. */
  readonly speaks: boolean;
}

export interface Customer {
  readonly plan: string;
  /** All it ever paid in. */
  readonly credit: number;
  readonly subscription: Subscription;
  readonly payment: Payment;
  readonly account: 'active' | 'suspended' | 'unverified' | 'pending_approval';
  readonly extras: readonly string[];
  readonly agreed: readonly {
    readonly allowance: string;
    readonly amount: number;
    readonly ended: boolean;
  }[];
  readonly overage: 'never agreed' | 'agreed' | 'ended';
  /** The most that it and all below it may spend. */
  readonly budget: number | undefined;
  readonly watch: 'observe' | 'enforce' | undefined;
}
export type Subscription =
  | 'active'
  | 'trial'
  | 'trial over'
  | 'ended'
  | 'canceled, still running'
  | 'canceled'
  | 'paused';
export type Payment =
  | 'fine'
  | 'no method'
  | 'unverified method'
  | 'invoice overdue'
  | 'disputed'
  | 'to be confirmed'
  | { readonly failedDaysAgo: number };

export interface Key {
  readonly apis: readonly string[];
  readonly models: readonly string[];
  readonly operations: readonly string[];
  readonly roles: readonly string[];
  /** May not be used from where the test is. */
  readonly elsewhere: boolean;
  readonly contextMax: number | undefined;
  readonly budget: number | undefined;
  readonly calls: number | undefined;
}

export interface Call {
  readonly credential: 'good' | 'none' | 'unknown' | 'revoked' | 'expired';
  /** Name of a door; any other name leads nowhere. */
  readonly door: string;
  readonly wrongMethod: boolean;
  readonly flags: readonly string[];
  readonly thing: string | undefined;
  readonly bytes: number;
  readonly model: string | undefined;
  /** Length of the answer in tokens. */
  readonly writes: number;
  readonly user: string | undefined;
}

/** A customer with one key, and whom it belongs to: whose limits hold too, or whose plan and credit it uses. */
export interface World {
  readonly shop: Shop;
  readonly customer: Customer;
  readonly above: { readonly customer: Customer; readonly pooled: boolean } | undefined;
  readonly key: Key;
  readonly books: Books;
}

/** By name of what counts it. */
export interface Books {
  /** What was used so far. Calls that are still running count as used. */
  readonly used: Readonly<Record<string, number>>;
  /** Of that, by calls that are still running. */
  readonly running: Readonly<Record<string, number>>;
}

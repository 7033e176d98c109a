import type { Code } from '../contract/codes.ts';
import type { UpstreamNote } from '../contract/problem-document.ts';
import type { LimitLabel } from './accounts.ts';
import type { Dialect, EndpointClass, Enforcement, LimitClass, RouteKind } from './catalog.ts';
import type { StandingFact } from './standing.ts';
import type { Take } from './take.ts';
import type { TenantTerms } from './tenant-terms.ts';

/** Everything one request was decided on, and how it ended. Plain JSON: it is the log row (OBS-01, DIAG-01). */
export interface Facts {
  readonly requestId: string;
  /** What the caller calls it; absent = nothing. Nothing is decided by it. */
  readonly clientRequestId?: string | undefined;
  readonly at: number;
  /** Version of the configuration that decided. */
  readonly catalogVersion: string;
  readonly method: string;
  readonly path: string;
  readonly route: RouteFact | undefined;
  /** What was wrong before or at routing. */
  readonly routing: Fault | undefined;
  readonly identity: IdentityFact;
  /** What forbids the call whatever is paid: permission, address, environment, account (GW-14). */
  readonly authorization: Fault | undefined;
  /** What was wrong with the body or a parameter. */
  readonly understanding: Fault | undefined;
  /** Undefined = nothing is known against the tenant. */
  readonly standing: StandingFact | undefined;
  readonly entitlements: readonly EntitlementFact[];
  /** In the order they were reserved. Numbers as known when the decision fell. */
  readonly limits: readonly LimitFact[];
  readonly reservation: ReservationFact | undefined;
  /**
   * What the call takes at most, at its own price whatever the plan covers, recorded when it was refused: other
   * plans and their limits are tried with it. Of bytes and time nobody knows yet: what it can begin with.
   */
  readonly take: Take | undefined;
  /** What is agreed with the tenant beyond its plan, recorded when it was refused; undefined = nothing. */
  readonly agreed: AgreedTerms | undefined;
  readonly enforcement: Enforcement;
  /** More refusals of one cause than a minute may have. `cause` is the 402 that is repeated. */
  readonly storm: { readonly cause: Code; readonly retryAfterMs: number } | undefined;
  /** What went wrong after the request was admitted and before the answer began. */
  readonly forwarding: Fault | undefined;
  readonly outcome: OutcomeFact | undefined;
}

export type AgreedTerms = Pick<TenantTerms, 'overrides' | 'purchases'> & {
  /** See TenantTerms. */
  readonly overageAuthorizedUntil?: number | undefined;
};

export interface RouteFact {
  readonly apiId: string;
  readonly routeId: string;
  readonly operation: string;
  readonly kind: RouteKind;
  readonly dialect: Dialect;
  readonly endpointClass: EndpointClass;
}

/** A refusal found by looking at the request alone. `pointer` names the member (JSON pointer), header or parameter. */
export interface Fault {
  readonly code: Code;
  readonly problem: string;
  readonly pointer: string | undefined;
  /** Set where waiting is what helps: a limit by address. */
  readonly retryAfterMs?: number;
  /** What the provider behind the gateway said, when it is what failed (C402-22). */
  readonly upstream?: UpstreamNote;
}

export type IdentityFact =
  | { readonly kind: 'anonymous'; readonly subnet?: string }
  | {
      readonly kind: 'refused';
      readonly code: 'KEY_MISSING' | 'KEY_UNKNOWN' | 'KEY_REVOKED' | 'KEY_EXPIRED';
      /** When it was revoked or expired. */
      readonly since: number | undefined;
    }
  | {
      readonly kind: 'key';
      readonly keyId: string;
      readonly tenantId: string;
      readonly planId: string;
      readonly planVersion: string;
      readonly planTitle: string;
      /** A plan of price 0 (FREE_TIER_EXHAUSTED). */
      readonly freePlan: boolean;
    };

export interface EntitlementFact {
  readonly kind: 'model' | 'feature' | 'purchase' | 'context' | 'file_size';
  readonly id: string;
  readonly granted: boolean;
  /** Of `context` (tokens) and `file_size` (bytes). */
  readonly needed?: number;
  readonly allowed?: number;
}

export interface LimitFact {
  readonly accountId: string;
  readonly kind: 'balance' | 'quota';
  /** Asset or unit. */
  readonly unit: string;
  readonly label: LimitLabel | undefined;
  /** Units this request had to set aside: requests, tokens or nano. */
  readonly need: number;
  readonly allowance: number;
  readonly spent: number;
  readonly reserved: number;
  readonly resetsAt: number | undefined;
  /** Present where units beyond the allowance are not simply refused (PLAN-11). */
  readonly overage?: {
    readonly kind: 'bill' | 'authorize';
    /** What `need` costs beyond the allowance, in nano. */
    readonly nano: number;
  };
}

export type ReservationFact =
  | { readonly kind: 'held' }
  | {
      readonly kind: 'short';
      /** Index into `limits`. */
      readonly index: number;
      readonly cause: 'gone' | 'held' | 'stranded' | 'unavailable';
      /** Units of `reserved` that are under open holds. */
      readonly held: number;
      /** Output tokens that would still fit, when the caller's own bound is what does not. */
      readonly affordableOutputTokens: number | undefined;
    }
  | {
      readonly kind: 'limited';
      readonly rateLimitId: string;
      readonly retryAfterMs: number;
      readonly class?: LimitClass;
      /** Of a tenant above: no purchase of this one changes it. */
      readonly from?: 'ancestor';
    };

export interface OutcomeFact {
  readonly status: number;
  readonly code: string;
  readonly durationMs: number;
  readonly model: string | undefined;
  readonly target: string | undefined;
  readonly upstreamStatus: number | undefined;
  /** How the answer ended. */
  readonly ending: 'complete' | 'client-gone' | 'upstream-broke' | 'cut' | 'refused';
  readonly holdNano: number;
  readonly costNano: number;
  readonly overrunNano: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly estimated: boolean;
  readonly clampedOutputTokens: number | undefined;
  /** Code it would have been refused with under `enforce` (EVID-01). */
  readonly wouldRefuse?: Code;
  /** Of a route with compute terms: units the answer reported, and milliseconds at the upstream. */
  readonly computeUnits?: number;
  readonly computeMs?: number;
}

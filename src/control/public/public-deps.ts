import type { Context } from 'hono';

import type { Catalog } from '../../domain/catalog.ts';
import type { Decision } from '../../domain/decide.ts';
import type { Facts } from '../../domain/facts.ts';
import type { ApiKey, Store, Tenant } from '../../stores/store.ts';

/** What the gateway's own pages need; server/ supplies it. */
export interface PublicDeps {
  readonly store: Store;
  readonly catalog: () => Catalog;
  /** Public origin, no slash at the end: links begin with it. */
  readonly publicUrl: () => string;
  /** Epoch ms. */
  readonly now: () => number;
  /** Signs pay links and explain links; the same in every process of an installation. */
  readonly signingSecret: Uint8Array;
  /** True in `tollkeeper dev`: pay pages give play money. Otherwise no payment method exists yet. */
  readonly devMoney: boolean;
  /** Who sent these headers: the gateway's own check, so that a key is worth the same everywhere. */
  readonly identify: (headers: Headers) => Promise<Identification>;
  /** What a request would get, without sending it: the gateway's own pipeline. */
  readonly rehearse: (request: AskedRequest, mode: 'check' | 'quote') => Promise<Rehearsal>;
  /** Sends a request for real through the gateway's own pipeline; the beginning of its answer. */
  readonly perform: (request: AskedRequest) => Promise<{
    readonly status: number;
    readonly headers: readonly string[];
    readonly body: Buffer;
    readonly truncated: boolean;
  }>;
  /** Told about failures of a page; the caller gets INTERNAL_ERROR. */
  readonly onError: (error: Error, requestId: string) => void;
  readonly version: string;
}

export interface AskedRequest {
  readonly method: string;
  /** `/path?query`. */
  readonly target: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly remoteAddress: string;
  /** Of the request that asks, so that its answer names one id and not two; undefined = a new one. */
  readonly requestId?: string;
}

export interface Rehearsal {
  readonly facts: Facts;
  readonly decision: Decision;
  /** Most the request may cost, in nano, without what is billed beyond an allowance. */
  readonly holdNano: number;
  /** There is no such most: its answer is priced by the byte, and only the beginning of it is in `holdNano`. */
  readonly costIsOpen: boolean;
  readonly refusal:
    | {
        readonly status: number;
        /** Names and values in turn. */
        readonly headers: readonly string[];
        readonly body: string;
      }
    | undefined;
}

export type Identification =
  | { readonly kind: 'key'; readonly key: ApiKey; readonly tenant: Tenant }
  | {
      readonly kind: 'refused';
      readonly code: 'KEY_MISSING' | 'KEY_UNKNOWN' | 'KEY_REVOKED' | 'KEY_EXPIRED';
      /** Epoch ms at which it was revoked or expired. */
      readonly since: number | undefined;
      /** What is wrong with the text of an unknown key, as a clause. */
      readonly mistake?: string | undefined;
    };

export interface PublicEnv {
  Bindings: {
    /** The gateway's id of this request; without it the app makes one. */
    readonly requestId?: string;
    /** Who asks; without it the app is asked from this machine. */
    readonly remoteAddress?: string;
    /** The body was larger than this, and nothing of it was kept. */
    readonly allowedBytes?: number;
  };
  Variables: { requestId: string };
}
export type PublicContext = Context<PublicEnv>;

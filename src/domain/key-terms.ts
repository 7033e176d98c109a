import type { Limit } from './catalog.ts';

/** What one key may do, narrower than its tenant's plan (KEY-02, KEY-05). Plain JSON; empty lists mean all. */
export interface KeyTerms {
  readonly apis: readonly string[];
  readonly models: readonly string[];
  readonly operations: readonly string[];
  /** CIDR blocks the key may be used from. */
  readonly addresses: readonly string[];
  readonly roles: readonly string[];
  readonly contextTokensMax: number | undefined;
  /** Quotas of this key alone. */
  readonly limits: readonly Limit[];
}

export const PLAIN_KEY_TERMS: KeyTerms = {
  apis: [],
  models: [],
  operations: [],
  addresses: [],
  roles: [],
  contextTokensMax: undefined,
  limits: [],
};

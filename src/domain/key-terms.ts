import type { PeriodName } from '../contract/phrases/phrasebook.ts';
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
  /** What the key's budget is for: this long, by the calendar of its limits. */
  readonly budgetWindow: PeriodName;
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
  budgetWindow: 'lifetime',
  limits: [],
};

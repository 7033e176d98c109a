import type { Limit } from '../domain/catalog.ts';
import { type KeyTerms, PLAIN_KEY_TERMS } from '../domain/key-terms.ts';
import { PLAIN_TERMS, type TenantTerms } from '../domain/tenant-terms.ts';

/**
 * Terms as the one document of a row. Members that a later version added are missing in rows of an earlier
 * one: they read as what is plain. Prices are bigint, which JSON has not: they are kept as decimal digits.
 */
export function formatTerms(terms: TenantTerms | KeyTerms): string {
  return JSON.stringify(terms, (_name, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

export function parseTenantTerms(text: string): TenantTerms {
  const record = parse<TenantTerms>(text);
  return {
    ...PLAIN_TERMS,
    ...record,
    subscription: { ...PLAIN_TERMS.subscription, ...record.subscription },
    payment: { ...PLAIN_TERMS.payment, ...record.payment },
    overrides: (record.overrides ?? []).map((each) => ({ ...NO_END, ...each })),
    purchases: (record.purchases ?? []).map((each) => ({ ...NO_END, ...each })),
  };
}

export function parseKeyTerms(text: string): KeyTerms {
  const record = parse<KeyTerms>(text);
  return {
    ...PLAIN_KEY_TERMS,
    ...record,
    limits: (record.limits ?? []).map((limit) => ({ ...PLAIN_LIMIT, ...limit })),
  };
}

/** JSON drops what is undefined. */
const NO_END = { expiresAt: undefined };
const PLAIN_LIMIT: Omit<Limit, 'id' | 'unit' | 'window' | 'scope' | 'amount'> = {
  class: 'commercial',
  soft: false,
  models: [],
  routes: [],
  operations: [],
  overage: { kind: 'block' },
};

/** Written by us, whole or by an earlier version: nobody else writes these rows. */
function parse<Terms>(text: string): Partial<Terms> {
  return JSON.parse(text, (name, value: unknown) =>
    name === 'unitPico' && typeof value === 'string' ? BigInt(value) : value,
  ) as Partial<Terms>;
}

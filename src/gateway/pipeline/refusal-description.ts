import type { Code } from '../../contract/codes.ts';
import type { Refusal } from '../../domain/decide.ts';
import type { Facts } from '../../domain/facts.ts';
import type { Offer } from '../../domain/offers.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';

/** Everything a refusal's numbers come from. */
export interface RefusalDescription {
  readonly context: Pick<GatewayContext, 'publicUrl' | 'addressLimiter'>;
  readonly exchange: Exchange;
  readonly facts: Facts;
  readonly refusal: Refusal;
  readonly offers: readonly Offer[];
  readonly code: Code;
  readonly payUrl: string | undefined;
}

type Defined<Members> = { [Name in keyof Members]?: Exclude<Members[Name], undefined> };

/** The members that have a value: absent and undefined are not the same in JSON types. */
export function omitUndefined<Members extends object>(members: Members): Defined<Members> {
  const kept: Defined<Members> = {};
  for (const name of Object.keys(members) as (keyof Members)[]) {
    const value = members[name];
    if (value !== undefined) kept[name] = value as Exclude<Members[keyof Members], undefined>;
  }
  return kept;
}

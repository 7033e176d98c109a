import type { ProblemDetails } from '../../src/contract/problem-document.ts';
import type { Catalog } from '../../src/domain/catalog.ts';
import { decide } from '../../src/domain/decide.ts';
import type { Facts } from '../../src/domain/facts.ts';
import { finalCode, findOffers } from '../../src/domain/offers.ts';
import type { AddressLimiter } from '../../src/gateway/address-limiter.ts';
import { compileCatalog } from '../../src/gateway/pipeline/compile-catalog.ts';
import type { Exchange } from '../../src/gateway/pipeline/exchange.ts';
import { KeyAccess } from '../../src/gateway/pipeline/key-access.ts';
import { describeRefusal } from '../../src/gateway/pipeline/refusal-details.ts';
import type { KeyWithTenant } from '../../src/stores/store.ts';
import { AT, buildFacts } from './build-catalog.ts';
import { buildKeyWithTenant } from './build-key.ts';
import { buildExchange, openNoPool } from './memory-exchange.ts';

export interface Describing {
  readonly catalog: Catalog;
  readonly found?: KeyWithTenant;
  readonly payUrl?: string | undefined;
  readonly change?: (exchange: Exchange) => void;
  readonly addressLimiter?: AddressLimiter;
}

/** The details of what these facts are refused with. */
export function describeFacts(members: Partial<Facts>, describing: Describing): ProblemDetails {
  const { catalog, found = buildKeyWithTenant(), payUrl, change, addressLimiter } = describing;
  const facts = buildFacts(members);
  const refusal = decide(facts);
  if (refusal.kind === 'admit') throw new Error('it is admitted');
  const compiled = compileCatalog(catalog, openNoPool);
  const exchange = buildExchange(undefined, undefined, compiled);
  exchange.access = new KeyAccess(found, catalog, AT);
  exchange.allowedMethods = ['GET', 'PUT'];
  exchange.model = 'gone';
  change?.(exchange);
  const offers = findOffers(facts, refusal, catalog);
  const context = {
    publicUrl: () => 'http://localhost:4020',
    addressLimiter,
  };
  const code = finalCode(refusal, offers);
  return describeRefusal({ context, exchange, facts, refusal, offers, code, payUrl });
}

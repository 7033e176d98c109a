import {
  buildApi,
  buildCatalog,
  buildLimit,
  buildPlan,
  buildRoute,
  UPSTREAM,
} from './build-catalog.ts';
import { buildKey, buildTenant } from './build-key.ts';
import { type MemoryCall, MemoryGateway, RAW_KEY } from './memory-gateway.ts';
import type { MemoryResponse } from './memory-exchange.ts';
import type { ProblemDocument } from '../../src/contract/problem-document.ts';
import type { Api, Catalog, Plan, Route } from '../../src/domain/catalog.ts';
import { type KeyTerms, PLAIN_KEY_TERMS } from '../../src/domain/key-terms.ts';
import { PLAIN_TERMS, type TenantTerms } from '../../src/domain/tenant-terms.ts';
import type { AddressLimiter } from '../../src/gateway/address-limiter.ts';
import type { TokenCounter } from '../../src/gateway/pipeline/context.ts';

export const ONE_CALL = buildLimit(1);

/** An invoice is overdue. */
export const OWES = { payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] } };

export const IN_BODY = { in: 'body', name: '/text', type: 'string', required: true } as const;

/** Needed by calls that ask for it in their body. */
export const AI: Route['requires'][number] = {
  kind: 'feature',
  id: 'ai',
  when: [{ kind: 'body', name: '/extract', equals: 'ai' }],
};

/** What is different from one open route for anybody's key. */
export interface Setting {
  readonly routes?: readonly Partial<Route>[];
  readonly api?: Partial<Api>;
  readonly plan?: Partial<Plan>;
  readonly plans?: readonly Plan[];
  readonly key?: Partial<KeyTerms>;
  readonly tenant?: Partial<TenantTerms>;
  readonly catalog?: Partial<Catalog>;
  readonly addressLimiter?: AddressLimiter;
  readonly tokenizer?: TokenCounter;
}

/** One API at `/`, or at the path of each route, of a plan whose price covers its calls. */
export function open(setting: Setting = {}): MemoryGateway {
  const found = {
    key: buildKey(RAW_KEY, { terms: { ...PLAIN_KEY_TERMS, ...setting.key } }),
    tenant: buildTenant({ terms: { ...PLAIN_TERMS, ...setting.tenant } }),
    ancestors: [],
  };
  const { addressLimiter, tokenizer } = setting;
  const members = {
    ...(addressLimiter === undefined ? {} : { addressLimiter }),
    ...(tokenizer === undefined ? {} : { tokenizer }),
  };
  return new MemoryGateway(catalogOf(setting), found, members);
}

/** Made anew each time, as by a gateway that loads its file again. */
export function catalogOf(setting: Setting): Catalog {
  const routes = (setting.routes ?? [{}]).map((route) =>
    buildRoute({
      match: { methods: [], path: { kind: 'prefix', value: '/' }, headers: [] },
      ...route,
    }),
  );
  const plan = buildPlan('free', { usage: 'included', ...setting.plan });
  return buildCatalog([plan, ...(setting.plans ?? [])], {
    apis: [buildApi({ ...setting.api, routes })],
    upstreams: new Map([['main', UPSTREAM]]),
    providers: new Map([['demo', { id: 'demo', type: 'openai-compatible', upstreamId: 'main' }]]),
    ...setting.catalog,
  });
}

export const bodyOf = ({ body }: MemoryResponse): ProblemDocument =>
  JSON.parse(body) as ProblemDocument;

/** Status and code of an answer. */
export async function ask(gateway: MemoryGateway, call: MemoryCall): Promise<string> {
  const response = await gateway.call(call);
  return response.status === 200 ? '200' : `${response.status} ${bodyOf(response).code}`;
}

export function exact(value: string): Route['match'] {
  return { methods: [], path: { kind: 'exact', value }, headers: [] };
}

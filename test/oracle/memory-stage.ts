import type { Catalog } from '../../src/domain/catalog.ts';
import { formatApiKey } from '../../src/domain/api-key.ts';
import { PLAIN_KEY_TERMS } from '../../src/domain/key-terms.ts';
import { PLAIN_TERMS, type TenantTerms } from '../../src/domain/tenant-terms.ts';
import { KeyDirectory } from '../../src/gateway/pipeline/key-directory.ts';
import { sha256Hex } from '../../src/platform/sha256.ts';
import type { ApiKey, KeyWithTenant, Tenant } from '../../src/stores/store.ts';
import { AT, buildLimit } from '../support/build-catalog.ts';
import { buildKey, buildTenant } from '../support/build-key.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryGateway, RAW_KEY } from '../support/memory-gateway.ts';
import { replyOf, SERVED } from './read-reply.ts';
import { requestOf } from './render-call.ts';
import type { Call, Customer, Key, World } from './shop.ts';
import type { Actor, Reply, Stage } from './trial.ts';
import { buy, type Purchase } from './verdict.ts';

const DAY_MS = 86_400_000;
const RAW_KEYS: Readonly<Record<Call['credential'], string | undefined>> = {
  good: RAW_KEY,
  none: undefined,
  unknown: rawKey(8),
  revoked: rawKey(9),
  expired: rawKey(10),
};

function rawKey(seed: number): string {
  return formatApiKey('test', Buffer.alloc(22, seed));
}

/** The real pipeline of one process, with books in memory. */
export class MemoryStage implements Stage {
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  enter(world: World): Promise<Actor> {
    return Promise.resolve(new MemoryActor(this.#catalog, world));
  }
}

class MemoryActor implements Actor {
  readonly #gateway: MemoryGateway;
  readonly #keys: KeyDirectory;
  #world: World;
  #found: ReadonlyMap<string, KeyWithTenant> = new Map();

  constructor(catalog: Catalog, world: World) {
    const clock = new ManualClock();
    this.#world = world;
    const findKey = async (hash: string) => this.#found.get(hash);
    this.#keys = new KeyDirectory({ findKey }, clock, () => catalog);
    this.#gateway = new MemoryGateway(catalog, undefined, { keys: this.#keys, clock });
    this.#know(world);
  }

  async call(call: Call): Promise<Reply> {
    return this.#send(call, false);
  }

  async begin(call: Call): Promise<Reply> {
    return this.#send(call, true);
  }

  become(world: World): Promise<void> {
    this.#know(world);
    return Promise.resolve();
  }

  buy(purchase: Purchase, world: World): Promise<void> {
    return this.become(buy(world, purchase));
  }

  counters(): Promise<unknown> {
    const { charged, openUnits, tokensTaken } = this.#gateway.engine;
    return Promise.resolve({ charged, openUnits, tokensTaken });
  }

  leave(): Promise<void> {
    return Promise.resolve();
  }

  #know(world: World): void {
    this.#world = world;
    const { balances } = this.#gateway.engine;
    balances.set('bal:ten_1:USD', world.customer.credit);
    balances.set('bal:ten_above:USD', world.above?.customer.credit ?? 0);
    const hash = (raw: string | undefined): string => sha256Hex(raw ?? '');
    this.#found = new Map([
      [hash(RAW_KEYS.good), foundIn(world, {})],
      [hash(RAW_KEYS.revoked), foundIn(world, { revokedAt: AT - 1 })],
      [hash(RAW_KEYS.expired), foundIn(world, { expiresAt: AT - 1 })],
    ]);
    this.#keys.forgetAll();
  }

  async #send(call: Call, runs: boolean): Promise<Reply> {
    const request = requestOf(this.#world.shop, call, RAW_KEYS[call.credential]);
    const gateway = this.#gateway;
    gateway.answer = answerTo(call);
    const sent = {
      method: request.method,
      path: request.path,
      headers: Object.entries(request.headers).flat(),
      key: undefined,
      remoteAddress: '192.0.2.1',
      ...(request.body === undefined ? {} : { body: request.body }),
    };
    const response = await (runs ? gateway.begin(sent) : gateway.call(sent));
    return response === undefined ? SERVED : replyOf(response.status, response.body);
  }
}

/** As a model of this length, or as an API. */
function answerTo({ writes }: Call): MemoryGateway['answer'] {
  const usage = { prompt_tokens: 9, completion_tokens: writes, total_tokens: writes + 9 };
  const choices = [{ index: 0, message: { role: 'assistant', content: 'x' } }];
  return {
    status: 200,
    headers: ['Content-Type', 'application/json'],
    body: JSON.stringify({ id: 'x', object: 'chat.completion', choices, usage }),
  };
}

function foundIn({ customer, above, key }: World, members: Partial<ApiKey>): KeyWithTenant {
  const belongs = above === undefined ? {} : { parentId: 'ten_above', pooled: above.pooled };
  const own = { ...termsOf(customer), ...belongs };
  return {
    key: buildKey(RAW_KEY, { budgetNano: key.budget, terms: keyTermsOf(key), ...members }),
    tenant: buildTenant({ planId: customer.plan, terms: own }),
    ancestors: above === undefined ? [] : [tenantAbove(above.customer)],
  };
}

function tenantAbove(customer: Customer): Tenant {
  return buildTenant({ id: 'ten_above', planId: customer.plan, terms: termsOf(customer) });
}

function termsOf(customer: Customer): TenantTerms {
  const { payment, overage } = customer;
  const until = { 'never agreed': undefined, agreed: AT + DAY_MS, ended: AT - DAY_MS };
  return {
    ...PLAIN_TERMS,
    subscription: subscriptionOf(customer),
    payment: {
      method: payment === 'no method' ? 'missing' : methodOf(payment),
      failedAt: typeof payment === 'string' ? undefined : AT - payment.failedDaysAgo * DAY_MS,
      overdueInvoices: payment === 'invoice overdue' ? ['inv_1'] : [],
      disputed: payment === 'disputed',
      reauthorizationRequired: payment === 'to be confirmed',
    },
    account: customer.account,
    overrides: customer.agreed.map(({ allowance, amount, ended }) => ({
      limitId: allowance,
      amount,
      expiresAt: ended ? AT - 1 : AT + DAY_MS,
    })),
    purchases: customer.extras.map((addOnId, index) => ({
      id: `pur_${index}`,
      addOnId,
      at: AT - DAY_MS,
      expiresAt: undefined,
    })),
    overageAuthorizedUntil: until[overage],
    budgetNano: customer.budget,
    enforcement: customer.watch,
  };
}

function methodOf(payment: Customer['payment']): 'valid' | 'unverified' {
  return payment === 'unverified method' ? 'unverified' : 'valid';
}

function subscriptionOf({ subscription }: Customer): TenantTerms['subscription'] {
  switch (subscription) {
    case 'active':
      return { state: 'active', endsAt: undefined };
    case 'trial':
      return { state: 'trialing', endsAt: AT + DAY_MS };
    case 'trial over':
      return { state: 'trialing', endsAt: AT - DAY_MS };
    case 'ended':
      return { state: 'active', endsAt: AT - DAY_MS };
    case 'canceled, still running':
      return { state: 'canceled', endsAt: AT + DAY_MS };
    case 'canceled':
      return { state: 'canceled', endsAt: AT - DAY_MS };
    case 'paused':
      return { state: 'paused', endsAt: undefined };
  }
}

function keyTermsOf(key: Key): ApiKey['terms'] {
  const { apis, models, operations, roles } = key;
  return {
    ...PLAIN_KEY_TERMS,
    apis,
    models,
    operations,
    roles,
    addresses: key.elsewhere ? ['198.51.100.0/24'] : [],
    contextTokensMax: key.contextMax,
    limits:
      key.calls === undefined
        ? []
        : [buildLimit(key.calls, { id: 'own_calls', scope: 'key', window: 'month' })],
  };
}

import { Agent, request } from 'undici';

import { formatApiKey } from '../../src/domain/api-key.ts';
import { createCustomer } from '../support/customers.ts';
import { GatewayCaller } from '../support/gateway-caller.ts';
import { type Gateway, startGateway } from '../support/start-gateway.ts';
import { waitFor } from '../support/wait-for.ts';
import { replyOf, SERVED } from './read-reply.ts';
import { requestOf } from './render-call.ts';
import { money, renderShop } from './render-shop.ts';
import { renderKey, renderTerms } from './render-terms.ts';
import type { Call, Customer, Shop, World } from './shop.ts';
import { type SlowUpstream, startSlowUpstream } from './slow-upstream.ts';
import { payerOf } from './tolls.ts';
import type { Actor, Reply, Stage } from './trial.ts';
import { buy, type Purchase } from './verdict.ts';

/** The middle of a month and of a day: no window ends while cases are played. */
const STARTED_AT = '2027-06-15T12:00:00Z';
const NOW = Date.parse(STARTED_AT);
const CONNECTIONS_MAX = 64;
const EXPIRY_MS = 1000;

interface BadKeys {
  readonly unknown: string;
  readonly revoked: string;
  /** Resolves once it has. */
  readonly expired: Promise<string>;
}

interface Parts {
  readonly gateway: Gateway;
  readonly caller: GatewayCaller;
  readonly upstream: SlowUpstream;
  readonly agent: Agent;
  /** Keys that are not good, the same for all customers. */
  readonly badKeys: BadKeys;
}

/** The books of a busy machine did not answer in time: 503, and what the case would have come to is not known. */
export class LateBooks extends Error {}

/** A running gateway that sells what one shop does. */
export class ServerStage implements Stage {
  readonly #parts: Parts;
  #entered = 0;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static async open(shop: Shop): Promise<ServerStage> {
    const upstream = await startSlowUpstream();
    const config = renderShop(shop, { api: upstream.origin, model: upstream.origin });
    const startedMs = performance.now();
    const gateway = await startGateway({
      config,
      args: ['--workers', '2'],
      env: { TOLLKEEPER_CLOCK: STARTED_AT },
    });
    const caller = new GatewayCaller(gateway);
    const agent = new Agent({ connections: CONNECTIONS_MAX });
    const badKeys = await makeBadKeys(caller, startedMs);
    return new ServerStage({ gateway, caller, upstream, agent, badKeys });
  }

  async enter(world: World): Promise<Actor> {
    this.#entered += 1;
    const actor = new ServerActor(this.#parts, world, this.#entered);
    await actor.open();
    return actor;
  }

  /** Invariants of the books that do not hold. */
  audit(): Promise<readonly unknown[]> {
    return this.#parts.caller.audit();
  }

  async close(): Promise<void> {
    const { gateway, caller, upstream, agent, badKeys } = this.#parts;
    await badKeys.expired;
    caller.close();
    await agent.close();
    await gateway.stop();
    await upstream.close();
  }
}

async function makeBadKeys(caller: GatewayCaller, startedMs: number): Promise<BadKeys> {
  const revoked = await createCustomer(caller, { plan: 'everything' });
  await caller.admin(`/admin/keys/${revoked.keyId}/revoke`, {});
  // The gateway's clock began a little after the test's: this is in its future.
  const soon = NOW + (performance.now() - startedMs) + EXPIRY_MS;
  const { key } = await createCustomer(caller, {
    plan: 'everything',
    expires: new Date(soon).toISOString(),
  });
  const hasExpired = async (): Promise<boolean> =>
    (await caller.call({ path: '/v1/usage', key })).status === 401;
  const expired = waitFor(hasExpired, { timeoutMs: 20_000, what: 'a key to expire' });
  return {
    unknown: formatApiKey('test', Buffer.alloc(22, 8)),
    revoked: revoked.key,
    expired: expired.then(() => key),
  };
}

class ServerActor implements Actor {
  readonly #parts: Parts;
  readonly #number: number;
  #world: World;
  #tenantId = '';
  #aboveId = '';
  #key = '';
  readonly #running: { readonly id: string; readonly ended: Promise<Reply> }[] = [];

  constructor(parts: Parts, world: World, number: number) {
    this.#parts = parts;
    this.#world = world;
    this.#number = number;
  }

  /** Makes the tenants, with all they bought, and the key. */
  async open(): Promise<void> {
    const { customer, above, key } = this.#world;
    if (above === undefined) {
      this.#tenantId = await this.#addTenant(customer, {});
    } else {
      this.#aboveId = await this.#addTenant(above.customer, {});
      const place = { parent_id: this.#aboveId, pooled: above.pooled };
      this.#tenantId = await this.#addTenant(customer, place);
    }
    const body = { tenant_id: this.#tenantId, environment: 'test', ...renderKey(key) };
    this.#key = (await this.#parts.caller.admin<{ key: string }>('/admin/keys', body)).key;
  }

  call(call: Call): Promise<Reply> {
    return this.#send(call, undefined);
  }

  async begin(call: Call): Promise<Reply> {
    const id = `${this.#number}-${this.#running.length}`;
    const ended = this.#send(call, id);
    const arrived = this.#parts.upstream.arrival(id);
    const refused = await Promise.race([ended, arrived]);
    if (refused !== undefined) return refused;
    this.#running.push({ id, ended });
    return SERVED;
  }

  async become(world: World): Promise<void> {
    const [before, payer] = [payerOf(this.#world), payerOf(world)];
    this.#world = world;
    if (JSON.stringify(before) === JSON.stringify(payer)) return;
    const { overrides: _, ...terms } = renderTerms(payer, NOW);
    const change = { plan: payer.plan, ...terms };
    await this.#parts.caller.admin(`/admin/tenants/${this.#payerId}`, change, 'PATCH');
  }

  async buy(purchase: Purchase, world: World): Promise<void> {
    const after = buy(world, purchase);
    const path = `/admin/tenants/${this.#payerId}`;
    const { caller } = this.#parts;
    switch (purchase.kind) {
      case 'plan':
        return this.become(after);
      case 'add_on':
        await caller.admin(`${path}/purchases`, { add_on: purchase.id });
        return undefined;
      case 'pack': {
        const amount = money(payerOf(after).credit - payerOf(world).credit);
        await caller.admin(`${path}/grants`, { amount });
        return undefined;
      }
    }
  }

  /**
   * All that is used of anything of its own, as the customer sees it. What is the provider's all share, and what
   * processes hold ahead comes and goes.
   */
  async counters(): Promise<unknown> {
    const { balance, limits } = await this.#parts.caller.usage(this.#key);
    const used = limits
      .filter((limit) => limit.from !== 'house' && Number.parseFloat(String(limit.used)) > 0)
      .map((limit) => ({ id: limit.id, of: limit.of, from: limit.from, used: limit.used }));
    return { settled: balance.settled, used };
  }

  async leave(): Promise<void> {
    for (const { id } of this.#running) this.#parts.upstream.release(id);
    await Promise.all(this.#running.map(({ ended }) => ended));
  }

  async #send(call: Call, hold: string | undefined): Promise<Reply> {
    const { gateway, agent } = this.#parts;
    const rendered = requestOf(this.#world.shop, call, await this.#keyFor(call));
    const answer = await request(gateway.gateway + rendered.path, {
      dispatcher: agent,
      method: rendered.method,
      headers: {
        ...rendered.headers,
        // Each actor calls from a neighbourhood of its own.
        'X-Forwarded-For': `10.${Math.floor(this.#number / 256)}.${this.#number % 256}.1`,
        ...(hold === undefined ? {} : { 'X-Hold': hold }),
      },
      body: rendered.body ?? null,
    });
    const reply = replyOf(answer.statusCode, await answer.body.text());
    if (reply.code === 'BILLING_UNAVAILABLE') throw new LateBooks();
    return reply;
  }

  async #keyFor({ credential }: Call): Promise<string | undefined> {
    if (credential === 'good') return this.#key;
    return credential === 'none' ? undefined : this.#parts.badKeys[credential];
  }

  get #payerId(): string {
    return this.#world.above?.pooled === true ? this.#aboveId : this.#tenantId;
  }

  async #addTenant(customer: Customer, place: object): Promise<string> {
    const { caller } = this.#parts;
    const { overrides, ...terms } = renderTerms(customer, NOW);
    const named = { name: customer.plan, ...place };
    const agrees = overrides.length > 0;
    // What is agreed names limits of the plan: this one has all.
    const made = agrees
      ? { ...named, plan: 'everything', overrides }
      : { ...named, plan: customer.plan, ...terms };
    const { id } = await caller.admin<{ id: string }>('/admin/tenants', made);
    const path = `/admin/tenants/${id}`;
    if (agrees) await caller.admin(path, { plan: customer.plan, ...terms }, 'PATCH');
    for (const extra of customer.extras) {
      // oxlint-disable-next-line no-await-in-loop -- one order after the other, as a customer makes them
      await caller.admin(`${path}/purchases`, { add_on: extra });
    }
    if (customer.credit > 0) {
      await caller.admin(`${path}/grants`, { amount: money(customer.credit) });
    }
    return id;
  }
}

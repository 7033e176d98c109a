import { z } from 'zod';

import type { AddOn, Pack, Plan } from '../../domain/catalog.ts';
import { formatMoney } from '../../domain/money.ts';
import { isDue, isEnded, owedOf, settleTerms } from '../../domain/settlement.ts';
import { windowOf } from '../../domain/window.ts';
import { createId } from '../../platform/ids.ts';
import { type NewGrant, PURCHASES_MAX } from '../../stores/store.ts';
import { NANO_MAX } from '../admin/input-values.ts';
import type { Wanted } from './parse-purchase.ts';
import type { Payer } from './payer.ts';
import type { PublicDeps } from './public-deps.ts';
import { isoTime } from './time-words.ts';

const DEFAULT_PRIORITY = 50;
export const TOO_MANY_PURCHASES = `an account can have at most ${PURCHASES_MAX} purchases in force at a time`;

/** What was ordered, with its times and ids worked out: doing it twice does it once. */
const orderSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('plan'), planId: z.string() }),
  z.strictObject({
    kind: z.literal('pack'),
    packId: z.string(),
    asset: z.string(),
    // The store keeps text, and JSON has no integers of this size.
    creditNano: z.string().transform(BigInt),
    at: z.number(),
  }),
  z.strictObject({
    kind: z.literal('add_on'),
    id: z.string(),
    addOnId: z.string(),
    at: z.number(),
    expiresAt: z.number().optional(),
  }),
  z.strictObject({
    kind: z.literal('due'),
    renews: z.boolean(),
    method: z.enum(['not_required', 'valid', 'missing', 'unverified', 'invalid']),
    failedAt: z.number().optional(),
    overdueInvoices: z.array(z.string()).readonly(),
    disputed: z.boolean(),
    reauthorizationRequired: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('overage'), until: z.number() }),
]);
export type Order = z.infer<typeof orderSchema>;

export type Planned =
  | { readonly kind: 'planned'; readonly order: Order }
  | { readonly kind: 'invalid'; readonly reason: string; readonly pointer: string };

/** Members of the answer that say what was done. */
export interface Done {
  readonly pack?: string;
  readonly grant?: { readonly id: string; readonly amount: string };
  readonly plan?: string;
  readonly add_on?: string;
  readonly settled?: true;
  readonly overage_authorized_until?: string;
}

export function formatOrder(order: Order): string {
  return JSON.stringify(order, (_name, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

export function parseOrder(text: string): Order {
  return orderSchema.parse(JSON.parse(text));
}

/** Whether it is on sale to this account, and what exactly it will be. */
export async function planOrder(deps: PublicDeps, payer: Payer, wanted: Wanted): Promise<Planned> {
  switch (wanted.kind) {
    case 'plan':
      return planPlan(deps, payer, wanted.id);
    case 'pack':
      return planPack(deps, payer, wanted.id);
    case 'add_on':
      return planAddOn(deps, payer, wanted.id);
    case 'due':
      return isDue(payer.standing)
        ? { kind: 'planned', order: { kind: 'due', ...owedOf(payer.tenant.terms, payer.standing) } }
        : { kind: 'invalid', pointer: '/pay', reason: 'nothing is due on this account' };
    case 'overage':
      return planOverage(deps, payer);
  }
}

function planPlan(deps: PublicDeps, payer: Payer, id: string): Planned {
  const plans = plansOnSale(deps, payer);
  if (plans.some((plan) => plan.id === id)) {
    return { kind: 'planned', order: { kind: 'plan', planId: id } };
  }
  return { kind: 'invalid', pointer: '/plan', reason: notOnSale('plan', id, plans) };
}

async function planPack(deps: PublicDeps, payer: Payer, id: string): Promise<Planned> {
  const { tenant } = payer;
  const { asset } = deps.catalog();
  const packs = packsOnSale(deps, payer);
  const pack = packs.find((each) => each.id === id);
  if (pack === undefined) {
    return { kind: 'invalid', pointer: '/pack', reason: notOnSale('pack', id, packs) };
  }
  const { creditNano } = pack;
  const grants = await deps.store.grants(tenant.id);
  let total = creditNano;
  for (const grant of grants) if (grant.asset === asset) total += grant.amount;
  if (total > NANO_MAX) {
    const reason = `all credit of an account together must stay under ${formatMoney({ asset, units: NANO_MAX })}`;
    return { kind: 'invalid', pointer: '/pack', reason };
  }
  return {
    kind: 'planned',
    order: { kind: 'pack', packId: id, asset, creditNano, at: deps.now() },
  };
}

function planAddOn(deps: PublicDeps, { tenant }: Payer, id: string): Planned {
  const { addOns } = deps.catalog();
  const addOn = addOns.find((each) => each.id === id);
  const pointer = '/add_on';
  if (addOn === undefined) {
    return { kind: 'invalid', pointer, reason: notOnSale('add-on', id, addOns) };
  }
  const at = deps.now();
  const inForce = tenant.terms.purchases.filter(
    ({ expiresAt }) => expiresAt === undefined || at < expiresAt,
  );
  if (inForce.length >= PURCHASES_MAX) {
    return { kind: 'invalid', pointer, reason: TOO_MANY_PURCHASES };
  }
  const order = { kind: 'add_on', id: createId('pur', at), addOnId: id, at } as const;
  const expiresAt = addOn.interval === 'month' ? monthAfter(at) : undefined;
  return { kind: 'planned', order: expiresAt === undefined ? order : { ...order, expiresAt } };
}

/** The same day and time next month, or the last day of it (UTC). */
function monthAfter(at: number): number {
  const then = new Date(at);
  const day = then.getUTCDate();
  then.setUTCDate(1);
  then.setUTCMonth(then.getUTCMonth() + 1);
  const lastDay = new Date(Date.UTC(then.getUTCFullYear(), then.getUTCMonth() + 1, 0)).getUTCDate();
  then.setUTCDate(Math.min(day, lastDay));
  return then.getTime();
}

/** To the end of the billing cycle: nobody allows it for ever by accident. */
function planOverage(deps: PublicDeps, { tenant, plan }: Payer): Planned {
  if (plan?.limits.some(({ overage }) => overage.kind === 'authorize') !== true) {
    const reason = 'the plan of this account bills nothing beyond its allowances';
    return { kind: 'invalid', pointer: '/allow', reason };
  }
  const until = overageUntil(deps.now(), tenant.terms);
  return { kind: 'planned', order: { kind: 'overage', until } };
}

export function overageUntil(
  at: number,
  { timeZone, billingAnchorAt }: Payer['tenant']['terms'],
): number {
  // A cycle always ends.
  return windowOf('billing_cycle', at, { timeZone, billingAnchorAt }).endsAt ?? at;
}

/** Does what was ordered. The books and the records know a repetition by the order's ids. */
export async function fulfil(
  deps: PublicDeps,
  payer: Payer,
  order: Order,
  key: string,
): Promise<Done> {
  const { tenant } = payer;
  const { store } = deps;
  switch (order.kind) {
    case 'pack':
      return addCredit(deps, payer, order, key);
    case 'plan': {
      // Who buys a plan has a running subscription; what is owed stays owed.
      const subscription = { state: 'active', endsAt: undefined } as const;
      await store.changeTenant(tenant.id, { planId: order.planId, terms: { subscription } });
      return { plan: order.planId };
    }
    case 'add_on': {
      const { id, addOnId, at, expiresAt } = order;
      await store.changeTenant(tenant.id, { addPurchase: { id, addOnId, at, expiresAt } });
      return { add_on: addOnId };
    }
    case 'due': {
      // As it is now: what fell due after the order was not paid with it.
      const { terms } = (await store.tenant(tenant.id)) ?? tenant;
      const owed = { ...order, failedAt: order.failedAt };
      await store.changeTenant(tenant.id, { terms: settleTerms(terms, owed) });
      return { settled: true };
    }
    case 'overage':
      await store.changeTenant(tenant.id, { terms: { overageAuthorizedUntil: order.until } });
      return { overage_authorized_until: isoTime(order.until) };
  }
}

async function addCredit(
  deps: PublicDeps,
  { tenant }: Payer,
  order: Extract<Order, { kind: 'pack' }>,
  key: string,
): Promise<Done> {
  const grant: NewGrant = {
    tenantId: tenant.id,
    asset: order.asset,
    amount: order.creditNano,
    category: 'paid',
    priority: DEFAULT_PRIORITY,
    effectiveAt: order.at,
    expiresAt: undefined,
    source: `pack:${order.packId}`,
    idempotencyKey: key,
  };
  const { id } = await deps.store.addGrant(grant, order.at);
  const amount = formatMoney({ asset: order.asset, units: order.creditNano });
  return { pack: order.packId, grant: { id, amount } };
}

/** Plans that an account can change to by itself; its own too when the subscription has ended. */
export function plansOnSale(
  deps: Pick<PublicDeps, 'catalog'>,
  { tenant, standing }: Pick<Payer, 'tenant' | 'standing'>,
): readonly Plan[] {
  const mayRenew = isEnded(standing);
  const plans = [...deps.catalog().plans.values()];
  return plans.filter((plan) => plan.onSale && (plan.id !== tenant.planId || mayRenew));
}

/** None where the plan's price covers the calls: credit would lie there unused. */
export function packsOnSale(
  deps: Pick<PublicDeps, 'catalog'>,
  { plan }: Pick<Payer, 'plan'>,
): readonly Pack[] {
  return plan?.usage === 'included' ? [] : deps.catalog().packs;
}

function notOnSale(what: string, id: string, onSale: readonly (Pack | Plan | AddOn)[]): string {
  const ids = onSale.map((each) => each.id).join(', ');
  return `no ${what} ${id} is on sale for this account; ${ids === '' ? 'there is none' : `there are: ${ids}`}`;
}

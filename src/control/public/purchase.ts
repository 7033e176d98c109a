import { randomUUID } from 'node:crypto';

import { z } from 'zod';

import type { Pack, Plan } from '../../domain/catalog.ts';
import { formatMoney } from '../../domain/money.ts';
import { sha256Hex } from '../../platform/sha256.ts';
import type { NewGrant, Tenant } from '../../stores/store.ts';
import { NANO_MAX } from '../admin/input-values.ts';
import { ACCOUNTS_WAIT_MS, balanceOf, viewBalance } from './balance.ts';
import type { Purchase } from './parse-purchase.ts';
import type { PublicDeps } from './public-deps.ts';

/** How long an answer waits for every gateway process to have heard of the purchase (BILL-02). */
const IN_FORCE_WAIT_MS = 1000;
const DEFAULT_PRIORITY = 50;

/** The JSON answer to a purchase, and what the page after it says. */
const paidSchema = z.strictObject({
  paid: z.literal(true),
  test_money: z.literal(true),
  message: z.string(),
  pack: z.string().optional(),
  grant: z.strictObject({ id: z.string(), amount: z.string() }).optional(),
  plan: z.string().optional(),
  /** Whether every gateway process already acts on it. */
  in_force: z.boolean(),
  balance: z.record(z.string(), z.string()),
});
export type PaidAnswer = z.infer<typeof paidSchema>;

export type Bought =
  /** `receipt` finds the same answer again. */
  | { readonly kind: 'paid'; readonly receipt: string; readonly answer: PaidAnswer }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'invalid'; readonly reason: string; readonly pointer: string };

/**
 * Buys with test money. What the store remembers first is the order with its times worked out, and last the answer:
 * parallel and repeated calls, and a retry after a crash between the two, add one grant and say the same (BILL-13).
 */
export async function buy(deps: PublicDeps, tenant: Tenant, purchase: Purchase): Promise<Bought> {
  const receipt = purchase.idempotencyKey ?? randomUUID();
  const key = orderKey(tenant, receipt);
  const fingerprint = sha256Hex(`${purchase.kind}:${purchase.id}`);
  const earlier = await deps.store.recall(key);
  if (earlier !== undefined) {
    if (earlier.fingerprint !== fingerprint) return { kind: 'conflict' };
    return apply(deps, tenant, { receipt, fingerprint, order: parseOrder(earlier.answer) });
  }
  const planned = await planOrder(deps, tenant, purchase);
  if (planned.kind === 'invalid') return planned;
  const remembered = await deps.store.remember(key, fingerprint, formatOrder(planned.order));
  if (remembered.kind === 'conflict') return { kind: 'conflict' };
  return apply(deps, tenant, { receipt, fingerprint, order: parseOrder(remembered.answer) });
}

/** What was answered to an earlier purchase of this tenant: the books' word, not that of an address bar. */
export async function findReceipt(
  deps: PublicDeps,
  tenant: Tenant,
  receipt: string,
): Promise<PaidAnswer | undefined> {
  const said = await deps.store.recall(answerKey(tenant, receipt));
  return said && paidSchema.parse(JSON.parse(said.answer));
}

function orderKey(tenant: Tenant, receipt: string): string {
  return `pay:order:${tenant.id}:${receipt}`;
}

function answerKey(tenant: Tenant, receipt: string): string {
  return `pay:answer:${tenant.id}:${receipt}`;
}

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
]);
type Order = z.infer<typeof orderSchema>;

interface Placed {
  readonly receipt: string;
  readonly fingerprint: string;
  readonly order: Order;
}

async function apply(deps: PublicDeps, tenant: Tenant, placed: Placed): Promise<Bought> {
  const { receipt, order } = placed;
  const said = await findReceipt(deps, tenant, receipt);
  if (said !== undefined) return { kind: 'paid', receipt, answer: said };
  const done =
    order.kind === 'pack'
      ? await addCredit(deps, tenant, order, orderKey(tenant, receipt))
      : await changePlan(deps, tenant, order.planId);
  const inForce = await deps.store.allSeen(IN_FORCE_WAIT_MS);
  const accounts = await deps.store.accounts(tenant.id, deps.now(), ACCOUNTS_WAIT_MS);
  const answer: PaidAnswer = {
    paid: true,
    test_money: true,
    message: 'Paid. Retry your request: nothing else to do.',
    ...done,
    in_force: inForce,
    balance: viewBalance(balanceOf(accounts, tenant.id, deps.catalog().asset)),
  };
  const text = JSON.stringify(answer);
  const kept = await deps.store.remember(answerKey(tenant, receipt), placed.fingerprint, text);
  return { kind: 'paid', receipt, answer: paidSchema.parse(JSON.parse(kept.answer)) };
}

type Done = Pick<PaidAnswer, 'pack' | 'grant' | 'plan'>;

async function addCredit(
  deps: PublicDeps,
  tenant: Tenant,
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

async function changePlan(deps: PublicDeps, tenant: Tenant, planId: string): Promise<Done> {
  await deps.store.changeTenant(tenant.id, { planId });
  return { plan: planId };
}

type Planned =
  | { readonly kind: 'planned'; readonly order: Order }
  | Extract<Bought, { kind: 'invalid' }>;

async function planOrder(
  deps: PublicDeps,
  tenant: Tenant,
  { kind, id }: Purchase,
): Promise<Planned> {
  const { packs, asset } = deps.catalog();
  if (kind === 'plan') {
    const plans = plansOnSale(deps, tenant);
    if (plans.some((plan) => plan.id === id))
      return { kind: 'planned', order: { kind, planId: id } };
    return { kind: 'invalid', pointer: '/plan', reason: notOnSale('plan', id, plans) };
  }
  const pack = packs.find((each) => each.id === id);
  if (pack === undefined) {
    return { kind: 'invalid', pointer: '/pack', reason: notOnSale('pack', id, packs) };
  }
  const grants = await deps.store.grants(tenant.id);
  let total = pack.creditNano;
  for (const grant of grants) if (grant.asset === asset) total += grant.amount;
  if (total > NANO_MAX) {
    const reason = `all credit of an account together must stay under ${formatMoney({ asset, units: NANO_MAX })}`;
    return { kind: 'invalid', pointer: '/pack', reason };
  }
  const { creditNano } = pack;
  return { kind: 'planned', order: { kind, packId: id, asset, creditNano, at: deps.now() } };
}

/** Plans that a tenant can change to by itself. */
export function plansOnSale(deps: PublicDeps, tenant: Tenant): readonly Plan[] {
  const plans = [...deps.catalog().plans.values()];
  return plans.filter((plan) => plan.onSale && plan.id !== tenant.planId);
}

function notOnSale(what: string, id: string, onSale: readonly (Pack | Plan)[]): string {
  const ids = onSale.map((each) => each.id).join(', ');
  return `no ${what} ${id} is on sale for this account; ${ids === '' ? 'there is none' : `there are: ${ids}`}`;
}

function formatOrder(order: Order): string {
  return JSON.stringify(order, (_name, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

function parseOrder(text: string): Order {
  return orderSchema.parse(JSON.parse(text));
}

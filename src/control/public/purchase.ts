import { randomUUID } from 'node:crypto';

import { z } from 'zod';

import { CODES } from '../../contract/codes.ts';
import { sha256Hex } from '../../platform/sha256.ts';
import { StoreError } from '../../stores/store-error.ts';
import type { Tenant } from '../../stores/store.ts';
import { ACCOUNTS_WAIT_MS, balanceOf, viewBalance } from './balance.ts';
import {
  type Done,
  formatOrder,
  fulfil,
  type Order,
  parseOrder,
  planOrder,
  TOO_MANY_PURCHASES,
} from './orders.ts';
import type { Purchase, Wanted } from './parse-purchase.ts';
import { type Payer, payerOf } from './payer.ts';
import type { PublicDeps } from './public-deps.ts';

/** How long an answer waits for every gateway process to have heard of the purchase (BILL-02, DEG-06). */
const IN_FORCE_WAIT_MS = 1000;

/** The JSON answer to a purchase, and what the page after it says. */
const paidSchema = z.strictObject({
  paid: z.literal(true),
  test_money: z.literal(true),
  message: z.string(),
  pack: z.string().optional(),
  grant: z.strictObject({ id: z.string(), amount: z.string() }).optional(),
  plan: z.string().optional(),
  add_on: z.string().optional(),
  settled: z.literal(true).optional(),
  overage_authorized_until: z.string().optional(),
  /** Whether every gateway process already acts on it. */
  in_force: z.boolean(),
  /** What calls are still refused with; null = nothing stands against the account. */
  standing_code: z.string().nullable().optional(),
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
 * parallel and repeated calls, and a retry after a crash between the two, do it once and say the same (BILL-13).
 */
export async function buy(deps: PublicDeps, payer: Payer, purchase: Purchase): Promise<Bought> {
  const { tenant } = payer;
  const receipt = purchase.idempotencyKey ?? randomUUID();
  const key = orderKey(tenant, receipt);
  const fingerprint = sha256Hex(nameOf(purchase.wanted));
  const earlier = await deps.store.recall(key);
  if (earlier !== undefined) {
    if (earlier.fingerprint !== fingerprint) return { kind: 'conflict' };
    return apply(deps, payer, { receipt, fingerprint, order: parseOrder(earlier.answer) });
  }
  const planned = await planOrder(deps, payer, purchase.wanted);
  if (planned.kind === 'invalid') return planned;
  const remembered = await deps.store.remember(key, fingerprint, formatOrder(planned.order));
  if (remembered.kind === 'conflict') return { kind: 'conflict' };
  return apply(deps, payer, { receipt, fingerprint, order: parseOrder(remembered.answer) });
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

function nameOf(wanted: Wanted): string {
  return 'id' in wanted ? `${wanted.kind}:${wanted.id}` : wanted.kind;
}

function orderKey(tenant: Tenant, receipt: string): string {
  return `pay:order:${tenant.id}:${receipt}`;
}

function answerKey(tenant: Tenant, receipt: string): string {
  return `pay:answer:${tenant.id}:${receipt}`;
}

interface Placed {
  readonly receipt: string;
  readonly fingerprint: string;
  readonly order: Order;
}

async function apply(deps: PublicDeps, payer: Payer, placed: Placed): Promise<Bought> {
  const { tenant } = payer;
  const { receipt, order } = placed;
  const said = await findReceipt(deps, tenant, receipt);
  if (said !== undefined) return { kind: 'paid', receipt, answer: said };
  const done = await tryFulfil(deps, payer, order, orderKey(tenant, receipt));
  if (done.kind === 'invalid') return done;
  const inForce = await deps.store.allSeen(IN_FORCE_WAIT_MS);
  const accounts = await deps.store.accounts(tenant.id, deps.now(), ACCOUNTS_WAIT_MS);
  const after = await payerOf(deps, (await deps.store.tenant(tenant.id)) ?? tenant);
  const answer: PaidAnswer = {
    paid: true,
    test_money: true,
    message: messageOf(after),
    ...done.members,
    in_force: inForce,
    standing_code: after.standing.code ?? null,
    balance: viewBalance(balanceOf(accounts, tenant.id, deps.catalog().asset)),
  };
  const text = JSON.stringify(answer);
  const kept = await deps.store.remember(answerKey(tenant, receipt), placed.fingerprint, text);
  return { kind: 'paid', receipt, answer: paidSchema.parse(JSON.parse(kept.answer)) };
}

type Tried =
  | { readonly kind: 'done'; readonly members: Done }
  | Extract<Bought, { kind: 'invalid' }>;

/** Two who buy at once may both find room for one more: the books take one of them. */
async function tryFulfil(
  deps: PublicDeps,
  payer: Payer,
  order: Order,
  key: string,
): Promise<Tried> {
  try {
    return { kind: 'done', members: await fulfil(deps, payer, order, key) };
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'invalid_change') throw error;
    return { kind: 'invalid', reason: TOO_MANY_PURCHASES, pointer: '/add_on' };
  }
}

function messageOf({ standing: { code } }: Payer): string {
  return code === undefined
    ? 'Paid. Retry your request: nothing else to do.'
    : `Paid. Something else is still due on this account: ${CODES[code].title}.`;
}

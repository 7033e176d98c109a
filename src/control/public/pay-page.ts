import { randomBytes } from 'node:crypto';

import type { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';

import { describeDue, isDue } from '../../domain/settlement.ts';
import type { Tenant } from '../../stores/store.ts';
import { negotiate, refuse, sendJson, sendPage, sharedHeaders } from './answers.ts';
import { ACCOUNTS_WAIT_MS, balanceOf } from './balance.ts';
import { overageUntil, packsOnSale, plansOnSale } from './orders.ts';
import { parsePurchase } from './parse-purchase.ts';
import { readChoice } from './pay-choice.ts';
import { type Payer, payerOf } from './payer.ts';
import type { PublicContext, PublicDeps, PublicEnv } from './public-deps.ts';
import { buy, findReceipt } from './purchase.ts';
import { renderPay } from './render-pay.ts';
import { type PayView, viewPay } from './view-pay.ts';
import { verifyPayLink, type PayLink } from './signed-links.ts';

const BODY_BYTES_MAX = 4096;
const NONCE_BYTES = 16;

/**
 * With `no-referrer` browsers send `Origin: null` with a form, and the check below could not tell ours from
 * another site's (Fetch, "append a request Origin header"). `same-origin` tells other sites as little.
 */
const PAY_HEADERS = { 'Referrer-Policy': 'same-origin' };

/** BILL-02, C402-04: where a 402 leads. Whoever holds the signed link may see the balance and add to it. */
export function mountPayPage(app: Hono<PublicEnv>, deps: PublicDeps): void {
  app.get('/pay/:token', (context) => withLink(context, deps, showPay));
  app.post(
    '/pay/:token',
    bodyLimit({
      maxSize: BODY_BYTES_MAX,
      onError: (context) =>
        refuse(context as PublicContext, deps, {
          code: 'BODY_TOO_LARGE',
          details: { allowed_bytes: BODY_BYTES_MAX },
        }),
    }),
    (context) => withLink(context, deps, acceptPurchase),
  );
}

interface Visit {
  readonly deps: PublicDeps;
  readonly link: PayLink;
  /** Whose call was refused. */
  readonly tenant: Tenant;
  /** Whose money it is about. */
  readonly payer: Payer;
}

async function withLink(
  context: PublicContext,
  deps: PublicDeps,
  answer: (context: PublicContext, visit: Visit) => Promise<Response>,
): Promise<Response> {
  const link = verifyPayLink(context.req.param('token') ?? '', deps.signingSecret);
  const tenant = link && (await deps.store.tenant(link.tenantId));
  if (link === undefined || tenant === undefined) {
    return refuse(context, deps, { code: 'NOT_FOUND', details: { path: context.req.path } });
  }
  return answer(context, { deps, link, tenant, payer: await payerOf(deps, tenant) });
}

async function showPay(context: PublicContext, visit: Visit): Promise<Response> {
  const view = await readView(context, visit);
  return negotiate(context, 'json', 'html') === 'html'
    ? sendPage(context, renderPay(view), { headers: PAY_HEADERS })
    : sendJson(context, viewPay(view));
}

async function acceptPurchase(context: PublicContext, visit: Visit): Promise<Response> {
  const { deps, payer } = visit;
  const site = foreignSite(context, deps);
  if (site !== undefined) {
    const reason = `header Origin: a page of ${site} must not buy here; open the pay link itself`;
    return refuse(context, deps, { code: 'INVALID_REQUEST', details: { reason } });
  }
  if (!deps.devMoney) {
    const reason = 'no payment method is set up on this gateway yet; ask its provider for credit';
    const details = { reason };
    return refuse(context, deps, {
      code: 'BILLING_UNAVAILABLE',
      details,
      retryKind: 'never_until_action',
    });
  }
  const parsed = await parsePurchase(context);
  if (parsed.kind === 'invalid') return refuseInvalid(context, visit, parsed);
  const bought = await buy(deps, payer, parsed.purchase);
  if (bought.kind === 'conflict') return refuse(context, deps, { code: 'IDEMPOTENCY_CONFLICT' });
  if (bought.kind === 'invalid') return refuseInvalid(context, visit, bought);
  if (negotiate(context, 'json', 'html') !== 'html') return sendJson(context, bought.answer);
  // Post, redirect, get: reloading the page that says "Paid" must not ask to pay again.
  return context.body(null, 303, {
    Location: `${context.req.path}?receipt=${encodeURIComponent(bought.receipt)}`,
    ...sharedHeaders({ headers: PAY_HEADERS }),
  });
}

/** A person stays on the page and sees what can be bought as things are now: another tab may have paid. */
async function refuseInvalid(
  context: PublicContext,
  visit: Visit,
  { reason, pointer }: { readonly reason: string; readonly pointer?: string },
): Promise<Response> {
  if (negotiate(context, 'json', 'html') === 'html') {
    const page = renderPay({ ...(await readView(context, visit)), refused: reason });
    return sendPage(context, page, { status: 400, headers: PAY_HEADERS });
  }
  const details = pointer === undefined ? { reason } : { reason, pointer };
  return refuse(context, visit.deps, { code: 'INVALID_REQUEST', details });
}

/** The other site a browser says a form was sent from; undefined from our own pages and from programs. */
function foreignSite(context: PublicContext, deps: PublicDeps): string | undefined {
  const origin = context.req.header('origin');
  if (origin === undefined) return undefined;
  const host = context.req.header('host') ?? '';
  // Behind a proxy the public address and the Host header may differ; both are ours.
  const own = [`http://${host}`, `https://${host}`, new URL(deps.publicUrl()).origin];
  return own.includes(origin) ? undefined : origin.slice(0, 100);
}

async function readView(context: PublicContext, visit: Visit): Promise<PayView> {
  const { deps, link, tenant, payer } = visit;
  const { asset, addOns } = deps.catalog();
  const receipt = context.req.query('receipt');
  const at = deps.now();
  const accounts = await deps.store.accounts(payer.tenant.id, at, ACCOUNTS_WAIT_MS);
  const balance = balanceOf(accounts, payer.tenant.id, asset);
  return {
    path: context.req.path,
    link,
    member: tenant,
    payer,
    balance,
    due: isDue(payer.standing) ? describeDue(payer.standing) : undefined,
    overage: overageOf(payer, at),
    packs: packsOnSale(deps, payer),
    addOns,
    plans: plansOnSale(deps, payer),
    choice: readChoice(context, deps, payer, balance),
    devMoney: deps.devMoney,
    nonce: randomBytes(NONCE_BYTES).toString('base64url'),
    refused: undefined,
    paid: receipt === undefined ? undefined : await findReceipt(deps, payer.tenant, receipt),
  };
}

/** Limits whose use beyond the allowance somebody has to allow, and until when that would be (PLAN-11). */
function overageOf({ tenant, plan }: Payer, at: number): PayView['overage'] {
  const limits = plan?.limits.filter(({ overage }) => overage.kind === 'authorize') ?? [];
  if (limits.length === 0) return undefined;
  const { overageAuthorizedUntil } = tenant.terms;
  const isAllowed = overageAuthorizedUntil !== undefined && at < overageAuthorizedUntil;
  return {
    limits,
    allowedUntil: isAllowed ? overageAuthorizedUntil : undefined,
    until: overageUntil(at, tenant.terms),
  };
}

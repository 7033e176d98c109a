import { CODES, isCode } from '../../contract/codes.ts';
import { buildProblem } from '../../contract/problem.ts';
import { formatQuantity } from '../../contract/problem-words.ts';
import type { Limit, Pack, Plan } from '../../domain/catalog.ts';
import { formatMoney } from '../../domain/money.ts';
import type { Tenant } from '../../stores/store.ts';
import { viewBalance, type Balance } from './balance.ts';
import { html, type Html } from './html.ts';
import type { Page } from './layout.ts';
import type { PaidAnswer } from './purchase.ts';
import type { PayLink } from './signed-links.ts';

/** What a pay page shows, for people and for programs. */
export interface PayView {
  /** Where forms post to: the page itself. */
  readonly path: string;
  readonly link: PayLink;
  readonly tenant: Tenant;
  readonly planTitle: string;
  readonly balance: Balance;
  readonly packs: readonly Pack[];
  readonly plans: readonly Plan[];
  readonly devMoney: boolean;
  /** One per page view: a double click on one button is one purchase. */
  readonly nonce: string;
  /** Set right after a purchase. */
  readonly paid: PaidAnswer | undefined;
}

export function renderPay(view: PayView): Page {
  const title = view.paid === undefined ? causeTitle(view.link) : 'Paid';
  const main = html`<h1>${title}</h1>
    ${view.paid === undefined ? renderCause(view) : renderPaid(view.paid, view)}
    ${view.devMoney ? PLAY_MONEY : ''} ${renderStanding(view)} ${renderOffers(view)}`;
  return { title, main };
}

/** The same for programs: what is needed, what there is, what is on sale and how to buy it. */
export function viewPay(view: PayView): object {
  const { link, tenant, balance, packs, plans } = view;
  const { asset } = balance;
  const money = (units: bigint) => formatMoney({ asset, units });
  return {
    tenant_id: tenant.id,
    plan: tenant.planId,
    cause: link.cause,
    ...(link.amountNano === undefined ? {} : { needed: money(link.amountNano) }),
    message: causeSentence(link),
    balance: viewBalance(balance),
    test_money: view.devMoney,
    payable: view.devMoney,
    ...(view.devMoney ? { how_to_pay: HOW_TO_PAY } : { contact: CONTACT }),
    packs: packs.map((pack) => ({
      id: pack.id,
      title: pack.title,
      price: money(pack.priceNano),
      credit: money(pack.creditNano),
      pay_with: { pack: pack.id },
    })),
    plans: plans.map((plan) => ({
      id: plan.id,
      title: plan.title,
      price: `${money(plan.priceNano)}/month`,
      pay_with: { plan: plan.id },
    })),
    ...(view.paid === undefined ? {} : { receipt: view.paid }),
  };
}

const HOW_TO_PAY =
  'POST one of the pay_with objects here as application/json, with an Idempotency-Key header so that a retry pays once. Then retry your request.';
const CONTACT =
  'No payment method is set up on this gateway yet. Ask its provider for credit or another plan, and name the tenant id.';

const PLAY_MONEY = html`<p class="note">
  <strong>Play money.</strong> This gateway runs in development mode: every button below is free and
  nothing real is charged.
</p>`;

function causeTitle({ cause }: PayLink): string {
  return isCode(cause) ? CODES[cause].title : 'Add credit';
}

/** The registry's own sentence, up to its advice: the advice is the rest of this page. */
function causeSentence({ cause }: PayLink): string {
  if (!isCode(cause)) return 'Add credit to this account, or change its plan.';
  const { message } = buildProblem({ code: cause, requestId: '', baseUrl: '' });
  return `${message.split('. ')[0] ?? message}.`;
}

function renderCause({ link, balance }: PayView): Html {
  const { cause, amountNano } = link;
  const needed =
    amountNano === undefined
      ? ''
      : html` The call needs up to
          <strong>${formatMoney({ asset: balance.asset, units: amountNano })}</strong>.`;
  const about = isCode(cause)
    ? html`<p><a href="/errors/${cause}">What ${cause} means</a></p>`
    : '';
  return html`<p class="lead">${causeSentence(link)}${needed}</p>
    ${about}`;
}

function renderPaid(paid: PaidAnswer, { planTitle }: PayView): Html {
  const what =
    paid.grant === undefined
      ? html`You are on the plan ${planTitle} now.`
      : html`${paid.grant.amount} of credit was added.`;
  const when = paid.in_force
    ? 'Retry your request: nothing else to do.'
    : 'Retry your request in a moment: one gateway process has not heard of it yet.';
  return html`<p class="done lead" role="status"><strong>Paid.</strong> ${when}</p>
    <p>${what}</p>`;
}

function renderStanding({ balance, tenant, planTitle }: PayView): Html {
  const money = (units: bigint) => formatMoney({ asset: balance.asset, units });
  return html`<h2>Your account</h2>
    <dl>
      <dt>Account</dt>
      <dd>${tenant.name}</dd>
      <dt>Plan</dt>
      <dd>${planTitle}</dd>
      <dt>Available balance</dt>
      <dd><strong>${money(balance.available)}</strong></dd>
      <dt>Settled</dt>
      <dd>${money(balance.settled)}</dd>
      <dt>Held by running calls</dt>
      <dd>${money(balance.held)}</dd>
    </dl>`;
}

function renderOffers(view: PayView): Html {
  const credit = renderList(
    'Add credit',
    view.packs.map((pack) => renderPack(pack, view)),
  );
  const plans = renderList(
    'Change the plan',
    view.plans.map((plan) => renderPlan(plan, view)),
  );
  const contact = view.devMoney
    ? ''
    : html`<p class="note">
        No payment method is set up on this gateway yet. To get credit or another plan, ask the
        provider of this API and name the account <code>${view.tenant.id}</code>.
      </p>`;
  if (view.packs.length + view.plans.length === 0 && view.devMoney) {
    return html`<p>Nothing is on sale for this account. Ask the provider of this API.</p>`;
  }
  // What lifts the refusal comes first: credit for an empty balance, plans for everything else.
  const isBalance = view.link.cause === 'INSUFFICIENT_CREDITS';
  return html`${contact} ${isBalance ? [credit, plans] : [plans, credit]}`;
}

function renderList(title: string, items: readonly Html[]): Html {
  if (items.length === 0) return html``;
  return html`<h2>${title}</h2>
    <ul class="offers">
      ${items}
    </ul>`;
}

function renderPack(pack: Pack, view: PayView): Html {
  const { asset } = view.balance;
  const credit = formatMoney({ asset, units: pack.creditNano });
  const price = formatMoney({ asset, units: pack.priceNano });
  const button = { field: 'pack', id: pack.id, label: `Add ${credit} of test credit` };
  return html`<li>
    <p>
      <strong>${pack.title}</strong><br /><span class="quiet"
        >${credit} of credit for ${price}</span
      >
    </p>
    ${renderButton(button, view)}
  </li>`;
}

function renderPlan(plan: Plan, view: PayView): Html {
  const { asset } = view.balance;
  const price = `${formatMoney({ asset, units: plan.priceNano })} a month`;
  const limits = plan.limits.map((limit) => describeLimit(limit, asset));
  const terms = [price, ...limits].join(', ');
  const button = { field: 'plan', id: plan.id, label: `Switch to ${plan.title}` };
  return html`<li>
    <p><strong>${plan.title}</strong><br /><span class="quiet">${terms}</span></p>
    ${renderButton(button, view)}
  </li>`;
}

function renderButton(
  { field, id, label }: { readonly field: string; readonly id: string; readonly label: string },
  view: PayView,
): Html {
  if (!view.devMoney) return html``;
  return html`<form method="post" action="${view.path}">
    <input type="hidden" name="${field}" value="${id}" />
    <input type="hidden" name="nonce" value="${`${view.nonce}-${field}-${id}`}" />
    <button type="submit">${label}</button>
  </form>`;
}

/** `10,000 requests a month`, `5.00 USD of spend a day`. */
function describeLimit({ unit, amount, window }: Limit, asset: string): string {
  const period = window === 'lifetime' ? 'in total' : `per ${window}`;
  if (unit === 'spend')
    return `spend up to ${formatMoney({ asset, units: BigInt(amount) })} ${period}`;
  return `${formatQuantity(amount) ?? String(amount)} ${unit} ${period}`;
}

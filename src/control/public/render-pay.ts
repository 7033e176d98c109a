import { isCode } from '../../contract/codes.ts';
import { describeStanding } from '../../domain/explain-standing.ts';
import { formatMoney } from '../../domain/money.ts';
import { html, type Html } from './html.ts';
import type { Page } from './layout.ts';
import type { Choice } from './pay-choice.ts';
import type { PaidAnswer } from './purchase.ts';
import { renderButton, renderOffers } from './render-offers.ts';
import { utcMinute } from './time-words.ts';
import { causeSentence, causeTitle, type PayView } from './view-pay.ts';
import { renderTable } from './table.ts';

export function renderPay(view: PayView): Page {
  const title = view.paid === undefined ? causeTitle(view.link) : 'Paid';
  const main = html`<h1>${title}</h1>
    ${renderRefused(view)}
    ${view.paid === undefined ? renderCause(view) : renderPaid(view.paid, view)}
    ${view.devMoney ? PLAY_MONEY : ''} ${renderChoice(view)} ${renderDue(view)}
    ${renderOverage(view)} ${renderAccount(view)} ${renderOffers(view)}`;
  return { title, main };
}

function renderRefused({ refused }: PayView): Html | string {
  if (refused === undefined) return '';
  return html`<p class="note" role="alert">
    <strong>Nothing was bought:</strong> ${refused}. Below is what there is now.
  </p>`;
}

const PLAY_MONEY = html`<p class="note">
  <strong>Play money.</strong> This gateway runs in development mode: every button below is free and
  nothing real is charged.
</p>`;

/** The link stays good after it was paid (DESIGN 10), and who comes back must not take it for a payment that failed. */
const SINCE = html`<p class="quiet">
  A call was refused with this. If you have paid since then, repeat the call before you pay again.
</p>`;

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
    ${about} ${SINCE}`;
}

function renderPaid(paid: PaidAnswer, view: PayView): Html {
  const isDone = (paid.standing_code ?? null) === null;
  const when = paid.in_force
    ? paid.message.replace(/^Paid\. /, '')
    : 'Retry your request in a moment: one gateway process has not heard of it yet.';
  return html`<p class="${isDone ? 'done' : 'note'} lead" role="status">
      <strong>Paid.</strong> ${when}
    </p>
    <p>${describePaid(paid, view)}</p>`;
}

function describePaid(paid: PaidAnswer, { payer, addOns }: PayView): string {
  if (paid.grant !== undefined) return `${paid.grant.amount} of credit was added.`;
  if (paid.settled === true) return 'Everything that was due is paid, and the service is back.';
  if (paid.overage_authorized_until !== undefined) {
    return `Use beyond the plan is allowed until ${utcMinute(Date.parse(paid.overage_authorized_until))}.`;
  }
  if (paid.add_on !== undefined) {
    return `You have ${addOns.find(({ id }) => id === paid.add_on)?.title ?? paid.add_on} now.`;
  }
  return `You are on the plan ${payer.plan?.title ?? payer.tenant.planId} now.`;
}

/** What the link named, and exactly what it changes, before anything else is offered. */
function renderChoice(view: PayView): Html | string {
  const { choice } = view;
  if (choice === undefined || view.paid !== undefined) return '';
  if (typeof choice === 'string') return html`<p class="note">${choice}</p>`;
  const { field, id, title, price, changes } = choice;
  const button = { field, id, label: `${ACTIONS[field]} ${title}` };
  return html`<h2>Your choice: <bdi>${title}</bdi>, ${price}</h2>
    ${renderChanges(changes)} ${renderButton(button, view)}`;
}

const ACTIONS: Readonly<Record<Choice['field'], string>> = {
  plan: 'Take',
  pack: 'Add',
  add_on: 'Buy',
};

function renderChanges(changes: Choice['changes']): Html {
  if (changes.length === 0) return html`<p>Nothing else changes.</p>`;
  const rows = changes.map(
    ({ what, before, after }) =>
      html`<tr>
        <th scope="row">${what}</th>
        <td>${before}</td>
        <td><strong>${after}</strong></td>
      </tr>`,
  );
  return renderTable([{ title: 'what changes' }, { title: 'now' }, { title: 'then' }], rows);
}

/** Everything that is due, with one button (DEG-06). */
function renderDue(view: PayView): Html | string {
  const { due, payer } = view;
  if (due === undefined) return '';
  const button = { field: 'pay', id: 'due', label: due.label };
  return html`<h2>What is due</h2>
    <p>${describeStanding(payer.standing, utcMinute)} ${due.text}</p>
    ${renderButton(button, view)}`;
}

/** Use beyond the plan has to be allowed once a billing cycle (PLAN-11). */
function renderOverage(view: PayView): Html | string {
  const { overage } = view;
  if (overage === undefined) return '';
  const { limits, allowedUntil, until } = overage;
  const names = limits.map(({ id }) => id).join(', ');
  if (allowedUntil !== undefined) {
    return html`<h2>Use beyond the plan</h2>
      <p>It is allowed until ${utcMinute(allowedUntil)}, billed by the unit: ${names}.</p>`;
  }
  const label = `Allow it until ${utcMinute(until)}`;
  return html`<h2>Use beyond the plan</h2>
    <p>What goes beyond these limits is billed by the unit once you allow it: ${names}.</p>
    ${renderButton({ field: 'allow', id: 'overage', label }, view)}`;
}

function renderAccount({ balance, member, payer, due }: PayView): Html {
  const { tenant, plan, standing } = payer;
  const money = (units: bigint) => formatMoney({ asset: balance.asset, units });
  const pool =
    tenant.id === member.id
      ? ''
      : html`<dt>Paid by</dt>
          <dd>${tenant.name}</dd>`;
  // What is due has been said above.
  const known =
    due === undefined
      ? html`<dt>Standing</dt>
          <dd>${describeStanding(standing, utcMinute)}</dd>`
      : '';
  const level =
    standing.level === 'full'
      ? ''
      : html`<dt>Service</dt>
          <dd class="refused">reduced until what is due is paid</dd>`;
  return html`<h2>Your account</h2>
    <dl>
      <dt>Account</dt>
      <dd>${member.name}</dd>
      ${pool}
      <dt>Plan</dt>
      <dd>${plan?.title ?? tenant.planId}</dd>
      ${known} ${level}
      <dt>Available balance</dt>
      <dd><strong>${money(balance.available)}</strong></dd>
      <dt>Settled</dt>
      <dd>${money(balance.settled)}</dd>
      <dt>Held by running calls</dt>
      <dd>${money(balance.held)}</dd>
    </dl>`;
}

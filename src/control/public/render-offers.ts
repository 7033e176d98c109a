import { LIMIT_CODES } from '../../contract/codes/limits.ts';
import type { AddOn, Pack, Plan, PurchaseGrants } from '../../domain/catalog.ts';
import { formatBytes, formatNumber } from '../../domain/explain-words.ts';
import { formatMoney } from '../../domain/money.ts';
import { describeLimit, describeMore } from '../../domain/plan-changes.ts';
import { html, type Html } from './html.ts';
import type { PayView } from './view-pay.ts';

/**
 * Everything on sale to this account. What lifts the refusal comes first: credit for an empty balance, add-ons that grant
 * what was missing, and plans; what has nothing to do with it comes last.
 */
export function renderOffers(view: PayView): Html {
  const credit = renderList(
    'Add credit',
    notChosen('pack', view.packs, view).map((pack) => renderPack(pack, view)),
  );
  const addOns = notChosen('add_on', view.addOns, view);
  const renderAddOns = (title: string, lifts: boolean): Html =>
    renderList(
      title,
      addOns
        .filter((addOn) => mayLift(addOn, view) === lifts)
        .map((addOn) => renderAddOn(addOn, view)),
    );
  const lifting = renderAddOns('Buy beside the plan', true);
  const others = renderAddOns('Other things beside the plan', false);
  const plans = renderList(
    'Change the plan',
    notChosen('plan', view.plans, view).map((plan) => renderPlan(plan, view)),
  );
  const contact = view.devMoney
    ? ''
    : html`<p class="note">
        No payment method is set up on this gateway yet. To get credit or another plan, ask the
        provider of this API and name the account <code>${view.payer.tenant.id}</code>.
      </p>`;
  const count = view.packs.length + view.plans.length + view.addOns.length;
  if (count === 0 && view.devMoney) {
    return html`<p>Nothing is on sale for this account. Ask the provider of this API.</p>`;
  }
  const isBalance = view.link.cause === 'INSUFFICIENT_CREDITS';
  return html`${contact} ${isBalance ? [credit, plans, others] : [lifting, plans, others, credit]}`;
}

/** Whether an add-on grants anything of the kind that a call was refused for. */
function mayLift({ grants }: AddOn, { link: { cause }, payer, balance }: PayView): boolean {
  switch (cause) {
    case 'FEATURE_NOT_IN_PLAN':
      return grants.features.length > 0;
    case 'MODEL_NOT_IN_PLAN':
      return grants.models.length > 0;
    case 'PURCHASE_REQUIRED':
      return grants.purchases.length > 0;
    case 'MCP_CONTEXT_LIMIT_EXCEEDED':
      return grants.contextTokensMax !== undefined;
    case 'FILE_SIZE_NOT_IN_PLAN':
      return grants.fileBytesMax !== undefined;
    case 'INSUFFICIENT_CREDITS':
      return false;
    default: {
      const raised = payer.plan && describeMore(grants, payer.plan, balance.asset);
      return cause in LIMIT_CODES && raised !== undefined && raised.length > 0;
    }
  }
}

/** What the link named has its own place further up. */
function notChosen<Offer extends { readonly id: string }>(
  field: string,
  offers: readonly Offer[],
  { choice, paid }: PayView,
): readonly Offer[] {
  if (typeof choice !== 'object' || paid !== undefined || choice.field !== field) return offers;
  return offers.filter(({ id }) => id !== choice.id);
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
  return renderOffer(pack.title, `${credit} of credit for ${price}`, button, view);
}

function renderAddOn({ id, title, priceNano, interval, grants }: AddOn, view: PayView): Html {
  const price = formatMoney({ asset: view.balance.asset, units: priceNano });
  const terms = [
    interval === 'month' ? `${price} for a month` : `${price} once`,
    ...grantsOf(grants, view),
  ];
  return renderOffer(title, terms.join(', '), { field: 'add_on', id, label: `Buy ${title}` }, view);
}

function grantsOf(grants: PurchaseGrants, { payer, balance }: PayView): readonly string[] {
  const { features, models, purchases } = grants;
  const { contextTokensMax: context, fileBytesMax: bytes } = grants;
  return [
    ...features.map((name) => `feature ${name}`),
    ...models.map((name) => (name === '*' ? 'all models' : `model ${name}`)),
    ...purchases,
    ...(payer.plan === undefined ? [] : describeMore(grants, payer.plan, balance.asset)),
    ...(context === undefined ? [] : [`context of ${formatNumber(context)} tokens`]),
    ...(bytes === undefined ? [] : [`bodies of ${formatBytes(bytes)}`]),
  ];
}

function renderPlan(plan: Plan, view: PayView): Html {
  const { asset } = view.balance;
  const isOwn = plan.id === view.payer.tenant.planId;
  const price = `${formatMoney({ asset, units: plan.priceNano })} a month`;
  const terms = [price, ...plan.limits.map((limit) => describeLimit(limit, asset))].join(', ');
  const label = `${isOwn ? 'Renew' : 'Switch to'} ${plan.title}`;
  return renderOffer(plan.title, terms, { field: 'plan', id: plan.id, label }, view);
}

interface Button {
  readonly field: string;
  readonly id: string;
  readonly label: string;
}

function renderOffer(title: string, terms: string, button: Button, view: PayView): Html {
  return html`<li>
    <p><strong>${title}</strong><br /><span class="quiet">${terms}</span></p>
    ${renderButton(button, view)}
  </li>`;
}

/** A form of one button: nothing where no money is taken. */
export function renderButton({ field, id, label }: Button, view: PayView): Html {
  if (!view.devMoney) return html``;
  return html`<form method="post" action="${view.path}">
    <input type="hidden" name="${field}" value="${id}" />
    <input type="hidden" name="nonce" value="${`${view.nonce}-${field}-${id}`}" />
    <button type="submit">${label}</button>
  </form>`;
}

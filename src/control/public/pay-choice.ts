import { addGrants, effectivePlan } from '../../domain/effective-plan.ts';
import { formatMoney } from '../../domain/money.ts';
import { describePlanChange, type PlanChange } from '../../domain/plan-changes.ts';
import { isEnded } from '../../domain/settlement.ts';
import type { Balance } from './balance.ts';
import { packsOnSale, plansOnSale } from './orders.ts';
import type { Payer } from './payer.ts';
import type { PublicContext, PublicDeps } from './public-deps.ts';

/** What the link named to buy, with everything that it changes (C402-04). */
export interface Choice {
  readonly field: 'plan' | 'pack' | 'add_on';
  readonly id: string;
  readonly title: string;
  /** `49.00 USD a month`. */
  readonly price: string;
  readonly changes: readonly PlanChange[];
}

const FIELDS = ['plan', 'pack', 'add_on'] as const;

/** The first of `?plan=`, `?pack=` and `?add_on=`; a text says why it cannot be bought. */
export function readChoice(
  context: PublicContext,
  deps: PublicDeps,
  payer: Payer,
  balance: Balance,
): Choice | string | undefined {
  for (const field of FIELDS) {
    const id = context.req.query(field);
    if (id === undefined) continue;
    const choice = CHOICES[field](id, deps, payer, balance);
    return (
      choice ??
      `There is no ${field.replace('_', '-')} ${id.slice(0, 64)} on sale for this account.`
    );
  }
  return undefined;
}

type Find = (id: string, deps: PublicDeps, payer: Payer, balance: Balance) => Choice | undefined;

const CHOICES: Readonly<Record<(typeof FIELDS)[number], Find>> = {
  plan: choosePlan,
  pack: choosePack,
  add_on: chooseAddOn,
};

function choosePlan(id: string, deps: PublicDeps, payer: Payer): Choice | undefined {
  const { asset, addOns } = deps.catalog();
  const plan = plansOnSale(deps, payer).find((each) => each.id === id);
  if (plan === undefined) return undefined;
  const then = effectivePlan(plan, payer.tenant.terms, addOns, deps.now());
  const changes = payer.plan === undefined ? [] : describePlanChange(payer.plan, then, asset);
  const price = `${formatMoney({ asset, units: plan.priceNano })} a month`;
  const renewal = { what: 'subscription', before: 'does not run', after: 'runs' };
  return {
    field: 'plan',
    id,
    title: plan.title,
    price,
    changes: isEnded(payer.standing) ? [renewal, ...changes] : changes,
  };
}

function choosePack(
  id: string,
  deps: PublicDeps,
  payer: Payer,
  { asset, available }: Balance,
): Choice | undefined {
  const pack = packsOnSale(deps, payer).find((each) => each.id === id);
  if (pack === undefined) return undefined;
  const money = (units: bigint) => formatMoney({ asset, units });
  const after = money(available + pack.creditNano);
  return {
    field: 'pack',
    id,
    title: pack.title,
    price: money(pack.priceNano),
    changes: [{ what: 'available balance', before: money(available), after }],
  };
}

function chooseAddOn(id: string, deps: PublicDeps, { plan }: Payer): Choice | undefined {
  const { addOns, asset } = deps.catalog();
  const addOn = addOns.find((each) => each.id === id);
  if (addOn === undefined) return undefined;
  const price = formatMoney({ asset, units: addOn.priceNano });
  return {
    field: 'add_on',
    id,
    title: addOn.title,
    price: addOn.interval === 'month' ? `${price} for a month` : `${price} once`,
    changes:
      plan === undefined ? [] : describePlanChange(plan, addGrants(plan, addOn.grants), asset),
  };
}

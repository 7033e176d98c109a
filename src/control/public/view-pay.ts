import { CODES, isCode } from '../../contract/codes.ts';
import { buildProblem } from '../../contract/problem.ts';
import type { AddOn, Limit, Pack, Plan } from '../../domain/catalog.ts';
import { formatDecimal, formatMoney } from '../../domain/money.ts';
import type { Tenant } from '../../stores/store.ts';
import { type Balance, viewBalance } from './balance.ts';
import type { Choice } from './pay-choice.ts';
import type { Payer } from './payer.ts';
import type { PaidAnswer } from './purchase.ts';
import type { PayLink } from './signed-links.ts';
import { isoTime } from './time-words.ts';
import { viewStanding } from './usage-terms.ts';

/** What a pay page shows, for people and for programs. */
export interface PayView {
  /** Where forms post to: the page itself. */
  readonly path: string;
  readonly link: PayLink;
  /** Whose call was refused, and who pays for it: itself, or its pool. */
  readonly member: Tenant;
  readonly payer: Payer;
  readonly balance: Balance;
  /** What the button that pays everything due is called; undefined = nothing is due. */
  readonly due: { readonly label: string; readonly text: string } | undefined;
  readonly overage:
    | {
        readonly limits: readonly Limit[];
        /** Epoch ms; undefined = it is not allowed now. */
        readonly allowedUntil: number | undefined;
        /** Epoch ms, if it were allowed now. */
        readonly until: number;
      }
    | undefined;
  readonly packs: readonly Pack[];
  readonly addOns: readonly AddOn[];
  readonly plans: readonly Plan[];
  /** What the link named; a text when that cannot be bought. */
  readonly choice: Choice | string | undefined;
  readonly devMoney: boolean;
  /** One per page view: a double click on one button is one purchase. */
  readonly nonce: string;
  /** Why the form that was just sent bought nothing. */
  readonly refused: string | undefined;
  /** Set right after a purchase. */
  readonly paid: PaidAnswer | undefined;
}

/** The page for programs: what is needed, what there is, what is on sale and how to buy it. */
export function viewPay(view: PayView): object {
  const { link, member, payer, balance } = view;
  const { tenant, plan } = payer;
  const money = (units: bigint) => formatMoney({ asset: balance.asset, units });
  return {
    tenant_id: member.id,
    ...(tenant.id === member.id ? {} : { paid_by: tenant.id }),
    plan: plan?.id ?? tenant.planId,
    cause: link.cause,
    ...(link.amountNano === undefined ? {} : { needed: money(link.amountNano) }),
    message: causeSentence(link),
    balance: viewBalance(balance),
    standing: viewStanding(payer.standing),
    test_money: view.devMoney,
    payable: view.devMoney,
    ...(view.devMoney ? { how_to_pay: HOW_TO_PAY } : { contact: CONTACT }),
    ...(typeof view.choice === 'object' ? { chosen: viewChoice(view.choice) } : {}),
    ...(view.due === undefined ? {} : { due: { ...view.due, pay_with: { pay: 'due' } } }),
    ...viewOverage(view),
    packs: view.packs.map((pack) => ({
      id: pack.id,
      title: pack.title,
      price: money(pack.priceNano),
      credit: money(pack.creditNano),
      pay_with: { pack: pack.id },
    })),
    add_ons: view.addOns.map(({ id, title, priceNano, interval }) => ({
      id,
      title,
      price: interval === 'month' ? `${money(priceNano)}/month` : money(priceNano),
      pay_with: { add_on: id },
    })),
    plans: view.plans.map(({ id, title, priceNano }) => ({
      id,
      title,
      price: `${money(priceNano)}/month`,
      pay_with: { plan: id },
    })),
    ...(view.paid === undefined ? {} : { receipt: view.paid }),
  };
}

function viewChoice({ field, id, title, price, changes }: Choice): object {
  return { kind: field, id, title, price, changes, pay_with: { [field]: id } };
}

function viewOverage({ overage, balance: { asset } }: PayView): object {
  if (overage === undefined) return {};
  const { limits, allowedUntil, until } = overage;
  return {
    overage: {
      allowed_until: allowedUntil === undefined ? null : isoTime(allowedUntil),
      would_be_until: isoTime(until),
      limits: limits.map(({ id, overage: policy }) => ({
        id,
        unit_price: unitPrice(policy, asset),
      })),
      pay_with: { allow: 'overage' },
    },
  };
}

/** `0.0200 USD`; of a limit that bills nothing, nothing. */
export function unitPrice(overage: Limit['overage'], asset: string): string {
  const pico = overage.kind === 'block' ? 0n : overage.unitPico;
  return `${formatDecimal(pico, 12, 4)} ${asset}`;
}

const HOW_TO_PAY =
  'POST one of the pay_with objects here as application/json, with an Idempotency-Key header so that a retry pays once. Then retry your request.';
const CONTACT =
  'No payment method is set up on this gateway yet. Ask its provider for credit or another plan, and name the tenant id.';

export function causeTitle({ cause }: PayLink): string {
  return isCode(cause) ? CODES[cause].title : 'Add credit';
}

/** The registry's own sentence, up to its advice: the advice is the rest of this page. */
export function causeSentence({ cause }: PayLink): string {
  if (!isCode(cause)) return 'Add credit to this account, or change its plan.';
  const { message } = buildProblem({ code: cause, requestId: '', baseUrl: '' });
  return `${message.split('. ')[0] ?? message}.`;
}

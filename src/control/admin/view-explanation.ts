import type { Catalog } from '../../domain/catalog.ts';
import { formatNano } from '../../domain/explain-words.ts';
import { explain } from '../../domain/explain.ts';
import type { ExplainView } from '../../domain/explain.ts';
import type { Facts } from '../../domain/facts.ts';
import { formatTime } from './input-values.ts';

/**
 * The decision made again from the logged facts, told in sentences (DIAG-01). Undefined for a row whose facts
 * another version of the gateway wrote in a shape this one cannot decide on; the facts themselves stay readable.
 */
export function viewExplanation(facts: Facts, catalog: Catalog): object | undefined {
  let view: ExplainView;
  try {
    view = explain(facts, { catalog, formatTime });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
  return {
    result: view.result,
    verdict: view.verdict,
    trace: view.trace.map(({ step, verdict, text }) => ({ step, verdict, text })),
    money: viewMoney(view.money),
    fixes: view.fixes.map(({ action, text }) => ({ action, text })),
    retry: view.retry === undefined ? null : { helps: view.retry.helps, text: view.retry.text },
    policy_version: view.catalogVersion,
  };
}

function viewMoney(money: ExplainView['money']): object | null {
  if (money === undefined) return null;
  const amount = (nano: number) => formatNano(nano, money.asset);
  return {
    paid_from_balance: money.paidFromBalance,
    held: amount(money.heldNano),
    cost: amount(money.costNano),
    charged: amount(money.chargedNano),
    released: amount(money.releasedNano),
    paid_by_the_house: amount(money.overrunNano),
    lines: money.lines.map(({ what, units, unitPrice, amount: sum }) => ({
      what,
      units: units ?? null,
      unit_price: unitPrice,
      amount: sum,
    })),
  };
}

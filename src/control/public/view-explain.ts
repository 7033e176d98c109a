import { describeArithmetic, type MoneyView } from '../../domain/explain-money.ts';
import { formatNano, hasNoEnd, isMoney, unitsFree } from '../../domain/explain-words.ts';
import type { ExplainView } from '../../domain/explain.ts';
import type { Fix } from '../../domain/explain-fixes.ts';
import type { LimitLabel } from '../../domain/accounts.ts';
import type { LimitFact } from '../../domain/facts.ts';
import type { Quantity } from '../../contract/problem-document.ts';
import { isoTime } from './time-words.ts';

/** Where the explanation leads on to. */
export interface ExplainLinks {
  readonly payUrl: string | undefined;
  readonly documentationUrl: string | undefined;
}

/** The explanation for machines: snake case, ISO times, counts as numbers, money as `0.0042 USD`. */
export function viewExplain(view: ExplainView, links: ExplainLinks, asset: string): object {
  return {
    request_id: view.requestId,
    at: isoTime(view.at),
    duration_ms: view.durationMs === undefined ? null : Math.round(view.durationMs * 10) / 10,
    method: view.method,
    path: view.path,
    model: view.model ?? null,
    result: view.result,
    verdict: view.verdict,
    status: view.status ?? null,
    code: view.code ?? null,
    would_refuse: view.wouldRefuse ?? null,
    decided_again: { agrees: view.agrees },
    documentation_url: links.documentationUrl ?? null,
    plan: view.plan ?? null,
    policy_version: view.catalogVersion,
    trace: view.trace.map(({ step, verdict, text, limit, held }) => ({
      step,
      verdict: verdict.replaceAll(' ', '_'),
      text,
      ...(limit === undefined ? {} : { limit: viewLimit(limit, held, asset) }),
    })),
    money: view.money === undefined ? null : viewMoney(view.money),
    counted: view.counts.map(({ name, unit, held, counted, released }) => ({
      limit: name,
      unit,
      held,
      counted,
      released,
    })),
    fixes: view.fixes.map((fix) => viewFix(fix, links)),
    retry:
      view.retry === undefined
        ? null
        : {
            helps: view.retry.helps,
            from: view.retry.from === undefined ? null : isoTime(view.retry.from),
            text: view.retry.text,
          },
  };
}

function viewLimit(limit: LimitFact, held: number | undefined, asset: string): object {
  const { label } = limit;
  const money = isMoney(limit);
  const quantity = (units: number): Quantity => (money ? formatNano(units, asset) : units);
  const numbers = {
    needed: quantity(limit.need),
    // A soft limit warns from here on and refuses nothing; what is billed beyond an allowance has no end.
    allowed: hasNoEnd(limit) ? (label?.softAt ?? null) : quantity(limit.allowance),
    used: quantity(limit.spent),
  };
  const inFlight =
    held === undefined ? {} : { held: quantity(held), available: quantity(unitsFree(limit, held)) };
  return {
    kind: limit.kind,
    ...(label === undefined ? BALANCE_LABEL : viewLabel(label)),
    unit: money ? asset : limit.unit,
    ...numbers,
    ...inFlight,
    resets_at: limit.resetsAt === undefined ? null : isoTime(limit.resetsAt),
  };
}

const BALANCE_LABEL = { id: null, window: null, scope: 'tenant', class: 'commercial' } as const;

function viewLabel({ id, window, scope, of, class: limitClass, from }: LimitLabel): object {
  return {
    id,
    window,
    scope,
    ...(of === undefined ? {} : { of }),
    class: limitClass ?? 'commercial',
    from: from ?? 'plan',
  };
}

function viewMoney(money: MoneyView): object {
  const amount = (nano: number) => formatNano(nano, money.asset);
  return {
    paid_from_balance: money.paidFromBalance,
    held: amount(money.heldNano),
    cost: amount(money.costNano),
    charged: amount(money.chargedNano),
    released: amount(money.releasedNano),
    paid_by_the_house: amount(money.overrunNano),
    arithmetic: describeArithmetic(money),
    lines: money.lines.map(({ what, units, unitPrice, amount: sum }) => ({
      what,
      units: units ?? null,
      unit_price: unitPrice,
      amount: sum,
    })),
    rounding: money.rounding,
    source: money.source,
  };
}

function viewFix(fix: Fix, { payUrl }: ExplainLinks): object {
  const sold = fix.offer !== undefined && payUrl !== undefined;
  return {
    action: fix.action,
    text: fix.text,
    ...(sold ? { offer: fix.offer, url: payUrl } : {}),
  };
}

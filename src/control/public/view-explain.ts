import type { Quantity } from '../../contract/problem-document.ts';
import type { LimitLabel } from '../../domain/accounts.ts';
import type { CheckStep } from '../../domain/checklist.ts';
import type { Fix } from '../../domain/explain-fixes.ts';
import { describeArithmetic, type MoneyView } from '../../domain/explain-money.ts';
import { formatNano, hasNoEnd, unitsFree } from '../../domain/explain-words.ts';
import type { ExplainView } from '../../domain/explain.ts';
import type { LimitFact } from '../../domain/facts.ts';
import { isMoney } from '../../domain/take.ts';
import type { Findings } from './findings.ts';
import type { ReportLinks, RequestReport } from './request-report.ts';
import { isoTime } from './time-words.ts';

/** The explanation for machines: snake case, ISO times, counts as numbers, money as `0.0042 USD`. */
export function viewExplain(report: RequestReport): object {
  const { links } = report;
  return {
    ...viewFindings(report, links),
    documentation_url: links.documentationUrl ?? null,
    links: { bundle: links.bundle, guide: links.guide, probe: links.probe },
  };
}

/** The same without what leads on: `links` makes the ways out clickable. */
export function viewFindings(findings: Findings, links: PayLinks = NO_LINKS) {
  const { view, asset } = findings;
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
    plan: view.plan ?? null,
    policy_version: view.catalogVersion,
    trace: viewTrace(view, asset),
    money: view.money === undefined ? null : viewMoney(view.money),
    counted: view.counts.map(({ name, text, unit, held, counted, released }) => ({
      limit: name,
      text,
      unit,
      held,
      counted,
      released,
    })),
    fixes: view.fixes.map((fix) => viewFix(fix, links)),
    retry: viewRetry(view),
    checklist: findings.checklist.map(viewStep),
    limits: findings.limits.map(({ resetsAt, now, ...limit }) => ({
      ...limit,
      now: now ?? null,
      resets_at: resetsAt === undefined ? null : isoTime(resetsAt),
    })),
    guide: findings.guide,
    probes: findings.probes,
  };
}

type PayLinks = Pick<ReportLinks, 'payUrl'>;
const NO_LINKS: PayLinks = { payUrl: undefined };

function viewTrace({ trace }: ExplainView, asset: string): readonly object[] {
  return trace.map(({ step, verdict, text, limit, held }) => ({
    step,
    verdict: verdict.replaceAll(' ', '_'),
    text,
    ...(limit === undefined ? {} : { limit: viewLimit(limit, held, asset) }),
  }));
}

function viewRetry({ retry }: ExplainView): object | null {
  if (retry === undefined) return null;
  const { helps, from, text } = retry;
  return { helps, from: from === undefined ? null : isoTime(from), text };
}

function viewStep({ id, title, verdict, items }: CheckStep, index: number): object {
  return { step: index + 1, id, title, verdict, items };
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

function viewFix(fix: Fix, links: PayLinks): object {
  const url = fixUrl(fix, links);
  return {
    action: fix.action,
    text: fix.text,
    ...(fix.offer === undefined || url === undefined ? {} : { offer: fix.offer }),
    ...(url === undefined ? {} : { url }),
  };
}

/** Where it is done: the pay page, with what to buy already chosen (C402-04). */
export function fixUrl({ offer, payable }: Fix, { payUrl }: PayLinks): string | undefined {
  if (!payable || payUrl === undefined) return undefined;
  return offer === undefined ? payUrl : `${payUrl}?${offer.kind}=${encodeURIComponent(offer.id)}`;
}

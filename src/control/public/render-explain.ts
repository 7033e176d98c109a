import type { Fix } from '../../domain/explain-fixes.ts';
import { describeArithmetic, type MoneyView } from '../../domain/explain-money.ts';
import type { TraceEntry } from '../../domain/explain-trace.ts';
import { formatNumber } from '../../domain/explain-words.ts';
import type { ExplainView } from '../../domain/explain.ts';
import { html, type Html } from './html.ts';
import type { Page } from './layout.ts';
import { renderChecklist } from './render-checklist.ts';
import type { ReportLinks, RequestReport } from './request-report.ts';
import { isoTime } from './time-words.ts';
import { fixUrl } from './view-explain.ts';
import { renderTable } from './table.ts';

/** The explanation for people: the verdict first, then the way out, then the evidence. */
export function renderExplain(report: RequestReport): Page {
  const { view, links } = report;
  const main = html`<h1>${view.verdict}</h1>
    ${renderSummary(view, links)} ${renderFixes(view, links)}
    <h2>Decision, check by check</h2>
    <ol class="trace">
      ${view.trace.map(renderEntry)}
    </ol>
    ${view.money === undefined ? '' : renderMoney(view.money)} ${renderCounts(view)}
    ${renderChecklist(report)}
    <h2>The request</h2>
    ${renderRequest(view, links)}
    <p class="quiet">
      The same for programs: <code>/r/${view.requestId}.json</code>. If you use an application and
      have no key of your own: <a href="${links.guide}">what to look at, in order</a>.
    </p>`;
  return { title: view.verdict, main };
}

/** The status, its code and what it costs to know more, at one glance. */
function renderSummary(view: ExplainView, { documentationUrl }: ReportLinks): Html {
  const code = view.code ?? view.wouldRefuse;
  const observed =
    view.wouldRefuse === undefined ? '' : html` <span class="chip">observed, not refused</span>`;
  const disagrees = view.agrees
    ? ''
    : html`<p class="note">
        Decided again from the log, this request would get another answer than the one that was
        sent. Please tell the provider.
      </p>`;
  return html`<p class="chips">
      ${view.status === undefined ? '' : html`<span class="chip">${view.status}</span>`}
      ${code === undefined ? '' : html`<span class="chip">${renderCode(code, documentationUrl)}</span>`}${observed}
    </p>
    ${disagrees}`;
}

function renderFixes(view: ExplainView, links: ReportLinks): Html | string {
  if (view.fixes.length === 0) return '';
  const title =
    view.wouldRefuse === undefined || view.code !== undefined
      ? 'What fixes it'
      : 'What would have fixed it';
  return html`<h2>${title}</h2>
    <p class="quiet">Least effort first.</p>
    <ol>
      ${view.fixes.map((fix) => html`<li>${renderFix(fix, links)}</li>`)}
    </ol>
    ${renderRetry(view)}`;
}

function renderRetry({ retry }: ExplainView): Html | string {
  if (retry === undefined) return '';
  return html`<h2>Will retrying help?</h2>
    <p>${retry.text}</p>`;
}

function renderFix(fix: Fix, links: ReportLinks): Html | string {
  const url = fixUrl(fix, links);
  return url === undefined ? fix.text : html`<a href="${url}">${fix.text}</a>`;
}

const VERDICT_CLASSES = {
  passed: 'passed',
  refused: 'refused',
  'would refuse': 'refused',
  'not reached': 'skipped',
} as const;

function renderEntry({ step, verdict, text }: TraceEntry): Html {
  const shown = verdict === 'not reached' ? '' : html`<p>${text}</p>`;
  return html`<li>
    <p class="${VERDICT_CLASSES[verdict]}">${verdict}</p>
    <div>
      <p class="quiet small">${STEP_NAMES[step]}</p>
      ${shown}
    </div>
  </li>`;
}

const STEP_NAMES: Readonly<Record<TraceEntry['step'], string>> = {
  route: 'Route',
  identify: 'Who is calling',
  authorize: 'Permissions',
  understand: 'The request itself',
  storm: 'Repetitions after a 402',
  stand: 'Subscription and payments',
  entitle: 'Models, features and sizes of the plan',
  reserve: 'Limits and balance',
  forward: 'Upstream',
};

function renderMoney(money: MoneyView): Html {
  const rows = money.lines.map(
    ({ what, units, unitPrice, amount }) =>
      html`<tr>
        <td>${what}</td>
        <td class="number">${units === undefined ? '' : formatNumber(units)}</td>
        <td class="number">${unitPrice}</td>
        <td class="number">${amount}</td>
      </tr>`,
  );
  const table = renderTable(
    [
      { title: 'unit' },
      { title: 'count', counts: true },
      { title: 'price', counts: true },
      { title: 'amount', counts: true },
    ],
    rows,
  );
  return html`<h2>Money: held, charged, released</h2>
    <p>${describeArithmetic(money)}</p>
    ${rows.length === 0 ? '' : table}
    <p class="quiet">${money.rounding} ${money.costNano === 0 ? '' : money.source}</p>`;
}

/** The same for what is counted and not paid. */
function renderCounts({ counts, money }: ExplainView): Html | string {
  if (counts.length === 0) return '';
  const title = money === undefined ? 'Counted against limits' : 'And counted against limits';
  return html`<h2>${title}</h2>
    <ul>
      ${counts.map(({ name, text }) => html`<li>${name}: ${text}</li>`)}
    </ul>`;
}

function renderRequest(view: ExplainView, { documentationUrl }: ReportLinks): Html {
  const rows: readonly (readonly [string, Html | string | undefined])[] = [
    ['Request', html`<code>${view.requestId}</code>`],
    ['Received', isoTime(view.at).replace('T', ' ').replace('Z', ' UTC')],
    ['Took', view.durationMs === undefined ? undefined : `${Math.round(view.durationMs)} ms`],
    ['Call', html`<code>${view.method} ${view.path}</code>`],
    ['Model', view.model],
    ['Status', view.status === undefined ? undefined : String(view.status)],
    ['Code', view.code === undefined ? undefined : renderCode(view.code, documentationUrl)],
    ['Plan', view.plan && `${view.plan.title} (version ${view.plan.version})`],
    ['Configuration', html`version <code>${view.catalogVersion}</code>`],
  ];
  return html`<dl>
    ${rows
      .filter(([, value]) => value !== undefined)
      .map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
  </dl>`;
}

function renderCode(code: string, url: string | undefined): Html | string {
  return url === undefined ? code : html`<a href="${url}">${code}</a>`;
}

import type { Fix } from '../../domain/explain-fixes.ts';
import { describeArithmetic, type MoneyView } from '../../domain/explain-money.ts';
import type { TraceEntry } from '../../domain/explain-trace.ts';
import { formatNumber } from '../../domain/explain-words.ts';
import type { ExplainView } from '../../domain/explain.ts';
import { html, type Html } from './html.ts';
import type { Page } from './layout.ts';
import { isoTime } from './time-words.ts';
import type { ExplainLinks } from './view-explain.ts';

/** The explanation for people: the verdict first, then the way out, then the evidence. */
export function renderExplain(view: ExplainView, links: ExplainLinks): Page {
  const main = html`<h1>${view.verdict}</h1>
    ${renderFixes(view, links)}
    <h2>Decision, check by check</h2>
    <ol class="trace">
      ${view.trace.map(renderEntry)}
    </ol>
    ${view.money === undefined ? '' : renderMoney(view.money)} ${renderCounts(view)}
    <h2>The request</h2>
    ${renderRequest(view, links)}`;
  return { title: view.verdict, main };
}

function renderFixes(view: ExplainView, links: ExplainLinks): Html | string {
  if (view.retry === undefined) return '';
  return html`<h2>What fixes it</h2>
    <ol>
      ${view.fixes.map((fix) => html`<li>${renderFix(fix, links)}</li>`)}
    </ol>
    <h2>Will retrying help?</h2>
    <p>${view.retry.text}</p>`;
}

function renderFix(fix: Fix, { payUrl }: ExplainLinks): Html | string {
  if (fix.offer === undefined || payUrl === undefined) return fix.text;
  return html`<a href="${payUrl}">${fix.text}</a>`;
}

const VERDICT_CLASSES = {
  passed: 'passed',
  refused: 'refused',
  'would refuse': 'refused',
  'not reached': 'skipped',
} as const;

function renderEntry({ step, verdict, text }: TraceEntry): Html {
  const shown = verdict === 'not reached' ? STEP_NAMES[step] : text;
  return html`<li>
    <p class="${VERDICT_CLASSES[verdict]}">${verdict}</p>
    <p>${verdict === 'not reached' ? html`<span class="quiet">${shown}</span>` : shown}</p>
  </li>`;
}

const STEP_NAMES: Readonly<Record<TraceEntry['step'], string>> = {
  route: 'Route',
  identify: 'Who is calling',
  authorize: 'Permissions',
  understand: 'Request body',
  storm: 'Repetitions after a 402',
  stand: 'Subscription and payments',
  entitle: 'Models and features of the plan',
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
  const table = html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          <th scope="col">unit</th>
          <th scope="col" class="number">count</th>
          <th scope="col" class="number">price</th>
          <th scope="col" class="number">amount</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
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

function renderRequest(view: ExplainView, { documentationUrl }: ExplainLinks): Html {
  const rows: readonly (readonly [string, Html | string | undefined])[] = [
    ['Request', html`<code>${view.requestId}</code>`],
    ['Received', isoTime(view.at).replace('T', ' ').replace('Z', ' UTC')],
    ['Took', view.durationMs === undefined ? undefined : `${Math.round(view.durationMs)} ms`],
    ['Call', html`<code>${view.method} ${view.path}</code>`],
    ['Model', view.model],
    ['Status', view.status === undefined ? undefined : String(view.status)],
    ['Code', renderCode(view.code, documentationUrl)],
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

function renderCode(code: string | undefined, url: string | undefined): Html | string | undefined {
  if (code === undefined || url === undefined) return code;
  return html`<a href="${url}">${code}</a>`;
}

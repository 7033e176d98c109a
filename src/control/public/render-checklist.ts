import type { CheckItem, CheckStep, CheckVerdict } from '../../domain/checklist.ts';
import type { LimitRow } from '../../domain/checklist-limits.ts';
import type { ProbeKind } from '../../domain/probe.ts';
import { html, type Html } from './html.ts';
import { PROBES_MAX } from './probe-store.ts';
import type { RequestReport } from './request-report.ts';
import { utcMinuteFrom } from './time-words.ts';
import { renderTable } from './table.ts';

/** The eight steps, filled in (DIAG-02..08). Those with a problem are open; the others open with a click. */
export function renderChecklist(report: RequestReport): Html {
  return html`<h2>Eight steps to the cause</h2>
    <ol class="steps">
      ${report.checklist.map((step, index) => renderStep(step, index, report))}
    </ol>`;
}

const WORDS: Readonly<Record<CheckVerdict, string>> = {
  ok: 'ok',
  problem: 'problem',
  unknown: 'not known',
  note: 'note',
};
const CLASSES: Readonly<Record<CheckVerdict, string>> = {
  ok: 'passed',
  problem: 'refused',
  unknown: 'skipped',
  note: 'skipped',
};

function renderStep(step: CheckStep, index: number, report: RequestReport): Html {
  const isOpen = step.verdict === 'problem' || step.id === 'probe' || step.id === 'bundle';
  return html`<li id="${step.id}">
    <details ${isOpen ? 'open' : ''}>
      <summary>
        <span>${index + 1}. ${step.title}</span>
        ${step.verdict === 'note' ? '' : html`<span class="${CLASSES[step.verdict]}">${WORDS[step.verdict]}</span>`}
      </summary>
      <ul class="checks">
        ${step.items.map(renderItem)}
      </ul>
      ${renderExtra(step, report)}
    </details>
  </li>`;
}

function renderItem({ verdict, text, link }: CheckItem): Html {
  const mark =
    verdict === 'note'
      ? ''
      : html`<strong class="${CLASSES[verdict]}">${WORDS[verdict]}:</strong> `;
  const more = link === undefined ? '' : html` <a href="${link.href}">${link.label}</a>`;
  return html`<li>${mark}${text}${more}</li>`;
}

/** What a step has beside its findings. */
function renderExtra({ id }: CheckStep, report: RequestReport): Html | string {
  if (id === 'limits') return renderLimits(report.limits);
  if (id === 'probe') return renderProbes(report);
  return id === 'bundle' ? renderBundle(report) : '';
}

function renderLimits(limits: readonly LimitRow[]): Html | string {
  if (limits.length === 0) return '';
  const isRefused = ({ verdict }: LimitRow) => verdict === 'refused' || verdict === 'would refuse';
  const rows = limits.map(
    (limit) =>
      html`<tr>
        <th scope="row">
          ${limit.name}<br /><span class="quiet small">${limit.counts}, of ${limit.type}</span
          ><br /><span class="quiet small">${fullAgain(limit)}</span>
          ${isRefused(limit) ? html`<br /><span class="refused small">${limit.verdict}</span>` : ''}
        </th>
        <td class="number">${limit.used}</td>
        <td class="number">${limit.needed}</td>
        <td class="number">${limit.allowed}</td>
        <td class="number">${limit.now ?? 'not known'}</td>
      </tr>`,
  );
  return renderTable(
    [
      { title: 'limit' },
      { title: 'used then', counts: true },
      { title: 'needed', counts: true },
      { title: 'allowed', counts: true },
      { title: 'now', counts: true },
    ],
    rows,
  );
}

function fullAgain({ resetsAt, slides }: LimitRow): string {
  if (slides)
    return resetsAt === undefined
      ? 'free again bit by bit'
      : `free enough again ${utcMinuteFrom(resetsAt)}`;
  return resetsAt === undefined ? 'does not reset' : `full again ${utcMinuteFrom(resetsAt)}`;
}

const PROBES: Readonly<Record<ProbeKind, string>> = {
  same: 'Would it pass now?',
  reduced: 'Would a small call pass?',
  cheaper: 'Would it pass with the cheapest model?',
};

function renderProbes({ probes, state, links, view }: RequestReport): Html | string {
  if (state.account === undefined) return '';
  const kinds = Object.keys(PROBES) as readonly ProbeKind[];
  const offered = kinds.filter((kind) => kind !== 'cheaper' || view.model !== undefined);
  return probes.length >= PROBES_MAX
    ? html`<p class="quiet">
        ${PROBES_MAX} dry runs are kept already; <code>POST /v1/check</code> answers as often as you
        ask.
      </p>`
    : html`<form class="buttons" method="post" action="${links.probe}">
        ${offered.map(
          (kind) =>
            html`<button class="plain" type="submit" name="kind" value="${kind}">
              ${PROBES[kind]}
            </button>`,
        )}
      </form>`;
}

function renderBundle({ links }: RequestReport): Html {
  const text = `${links.bundle}${links.bundle.includes('?') ? '&' : '?'}format=text`;
  return html`<p>
    <a href="${links.bundle}">Save as JSON</a> or <a href="${text}">as text</a>, and send it to
    support.
  </p>`;
}

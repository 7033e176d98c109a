import type { GuideStep } from '../../domain/checklist-guide.ts';
import { html, type Html } from './html.ts';
import type { Page } from './layout.ts';
import type { RequestReport } from './request-report.ts';

/** DIAG-09: for somebody who uses an application and got an error, in the order in which to look. */
export function renderGuide({ guide, links, view }: RequestReport): Page {
  const title = 'What to look at, in order';
  const main = html`<h1>${title}</h1>
    <p class="lead">${view.verdict}</p>
    <ol class="trace">
      ${guide.map(renderStep)}
    </ol>
    <p><a href="${links.self}">The whole explanation, for developers</a></p>`;
  return { title, main };
}

const WORDS: Readonly<Record<GuideStep['verdict'], string>> = {
  ok: 'fine',
  problem: 'do this',
  unknown: 'not known',
  note: 'then',
};
const CLASSES: Readonly<Record<GuideStep['verdict'], string>> = {
  ok: 'passed',
  problem: 'refused',
  unknown: 'skipped',
  note: 'skipped',
};

function renderStep({ title, verdict, text }: GuideStep): Html {
  return html`<li>
    <p class="${CLASSES[verdict]}">${WORDS[verdict]}</p>
    <div>
      <h2 class="inline">${title}</h2>
      <p>${text}</p>
    </div>
  </li>`;
}

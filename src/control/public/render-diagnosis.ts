import type { Blame } from './billing-words.ts';
import type { DiagnosedAction, Diagnosis, ProviderView } from './diagnosis.ts';
import type { HeaderNote } from './header-words.ts';
import { html, type Html } from './html.ts';
import type { Page } from './layout.ts';
import { renderTable } from './table.ts';

const BLAMES: Readonly<Record<Blame, string>> = {
  caller: 'the caller: the request or the way it is sent',
  account: 'whoever pays for the account',
  operator: 'the operator of the gateway',
  provider: 'the provider behind the gateway',
  nobody: 'nobody has to',
  unknown: 'not known',
};

/** The form, and above it what the answer means when one was pasted. */
export function renderDiagnose(diagnosis: Diagnosis | undefined): Page {
  const title = diagnosis === undefined ? 'Diagnose an answer' : diagnosis.title;
  const main = html`<h1>${title}</h1>
    ${diagnosis === undefined ? INTRODUCTION : renderDiagnosis(diagnosis)} ${renderForm(diagnosis)}`;
  return { title, main };
}

const INTRODUCTION = html`<p class="lead">
  Paste the answer a call got: of this gateway, of a model provider, or of a gateway before one.
</p>`;

function renderForm(diagnosis: Diagnosis | undefined): Html {
  return html`${diagnosis === undefined ? '' : html`<h2>Another answer</h2>`}
    <form class="try" method="post" action="/diagnose">
      <label for="response"
        >Status line, headers and body, as <code>curl -i</code> prints them</label
      >
      <textarea class="large" id="response" name="response" required spellcheck="false"></textarea>
      <p class="quiet small">
        The body alone is often enough. Nothing of it is kept; leave keys out all the same.
      </p>
      <div><button type="submit">Diagnose</button></div>
    </form>
    <p class="quiet">
      For programs: <code>POST /v1/diagnose</code> with <code>{"response": "..."}</code>, or with
      <code>{"status": 402, "headers": {}, "body": {}}</code>.
    </p>`;
}

function renderDiagnosis(diagnosis: Diagnosis): Html {
  const { cause, retry, blame } = diagnosis;
  return html`${renderChips(diagnosis)}
    <p class="lead">${cause}</p>
    ${renderActions(diagnosis.actions)}
    <h2>Will retrying help?</h2>
    <p>${retry.text}</p>
    <h2>Who can do something</h2>
    <p>${sentence(BLAMES[blame])}</p>
    ${renderLinks(diagnosis)} ${renderDetails(diagnosis)} ${renderHeaders(diagnosis.headers)}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

const SENDERS: Readonly<Record<Diagnosis['recognised'], string>> = {
  tollkeeper: 'an answer of this gateway',
  provider: 'known by what it says',
  status: 'judged by its status',
  nothing: 'not recognised',
};

function renderChips({ status, code, recognised, provider }: Diagnosis): Html {
  const texts = [status?.toString(), code, provider?.name, SENDERS[recognised]];
  return html`<p class="chips">
    ${texts
      .filter((text) => text !== undefined)
      .map((text) => html`<span class="chip">${text}</span> `)}
  </p>`;
}

function renderActions(actions: readonly DiagnosedAction[]): Html | string {
  if (actions.length === 0) return '';
  return html`<h2>What to do</h2>
    <ol>
      ${actions.map(
        ({ text, url }) =>
          html`<li>
            ${url === undefined ? text : html`<a href="${url}" rel="noreferrer">${text}</a>`}
          </li>`,
      )}
    </ol>`;
}

function renderLinks({ explainPath, documentationPath, provider }: Diagnosis): Html | string {
  const links = [
    explainPath === undefined ? undefined : anchor(explainPath, 'This very request, explained'),
    documentationPath === undefined ? undefined : anchor(documentationPath, 'What the code means'),
    ...providerLinks(provider),
  ].filter((link) => link !== undefined);
  if (links.length === 0) return '';
  return html`<h2>More</h2>
    <ul>
      ${links.map((link) => html`<li>${link}</li>`)}
    </ul>`;
}

function providerLinks(provider: ProviderView | undefined): readonly (Html | undefined)[] {
  if (provider === undefined) return [];
  const { name, statusUrl, documentationUrl } = provider;
  return [
    statusUrl === undefined ? undefined : anchor(statusUrl, `Whether ${name} is well`),
    documentationUrl === undefined ? undefined : anchor(documentationUrl, `The errors of ${name}`),
  ];
}

function anchor(href: string, label: string): Html {
  return html`<a href="${href}">${label}</a>`;
}

function renderDetails({ details }: Diagnosis): Html | string {
  if (details.length === 0) return '';
  return html`<h2>Its numbers</h2>
    <dl>
      ${details.map(
        ({ name, value }) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>`;
}

function renderHeaders(headers: readonly HeaderNote[]): Html | string {
  if (headers.length === 0) return '';
  const rows = headers.map(
    ({ name, value, meaning }) =>
      html`<tr>
        <th scope="row">
          ${name}<br /><span class="quiet small"><code>${value}</code></span>
        </th>
        <td>${meaning}</td>
      </tr>`,
  );
  return html`<h2>Its headers</h2>
    ${renderTable([{ title: 'header' }, { title: 'what it says' }], rows)}`;
}

/** The same for programs. */
export function viewDiagnosis(diagnosis: Diagnosis, baseUrl: string): object {
  const { provider, explainPath, documentationPath } = diagnosis;
  const absolute = (path: string | undefined) => (path === undefined ? null : baseUrl + path);
  return {
    recognised: diagnosis.recognised,
    status: diagnosis.status ?? null,
    code: diagnosis.code ?? null,
    title: diagnosis.title,
    cause: diagnosis.cause,
    blame: diagnosis.blame,
    retry: diagnosis.retry,
    actions: diagnosis.actions.map(({ action, text, url }) => ({ action, text, url: url ?? null })),
    provider:
      provider === undefined
        ? null
        : {
            name: provider.name,
            status_url: provider.statusUrl ?? null,
            documentation_url: provider.documentationUrl ?? null,
          },
    request_id: diagnosis.requestId ?? null,
    explain_url: absolute(explainPath),
    documentation_url: absolute(documentationPath),
    details: diagnosis.details,
    headers: diagnosis.headers,
  };
}

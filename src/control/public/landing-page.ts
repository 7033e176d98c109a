import type { Hono } from 'hono';

import { negotiate, sendJson, sendPage } from './answers.ts';
import { html } from './html.ts';
import type { PublicContext, PublicDeps, PublicEnv } from './public-deps.ts';
import { renderTable } from './table.ts';

/** `/`: says what this is and where to go. */
export function mountLandingPage(app: Hono<PublicEnv>, deps: PublicDeps): void {
  app.get('/', (context) => sendLanding(context, deps));
}

function sendLanding(context: PublicContext, deps: PublicDeps): Response {
  const url = deps.publicUrl();
  const paths = addressesOf(deps);
  if (negotiate(context, 'json', 'html') !== 'html') {
    const addresses = Object.fromEntries(paths.map(({ name, path }) => [name, url + path]));
    return sendJson(context, { name: 'tollkeeper', version: deps.version, addresses });
  }
  const rows = paths.map(
    ({ path, text, open }) =>
      html`<tr>
        <td><code>${open ? html`<a href="${path}">${path}</a>` : path}</code></td>
        <td>${text}</td>
      </tr>`,
  );
  const main = html`<h1>This gateway is open</h1>
    <p class="lead">
      Tollkeeper stands in front of APIs and AI models, counts every call, and answers
      <code>402</code> with a way to pay when money is what is missing.
    </p>
    ${deps.devMoney ? html`<p class="note">Play money: nothing here costs anything real.</p>` : ''}
    <h2>Addresses</h2>
    ${renderTable([{ title: 'address' }, { title: 'what it does' }], rows)}
    <h2>Try it</h2>
    <pre
      tabindex="0"
    ><code>curl ${url}/v1/usage -H 'Authorization: Bearer &lt;your key&gt;'</code></pre>
    <p class="quiet small">Version ${deps.version}</p>`;
  return sendPage(context, { title: 'Gateway', main });
}

interface Address {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  /** Can be opened without a key. */
  readonly open: boolean;
}

function addressesOf(deps: PublicDeps): readonly Address[] {
  const kinds = new Set(
    deps.catalog().apis.flatMap(({ routes }) => routes.map(({ kind }) => kind)),
  );
  const models: readonly Address[] = [
    {
      name: 'chat',
      path: '/v1/chat/completions',
      text: 'talk to a model, in OpenAI format',
      open: false,
    },
    { name: 'models', path: '/v1/models', text: 'the models on offer', open: false },
  ];
  return [
    ...(kinds.has('chat') ? models : []),
    { name: 'usage', path: '/v1/usage', text: 'balance and limits of your key', open: false },
    {
      name: 'reference',
      path: '/reference',
      text: 'every route, its price, and a way to try it',
      open: true,
    },
    { name: 'openapi', path: '/openapi.json', text: 'the same for programs', open: true },
    { name: 'errors', path: '/errors', text: 'what every error code means', open: true },
    { name: 'diagnose', path: '/diagnose', text: 'paste an answer, see what it means', open: true },
    { name: 'guides', path: '/guides', text: 'quick check, status codes, clients', open: true },
  ];
}

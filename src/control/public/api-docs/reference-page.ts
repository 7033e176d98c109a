import type { Condition, Requirement } from '../../../domain/catalog.ts';
import { html, type Html } from '../html.ts';
import type { Page } from '../layout.ts';
import { exampleCall } from './example-call.ts';
import type { PublishedRoute } from './published-routes.ts';

/** Every route with its price and needs, and a way to try it (DOC-04). */
export function renderReference(routes: readonly PublishedRoute[], publicUrl: string): Page {
  const apis = [...new Set(routes.map(({ api }) => api.id))];
  const main = html`<h1>API reference</h1>
    <p class="lead">
      What can be called here, what it costs, and what it needs. Send your key as
      <code>Authorization: Bearer &lt;your key&gt;</code>.
    </p>
    <p>
      For programs: <a href="/openapi.json">OpenAPI 3.1</a>, <a href="/llms.txt">llms.txt</a>. An
      answer <code>402</code> says what is missing and where to pay:
      <a href="/guides/status-codes">what each status means</a>.
    </p>
    ${apis.map(
      (id) =>
        html`<h2>${id}</h2>
          ${routes.filter(({ api }) => api.id === id).map((each) => renderRoute(each, publicUrl))}`,
    )}`;
  return { title: 'API reference', main };
}

function renderRoute(published: PublishedRoute, publicUrl: string): Html {
  const { route, methods, path, prices } = published;
  return html`<h3><code>${methods.join(' | ')} ${path}</code></h3>
    <dl>
      <dt>Price</dt>
      <dd>${prices.join(', ')}</dd>
      <dt>Class</dt>
      <dd>${route.endpointClass}</dd>
      ${
        route.requires.length === 0
          ? ''
          : html`<dt>Needs</dt>
              <dd>${route.requires.map(describeRequirement).join('; ')}</dd>`
      }
      ${
        route.parameters.length === 0
          ? ''
          : html`<dt>Parameters</dt>
              <dd>${describeParameters(published)}</dd>`
      }
    </dl>
    <pre tabindex="0"><code>${exampleCall(published, publicUrl)}</code></pre>
    <p>
      <a href="${tryLink(published)}">Try ${methods[0]} ${path}</a>
    </p>`;
}

export function tryLink({ route }: PublishedRoute): string {
  return `/reference/try?route=${encodeURIComponent(route.id)}`;
}

function describeRequirement({ kind, id, when }: Requirement): string {
  return when.length === 0
    ? `${kind} ${id}`
    : `${kind} ${id}, when ${when.map(describeCondition).join(' and ')}`;
}

function describeCondition(condition: Condition): string {
  if (condition.kind === 'body-bytes') return `the body is above ${condition.above} bytes`;
  const value = condition.equals === undefined ? 'is given' : `is ${condition.equals}`;
  return `${condition.kind} ${condition.name} ${value}`;
}

function describeParameters({ route }: PublishedRoute): string {
  return route.parameters
    .map(
      ({ name, in: place, type, required }) =>
        `${name} (${place}, ${type}${required ? ', required' : ''})`,
    )
    .join('; ');
}

import { html, type Html } from '../html.ts';
import type { Page } from '../layout.ts';
import { exampleBody, examplePath } from './example-call.ts';
import { tryLink } from './reference-page.ts';
import type { PublishedRoute } from './published-routes.ts';

/** What a person filled in. The key is never shown back. */
export interface TryInput {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

export interface TryResult {
  /** `0.0010 USD`; undefined when the price could not be told. */
  readonly priceBefore: string | undefined;
  /** It is what the beginning of the answer costs: a longer one costs more. */
  readonly priceIsOpen: boolean;
  /** Why not. */
  readonly refusal: string | undefined;
  readonly sent: SentResult | undefined;
}

export interface SentResult {
  readonly status: number;
  readonly costAfter: string | undefined;
  readonly requestId: string | undefined;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly truncated: boolean;
}

/** A form without script: the price first, then the call, then what it cost. */
export function renderTry(
  published: PublishedRoute,
  input: TryInput | undefined,
  result: TryResult | undefined,
): Page {
  const { route, methods, path } = published;
  const method = input?.method ?? methods[0] ?? 'GET';
  const main = html`<h1>Try <code>${methods.join(' | ')} ${path}</code></h1>
    <p><a href="/reference">All routes</a>. Price: ${published.prices.join(', ')}.</p>
    ${result === undefined ? '' : renderResult(result)}
    <form class="try" method="post" action="${tryLink(published)}">
      <label for="key">API key</label>
      <input
        id="key"
        name="key"
        type="password"
        autocomplete="off"
        spellcheck="false"
        ${route.endpointClass === 'free' ? '' : html`required`}
      />
      <label for="method">Method</label>
      <select id="method" name="method">
        ${methods.map(
          (each) => html`<option ${each === method ? html`selected` : ''}>${each}</option>`,
        )}
      </select>
      <label for="path">Path and query</label>
      <input
        id="path"
        name="path"
        value="${input?.path ?? examplePath(published)}"
        required
        spellcheck="false"
      />
      <label for="body">Body</label>
      <textarea id="body" name="body" rows="6" spellcheck="false">
${input?.body ?? exampleBody(published)}</textarea>
      <p>
        <button name="action" value="price">Show the price</button>
        <button name="action" value="send">Send it</button>
      </p>
    </form>
    <p class="quiet small">
      Sending is a real call of your key: it is counted and charged like any other.
    </p>`;
  return { title: `Try ${path}`, main };
}

function renderResult({ priceBefore, priceIsOpen, refusal, sent }: TryResult): Html {
  const bound = priceIsOpen ? 'by the bytes of the answer, for its first megabyte' : 'at most';
  return html`<section aria-label="Result">
    ${
      priceBefore === undefined
        ? html`<p class="note">${refusal ?? 'The price could not be told.'}</p>`
        : html`<p class="done">Price before: ${bound} <strong>${priceBefore}</strong></p>`
    }
    ${sent === undefined ? '' : renderSent(sent, priceIsOpen)}
  </section>`;
}

function renderSent(sent: SentResult, priceIsOpen: boolean): Html {
  const { status, costAfter, requestId, headers, body, truncated } = sent;
  const untold = priceIsOpen && status < 400 ? 'on the explanation of the request' : 'nothing';
  return html`<dl>
      <dt>Status</dt>
      <dd>${status}</dd>
      <dt>Cost after</dt>
      <dd>${costAfter ?? untold}</dd>
      ${
        requestId === undefined
          ? ''
          : html`<dt>Request</dt>
              <dd><code>${requestId}</code></dd>`
      }
    </dl>
    <h2>Answer</h2>
    <pre tabindex="0"><code>${headers.map(([name, value]) => `${name}: ${value}`).join('\n')}

${body}${truncated ? '\n... (the rest is not shown)' : ''}</code></pre>`;
}

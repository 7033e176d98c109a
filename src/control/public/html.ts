/** Markup that is safe to send. Only the `html` tag makes it, and it escapes whatever is not markup already. */
export class Html {
  readonly #markup: string;
  private constructor(markup: string) {
    this.#markup = markup;
  }
  /** For constants of this program only: nothing in `markup` is escaped. */
  static trusted(markup: string): Html {
    return new Html(markup);
  }
  toString(): string {
    return this.#markup;
  }
}

/** `undefined` and `''` render as nothing; a list renders its members one after the other. */
export type HtmlValue = Html | string | number | undefined | readonly HtmlValue[];

/** Builds markup: html`<b>${name}</b>` escapes `name`, in text and in quoted attributes alike. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let markup = '';
  for (const [index, part] of parts.entries()) markup += part + render(values[index]);
  return Html.trusted(markup);
}

function render(value: HtmlValue): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  return value.map(render).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

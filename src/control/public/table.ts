import { html, type Html } from './html.ts';

/** The heading of a column; what counts stands to the right. */
export interface Column {
  readonly title: string;
  readonly counts?: true;
}

/** A table that scrolls by itself where it is wider than a phone. */
export function renderTable(columns: readonly Column[], rows: readonly Html[]): Html {
  const heads = columns.map(({ title, counts }) =>
    counts === true
      ? html`<th scope="col" class="number">${title}</th>`
      : html`<th scope="col">${title}</th>`,
  );
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

import { html, type Html } from './html.ts';

export interface MarkdownOptions {
  /** Where a relative link leads: `RATE_LIMITED.md` -> `/errors/RATE_LIMITED`; undefined = to nothing that is served. */
  readonly resolveLink: (target: string) => string | undefined;
}

interface Cursor {
  readonly lines: readonly string[];
  at: number;
}
type Block = (cursor: Cursor, options: MarkdownOptions) => Html;

/**
 * Renders the part of Markdown our own pages are written in: headings, paragraphs, flat lists, fenced code,
 * pipe tables, links, `code`, **strong** and *emphasis*. Everything else is text, and all text is escaped.
 */
export function renderMarkdown(source: string, options: MarkdownOptions): Html {
  const cursor: Cursor = { lines: source.replaceAll('\r\n', '\n').split('\n'), at: 0 };
  const blocks: Html[] = [];
  while (cursor.at < cursor.lines.length) {
    const line = lineAt(cursor);
    if (line.trim() === '') cursor.at += 1;
    else blocks.push(chooseBlock(line)(cursor, options));
  }
  return html`${blocks}`;
}

/** The text of the first heading, as the title of a page. */
export function titleOfMarkdown(source: string): string | undefined {
  return /^# +(.+)$/m.exec(source)?.[1]?.trim();
}

function chooseBlock(line: string): Block {
  if (line.startsWith('```')) return renderFence;
  if (HEADING.test(line)) return renderHeading;
  if (line.startsWith('|')) return renderTable;
  if (UNORDERED.test(line)) return renderUnordered;
  if (ORDERED.test(line)) return renderOrdered;
  return renderParagraph;
}

const HEADING = /^(#{1,4}) +(.+)$/;
const UNORDERED = /^[-*] +/;
const ORDERED = /^\d+\. +/;

function renderFence(cursor: Cursor): Html {
  const end = cursor.lines.indexOf('```', cursor.at + 1);
  const stop = end === -1 ? cursor.lines.length : end;
  const code = cursor.lines.slice(cursor.at + 1, stop).join('\n');
  cursor.at = stop + 1;
  // Wide code scrolls inside its box; a scrolling box must be reachable by keyboard (WCAG 2.1.1).
  return html`<pre tabindex="0"><code>${code}</code></pre>`;
}

function renderHeading(cursor: Cursor, options: MarkdownOptions): Html {
  const [, marks = '', text = ''] = HEADING.exec(lineAt(cursor)) ?? [];
  cursor.at += 1;
  const content = renderInline(text, options);
  switch (marks.length) {
    case 1:
      return html`<h1>${content}</h1>`;
    case 2:
      return html`<h2>${content}</h2>`;
    case 3:
      return html`<h3>${content}</h3>`;
    default:
      return html`<h4>${content}</h4>`;
  }
}

function renderTable(cursor: Cursor, options: MarkdownOptions): Html {
  const rows = takeWhile(cursor, (line) => line.startsWith('|')).map(splitRow);
  const [head = [], , ...body] = rows;
  const cell = (text: string) => html`<td>${renderInline(text, options)}</td>`;
  const headings = head.map((text) => html`<th scope="col">${renderInline(text, options)}</th>`);
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          ${headings}
        </tr>
      </thead>
      <tbody>
        ${body.map(
          (row) =>
            html`<tr>
              ${row.map(cell)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function splitRow(line: string): readonly string[] {
  // A pipe inside a cell is written `\|`.
  const cells = line
    .trim()
    .replace(/^\|/, '')
    .replace(/\|$/, '')
    .split(/(?<!\\)\|/);
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function renderUnordered(cursor: Cursor, options: MarkdownOptions): Html {
  return html`<ul>
    ${renderItems(cursor, UNORDERED, options)}
  </ul>`;
}

function renderOrdered(cursor: Cursor, options: MarkdownOptions): Html {
  const first = /^\d+/.exec(lineAt(cursor))?.[0] ?? '1';
  const items = renderItems(cursor, ORDERED, options);
  // A list may go on after a heading.
  return first === '1'
    ? html`<ol>
        ${items}
      </ol>`
    : html`<ol start="${first}">
        ${items}
      </ol>`;
}

function renderItems(cursor: Cursor, mark: RegExp, options: MarkdownOptions): readonly Html[] {
  const items: Html[] = [];
  while (mark.test(lineAt(cursor))) {
    const first = lineAt(cursor).replace(mark, '');
    cursor.at += 1;
    const more = takeWhile(cursor, (line) => /^ +\S/.test(line)).map((line) => line.trim());
    items.push(html`<li>${renderInline([first, ...more].join(' '), options)}</li>`);
  }
  return items;
}

function renderParagraph(cursor: Cursor, options: MarkdownOptions): Html {
  const lines = takeWhile(
    cursor,
    (line) => line.trim() !== '' && chooseBlock(line) === renderParagraph,
  );
  return html`<p>${renderInline(lines.join(' '), options)}</p>`;
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^()\s]+)\)/g;

function renderInline(text: string, options: MarkdownOptions): Html {
  const parts: Html[] = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    parts.push(html`${text.slice(from, match.index)}`, renderSpan(match, options));
    from = match.index + match[0].length;
  }
  return html`${parts}${text.slice(from)}`;
}

function renderSpan(match: RegExpExecArray, options: MarkdownOptions): Html {
  const [, code, strong, emphasis, label = '', target = ''] = match;
  if (code !== undefined) return html`<code>${code}</code>`;
  if (strong !== undefined) return html`<strong>${renderInline(strong, options)}</strong>`;
  if (emphasis !== undefined) return html`<em>${renderInline(emphasis, options)}</em>`;
  const content = renderInline(label, options);
  const href = safeLink(target, options);
  return href === undefined ? content : html`<a href="${href}">${content}</a>`;
}

/** Web addresses, own paths and anchors; anything else (`javascript:`) is shown as its text. */
function safeLink(target: string, options: MarkdownOptions): string | undefined {
  if (/^(https?:\/\/|#|\/(?!\/))/.test(target)) return target;
  return /^[\w./-]+(#[\w-]+)?$/.test(target) && !target.startsWith('/')
    ? options.resolveLink(target)
    : undefined;
}

function takeWhile(cursor: Cursor, test: (line: string) => boolean): readonly string[] {
  const from = cursor.at;
  while (cursor.at < cursor.lines.length && test(lineAt(cursor))) cursor.at += 1;
  return cursor.lines.slice(from, cursor.at);
}

function lineAt(cursor: Cursor): string {
  return cursor.lines[cursor.at] ?? '';
}

import { negotiate, sendPage, sharedHeaders } from './answers.ts';
import { resolveDocLink } from './guide-docs.ts';
import { html, type Html } from './html.ts';
import { renderMarkdown, titleOfMarkdown } from './markdown.ts';
import type { PublicContext } from './public-deps.ts';

/** The same for everybody until the next release. */
const CACHE = { cacheControl: 'public, max-age=300' };

export interface OwnDocument {
  /** Markdown. */
  readonly source: string;
  /** Folder of docs/ that its links are relative to: `errors/`. */
  readonly folder: string;
  /** Put before it on a page. */
  readonly note?: Html;
}

/** One of our documents, as Markdown for who asks for it and as a page for everybody else. */
export function sendDocument(
  context: PublicContext,
  { source, folder, note }: OwnDocument,
): Response {
  if (negotiate(context, 'html', 'markdown') === 'markdown') {
    return context.body(source, 200, {
      'Content-Type': 'text/markdown; charset=utf-8',
      ...sharedHeaders(CACHE),
    });
  }
  const resolveLink = (target: string) => resolveDocLink(target, folder);
  const main = html`${note}${renderMarkdown(source, { resolveLink })}`;
  return sendPage(context, { title: titleOfMarkdown(source) ?? 'Documentation', main }, CACHE);
}

import type { Hono } from 'hono';

import { negotiate, refuse, sendJson, sendPage } from './answers.ts';
import { sendDocument } from './documents.ts';
import { folderOf, guideNames, isGuide, readGuide } from './guide-docs.ts';
import { html } from './html.ts';
import { titleOfMarkdown } from './markdown.ts';
import type { PublicContext, PublicDeps, PublicEnv } from './public-deps.ts';

/** The same for everybody until the next release. */
const CACHE = { cacheControl: 'public, max-age=300' };

/** DIAG-11, DOC-03, DOC-05, DOC-08: the guides for callers, as pages and as Markdown. */
export function mountGuidePages(app: Hono<PublicEnv>, deps: PublicDeps): void {
  app.get('/guides', (context) => sendIndex(context, deps));
  app.get('/guides/:name', (context) => sendGuide(context, deps, context.req.param('name')));
}

function sendIndex(context: PublicContext, deps: PublicDeps): Response {
  const guides = guideNames().map((name) => ({
    name,
    title: titleOfMarkdown(readGuide(name)) ?? name,
    path: `/guides/${name}`,
  }));
  if (negotiate(context, 'html', 'json') === 'json') {
    const data = guides.map(({ path, ...guide }) => ({ ...guide, url: deps.publicUrl() + path }));
    return sendJson(context, { data }, CACHE);
  }
  const main = html`<h1>Guides</h1>
    <ul>
      ${guides.map(({ title, path }) => html`<li><a href="${path}">${title}</a></li>`)}
      <li><a href="/errors">What the error codes mean</a></li>
      <li><a href="/diagnose">Paste an answer and see what it means</a></li>
    </ul>`;
  return sendPage(context, { title: 'Guides', main }, CACHE);
}

function sendGuide(context: PublicContext, deps: PublicDeps, name: string): Response {
  if (!isGuide(name)) {
    return refuse(context, deps, { code: 'NOT_FOUND', details: { path: context.req.path } });
  }
  return sendDocument(context, { source: readGuide(name), folder: folderOf(name) });
}

import { createHash } from 'node:crypto';

import { html, type Html } from './html.ts';
import { STYLE } from './style.ts';

export interface Page {
  readonly title: string;
  readonly main: Html;
}

/** The policy names the one style sheet by its hash: no script, image, frame or foreign address can get in. */
const POLICY = [
  `default-src 'none'`,
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  `form-action 'self'`,
  `base-uri 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

/** Sent with every page. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': POLICY,
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** A whole document: self-contained, without script, for light and dark. */
export function renderPage({ title, main }: Page): string {
  const body = html`<header>
      <a href="/">Tollkeeper</a>
    </header>
    <main>${main}</main>
    <footer>
      <p>
        Times are in UTC. <a href="/errors">Error codes</a> · <a href="/guides">Guides</a> ·
        <a href="/diagnose">Diagnose an answer</a>
      </p>
    </footer>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
${html`<title>${title} - Tollkeeper</title>`.toString()}
<style>${STYLE}</style>
</head>
<body>
${body.toString()}
</body>
</html>
`;
}

import { escapeMarkup } from './markup.ts';
import { PAGE_WORDS, type PageWords } from './phrases/page-words.ts';
import { isExplained, type ProblemBrand, type ProblemDocument } from './problem-document.ts';

/**
 * What the page may load: its own style and a brand's logo. Sent with every refusal that is a page
 * (headers.ts).
 */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Contrast is at least 4.5 in both schemes; a brand's colour is never behind or in front of text. */
const STYLE = `:root{color-scheme:light dark;--ground:#fff;--text:#1b1f27;--quiet:#565e6c;--line:#d9dde4;--link:#0b57c2;--on:#fff}
@media(prefers-color-scheme:dark){:root{--ground:#14171c;--text:#e7eaf0;--quiet:#a4adbb;--line:#353b46;--link:#8ab8ff;--on:#0e1726}}
body{margin:0 auto;padding:2rem 1.25rem;max-width:40rem;background:var(--ground);color:var(--text);font:1rem/1.6 system-ui,sans-serif;overflow-wrap:anywhere}
header{display:flex;gap:.75rem;align-items:center;padding-bottom:.75rem;border-bottom:3px solid var(--line);font-weight:650}
header img{max-height:2rem}h1{font-size:1.5rem;line-height:1.25}h2{font-size:1rem}a{color:var(--link)}
.button{display:inline-block;padding:.7rem 1.1rem;border-radius:8px;background:var(--link);color:var(--on);font-weight:600;text-decoration:none}
a:focus-visible{outline:3px solid var(--link);outline-offset:2px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin-top:2rem}dt{color:var(--quiet)}dd{margin:0}`;

/** A page of its own, without script: what happened, and a button to where it is lifted (C402-10, UI-05). */
export function renderHtml(document: ProblemDocument): string {
  const language = document.language ?? 'en';
  const words = PAGE_WORDS[language];
  const title = escapeMarkup(document.title);
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
${renderBrand(document.brand)}<main>
<h1>${title}</h1>
<p>${escapeMarkup(dropLink(document))}</p>
<p><a class="button" href="${escapeUrl(document.resolution_url)}">${escapeMarkup(words.actions[document.action])}</a></p>
${renderOptions(document, words)}<dl>
<dt>${words.status}</dt><dd>${document.status}</dd>
<dt>${words.code}</dt><dd><a href="${escapeUrl(document.documentation_url)}">${document.code}</a></dd>
<dt>${words.request}</dt><dd>${escapeMarkup(document.request_id)}</dd>
</dl>
${renderLinks(document, words)}</main>
<script type="application/json" id="problem">${embedJson(document)}</script>
</body>
</html>
`;
}

/** The link at the end of the message is on the page as a button. */
function dropLink({ message, resolution_url: url, language }: ProblemDocument): string {
  if (!message.endsWith(url)) return message;
  const sentence = message.slice(0, -url.length).replace(/[:：]\s*$/, '');
  if (/[.!?。！？]$/.test(sentence)) return sentence;
  return sentence + (language === 'zh' ? '。' : '.');
}

function renderBrand(brand: ProblemBrand | undefined): string {
  if (brand === undefined) return '';
  const color =
    brand.color === undefined ? '' : ` style="border-color:${escapeMarkup(brand.color)}"`;
  const logo =
    brand.logo_url === undefined ? '' : `<img src="${escapeUrl(brand.logo_url)}" alt="">`;
  return `<header${color}>${logo}<span>${escapeMarkup(brand.name)}</span></header>\n`;
}

/** To the explanation, where there is one, and to who helps. */
function renderLinks({ instance, brand }: ProblemDocument, words: PageWords): string {
  const support = brand?.support_url;
  const links = [
    ...(isExplained(instance) ? [`<a href="${escapeUrl(instance)}">${words.why}</a>`] : []),
    ...(support === undefined ? [] : [`<a href="${escapeUrl(support)}">${words.support}</a>`]),
  ];
  return links.length === 0 ? '' : `<p>${links.join(' · ')}</p>\n`;
}

function renderOptions({ details }: ProblemDocument, words: PageWords): string {
  const options = details.upgrade_options ?? [];
  if (options.length === 0) return '';
  const items = options.map(
    ({ id, title, price, url }) =>
      `<li><a href="${escapeUrl(url)}"><bdi>${escapeMarkup(title ?? id)}</bdi></a>, ${escapeMarkup(price)}</li>`,
  );
  return `<h2>${words.ways}</h2>\n<ul>${items.join('')}</ul>\n`;
}

/** A scheme that runs something when clicked is no link. */
function escapeUrl(url: string): string {
  return /^(?:https?:\/\/|\/|mailto:)/i.test(url) ? escapeMarkup(url) : '#';
}

/** For programs that were sent the page (read-problem.ts). Nothing in it can end the element. */
function embedJson(document: ProblemDocument): string {
  return JSON.stringify(document).replaceAll('<', '\\u003c');
}

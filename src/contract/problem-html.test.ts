import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { CODES } from './codes.ts';
import type { Code } from './codes.ts';
import { LANGUAGES } from './languages.ts';
import { PAGE_WORDS } from './phrases/page-words.ts';
import { buildProblem } from './problem.ts';
import type { ProblemDocument } from './problem-document.ts';
import { renderHtml } from './problem-html.ts';

const BASE = { requestId: 'req_1', baseUrl: 'https://gate.example', explainUrl: '/r/req_1' };
const DOCUMENT = buildProblem({
  ...BASE,
  code: 'REQUEST_QUOTA_EXCEEDED',
  resolutionUrl: 'https://gate.example/pay/pl_1?a=1&b=2',
  details: {
    window: 'day',
    current_usage: 10,
    allowed_usage: 10,
    upgrade_options: [
      { kind: 'plan', id: 'big', title: 'Big & <Bold>', price: '9.00 USD', url: '/pay/big' },
    ],
  },
});
const PAGE = renderHtml(DOCUMENT);

test('C402-10: the page says what happened and has a button to the resolution link', () => {
  expect(PAGE).toMatch(/^<!doctype html>\n<html lang="en">/);
  expect(PAGE).toContain('<h1>Request quota used up</h1>');
  expect(PAGE).toContain(
    '<p>You have used 10 of 10 requests today. Upgrade to Big &amp; &lt;Bold&gt;.</p>',
  );
  expect(PAGE).toContain(
    '<a class="button" href="https://gate.example/pay/pl_1?a=1&amp;b=2">See the plans</a>',
  );
  expect(PAGE).toContain(
    '<li><a href="/pay/big"><bdi>Big &amp; &lt;Bold&gt;</bdi></a>, 9.00 USD</li>',
  );
  expect(PAGE).toContain('<a href="/r/req_1">Why did I get this answer?</a>');
  expect(PAGE).toContain('href="https://gate.example/errors/REQUEST_QUOTA_EXCEEDED"');
});

test('the page stands by itself: light and dark, nothing loaded, no script that runs', () => {
  expect(PAGE).toContain('color-scheme:light dark');
  expect(PAGE).toContain('prefers-color-scheme:dark');
  expect(PAGE).not.toMatch(/<link|<img|src=|@import|url\(/);
  expect(PAGE.match(/<script/g)).toHaveLength(1);
  expect(PAGE).toContain('<script type="application/json" id="problem">');
});

test.each(LANGUAGES)('C402-27: the words around the message are in %s', (language) => {
  const page = renderHtml({ ...DOCUMENT, language });
  expect(page).toContain(`<html lang="${language}">`);
  expect(page).toContain(PAGE_WORDS[language].actions.upgrade_plan);
});

test('C402-11: a brand is shown by name, logo and colour, with its support link', () => {
  const page = renderHtml({
    ...DOCUMENT,
    brand: {
      name: 'Acme <API>',
      logo_url: 'https://acme.example/logo.svg',
      color: '#ff0000',
      support_url: 'mailto:help@acme.example',
    },
  });
  expect(page).toContain(
    '<header style="border-color:#ff0000"><img src="https://acme.example/logo.svg" alt=""><span>Acme &lt;API&gt;</span></header>',
  );
  expect(page).toContain('<a href="mailto:help@acme.example">Support</a>');
  expect(renderHtml({ ...DOCUMENT, brand: { name: 'Acme' } })).toContain(
    '<header><span>Acme</span></header>',
  );
});

describe('nothing a caller or a provider writes becomes markup', () => {
  const POISON = '</script><script>alert(1)</script><img src=x onerror=alert(1)>"\'&\u0000\ud800';

  test('in the sentence, the options, the links and the data block', () => {
    const page = renderHtml({
      ...DOCUMENT,
      title: POISON,
      message: `${POISON}: ${POISON}`,
      resolution_url: `https://gate.example/${POISON}`,
      request_id: POISON,
      instance: `/r/${POISON}`,
      details: {
        upgrade_options: [{ kind: 'plan', id: POISON, price: POISON, url: `https://x/${POISON}` }],
      },
    });
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page.match(/<\/script>/g)).toHaveLength(1);
    expect(page).not.toContain('<img');
    expect(page).not.toContain('\u0000');
  });

  test.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    ' //x',
    'vbscript:x',
  ])('a link to %s leads nowhere', (url) => {
    const document: ProblemDocument = { ...DOCUMENT, resolution_url: url, instance: url };
    expect(renderHtml(document).match(/href="#"/g)).toHaveLength(2);
  });

  test('any text at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const page = renderHtml({ ...DOCUMENT, title: text, message: text });
        expect(page.match(/<script/g)).toHaveLength(1);
        expect(page.match(/<h1>([^<]*)<\/h1>/)).not.toBeNull();
      }),
    );
  });
});

test.each(Object.keys(CODES) as Code[])(
  '%s makes a page with its code and a full sentence',
  (code) => {
    const page = renderHtml(buildProblem({ ...BASE, code }));
    expect(page).toContain(`>${code}</a>`);
    expect(page).toMatch(/<p>[A-Z].{20,}\.<\/p>/);
  },
);

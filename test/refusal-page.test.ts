// @needs chromium
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { LANGUAGES } from '../src/contract/languages.ts';
import { renderHtml } from '../src/contract/problem-html.ts';
import { buildProblem } from '../src/contract/problem.ts';
import { checkPage, openPage, SCHEMES } from './support/check-page.ts';
import { launchChromium } from './support/launch-chromium.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
});

const CASES = LANGUAGES.flatMap((language) => SCHEMES.map((scheme) => [language, scheme] as const));

it.each(CASES)(
  'C402-10: the page of a refusal in %s and %s has no axe-core violation, and fits a phone',
  async (language, colorScheme) => {
    const document = buildProblem({
      code: 'REQUEST_QUOTA_EXCEEDED',
      requestId: `req_${'0'.repeat(60)}`,
      baseUrl: 'https://api.example.com',
      resolutionUrl: 'https://api.example.com/pay/pl_7Yk2',
      language,
      details: {
        window: 'month',
        current_usage: 10_000,
        allowed_usage: 10_000,
        upgrade_options: [
          { kind: 'plan', id: 'b', title: 'B'.repeat(90), price: '49.00 USD/month', url: '/b' },
        ],
      },
    });
    const brand = { name: 'Acme', color: '#ff6600', support_url: 'mailto:help@acme.example' };
    const page = await openPage(browser, 'about:blank', colorScheme);
    await page.setContent(renderHtml({ ...document, brand }));
    await checkPage(page, `refusal ${language} ${colorScheme}`);
    expect(await page.locator('a.button').getAttribute('href')).toBe(document.resolution_url);
    await page.close();
  },
);

// @needs chromium
import { createRequire } from 'node:module';

import type { AxeResults } from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { LANGUAGES } from '../src/contract/languages.ts';
import { renderHtml } from '../src/contract/problem-html.ts';
import { buildProblem } from '../src/contract/problem.ts';
import { launchChromium } from './support/launch-chromium.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PHONE = { width: 390, height: 844 };

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
});

const CASES = LANGUAGES.flatMap((language) =>
  (['light', 'dark'] as const).map((scheme) => [language, scheme] as const),
);

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
    const page = await browser.newPage({ viewport: PHONE, colorScheme });
    await page.setContent(renderHtml({ ...document, brand }));
    await page.addScriptTag({ path: AXE });
    const results = (await page.evaluate('axe.run()')) as AxeResults;
    expect(results.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    expect(results.passes.length).toBeGreaterThan(15);
    const width = await page.evaluate('document.documentElement.scrollWidth');
    expect(width).toBeLessThanOrEqual(PHONE.width);
    expect(await page.locator('a.button').getAttribute('href')).toBe(document.resolution_url);
    await page.close();
  },
);

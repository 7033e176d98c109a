// @needs chromium
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { checkPage, openPage, VIEWS, WIDTHS } from './support/check-page.ts';
import { launchChromium } from './support/launch-chromium.ts';
import { type Gateway, startGateway } from './support/start-gateway.ts';

let gateway: Gateway;
let browser: Browser;
beforeAll(async () => {
  gateway = await startGateway({ args: ['--workers', '1'] });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  await gateway.stop();
});

it.each(VIEWS)(
  'DOC-04: the reference of the demo and its form have no axe-core violation in $scheme on a $device',
  async ({ scheme, device }) => {
    const page = await openPage(browser, `${gateway.gateway}/reference`, scheme, WIDTHS[device]);
    expect(await page.locator('a[href*="/reference/try"]').count()).toBeGreaterThan(3);
    await checkPage(page, `reference ${scheme} ${device}`);
    await page.locator('a[href*="/reference/try"]').first().click();
    await page.getByRole('button', { name: 'Show the price' }).waitFor();
    await checkPage(page, `try ${scheme} ${device}`);
    await page.close();
  },
);

it('DOC-04: a person without scripts sees the price, sends the call, and sees what it cost', async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${gateway.gateway}/reference`);
  await page.locator('a[href*="/reference/try"][href*="chat"]').first().click();
  await page.getByLabel('API key').fill(gateway.key);
  await page.getByRole('button', { name: 'Show the price' }).click();
  const price = await page.getByText('Price before: at most').textContent();
  const most = Number(/([\d.]+) USD/.exec(price ?? '')?.[1]);
  expect(most).toBeGreaterThan(0);
  await page.getByLabel('API key').fill(gateway.key);
  await page.getByRole('button', { name: 'Send it' }).click();
  await page.getByText('Cost after').waitFor();
  expect(await page.getByText('Status').locator('+ dd').textContent()).toBe('200');
  const cost = await page.getByText('Cost after').locator('+ dd').textContent();
  console.log({ price_before: price, cost_after: cost });
  expect(Number.parseFloat(cost ?? '')).toBeGreaterThan(0);
  expect(Number.parseFloat(cost ?? '')).toBeLessThanOrEqual(most);
  // The key is asked for anew: it is never in a page.
  expect(await page.content()).not.toContain(gateway.key);
  await context.close();
});

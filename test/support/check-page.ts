import { createRequire } from 'node:module';
import { join } from 'node:path';

import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const HEIGHT = 844;
/** Fewer than any page of ours passes: axe has looked at something. */
const PASSES_MIN = 5;
/** A phone, so that a page wider than its screen shows, and a desk. */
export const WIDTHS = { phone: 390, desk: 1100 } as const;
export const SCHEMES = ['light', 'dark'] as const;
export type Scheme = (typeof SCHEMES)[number];
/**
 * Colours are the scheme's, and what is where is the width's: with these two every scheme and every width is looked at
 * once, in half the time that all four take.
 */
export const VIEWS = [
  { scheme: 'light', device: 'phone' },
  { scheme: 'dark', device: 'desk' },
] as const;
/** `SCREENSHOTS=folder` keeps a picture of every page, light and dark, on both. */
const { SCREENSHOTS } = process.env;

export async function openPage(
  browser: Browser,
  url: string,
  colorScheme: Scheme,
  width: number = WIDTHS.phone,
): Promise<Page> {
  // The pages' policy forbids scripts, axe's own among them: only this test may go around it.
  const page = await browser.newPage({
    viewport: { width, height: HEIGHT },
    colorScheme,
    bypassCSP: true,
  });
  await page.goto(url);
  return page;
}

/** No axe-core violation and no sideways scrolling; with a picture when they are wanted. */
export async function checkPage(page: Page, name: string): Promise<void> {
  await page.addScriptTag({ path: AXE });
  const results = (await page.evaluate('axe.run()')) as AxeResults;
  const found = results.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  expect(found).toEqual([]);
  expect(results.passes.length).toBeGreaterThan(PASSES_MIN);
  const overhang = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  expect(overhang).toBe(0);
  if (SCREENSHOTS !== undefined) {
    const file = `${name.replaceAll(' ', '-')}.png`;
    await page.screenshot({ path: join(SCREENSHOTS, file), fullPage: true });
  }
}

// @needs chromium
import { createRequire } from 'node:module';

import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { signExplainLink, signPayLink } from '../src/control/public/signed-links.ts';
import type { Facts } from '../src/domain/facts.ts';
import { requestId } from '../src/platform/ids.ts';
import { launchChromium } from './support/launch-chromium.ts';
import { startPublicPages, type PublicPages } from './support/start-public-pages.ts';
import { packFacts } from '../src/domain/facts-record.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** A phone, so that a page wider than its screen shows. */
const VIEWPORT = { width: 390, height: 844 };

let pages: PublicPages;
let browser: Browser;
let paths: Record<string, string> = {};

beforeAll(async () => {
  pages = await startPublicPages();
  browser = await launchChromium();
  paths = await seedPaths();
});
afterAll(async () => {
  await browser.close();
  await pages.close();
});

/** One of each kind of page, with long and hostile content. */
async function seedPaths(): Promise<Record<string, string>> {
  const { signingSecret: secret } = pages.deps;
  const { tenant } = await pages.addTenant({
    name: `Ächme <script>alert('x')</script> GmbH & Co.`,
  });
  const link = (cause: string) => `/pay/${signPayLink({ tenantId: tenant.id, cause }, secret)}`;
  const log = async (facts: Facts) => {
    const { requestId: id, at, outcome } = facts;
    const row = { requestId: id, at, tenantId: tenant.id, status: outcome?.status ?? 0, code: '' };
    await pages.store.appendRequests([{ ...row, facts: packFacts(facts) }]);
    return `/r/${id}?s=${signExplainLink(id, secret)}`;
  };
  return {
    landing: '/',
    errors: '/errors',
    'one error': '/errors/INSUFFICIENT_CREDITS',
    'no such error': '/errors/NOPE',
    'a forged pay link': '/pay/pl_forged',
    'pay for credit': link('INSUFFICIENT_CREDITS'),
    'pay for a plan': link('MODEL_NOT_IN_PLAN'),
    'a refused request': await log(refusedFacts(tenant.id)),
    'a served request': await log(servedFacts(tenant.id)),
  };
}

async function open(path: string, scheme: 'light' | 'dark'): Promise<Page> {
  // The pages' policy forbids scripts, axe's own among them: only this test may go around it.
  const page = await browser.newPage({ viewport: VIEWPORT, colorScheme: scheme, bypassCSP: true });
  await page.goto(pages.origin + path);
  return page;
}

describe.each(['light', 'dark'] as const)('in %s', (scheme) => {
  it.each([
    'landing',
    'errors',
    'one error',
    'no such error',
    'a forged pay link',
    'pay for credit',
    'pay for a plan',
    'a refused request',
    'a served request',
  ])('%s has no axe-core violation and no sideways scrolling', async (name) => {
    const page = await open(paths[name] ?? '', scheme);
    await page.addScriptTag({ path: AXE });
    const results = (await page.evaluate('axe.run()')) as AxeResults;
    const found = results.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
    expect(found).toEqual([]);
    expect(results.passes.length).toBeGreaterThan(5);
    const width = await page.evaluate('document.documentElement.scrollWidth');
    expect(width).toBeLessThanOrEqual(VIEWPORT.width);
    await page.close();
  });
});

it('BILL-02: a person without scripts pays with one click, and is told to retry', async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => void complaints.push(message.text()));
  await page.goto(pages.origin + (paths['pay for credit'] ?? ''));
  await page.getByRole('button', { name: 'Add 5.00 USD of test credit' }).click();
  await page.getByRole('heading', { name: 'Paid' }).waitFor();
  expect(await page.getByRole('status').textContent()).toContain('Retry your request');
  expect(await page.getByText('Available balance').locator('+ dd').textContent()).toBe('5.00 USD');
  await page.reload();
  expect(await page.getByText('Available balance').locator('+ dd').textContent()).toBe('5.00 USD');
  // A blocked style, form or picture would complain here.
  expect(complaints).toEqual([]);
  await context.close();
});

it('the style sheet is allowed by its own policy', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${pages.origin}/errors`);
  const font = await page.evaluate('getComputedStyle(document.body).fontFamily');
  expect(font).toContain('system-ui');
  await context.close();
});

function refusedFacts(tenantId: string): Facts {
  const served = servedFacts(tenantId);
  const { outcome } = served;
  return {
    ...served,
    path: `/v1/chat/completions/${'long'.repeat(60)}`,
    reservation: {
      kind: 'short',
      index: 1,
      cause: 'gone',
      held: 0,
      affordableOutputTokens: 230,
    },
    outcome: outcome && {
      ...outcome,
      status: 402,
      code: 'INSUFFICIENT_CREDITS',
      ending: 'refused',
      costNano: 0,
    },
  };
}

function servedFacts(tenantId: string): Facts {
  const at = Date.now();
  return {
    requestId: requestId(at),
    at,
    catalogVersion: '0123456789ab',
    method: 'POST',
    path: '/v1/chat/completions',
    route: {
      apiId: 'llm',
      routeId: 'chat',
      operation: 'chat',
      kind: 'chat',
      dialect: 'openai',
      endpointClass: 'metered',
    },
    routing: undefined,
    identity: {
      kind: 'key',
      keyId: 'key_0199e0a7c3f87a1b8c2d3e4f5a6b7c8d',
      tenantId,
      planId: 'free',
      planVersion: 'free-v1',
      planTitle: 'Free',
      freePlan: true,
    },
    authorization: undefined,
    understanding: undefined,
    standing: undefined,
    entitlements: [{ kind: 'model', id: 'echo', granted: true }],
    limits: [
      {
        accountId: `quo:${tenantId}:requests_per_month:2026-11`,
        kind: 'quota',
        unit: 'requests',
        label: {
          id: 'requests_per_month',
          unit: 'requests',
          window: 'month',
          scope: 'tenant',
          keyId: undefined,
        },
        need: 1,
        allowance: 1000,
        spent: 41,
        reserved: 2,
        resetsAt: at + 86_400_000,
      },
      {
        accountId: `bal:${tenantId}:USD`,
        kind: 'balance',
        unit: 'USD',
        label: undefined,
        need: 42_000_000,
        allowance: 100_000_000,
        spent: 96_900_000,
        reserved: 0,
        resetsAt: undefined,
      },
    ],
    reservation: { kind: 'held' },
    take: undefined,
    agreed: undefined,
    enforcement: 'enforce',
    storm: undefined,
    forwarding: undefined,
    outcome: {
      status: 200,
      code: '',
      durationMs: 812,
      model: 'echo',
      target: 'http://127.0.0.1:9000',
      upstreamStatus: 200,
      ending: 'complete',
      holdNano: 42_000_000,
      costNano: 5_208_000,
      overrunNano: 0,
      inputTokens: 1204,
      cachedInputTokens: 0,
      outputTokens: 350,
      bytesIn: 900,
      bytesOut: 1200,
      estimated: false,
      clampedOutputTokens: undefined,
    },
  };
}

// @needs chromium
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { signExplainLink, signPayLink } from '../src/control/public/signed-links.ts';
import type { Facts } from '../src/domain/facts.ts';
import { NO_TAKE } from '../src/domain/take.ts';
import { PLAIN_TERMS } from '../src/domain/tenant-terms.ts';
import { requestId } from '../src/platform/ids.ts';
import {
  buildCatalog,
  buildLimit,
  buildPlan,
  buildQuota,
  NO_GRANTS,
} from './support/build-catalog.ts';
import { checkPage, openPage, type Scheme, SCHEMES, VIEWS, WIDTHS } from './support/check-page.ts';
import { launchChromium } from './support/launch-chromium.ts';
import { buildServedFacts } from './support/served-facts.ts';
import { startPublicPages, type PublicPages } from './support/start-public-pages.ts';
import { packFacts } from '../src/domain/facts-record.ts';

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

const OVERDUE = { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_2026_204', 'inv_2026_205'] };

/** One of each kind of page, with long and hostile content. */
async function seedPaths(): Promise<Record<string, string>> {
  const { signingSecret: secret } = pages.deps;
  const { tenant, key } = await pages.addTenant({
    name: `Ächme <script>alert('x')</script> GmbH & Co.`,
  });
  const lapsed = await pages.addTenant({ terms: { payment: OVERDUE } });
  const link = (cause: string, { id } = tenant) =>
    `/pay/${signPayLink({ tenantId: id, cause }, secret)}`;
  const log = async (facts: Facts) => {
    const { requestId: id, at, outcome } = facts;
    const row = { requestId: id, at, tenantId: tenant.id, status: outcome?.status ?? 0, code: '' };
    await pages.store.appendRequests([{ ...row, facts: packFacts(facts) }]);
    return `/r/${id}?s=${signExplainLink(id, secret)}`;
  };
  const served = servedFacts(tenant.id, key.id);
  const refused = await log(refusedFacts(served));
  return {
    landing: '/',
    errors: '/errors',
    'one error': '/errors/INSUFFICIENT_CREDITS',
    'another name of an error': '/errors/CREDITS_EXHAUSTED',
    'no such error': '/errors/NOPE',
    guides: '/guides',
    'the quick check': '/guides/quick-check',
    'the status codes': '/guides/status-codes',
    'the upstream providers': '/guides/upstream-providers',
    'the form to diagnose': '/diagnose',
    'a forged pay link': '/pay/pl_forged',
    'pay for credit': link('INSUFFICIENT_CREDITS'),
    'pay for a plan': `${link('MODEL_NOT_IN_PLAN')}?plan=business`,
    'pay what is due': link('INVOICE_OVERDUE', lapsed.tenant),
    'a refused request': refused,
    'its guide for people': refused.replace('?', '/guide?'),
    'a served request': await log(served),
    'an observed request': await log(observedFacts(served)),
    'a request that failed upstream': await log(failedFacts(served)),
  };
}

function open(path: string, scheme: Scheme, width?: number): Promise<Page> {
  return openPage(browser, pages.origin + path, scheme, width);
}

describe.each(VIEWS)('in $scheme on a $device', ({ scheme, device }) => {
  it.each([
    'landing',
    'errors',
    'one error',
    'another name of an error',
    'no such error',
    'guides',
    'the quick check',
    'the status codes',
    'the upstream providers',
    'the form to diagnose',
    'a forged pay link',
    'pay for credit',
    'pay for a plan',
    'pay what is due',
    'a refused request',
    'its guide for people',
    'a served request',
    'an observed request',
    'a request that failed upstream',
  ])('%s has no axe-core violation and no sideways scrolling', async (name) => {
    expect.hasAssertions();
    const page = await open(paths[name] ?? '', scheme, WIDTHS[device]);
    // What is folded away has to be right too.
    await page.evaluate(
      'document.querySelectorAll("details").forEach((each) => (each.open = true))',
    );
    await checkPage(page, `${name} ${scheme} ${device}`);
    await page.close();
  });
});

it('names of one long word stay on a phone: offers, buttons and what the link named', async () => {
  const title = 'x'.repeat(100);
  const offer = { id: 'long', title, priceNano: 9_000_000_000n } as const;
  const catalog = buildCatalog(
    [buildPlan('free'), buildPlan('long', { title, priceNano: 9_000_000_000n })],
    {
      packs: [{ ...offer, creditNano: 1n }],
      addOns: [{ ...offer, interval: 'once', grants: NO_GRANTS }],
    },
  );
  const shop = await startPublicPages({ catalog: () => catalog });
  const { tenant } = await shop.addTenant({ name: title });
  const link = { tenantId: tenant.id, cause: 'INSUFFICIENT_CREDITS' };
  const token = signPayLink(link, shop.deps.signingSecret);
  const page = await openPage(browser, `${shop.origin}/pay/${token}?plan=long`, 'light');
  expect(await page.getByRole('button').count()).toBe(3);
  await checkPage(page, 'long names');
  await page.close();
  await shop.close();
});

describe.each(SCHEMES)('in %s', (scheme) => {
  it('DIAG-02: a person without scripts pastes an answer and sees what it means', async () => {
    const context = await browser.newContext({ colorScheme: scheme, javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${pages.origin}/diagnose`);
    const body = { type: 'error', error: { type: 'billing_error', message: '<b>No</b> credit' } };
    const pasted = `HTTP/1.1 402 X\nretry-after: 5\nrequest-id: r\n\n${JSON.stringify(body)}`;
    await page.getByLabel('Status line').fill(pasted);
    await page.getByRole('button', { name: 'Diagnose' }).click();
    await page
      .getByRole('heading', { name: 'The account at the provider is out of credit' })
      .waitFor();
    const content = await page.content();
    expect(content).toContain('&lt;b&gt;No&lt;/b&gt; credit');
    await context.close();
    const shown = await open('/diagnose', scheme);
    await shown.setContent(content);
    await checkPage(shown, `a diagnosis ${scheme} phone`);
    await shown.close();
  });
});

it('DIAG-07: a person without scripts tries a smaller call with one click', async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(pages.origin + (paths['a refused request'] ?? ''));
  await page.getByRole('button', { name: 'Would a small call pass?' }).click();
  await page.getByText('A small call of 16 input tokens').waitFor();
  expect(new URL(page.url()).hash).toBe('#probe');
  await context.close();
});

it('DEG-06: a person without scripts pays what is due with one click', async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(pages.origin + (paths['pay what is due'] ?? ''));
  await page.getByRole('button', { name: 'Pay the overdue invoices' }).click();
  await page.getByRole('heading', { name: 'Paid' }).waitFor();
  expect(await page.getByText('What is due').count()).toBe(0);
  await context.close();
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

function refusedFacts(served: Facts): Facts {
  const { outcome } = served;
  return {
    ...served,
    requestId: requestId(served.at),
    path: `/v1/chat/completions/${'long'.repeat(60)}`,
    reservation: {
      kind: 'short',
      index: 1,
      cause: 'gone',
      held: 0,
      affordableOutputTokens: 230,
    },
    take: { ...NO_TAKE, inputTokens: 1204, outputTokens: 4096, nano: 42_000_000 },
    outcome: outcome && {
      ...outcome,
      status: 402,
      code: 'INSUFFICIENT_CREDITS',
      target: undefined,
      upstreamStatus: undefined,
      ending: 'refused',
      costNano: 0,
    },
  };
}

function observedFacts(served: Facts): Facts {
  const { outcome } = refusedFacts(served);
  return {
    ...refusedFacts(served),
    enforcement: 'observe',
    outcome: outcome && {
      ...outcome,
      status: 200,
      code: '',
      ending: 'complete',
      wouldRefuse: 'INSUFFICIENT_CREDITS',
    },
  };
}

function failedFacts(served: Facts): Facts {
  const { outcome } = served;
  return {
    ...served,
    requestId: requestId(served.at),
    forwarding: {
      code: 'UPSTREAM_UNAVAILABLE',
      problem: 'OpenAI refused for its own billing reasons',
      pointer: undefined,
      upstream: { provider: 'OpenAI', status: 429, code: 'insufficient_quota' },
    },
    outcome: outcome && {
      ...outcome,
      status: 503,
      code: 'UPSTREAM_UNAVAILABLE',
      target: 'https://api.openai.com/v1',
      upstreamStatus: 429,
      ending: 'refused',
      costNano: 0,
    },
  };
}

/** A call that its quota counts too, of a key that is named. */
function servedFacts(tenantId: string, keyId: string): Facts {
  const served = buildServedFacts(tenantId);
  const { identity } = served;
  const quota = buildQuota(buildLimit(1000), {
    accountId: `quo:${tenantId}:requests_per_month:2026-11`,
    spent: 41,
    reserved: 2,
    resetsAt: served.at + 86_400_000,
  });
  return {
    ...served,
    identity: identity.kind === 'key' ? { ...identity, keyId } : identity,
    limits: [quota, ...served.limits],
  };
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request } from 'undici';

import { startPublicPages, type PublicPages } from '../../../test/support/start-public-pages.ts';
import { CODES } from '../../contract/codes.ts';
import { balanceAccount } from '../../domain/accounts.ts';
import type { Facts } from '../../domain/facts.ts';
import { requestId } from '../../platform/ids.ts';
import { StoreError } from '../../stores/store-error.ts';
import { NANO_MAX } from '../admin/parse-input.ts';
import { signExplainLink, signPayLink } from './signed-links.ts';
import { packFacts } from '../../domain/facts-record.ts';

let pages: PublicPages;
beforeAll(async () => {
  pages = await startPublicPages();
});
afterAll(() => pages.close());

interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'HEAD' | 'DELETE';
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly from?: PublicPages;
}
async function call(path: string, { method, accept, headers, body, from = pages }: Call = {}) {
  const answer = await request(from.origin + path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(accept === undefined ? {} : { accept }), ...headers },
    body: body ?? null,
  });
  const text = await answer.body.text();
  const isJson = String(answer.headers['content-type']).includes('json');
  const json = isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: answer.statusCode, headers: answer.headers, text, json };
}
const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

async function payPath(members: { planId?: string; name?: string; cause?: string } = {}) {
  const { tenant, secret } = await pages.addTenant(members);
  const cause = members.cause ?? 'INSUFFICIENT_CREDITS';
  const token = signPayLink({ tenantId: tenant.id, cause }, pages.deps.signingSecret);
  return { tenant, secret, path: `/pay/${token}` };
}
const buyJson = (path: string, body: object, key?: string, from = pages) =>
  call(path, {
    body: JSON.stringify(body),
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    from,
  });
const buyForm = (path: string, fields: Record<string, string>, headers = {}) =>
  call(path, {
    body: new URLSearchParams(fields).toString(),
    accept: HTML,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });

describe('every page', () => {
  it('is self-contained, cannot be framed, and sends nobody a referrer', async () => {
    const { tenant } = await pages.addTenant();
    const pay = signPayLink(
      { tenantId: tenant.id, cause: 'KEY_MISSING' },
      pages.deps.signingSecret,
    );
    for (const path of [
      '/',
      '/errors',
      '/errors/KEY_MISSING',
      '/errors/nope',
      `/pay/${pay}`,
      '/pay/x',
      '/r/x',
    ]) {
      const { headers, text } = await call(path, { accept: HTML });
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
      );
      expect(headers['referrer-policy']).toMatch(/^(no-referrer|same-origin)$/);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['x-request-id']).toMatch(/^req_[0-9a-f]{32}$/);
      expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
      expect(text).toMatch(/<title>[^<]+ - Tollkeeper<\/title>/);
      expect(text).not.toMatch(/<script|<img|<link|@import|url\(|\son\w+=/);
      expect(text.match(/<h1>/g)).toHaveLength(1);
    }
  });

  it('keeps what is about a tenant out of caches, and lets the code pages be cached', async () => {
    const { path } = await payPath();
    expect((await call(path)).headers['cache-control']).toBe('no-store');
    expect((await call('/r/x')).headers['cache-control']).toBe('no-store');
    expect((await call('/errors')).headers['cache-control']).toBe('public, max-age=300');
  });

  it('405 names the methods that work', async () => {
    const { status, headers, json } = await call('/v1/usage', { method: 'DELETE' });
    expect(status).toBe(405);
    expect(headers['allow']).toBe('GET, HEAD');
    expect(json['code']).toBe('METHOD_NOT_ALLOWED');
  });

  it('404 and HEAD', async () => {
    expect((await call('/nothing')).json['code']).toBe('NOT_FOUND');
    const head = await call('/errors', { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([200, '']);
  });

  it('serves the schema that refusals name', async () => {
    const { json } = await call('/v1/usage');
    const schema = await call(new URL(String(json['schema'])).pathname);
    expect(schema.json['$id']).toBe('urn:tollkeeper:schema:problem-v1');
  });

  it('the landing page says where to go, to people and to programs', async () => {
    expect((await call('/', { accept: HTML })).text).toContain('href="/errors"');
    expect((await call('/')).json['addresses']).toMatchObject({
      usage: `${pages.origin}/v1/usage`,
    });
  });
});

describe('DOC-02, C402-08: /errors', () => {
  it.each(Object.keys(CODES))('%s has a page that names it, in three formats', async (code) => {
    const page = await call(`/errors/${code}`, { accept: HTML });
    expect(page.status).toBe(200);
    expect(page.text).toContain(`<h1>${code}</h1>`);
    const markdown = await call(`/errors/${code}`, { accept: 'text/markdown' });
    expect(markdown.headers['content-type']).toBe('text/markdown; charset=utf-8');
    expect(markdown.text).toMatch(new RegExp(`^# ${code}\n`));
    const { json } = await call(`/errors/${code}`, { accept: 'application/json' });
    expect(json).toMatchObject({ code, url: `${pages.origin}/errors/${code}` });
  });

  it('every link on every page leads somewhere', async () => {
    const seen = new Set(['/errors']);
    for (const path of seen) {
      const { status, text } = await call(path, { accept: HTML });
      expect([path, status]).toEqual([path, 200]);
      for (const [, href = ''] of text.matchAll(/href="(\/[^"#]*)/g)) seen.add(href);
    }
    expect(seen.size).toBeGreaterThan(Object.keys(CODES).length);
  });

  it.each([
    ['INSUFICIENT_CREDIT', 'INSUFFICIENT_CREDITS'],
    ['RATELIMITED', 'RATE_LIMITED'],
    ['MODEL_NOT_IN_PLANS', 'MODEL_NOT_IN_PLAN'],
  ])('404 for %s, with the nearest code', async (guess, nearest) => {
    const page = await call(`/errors/${guess}`, { accept: HTML });
    expect(page.status).toBe(404);
    expect(page.text).toContain(`Did you mean <a href="/errors/${nearest}">`);
    const { status, json } = await call(`/errors/${guess}`, { accept: 'application/json' });
    expect(status).toBe(404);
    expect(json['details']).toMatchObject({ nearest });
  });

  it('takes other spellings, and shows hostile ones as text', async () => {
    expect((await call('/errors/key-missing')).status).toBe(200);
    const hostile = await call(`/errors/${encodeURIComponent('<script>alert(1)</script>')}`);
    expect(hostile.status).toBe(404);
    expect(hostile.text).toContain('&lt;script&gt;');
    for (const path of ['/errors/..%2f..%2fpackage.json', '/errors/README', '/errors/__proto__']) {
      expect((await call(path)).status).toBe(404);
    }
  });
});

describe('QUOTA-14: /v1/usage', () => {
  it('shows every limit of tenant and key, those never touched too, and exact money', async () => {
    const { tenant, key, secret } = await pages.addTenant({ budgetNano: 1_500_000_000 });
    const now = Date.now();
    const owner = `test-${tenant.id}`;
    await pages.store.addGrant(grantOf(tenant.id, 2_000_000_000n), now);
    await pages.store.openOwner(owner, now);
    const account = balanceAccount(tenant.id, 'USD');
    const lease = { index: 0, account, grantedBefore: 0, need: 500_000_000, want: 500_000_000 };
    await pages.store.acquire(owner, [lease], now);
    const settled = {
      index: 0,
      charged: 120_000_000,
      granted: 150_000_000,
      close: false,
      answersRecall: false,
    };
    const batch = { owner, seq: 1, overruns: [], changesAfter: 0 };
    await pages.store.sync({ ...batch, now, leases: [settled] });
    const answer = call('/v1/usage', { headers: { authorization: `Bearer ${secret}` } });
    const { status, headers, json } = await answer;
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(json).toMatchObject({
      tenant_id: tenant.id,
      plan: { id: 'free', version: 'free-v1', title: 'Free' },
      key: { id: key.id, hint: 'tk_test_...aB3d', budget: '1.50' },
      balance: { asset: 'USD', settled: '1.88', held: '0.03', available: '1.85' },
    });
    expect(json['limits']).toEqual([
      {
        id: 'requests_per_month',
        unit: 'requests',
        window: 'month',
        scope: 'tenant',
        limit: 1000,
        used: 0,
        held: 0,
        remaining: 1000,
        resets_at: expect.stringMatching(/^\d{4}-\d\d-01T00:00:00.000Z$/),
      },
      {
        id: 'spend_per_day',
        unit: 'spend',
        asset: 'USD',
        window: 'day',
        scope: 'tenant',
        limit: '2.50',
        used: '0.00',
        held: '0.00',
        remaining: '2.50',
        resets_at: expect.stringMatching(/T00:00:00.000Z$/),
      },
      {
        id: 'key_tokens',
        unit: 'tokens',
        window: 'lifetime',
        scope: 'key',
        limit: 5000,
        used: 0,
        held: 0,
        remaining: 5000,
        resets_at: null,
      },
      {
        id: 'key_budget',
        unit: 'spend',
        asset: 'USD',
        window: 'lifetime',
        scope: 'key',
        limit: '1.50',
        used: '0.00',
        held: '0.00',
        remaining: '1.50',
        resets_at: null,
      },
    ]);
    await pages.store.closeOwner({
      ...batch,
      now,
      seq: 2,
      leases: [{ ...settled, granted: 120_000_000, close: true }],
    });
  });

  it('still answers when the plan has left the configuration', async () => {
    const { secret } = await pages.addTenant({ planId: 'gone' });
    const { status, json } = await call('/v1/usage', {
      headers: { authorization: `Bearer ${secret}` },
    });
    expect(status).toBe(200);
    expect(json).toMatchObject({ plan: { id: 'gone', title: null }, limits: [] });
  });

  it.each([
    ['KEY_MISSING', {}],
    ['KEY_UNKNOWN', { authorization: 'Bearer tk_test_nobody' }],
  ])('401 %s, as a body the OpenAI SDK reads, even to a browser', async (code, headers) => {
    const { status, json } = await call('/v1/usage', { headers, accept: HTML });
    expect(status).toBe(401);
    expect(json).toMatchObject({ code, error: { code, type: 'authentication_error' } });
  });
});

it('KEY-01: a revoked key is told when it was revoked', async () => {
  const { key, secret } = await pages.addTenant();
  await pages.store.revokeKey(key.id, Date.UTC(2026, 10, 2, 3, 4));
  for (const path of ['/v1/usage', `/r/${requestId(Date.now())}`]) {
    const { status, json } = await call(path, { headers: { authorization: `Bearer ${secret}` } });
    expect([status, json['code']]).toEqual([401, 'KEY_REVOKED']);
    expect(json['message']).toContain('revoked on 2026-11-02 03:04 UTC');
  }
});

describe('BILL-02, C402-04: /pay', () => {
  it('shows cause, balance and what is on sale, and changes nothing', async () => {
    const { path, tenant } = await payPath();
    const { status, text } = await call(path, { accept: HTML });
    expect(status).toBe(200);
    for (const part of [
      'Not enough credit',
      'Play money',
      'Add 5.00 USD of test credit',
      'Switch to Business',
      'Acme',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('Switch to Free');
    expect(text).not.toContain('Switch to Secret');
    const { json } = await call(path);
    expect(json).toMatchObject({
      tenant_id: tenant.id,
      cause: 'INSUFFICIENT_CREDITS',
      message: 'Your balance does not cover this call.',
      balance: { available: '0.00' },
      packs: [{ id: 'small', pay_with: { pack: 'small' } }, { id: 'large' }],
      plans: [{ id: 'business', price: '49.00 USD/month' }, { id: 'flat' }],
    });
    expect(await pages.store.grants(tenant.id)).toEqual([]);
  });

  it('an agent pays with one call and the balance is there', async () => {
    const { path, tenant, secret } = await payPath();
    const { status, json } = await buyJson(path, { pack: 'small' });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      paid: true,
      message: 'Paid. Retry your request: nothing else to do.',
      pack: 'small',
      grant: { amount: '5.00 USD' },
      in_force: true,
      balance: { available: '5.00' },
    });
    const usage = await call('/v1/usage', { headers: { authorization: `Bearer ${secret}` } });
    expect(usage.json['balance']).toMatchObject({ available: '5.00' });
    expect(await pages.store.grants(tenant.id)).toMatchObject([
      { amount: 5_000_000_000n, source: 'pack:small', category: 'paid' },
    ]);
  });

  it('a person pays with one button and is told so, also after a reload', async () => {
    const { path, tenant } = await payPath();
    const page = await call(path, { accept: HTML });
    const nonce = /name="nonce" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const posted = await buyForm(path, { pack: 'small', nonce }, { origin: pages.origin });
    expect(posted.status).toBe(303);
    const location = String(posted.headers['location']);
    for (const _again of [1, 2]) {
      const { text } = await call(location, { accept: HTML });
      expect(text).toMatch(/<strong>Paid\.<\/strong>\s+Retry your request: nothing else to do\./);
      expect(text).toContain('5.00 USD of credit was added.');
    }
    expect(await pages.store.grants(tenant.id)).toHaveLength(1);
  });

  it('a change of plan is one click too', async () => {
    const { path, tenant } = await payPath({ cause: 'REQUEST_QUOTA_EXCEEDED' });
    const posted = await buyForm(path, { plan: 'business', nonce: 'n1' });
    const done = await call(String(posted.headers['location']), { accept: HTML });
    expect(done.text).toContain('You are on the plan Business now.');
    expect((await pages.store.tenant(tenant.id))?.planId).toBe('business');
  });

  it('thanks only for what the books confirm', async () => {
    const { path } = await payPath();
    const { text } = await call(`${path}?receipt=made-up`, { accept: HTML });
    expect(text).not.toContain('Paid.');
  });

  it('BILL-13: ten clicks at once are one grant and one answer; another body is a conflict', async () => {
    const { path, tenant } = await payPath();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => buyJson(path, { pack: 'small' }, 'click-1')),
    );
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
    expect(await pages.store.grants(tenant.id)).toHaveLength(1);
    const other = await buyJson(path, { pack: 'large' }, 'click-1');
    expect([other.status, other.json['code']]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    // The first answer stands although the balance has changed since.
    await buyJson(path, { pack: 'large' }, 'click-2');
    expect((await buyJson(path, { pack: 'small' }, 'click-1')).text).toBe(answers[0]?.text);
    expect(await pages.store.grants(tenant.id)).toHaveLength(2);
  });

  it('a repeated change of plan does not undo a later one', async () => {
    const { path, tenant } = await payPath();
    await buyJson(path, { plan: 'business' }, 'plan-1');
    await pages.store.setPlan(tenant.id, 'flat', Date.now());
    expect((await buyJson(path, { plan: 'business' }, 'plan-1')).json).toMatchObject({
      paid: true,
    });
    expect((await pages.store.tenant(tenant.id))?.planId).toBe('flat');
  });

  it('one tenant cannot use up the idempotency key of another', async () => {
    const [one, two] = [await payPath(), await payPath()];
    await buyJson(one.path, { pack: 'small' }, 'same');
    await buyJson(two.path, { pack: 'small' }, 'same');
    expect(await pages.store.grants(two.tenant.id)).toHaveLength(1);
  });

  it.each<[string, object, string, RegExp]>([
    ['an unknown pack', { pack: 'huge' }, '/pack', /no pack huge is on sale .* small, large/],
    ['a plan not on sale', { plan: 'secret' }, '/plan', /no plan secret is on sale/],
    ['the plan they have', { plan: 'free' }, '/plan', /no plan free is on sale/],
    ['nothing', {}, '', /either "pack" or "plan"/],
    ['both', { pack: 'small', plan: 'business' }, '', /either "pack" or "plan"/],
    ['a wrong type', { pack: 3 }, '/pack', /must be an id/],
    ['an unknown member', { pack: 'small', amount: 5 }, '', /unknown member "amount"/],
    ['an array', [], '', /must be an object/],
  ])('400 for %s, with the fix', async (_title, body, pointer, reason) => {
    const { path, tenant } = await payPath();
    const { status, json } = await buyJson(path, body);
    expect([status, json['code']]).toEqual([400, 'INVALID_REQUEST']);
    const details = json['details'] as Record<string, string>;
    expect(details['reason']).toMatch(reason);
    expect(details['pointer'] ?? '').toBe(pointer);
    expect(await pages.store.grants(tenant.id)).toEqual([]);
  });

  it.each([
    ['broken JSON', '{', 'application/json', 400],
    ['no type', 'pack=small', 'text/plain', 400],
    ['a body beyond 4 KiB', JSON.stringify({ pack: 'x'.repeat(5000) }), 'application/json', 413],
  ])('refuses %s', async (_title, body, type, status) => {
    const { path } = await payPath();
    expect((await call(path, { body, headers: { 'content-type': type } })).status).toBe(status);
  });

  it('refuses an idempotency key that is none', async () => {
    const { path } = await payPath();
    const { json } = await buyJson(path, { pack: 'small', nonce: 'two words' });
    expect(json['details']).toMatchObject({ reason: expect.stringContaining('Idempotency-Key') });
  });

  it.each([
    ['another site', 'https://evil.example', 400],
    ['a sandboxed page', 'null', 400],
    ['our own page', 'own', 303],
  ])('DESIGN 10: a form sent by %s', async (_title, origin, status) => {
    const { path, tenant } = await payPath();
    const from = origin === 'own' ? pages.origin : origin;
    const answer = await buyForm(path, { pack: 'small', nonce: 'n' }, { origin: from });
    expect(answer.status).toBe(status);
    expect(await pages.store.grants(tenant.id)).toHaveLength(status === 303 ? 1 : 0);
  });

  it('refuses forged links and links to nobody', async () => {
    const { path } = await payPath();
    const nobody = signPayLink({ tenantId: 'ten_nobody', cause: 'X' }, pages.deps.signingSecret);
    const forged = path.slice(0, -1) + (path.endsWith('A') ? 'B' : 'A');
    for (const each of [forged, '/pay/pl_', '/pay/x', `/pay/${nobody}`]) {
      expect((await call(each)).status).toBe(404);
      expect((await buyJson(each, { pack: 'small' })).status).toBe(404);
    }
  });

  it('shows hostile names as text', async () => {
    const { path } = await payPath({ name: `<script>alert('x')</script>"&` });
    const { text } = await call(path, { accept: HTML });
    expect(text).not.toContain('<script');
    expect(text).toContain('&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;');
  });

  it('offers no credit to a plan that does not use any, and tells what a call needed', async () => {
    const flat = await payPath({ planId: 'flat', cause: 'MODEL_NOT_IN_PLAN' });
    expect((await call(flat.path)).json).toMatchObject({
      packs: [],
      message: 'This model is not part of your plan.',
    });
    const token = signPayLink(
      { tenantId: flat.tenant.id, cause: 'INSUFFICIENT_CREDITS', amountNano: 42_000_000n },
      pages.deps.signingSecret,
    );
    expect((await call(`/pay/${token}`)).json['needed']).toBe('0.0420 USD');
    expect((await call(`/pay/${token}`, { accept: HTML })).text).toContain(
      '<strong>0.0420 USD</strong>',
    );
  });

  it('bounds what one tenant can be given', async () => {
    const { path, tenant } = await payPath();
    await pages.store.addGrant(grantOf(tenant.id, NANO_MAX - 1n), Date.now());
    const { status, json } = await buyJson(path, { pack: 'large' });
    expect(status).toBe(400);
    expect(String(json['message'])).toContain('all credit of an account together');
  });

  it('outside development it says honestly that nothing can be paid here yet, and pretends nothing', async () => {
    const live = await startPublicPages({ devMoney: false });
    const { tenant } = await live.addTenant();
    const path = `/pay/${signPayLink({ tenantId: tenant.id, cause: 'INSUFFICIENT_CREDITS' }, live.deps.signingSecret)}`;
    const page = await call(path, { accept: HTML, from: live });
    expect(page.text).toContain('No payment method is set up on this gateway yet.');
    expect(page.text).not.toMatch(/<form|<button|Play money/);
    expect((await call(path, { from: live })).json).toMatchObject({
      payable: false,
      test_money: false,
    });
    const { status, json, headers } = await buyJson(path, { pack: 'small' }, 'k', live);
    expect([status, json['code']]).toEqual([503, 'BILLING_UNAVAILABLE']);
    expect(String(json['message'])).toContain('no payment method is set up');
    expect(json['retryable']).toBe(false);
    expect(headers['x-should-retry']).toBe('false');
    expect(await live.store.grants(tenant.id)).toEqual([]);
    await live.close();
  });
});

describe('DIAG-01: /r/{request_id}', () => {
  async function logged(members: Partial<Facts> = {}) {
    const owner = await pages.addTenant();
    const id = requestId(Date.now());
    const facts = refusedFacts(id, owner.tenant.id, members);
    const row = {
      requestId: id,
      at: facts.at,
      tenantId: owner.tenant.id,
      status: 402,
      code: 'INSUFFICIENT_CREDITS',
      facts: packFacts(facts),
    };
    return { ...owner, id, row };
  }
  const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

  it('explains to the owner of the key, as JSON and as a page', async () => {
    const { id, row, secret } = await logged();
    await pages.store.appendRequests([row]);
    for (const path of [`/r/${id}`, `/r/${id}.json`]) {
      const { status, headers, json } = await call(path, { headers: bearer(secret) });
      expect(status).toBe(200);
      expect(headers['cache-control']).toBe('no-store');
      expect(json).toMatchObject({
        request_id: id,
        result: 'refused',
        verdict:
          'Refused: this call could cost up to 0.0420 USD and the available balance is 0.0031 USD.',
        status: 402,
        code: 'INSUFFICIENT_CREDITS',
        documentation_url: `${pages.origin}/errors/INSUFFICIENT_CREDITS`,
        policy_version: '0123456789ab',
        money: null,
        retry: { helps: false, from: null },
      });
      const trace = json['trace'] as { verdict: string; limit?: object }[];
      expect(trace.find(({ verdict }) => verdict === 'refused')?.limit).toMatchObject({
        kind: 'balance',
        needed: '0.0420 USD',
        available: '0.0031 USD',
      });
    }
    const page = await call(`/r/${id}`, { headers: bearer(secret), accept: HTML });
    expect(page.text).toContain('<h1>');
    expect(page.text).toContain('What fixes it');
    expect(
      (await call(`/r/${id}.json`, { headers: bearer(secret), accept: HTML })).json['code'],
    ).toBe('INSUFFICIENT_CREDITS');
  });

  it('its ways out are links that work', async () => {
    const { id, row, secret } = await logged();
    await pages.store.appendRequests([row]);
    const { json } = await call(`/r/${id}`, { headers: bearer(secret) });
    const fix = (json['fixes'] as { action: string; url?: string }[])[0];
    expect(fix).toMatchObject({ action: 'buy_credits', offer: { kind: 'pack', id: 'small' } });
    const paid = await buyJson(new URL(fix?.url ?? '').pathname, { pack: 'small' });
    expect(paid.json).toMatchObject({ paid: true });
  });

  it('explains a served call with its arithmetic', async () => {
    const { id, tenant, secret } = await logged();
    const facts = servedFacts(id, tenant.id);
    await pages.store.appendRequests([
      {
        requestId: id,
        at: facts.at,
        tenantId: tenant.id,
        status: 200,
        code: '',
        facts: packFacts(facts),
      },
    ]);
    const { json } = await call(`/r/${id}`, { headers: bearer(secret) });
    expect(json).toMatchObject({
      verdict: 'Charged 0.0117 USD for 1,204 input and 350 output tokens.',
      code: null,
      fixes: [],
      retry: null,
      money: { held: '0.0420 USD', charged: '0.0117 USD', released: '0.0303 USD' },
    });
    const page = await call(`/r/${id}`, { headers: bearer(secret), accept: HTML });
    expect(page.text).toContain('0.0420 USD held - 0.0117 USD charged = 0.0303 USD released.');
  });

  it('opens with the signed link, for that request only', async () => {
    const [one, two] = [await logged(), await logged()];
    await pages.store.appendRequests([one.row, two.row]);
    const signature = signExplainLink(one.id, pages.deps.signingSecret);
    expect((await call(`/r/${one.id}?s=${signature}`)).status).toBe(200);
    expect((await call(`/r/${one.id}.json?s=${signature}`)).status).toBe(200);
    expect((await call(`/r/${two.id}?s=${signature}`)).status).toBe(401);
  });

  it('tells strangers nothing: the same 401 whether the request exists or not, and 404 to other tenants', async () => {
    const [one, two] = [await logged(), await logged()];
    await pages.store.appendRequests([one.row]);
    const unknown = requestId(Date.now() - 60_000);
    const [known, none] = await Promise.all([call(`/r/${one.id}`), call(`/r/${unknown}`)]);
    expect([known.status, known.json['code']]).toEqual([401, 'KEY_MISSING']);
    expect([none.status, none.json['code']]).toEqual([401, 'KEY_MISSING']);
    expect((await call(`/r/${one.id}`, { headers: bearer(two.secret) })).status).toBe(404);
    expect((await call(`/r/${unknown}`, { headers: bearer(two.secret) })).status).toBe(404);
    expect((await call('/r/nonsense', { headers: bearer(two.secret) })).status).toBe(404);
  });

  it('waits for a row that is still on its way to the log', async () => {
    const { id, row, secret } = await logged();
    const answer = call(`/r/${id}`, { headers: bearer(secret) });
    await pages.store.appendRequests([row]);
    expect((await answer).status).toBe(200);
  });

  it('shows hostile paths and models as text', async () => {
    const { id, row, secret } = await logged({ path: '/<img src=x onerror=alert(1)>' });
    await pages.store.appendRequests([row]);
    const { text } = await call(`/r/${id}`, { headers: bearer(secret), accept: HTML });
    expect(text).not.toContain('<img');
    expect(text).toContain('&lt;img src=x onerror=alert(1)&gt;');
  });
});

describe('when the store fails', () => {
  it.each([
    ['is silent', new StoreError('unavailable', 'locked'), 503, 'BILLING_UNAVAILABLE'],
    ['is wrong', new Error('a bug with /secret/path'), 500, 'INTERNAL_ERROR'],
  ])('%s: %s', async (_title, error, status, code) => {
    const failing = await startPublicPages({
      identify: () => Promise.reject(error),
    });
    const answer = await call('/v1/usage', { from: failing });
    expect([answer.status, answer.json['code']]).toEqual([status, code]);
    expect(answer.text).not.toContain('secret');
    expect(failing.errors).toEqual([error]);
    await failing.close();
  });
});

function grantOf(tenantId: string, amount: bigint) {
  return {
    tenantId,
    asset: 'USD',
    amount,
    category: 'paid' as const,
    priority: 50,
    effectiveAt: Date.now(),
    expiresAt: undefined,
    source: 'test',
    idempotencyKey: `test-${tenantId}`,
  };
}

function refusedFacts(id: string, tenantId: string, members: Partial<Facts>): Facts {
  return {
    ...servedFacts(id, tenantId),
    reservation: {
      kind: 'short',
      index: 0,
      cause: 'gone',
      held: 0,
      affordableOutputTokens: undefined,
    },
    outcome: undefined,
    ...members,
    ...(members.outcome === undefined
      ? {
          outcome: {
            ...OUTCOME,
            status: 402,
            code: 'INSUFFICIENT_CREDITS',
            ending: 'refused',
            costNano: 0,
          },
        }
      : {}),
  };
}

const OUTCOME = {
  status: 200,
  code: '',
  durationMs: 12.5,
  model: 'echo',
  target: 'http://127.0.0.1:9000',
  upstreamStatus: 200,
  ending: 'complete',
  holdNano: 42_000_000,
  costNano: 11_700_000,
  overrunNano: 0,
  inputTokens: 1204,
  cachedInputTokens: 0,
  outputTokens: 350,
  bytesIn: 900,
  bytesOut: 1200,
  estimated: false,
  clampedOutputTokens: undefined,
} as const;

function servedFacts(id: string, tenantId: string): Facts {
  return {
    requestId: id,
    at: Date.now(),
    catalogVersion: '0123456789ab',
    method: 'POST',
    path: '/v1/chat/completions',
    route: {
      apiId: 'llm',
      routeId: 'chat',
      kind: 'chat',
      dialect: 'openai',
      endpointClass: 'metered',
    },
    routing: undefined,
    identity: {
      kind: 'key',
      keyId: 'key_1',
      tenantId,
      planId: 'free',
      planVersion: 'free-v1',
      planTitle: 'Free',
      freePlan: true,
    },
    understanding: undefined,
    entitlements: [{ kind: 'model', id: 'echo', granted: true }],
    limits: [
      {
        accountId: `bal:${tenantId}:USD`,
        kind: 'balance',
        unit: 'USD',
        label: undefined,
        need: 42_000_000,
        allowance: 5_000_000,
        spent: 1_900_000,
        reserved: 0,
        resetsAt: undefined,
      },
    ],
    reservation: { kind: 'held' },
    storm: undefined,
    forwarding: undefined,
    outcome: OUTCOME,
  };
}

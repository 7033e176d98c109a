import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { callPage, HTML, type PageCall } from '../../../test/support/call-pages.ts';
import { startPublicPages, type PublicPages } from '../../../test/support/start-public-pages.ts';
import { CODE_ALIASES } from '../../contract/code-aliases.ts';
import { CODES } from '../../contract/codes.ts';
import { readProblem } from '../../contract/read-problem.ts';
import { StoreError } from '../../stores/store-error.ts';
import { guideNames } from './guide-docs.ts';
import { signPayLink } from './signed-links.ts';

let pages: PublicPages;
beforeAll(async () => {
  pages = await startPublicPages();
});
afterAll(() => pages.close());
const call = (path: string, options: PageCall = {}) => callPage(pages, path, options);

describe('every page', () => {
  it('is self-contained, cannot be framed, and sends nobody a referrer', async () => {
    const { tenant } = await pages.addTenant();
    const pay = signPayLink(
      { tenantId: tenant.id, cause: 'KEY_MISSING' },
      pages.deps.signingSecret,
    );
    for (const path of ['/', '/errors', '/errors/KEY_MISSING', '/errors/nope', `/pay/${pay}`]) {
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

  it.each([
    ['/pay/x', 404, 'NOT_FOUND'],
    ['/r/x', 401, 'KEY_MISSING'],
  ])(
    '%s: %s %s, as the gateway refuses: form and language as asked for (C402-10, C402-27)',
    async (path, expected, code) => {
      const accepting = async (accept: string) => {
        const headers = { 'accept-language': 'de' };
        const { status, text, ...answer } = await call(path, { accept, headers });
        expect([status, answer.headers['content-language']]).toEqual([expected, 'de']);
        expect(answer.headers['referrer-policy']).toBe('no-referrer');
        expect(answer.headers['x-content-type-options']).toBe('nosniff');
        expect(readProblem(text)?.code).toBe(code);
        return { text, ...answer };
      };
      const page = await accepting(HTML);
      expect(page.headers['content-security-policy']).toContain("default-src 'none'");
      expect(page.text).toMatch(/^<!doctype html>\n<html lang="de">/);
      expect((await accepting('application/xml')).text).toMatch(/^<\?xml/);
      expect((await accepting('text/plain')).text).toMatch(/^\d{3} /);
      expect((await accepting('application/json')).text).toMatch(/^\{/);
    },
  );

  it.each([
    ['/', '*/*, text/html;q=0.1', 'application/json'],
    ['/', 'application/*', 'application/json'],
    ['/errors', 'text/html;q=0, */*', 'application/json'],
    ['/errors', '*/*', 'text/html; charset=utf-8'],
    ['/errors', 'application/json, text/markdown', 'application/json'],
    ['/errors/KEY_MISSING', 'text/html;q=0.5, text/markdown', 'text/markdown; charset=utf-8'],
    ['/diagnose', 'application/vnd.example+json', 'application/json'],
    ['/errors/NO_SUCH', 'application/vnd.example+json', 'application/problem+json'],
  ])('%s for Accept %s is %s: pages weigh as refusals do', async (path, accept, expected) => {
    expect((await call(path, { accept })).headers['content-type']).toBe(expected);
  });

  it('an address that ends in .json is refused in JSON, to a browser too', async () => {
    const { json } = await call('/r/x.json', { accept: HTML });
    expect(json['code']).toBe('KEY_MISSING');
  });

  it('keeps what is about a tenant out of caches, and lets the code pages be cached', async () => {
    const { tenant } = await pages.addTenant();
    const token = signPayLink({ tenantId: tenant.id, cause: 'X' }, pages.deps.signingSecret);
    const path = `/pay/${token}`;
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

  it.each(Object.entries(CODE_ALIASES))('%s leads to %s, and says so', async (alias, code) => {
    const page = await call(`/errors/${alias}`, { accept: HTML });
    expect(page.status).toBe(200);
    expect(page.text).toContain(`<h1>${code}</h1>`);
    expect(page.text).toContain(`<code>${alias}</code> is another name for`);
    const { json } = await call(`/errors/${alias}`, { accept: 'application/json' });
    expect(json).toMatchObject({ code, alias });
  });

  it('every link on every page leads somewhere', async () => {
    const seen = new Set(['/errors', '/guides', '/diagnose', '/']);
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

describe('DOC-03, DOC-05, DOC-08, DIAG-11: /guides', () => {
  it.each(guideNames())('%s is a page, and Markdown for who asks for that', async (name) => {
    const page = await call(`/guides/${name}`, { accept: HTML });
    expect([page.status, page.headers['cache-control']]).toEqual([200, 'public, max-age=300']);
    expect(page.text).toMatch(/<h1>[^<]+/);
    // Every document it links to is served.
    expect(page.text).not.toMatch(/\]\(|href="[^"]*\.md/);
    const markdown = await call(`/guides/${name}`, { accept: 'text/markdown' });
    expect(markdown.text).toMatch(/^# /);
  });

  it('are listed, to people and to programs', async () => {
    const { json } = await call('/guides', { accept: 'application/json' });
    expect((json['data'] as { name: string }[]).map(({ name }) => name)).toEqual(guideNames());
    expect((await call('/guides', { accept: HTML })).text).toContain('href="/guides/quick-check"');
  });

  it.each(['configuration', '..%2Ferrors', 'README', '__proto__'])('%s is none', async (name) => {
    expect((await call(`/guides/${name}`)).status).toBe(404);
  });

  it('DIAG-11: the quick check has a table for people and one for developers', async () => {
    const { text } = await call('/guides/quick-check', { accept: HTML });
    for (const part of ['You use an application', 'You write the application', '/v1/usage']) {
      expect(text).toContain(part);
    }
    expect(text.match(/<table>/g)).toHaveLength(2);
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
    const answer = await callPage(failing, '/v1/usage');
    expect([answer.status, answer.json['code']]).toEqual([status, code]);
    expect(answer.text).not.toContain('secret');
    expect(failing.errors).toEqual([error]);
    await failing.close();
  });
});

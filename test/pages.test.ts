import { describe, expect, it } from 'vitest';

import { CODES } from '../src/contract/codes.ts';
import type { Explanation } from './support/check-explained.ts';
import {
  type CallAnswer,
  type GatewayCaller,
  nanoOf,
  problemOf,
} from './support/gateway-caller.ts';
import { startLab } from './support/start-lab.ts';

const HTML = { accept: 'text/html' };
const JSON_TYPE = { accept: 'application/json' };

/** A page of the gateway, without a key unless `headers` has one. */
function visit(
  caller: GatewayCaller,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<CallAnswer> {
  return caller.call({ path: pathOf(url), headers, key: undefined });
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url, 'http://gateway.test');
  return pathname + search;
}

describe('paying (BILL-02, C402-04)', () => {
  it('the link of a 402 leads to a page that adds test money, once, and the very next call is served by every worker', async () => {
    const { caller } = await startLab({ credit: '0.001' });
    expect((await caller.call({ path: '/status' })).status).toBe(200);
    const refused = await caller.call({ path: '/status' });
    const { code, resolution_url: link, message } = problemOf(refused);
    expect(code).toBe('INSUFFICIENT_CREDITS');
    expect(message).toContain(link);
    expect(refused.headers['link']).toBe(`<${link}>; rel="payment"`);

    const page = await visit(caller, link, HTML);
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.text).toContain('5.00 USD');
    // GET changes nothing (DESIGN 10).
    expect((await caller.call({ path: '/status' })).status).toBe(402);

    const form = /name="nonce" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    expect(form).not.toBe('');
    const purchase = { path: pathOf(link), body: { pack: 'small', nonce: form }, key: undefined };
    const [first, again] = [await caller.call(purchase), await caller.call(purchase)];
    expect([first.status, again.status]).toEqual([200, 200]);
    // New connections, so that both workers get some of them.
    const served = await Promise.all(
      Array.from({ length: 20 }, () => caller.call({ path: '/status' })),
    );
    expect(served.map(({ status }) => status)).toEqual(Array<number>(20).fill(200));
    expect(Object.values(await caller.workerCounts()).every((count) => count > 0)).toBe(true);
    // The second of the two purchases was the first one again.
    expect(nanoOf((await caller.usage()).balance.settled)).toBe(5_000_000_000n - 20_000_000n);
    expect(await caller.audit()).toEqual([]);
  });

  it('a plan bought on the page lifts the limit for the next call', async () => {
    const { caller } = await startLab({
      credit: '1.00',
      plan: ['limits: [{ requests: 1, per: lifetime }]'],
    });
    await caller.call({ path: '/status' });
    const { code, resolution_url: link } = problemOf(await caller.call({ path: '/status' }));
    expect(code).toBe('REQUEST_QUOTA_EXCEEDED');
    const bought = await caller.call({
      path: pathOf(link),
      body: { plan: 'bigger' },
      key: undefined,
    });
    expect(bought.status).toBe(200);
    expect((await caller.call({ path: '/status' })).status).toBe(200);
  });

  it('a link that was not signed here leads nowhere', async () => {
    const { caller } = await startLab({ credit: '1.00' });
    expect((await visit(caller, '/pay/pl_AAAA', HTML)).status).toBe(404);
  });
});

describe('explaining (DIAG-01)', () => {
  it('200, 401, 402, 403 and 429 each have a page that names the step that decided', async () => {
    const { caller, gateway } = await startLab({
      credit: '0.002',
      plan: ['rate_limits: ["1/hour burst 2"]'],
      routes: ['{ name: rare, path: /rare, feature: rare }'],
    });
    const served = await caller.call({ path: '/status' });
    const forbidden = await caller.call({ path: '/rare' });
    const stranger = await caller.call({ path: '/status', key: 'tk_test_nobody' });
    await caller.call({ path: '/status' });
    const broke = await caller.call({ path: '/status' });
    await caller.admin(`/admin/tenants/${await caller.tenantId()}/grants`, { amount: '1.00' });
    const fast = await caller.call({ path: '/status' });
    const owner = { authorization: `Bearer ${gateway.key}` };

    const cases = [
      { answer: served, status: 200, code: null, step: undefined },
      { answer: stranger, status: 401, code: 'KEY_UNKNOWN', step: 'identify' },
      { answer: broke, status: 402, code: 'INSUFFICIENT_CREDITS', step: 'reserve' },
      { answer: forbidden, status: 403, code: 'FEATURE_NOT_AVAILABLE', step: 'entitle' },
      { answer: fast, status: 429, code: 'RATE_LIMITED', step: 'reserve' },
    ];
    for (const { answer, status, code, step } of cases) {
      const id = String(answer.headers['x-request-id']);
      const link = status === 200 ? `/r/${id}` : problemOf(answer).instance;
      const credential = status === 200 ? owner : {};
      const asJson = visit(caller, link, { ...JSON_TYPE, ...credential });
      const asHtml = visit(caller, link, { ...HTML, ...credential });
      // oxlint-disable-next-line no-await-in-loop -- what is printed of a request stands together
      const [json, html] = await Promise.all([asJson, asHtml]);
      const explanation = JSON.parse(json.text) as Explanation;
      expect(explanation).toMatchObject({ request_id: id, status, code });
      const refusing = explanation.trace.find(({ verdict }) => verdict === 'refused');
      expect(refusing?.step).toBe(step);
      expect(html.status).toBe(200);
      expect(html.text).toContain(id);
      expect(html.text).toContain(code ?? '0.0010 USD');
      console.log({ status, code, verdict: explanation.verdict, step: refusing?.text });
    }

    const { money } = await read(caller, served, owner);
    expect(money).toMatchObject({ cost: '0.0010 USD', charged: '0.0010 USD' });
    const { fixes } = await read(caller, broke, owner);
    expect(fixes.length).toBeGreaterThan(0);
  });

  it('a request is shown to the owner of its key and to whoever holds its link, to nobody else', async () => {
    const { caller } = await startLab({ credit: '1.00' });
    const answer = await caller.call({ path: '/status' });
    const path = `/r/${String(answer.headers['x-request-id'])}`;
    const { id } = await caller.admin<{ id: string }>('/admin/tenants', { name: 'B', plan: 'lab' });
    const { key } = await caller.admin<{ key: string }>('/admin/keys', { tenant_id: id });
    expect((await caller.call({ path })).status).toBe(200);
    expect((await caller.call({ path, key })).status).toBe(404);
    expect((await caller.call({ path, key: undefined })).status).toBe(401);
  });
});

async function read(
  caller: GatewayCaller,
  answer: CallAnswer,
  headers: Readonly<Record<string, string>>,
): Promise<Explanation> {
  const path = `/r/${String(answer.headers['x-request-id'])}`;
  return JSON.parse((await visit(caller, path, { ...JSON_TYPE, ...headers })).text) as Explanation;
}

describe('documentation of codes (DOC-02)', () => {
  it('every code of the registry has its page on the running gateway, and no other has one', async () => {
    const { caller } = await startLab({ credit: '1.00' });
    const codes = Object.keys(CODES);
    const list = await visit(caller, '/errors', HTML);
    const pages = codes.map(async (code) => ({
      code,
      page: await visit(caller, `/errors/${code}`, HTML),
    }));
    for (const { code, page } of await Promise.all(pages)) {
      expect(page.status).toBe(200);
      expect(page.headers['content-type']).toContain('text/html');
      expect(page.text).toContain(code);
      expect(list.text).toContain(`/errors/${code}`);
    }
    console.log({ pages: codes.length });
    expect((await visit(caller, '/errors/NO_SUCH_CODE', HTML)).status).toBe(404);
  });
});

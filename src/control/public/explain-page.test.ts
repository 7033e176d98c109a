import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { buildBalance } from '../../../test/support/build-catalog.ts';
import {
  bearer,
  callForm,
  callJson,
  callPage,
  HTML,
  type PageCall,
} from '../../../test/support/call-pages.ts';
import { buildServedFacts, SERVED_OUTCOME } from '../../../test/support/served-facts.ts';
import {
  CATALOG,
  startPublicPages,
  type PublicPages,
} from '../../../test/support/start-public-pages.ts';
import type { Upstream } from '../../domain/catalog.ts';
import type { Facts } from '../../domain/facts.ts';
import { packFacts } from '../../domain/facts-record.ts';
import { requestId } from '../../platform/ids.ts';
import { PROBES_MAX } from './probe-store.ts';
import { signExplainLink } from './signed-links.ts';

let pages: PublicPages;
beforeAll(async () => {
  pages = await startPublicPages();
});
afterAll(() => pages.close());
const call = (path: string, options: PageCall = {}) => callPage(pages, path, options);

describe('DIAG-01: /r/{request_id}', () => {
  async function logged(members: Partial<Facts> = {}) {
    const owner = await pages.addTenant();
    const id = requestId(Date.now());
    const found = refusedFacts(id, owner.tenant.id, members);
    const identity = { ...found.identity, keyId: owner.key.id } as Facts['identity'];
    const facts = { ...found, identity };
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
    const paid = await callJson(pages, new URL(fix?.url ?? '').pathname, { pack: 'small' });
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

  it('DIAG-09: has a page for people without a key of their own, in the order in which they look', async () => {
    const { id, row, secret } = await logged();
    await pages.store.appendRequests([row]);
    const { json } = await call(`/r/${id}/guide`, { headers: bearer(secret) });
    expect((json['steps'] as { id: string }[]).map((step) => step.id)).toEqual([
      'context',
      'subscription',
      'payment_method',
      'usage',
      'cache',
      'support',
    ]);
    const signature = signExplainLink(id, pages.deps.signingSecret);
    const page = await call(`/r/${id}/guide?s=${signature}`, { accept: HTML });
    expect(page.text).toContain('The credit is used up.');
    expect(page.text).toContain(`href="/r/${id}?s=${signature}"`);
    expect((await call(`/r/${id}/guide`)).status).toBe(401);
  });

  it('DIAG-03..05: the checklist has the account and the key as they are now', async () => {
    const { id, row, secret, tenant, key } = await logged();
    await pages.store.appendRequests([row]);
    const payment = { ...tenant.terms.payment, overdueInvoices: ['inv_1'] };
    await pages.store.changeTenant(tenant.id, { terms: { payment } });
    const { json } = await call(`/r/${id}`, { headers: bearer(secret) });
    const steps = json['checklist'] as { id: string; verdict: string; items: { text: string }[] }[];
    const textsOf = (name: string) =>
      steps.find((step) => step.id === name)?.items.map(({ text }) => text);
    expect(textsOf('account')).toContain('Invoices: 1 invoice overdue (inv_1).');
    expect(textsOf('key')).toContain(`It is ${key.hint} (${key.id}).`);
    expect(json['limits']).toMatchObject([
      { name: 'Balance', counts: 'credit', verdict: 'refused' },
    ]);
    const page = await call(`/r/${id}`, { headers: bearer(secret), accept: HTML });
    for (const part of ['Eight steps to the cause', 'Invoices: 1 invoice overdue', key.hint]) {
      expect(page.text).toContain(part);
    }
  });

  it('DIAG-07: a dry run is one click, is kept, and charges nothing', async () => {
    const { id, row, secret, tenant } = await logged();
    await pages.store.appendRequests([row]);
    const signature = signExplainLink(id, pages.deps.signingSecret);
    const path = `/r/${id}/probe?s=${signature}`;
    const posted = await callForm(pages, path, { kind: 'same' });
    expect([posted.status, posted.headers['location']]).toEqual([
      303,
      `/r/${id}?s=${signature}#probe`,
    ]);
    const page = await call(`/r/${id}?s=${signature}`, { accept: HTML });
    expect(page.text).toContain('would be refused now with INSUFFICIENT_CREDITS');
    await pages.store.addGrant(
      {
        tenantId: tenant.id,
        asset: 'USD',
        amount: 1_000_000_000n,
        category: 'paid',
        priority: 50,
        effectiveAt: Date.now(),
        expiresAt: undefined,
        source: 'test',
        idempotencyKey: id,
      },
      Date.now(),
    );
    const again = await callJson(pages, path, { kind: 'cheaper' });
    expect(again.json).toMatchObject({ passes: true, status: 200, code: null, model: 'echo' });
    const { json } = await call(`/r/${id}`, { headers: bearer(secret) });
    expect(
      (json['probes'] as { kind: string; passes: boolean }[]).map(({ kind, passes }) => [
        kind,
        passes,
      ]),
    ).toEqual([
      ['same', false],
      ['cheaper', true],
    ]);
    const accounts = await pages.store.accounts(tenant.id, Date.now(), 1000);
    expect(accounts.map(({ spent }) => spent)).toEqual(accounts.map(() => 0n));
  });

  it.each([
    ['another kind', { kind: 'huge' }, '/kind'],
    ['another member', { kind: 'same', times: 5 }, '/kind'],
  ])('DIAG-07: refuses %s', async (_title, body, pointer) => {
    const { id, row } = await logged();
    await pages.store.appendRequests([row]);
    const signature = signExplainLink(id, pages.deps.signingSecret);
    const { status, json } = await callJson(pages, `/r/${id}/probe?s=${signature}`, body);
    expect([status, json['code']]).toEqual([400, 'INVALID_REQUEST']);
    expect(json['details']).toMatchObject({ pointer });
  });

  it('DIAG-07: keeps no more dry runs of one request than PROBES_MAX, also when they come at once', async () => {
    const { id, row } = await logged();
    await pages.store.appendRequests([row]);
    const signature = signExplainLink(id, pages.deps.signingSecret);
    const path = `/r/${id}/probe?s=${signature}`;
    const answers = await Promise.all(
      Array.from({ length: PROBES_MAX + 2 }, () => callJson(pages, path, { kind: 'reduced' })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(PROBES_MAX);
    const [over] = answers.filter(({ status }) => status !== 200);
    expect(String(over?.json['message'])).toContain('POST /v1/check');
    expect((await callJson(pages, path, { kind: 'x'.repeat(2000) })).status).toBe(413);
    const page = await call(`/r/${id}?s=${signature}`, { accept: HTML });
    expect(page.text).not.toContain('<button');
  });

  it('DIAG-08: one file for support, as JSON and as text, with the steps, the log and the versions', async () => {
    const { id, row, secret, key } = await logged();
    const another = requestId(Date.now());
    const other = servedFacts(another, row.tenantId);
    const identity = { ...other.identity, keyId: key.id } as Facts['identity'];
    const facts = { ...refusedFacts(id, row.tenantId, {}), identity };
    await pages.store.appendRequests([
      { ...row, facts: packFacts(facts) },
      {
        ...row,
        requestId: another,
        status: 200,
        code: '',
        facts: packFacts({ ...other, identity }),
      },
    ]);
    const { status, headers, json } = await call(`/r/${id}/bundle`, { headers: bearer(secret) });
    expect(status).toBe(200);
    expect(headers['content-disposition']).toBe(`attachment; filename="${id}.json"`);
    expect(json).toMatchObject({
      versions: { tollkeeper: '0.0.0-test', problem: '1', configuration_then: '0123456789ab' },
      account: { tenant_id: row.tenantId, key: { id: key.id, hint: key.hint } },
      error: { status: 402, code: 'INSUFFICIENT_CREDITS' },
      timestamps: { received: new Date(facts.at).toISOString() },
      explanation: { checklist: { length: 8 } },
      log: {
        row: { requestId: id },
        same_key: expect.arrayContaining([
          expect.objectContaining({ request_id: id, status: 402 }),
          expect.objectContaining({ request_id: another, status: 200, code: null }),
        ]),
      },
    });
    const text = await call(`/r/${id}/bundle?format=text`, { headers: bearer(secret) });
    expect(text.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(text.text).toContain(`\n  code: INSUFFICIENT_CREDITS\n`);
    expect((await call(`/r/${id}/bundle`)).status).toBe(401);
  });

  it('DIAG-08: no secret is in any of it, wherever one was planted', async () => {
    const planted = {
      key: 'tk_live_0123456789abcdefghijABCDEFGHIJ012345',
      cookie: 'session=plantedCookie; other=plantedOther',
      credential: 'plantedUpstreamCredential',
      password: 'plantedPassword',
      provider: 'sk-proj-plantedProviderKey1234567890',
    };
    const upstream: Upstream = {
      id: 'main',
      targets: [],
      health: { path: undefined, intervalMs: 1, timeoutMs: 1, unhealthyAfter: 1, healthyAfter: 1 },
      credentials: [{ name: 'authorization', value: `Bearer ${planted.credential}` }],
    };
    const secretive = await startPublicPages({
      catalog: () => ({ ...CATALOG, upstreams: new Map([['main', upstream]]) }),
    });
    const { tenant, secret } = await secretive.addTenant();
    const id = requestId(Date.now());
    const facts = refusedFacts(id, tenant.id, {
      path: `/x/${planted.key}/${planted.credential}`,
      reservation: { kind: 'held' },
      forwarding: {
        code: 'UPSTREAM_FAILED',
        problem: `got Authorization: Bearer ${planted.credential} and Cookie: ${planted.cookie}`,
        pointer: undefined,
        upstream: { provider: 'OpenAI', message: `Incorrect API key: ${planted.provider}` },
      },
    });
    const outcome = facts.outcome && {
      ...facts.outcome,
      target: `https://user:${planted.password}@upstream.example/v1?api_key=${planted.credential}`,
    };
    const row = {
      requestId: id,
      at: facts.at,
      tenantId: tenant.id,
      status: 502,
      code: 'UPSTREAM_FAILED',
    };
    await secretive.store.appendRequests([{ ...row, facts: packFacts({ ...facts, outcome }) }]);
    const signature = signExplainLink(id, secretive.deps.signingSecret);
    const owner = { headers: bearer(secret) };
    const shown = await Promise.all([
      callPage(secretive, `/r/${id}/bundle`, owner),
      callPage(secretive, `/r/${id}/bundle?format=text`, owner),
      callPage(secretive, `/r/${id}`, owner),
      callPage(secretive, `/r/${id}`, { ...owner, accept: HTML }),
      callPage(secretive, `/r/${id}/guide?s=${signature}`, { accept: HTML }),
    ]);
    for (const { status, text } of shown) {
      expect(status).toBe(200);
      expect(text).not.toMatch(/planted|0123456789abcdefghij/);
      expect(text).not.toContain(secret);
      expect(text).toMatch(/upstream failed/i);
    }
    expect(shown[0]?.text).toContain('tk_live_...2345');
    await secretive.close();
  });

  it('shows hostile paths and models as text', async () => {
    const { id, row, secret } = await logged({ path: '/<img src=x onerror=alert(1)>' });
    await pages.store.appendRequests([row]);
    const { text } = await call(`/r/${id}`, { headers: bearer(secret), accept: HTML });
    expect(text).not.toContain('<img');
    expect(text).toContain('&lt;img src=x onerror=alert(1)&gt;');
  });
});

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

const OUTCOME = { ...SERVED_OUTCOME, costNano: 11_700_000 };

/** Of a tenant whose credit is nearly used up. */
function servedFacts(id: string, tenantId: string): Facts {
  const balance = { need: 42_000_000, allowance: 5_000_000, spent: 1_900_000 };
  return buildServedFacts(tenantId, {
    requestId: id,
    limits: [buildBalance({ accountId: `bal:${tenantId}:USD`, ...balance })],
    outcome: OUTCOME,
  });
}

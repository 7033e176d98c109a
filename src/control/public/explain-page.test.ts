import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  bearer,
  callJson,
  callPage,
  HTML,
  type PageCall,
} from '../../../test/support/call-pages.ts';
import { startPublicPages, type PublicPages } from '../../../test/support/start-public-pages.ts';
import type { Facts } from '../../domain/facts.ts';
import { packFacts } from '../../domain/facts-record.ts';
import { requestId } from '../../platform/ids.ts';
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
      operation: 'chat',
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
    authorization: undefined,
    understanding: undefined,
    standing: undefined,
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
    take: undefined,
    agreed: undefined,
    enforcement: 'enforce',
    storm: undefined,
    forwarding: undefined,
    outcome: OUTCOME,
  };
}

import { describe, expect, it } from 'vitest';

import type { Code } from '../src/contract/codes.ts';
import { checkExplained, type Explanation } from './support/check-explained.ts';
import { createCustomer } from './support/customers.ts';
import {
  type Call,
  type CallAnswer,
  type GatewayCaller,
  problemOf,
} from './support/gateway-caller.ts';
import { startLab } from './support/start-lab.ts';

const STATUS: Call = { path: '/status' };
const PAID = 'price: 0.001 USD / request';
const ECHO = 'rewrite: { pattern: "^.*$", with: "/echo-headers" }';
const ROUTES = [
  `{ name: audit, path: /audit, ${PAID}, ${ECHO}, role: auditor }`,
  `{ name: reports, path: /reports, ${PAID}, ${ECHO}, requires: [{ feature: reports, when: { query: { full: true } } }] }`,
  `{ name: course, path: /course, ${PAID}, ${ECHO}, requires: [{ purchase: course-7 }] }`,
];

function pathOf(url: string): string {
  const { pathname, search } = new URL(url, 'http://gateway.test');
  return pathname + search;
}

/** The page its own answer links to, opened without a key. */
async function readOwn(caller: GatewayCaller, answer: CallAnswer): Promise<Explanation> {
  const path = pathOf(problemOf(answer).instance);
  const read = await caller.call({ path, key: undefined, headers: { accept: 'application/json' } });
  expect(read.status).toBe(200);
  return JSON.parse(read.text) as Explanation;
}

/** Pays at the link of a refusal, and sends the very same call again. */
async function payAndRepeat(
  caller: GatewayCaller,
  answer: CallAnswer,
  purchase: object,
  call: Call,
): Promise<CallAnswer> {
  const path = pathOf(problemOf(answer).resolution_url);
  const paid = await caller.call({ path, body: purchase, key: undefined });
  expect(JSON.parse(paid.text)).toMatchObject({ paid: true, in_force: true });
  return caller.call(call);
}

describe('DIAG-01..08: what the running gateway refused is explained by its own log', () => {
  it('each with the step, the reason, a way out, and the eight steps', async () => {
    const { caller } = await startLab({ credit: '1.00', routes: ROUTES });
    const { key, tenantId, keyId } = await createCustomer(caller, { plan: 'lab', credit: '0.002' });
    const change = (path: string, terms: object) => caller.admin(path, terms, 'PATCH');
    const tenant = (terms: object) => change(`/admin/tenants/${tenantId}`, terms);
    const cases: readonly (readonly [Code, string, RegExp, Call, object?])[] = [
      ['ROUTE_NOT_FOUND', 'route', /\/nowhere/, { path: '/nowhere' }],
      ['FORBIDDEN_ROLE', 'authorize', /role auditor/, { path: '/audit' }],
      ['MODEL_NOT_FOUND', 'understand', /nothing/, chat('nothing')],
      ['FEATURE_NOT_AVAILABLE', 'entitle', /feature reports/, { path: '/reports?full=true' }],
      ['FEATURE_NOT_AVAILABLE', 'entitle', /course-7 was not bought/, { path: '/course' }],
      ['INVOICE_OVERDUE', 'stand', /inv_9/, STATUS, { payment: { overdue_invoices: ['inv_9'] } }],
      [
        'SUBSCRIPTION_PAUSED',
        'stand',
        /paused/,
        STATUS,
        { payment: { overdue_invoices: [] }, subscription: { state: 'paused' } },
      ],
      [
        'ACCOUNT_SUSPENDED',
        'authorize',
        /suspended/i,
        STATUS,
        { subscription: { state: 'active' }, account_state: 'suspended' },
      ],
    ];
    for (const [code, step, reason, call, terms] of cases) {
      // oxlint-disable-next-line no-await-in-loop -- what is agreed holds for the calls after it
      if (terms !== undefined) await tenant(terms);
      // oxlint-disable-next-line no-await-in-loop -- as above
      const answer = await caller.call({ ...call, key });
      const { request_id: id } = problemOf(answer);
      // oxlint-disable-next-line no-await-in-loop -- as above
      const { trace } = await checkExplained(caller, id, code);
      const refused = trace.find(({ verdict }) => verdict === 'refused');
      expect([code, refused?.step]).toEqual([code, step]);
      expect(refused?.text).toMatch(reason);
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(await readOwn(caller, answer)).toMatchObject({ request_id: id, code });
    }
    await tenant({ account_state: 'active' });
    await change(`/admin/keys/${keyId}`, { operations: ['own.reports'] });
    const denied = problemOf(await caller.call({ ...STATUS, key }));
    const { checklist } = await checkExplained(caller, denied.request_id, 'KEY_PERMISSION_DENIED');
    expect(checklist.find(({ id }) => id === 'key')?.items.map(({ text }) => text)).toContain(
      'Its operations: own.reports.',
    );
  });

  it('what was only observed is explained as served, and the way out is the same (EVID-01)', async () => {
    const { caller } = await startLab({
      credit: '1.00',
      plan: ['limits: [{ requests: 1, per: month }]', 'enforcement: observe'],
    });
    await caller.call(STATUS);
    const observed = await caller.call(STATUS);
    expect(observed.status).toBe(200);
    const id = String(observed.headers['x-request-id']);
    const row = await caller.admin<{ explanation: Explanation }>(`/admin/requests/${id}`);
    expect(row.explanation).toMatchObject({
      result: 'served',
      code: null,
      would_refuse: 'REQUEST_QUOTA_EXCEEDED',
      decided_again: { agrees: true },
      money: null,
    });
    expect(row.explanation.verdict).toContain('used 1 of 1 request a month');
    expect(row.explanation.trace.map(({ verdict }) => verdict)).toContain('would_refuse');
  });

  it('DIAG-07: the dry run of a refused request says what the next call gets', async () => {
    const { caller } = await startLab({ credit: '0.001' });
    await caller.call(STATUS);
    const refused = await caller.call(STATUS);
    const [page = '', query = ''] = pathOf(problemOf(refused).instance).split('?');
    const probe = async () => {
      const path = `${page}/probe?${query}`;
      const answer = await caller.call({ path, body: { kind: 'same' }, key: undefined });
      return JSON.parse(answer.text) as { passes: boolean; code: string | null };
    };
    expect(await probe()).toMatchObject({ passes: false, code: 'INSUFFICIENT_CREDITS' });
    expect((await payAndRepeat(caller, refused, { pack: 'small' }, STATUS)).status).toBe(200);
    expect(await probe()).toMatchObject({ passes: true, code: null });
  });

  it('DIAG-02: the answer it gave is understood when it is pasted, and links to its explanation', async () => {
    const { caller } = await startLab({ credit: '0.001' });
    await caller.call(STATUS);
    const refused = await caller.call(STATUS);
    const path = '/v1/diagnose';
    const said = await caller.call({ path, body: { response: refused.text }, key: undefined });
    const diagnosis = JSON.parse(said.text) as Record<string, unknown>;
    expect(diagnosis).toMatchObject({
      recognised: 'tollkeeper',
      code: 'INSUFFICIENT_CREDITS',
      retry: { helps: false },
    });
    const explained = await caller.call({
      path: pathOf(String(diagnosis['explain_url'])),
      key: undefined,
    });
    expect(explained.status).toBe(200);
  });
});

describe('DEG-06, C402-04: paying at the link restores the service for the very next call', () => {
  it('of an overdue account', async () => {
    const { caller } = await startLab({ credit: '1.00' });
    const tenantId = await caller.tenantId();
    const payment = { overdue_invoices: ['inv_1', 'inv_2'] };
    await caller.admin(`/admin/tenants/${tenantId}`, { payment }, 'PATCH');
    const refused = await caller.call(STATUS);
    expect(problemOf(refused).code).toBe('INVOICE_OVERDUE');
    expect((await payAndRepeat(caller, refused, { pay: 'due' }, STATUS)).status).toBe(200);
  });

  it('of a lapsed subscription, with the plan that is offered', async () => {
    const { caller } = await startLab({ credit: '1.00' });
    const tenantId = await caller.tenantId();
    const subscription = { state: 'active', ends_at: '2026-01-01T00:00:00Z' };
    await caller.admin(`/admin/tenants/${tenantId}`, { subscription }, 'PATCH');
    const refused = await caller.call(STATUS);
    const { code, details } = problemOf(refused);
    expect(code).toBe('SUBSCRIPTION_EXPIRED');
    const [option] = details.upgrade_options ?? [];
    const page = await caller.call({
      path: pathOf(option?.url ?? ''),
      key: undefined,
      headers: { accept: 'text/html' },
    });
    expect(page.text).toContain(`Your choice: <bdi>${option?.title}</bdi>`);
    const purchase = { [option?.kind ?? '']: option?.id };
    expect((await payAndRepeat(caller, refused, purchase, STATUS)).status).toBe(200);
  });
});

function chat(model: string): Call {
  const messages = [{ role: 'user', content: 'hi' }];
  return { path: '/v1/chat/completions', body: { model, max_tokens: 4, messages } };
}

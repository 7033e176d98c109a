import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CODES, type Code } from '../src/contract/codes.ts';
import { decide } from '../src/domain/decide.ts';
import { finalCode, findOffers } from '../src/domain/offers.ts';
import type { Facts } from '../src/domain/facts.ts';
import { checkProblem } from './support/check-problem.ts';
import { createCustomer, type CustomerOptions } from './support/customers.ts';
import { type Call, type CallAnswer, GatewayCaller, problemOf } from './support/gateway-caller.ts';
import { askRaw } from './support/raw-answer.ts';
import { RawConnection } from './support/raw-connection.ts';
import {
  BODY_BYTES_MAX,
  type RefusalLab,
  startRefusalLab,
  STORM_PER_MINUTE,
} from './support/refusal-lab.ts';
import { startGateway } from './support/start-gateway.ts';
import { waitFor } from './support/wait-for.ts';

let lab: RefusalLab;
let caller: GatewayCaller;

beforeAll(async () => {
  lab = await startRefusalLab();
  caller = lab.caller;
});
afterAll(() => lab.close());

const STATUS: Call = { path: '/status' };
const RICH: CustomerOptions = { plan: 'open', credit: '1.00' };

function chat(members: object): Call {
  const body = { model: 'm', max_tokens: 4, messages: [{ role: 'user', content: 'hi' }] };
  return { path: '/v1/chat/completions', body: { ...body, ...members } };
}

function check(answer: CallAnswer, code: Code, dialect: 'plain' | 'openai' = 'plain') {
  const body = checkProblem(answer, code, dialect);
  return body;
}

/** I8: what the log row decides again is what was answered. */
async function checkLog(answer: CallAnswer, code: Code): Promise<Facts> {
  const id = String(answer.headers['x-request-id']);
  const row = await caller.admin<{ facts: Facts; status: number; code: string }>(
    `/admin/requests/${id}`,
  );
  const decision = decide(row.facts);
  if (decision.kind === 'admit') throw new Error(`${id} was refused and the log admits it`);
  const again = finalCode(decision, findOffers(row.facts, decision, lab.catalog));
  expect({ again, logged: row.code, status: row.status }).toEqual({
    again: code,
    logged: code,
    status: CODES[code].status,
  });
  expect(row.facts.outcome).toMatchObject({ ending: 'refused', costNano: 0 });
  return row.facts;
}

/** C402-07: buying the first thing on offer, as the link says, makes the very same call succeed. */
async function payAndRetry(answer: CallAnswer, call: Call, key: string): Promise<void> {
  const { details, resolution_url } = problemOf(answer);
  const [offer] = details.upgrade_options ?? [];
  expect(offer).toBeDefined();
  const paid = await fetch(resolution_url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ [offer?.kind ?? '']: offer?.id }),
  });
  expect(await paid.json()).toMatchObject({ paid: true, in_force: true });
  expect((await caller.call({ ...call, key })).status).toBe(200);
}

async function useUp(call: Call | undefined, key: string): Promise<void> {
  if (call === undefined) return;
  const { status, text } = await caller.call({ ...call, key });
  if (status !== 200) throw new Error(`${call.path} was to be served: ${status} ${text}`);
}

interface Case {
  readonly title: string;
  readonly code: Code;
  readonly who?: CustomerOptions;
  /** Served before, to use an allowance up. */
  readonly before?: Call;
  readonly call: Call;
  readonly dialect?: 'openai';
  readonly details: object;
  readonly action: string;
  readonly retryKind?: string;
  /** Nothing is on sale that would lift it. */
  readonly unliftable?: true;
}

const FINANCIAL: readonly Case[] = [
  {
    title: 'no credit for a priced route',
    code: 'INSUFFICIENT_CREDITS',
    who: { plan: 'open', credit: '0.0004' },
    call: STATUS,
    details: { needed: '0.0010 USD', available: '0.0004 USD', remaining: '0.0004 USD' },
    action: 'buy_credits',
  },
  {
    title: 'C402-23: no credit for a model',
    code: 'INSUFFICIENT_CREDITS',
    who: { plan: 'open', credit: '0.000001' },
    call: chat({}),
    dialect: 'openai',
    details: { available: '0.000001 USD', current_plan: 'open' },
    action: 'buy_credits',
  },
  {
    title: 'request quota used up',
    code: 'REQUEST_QUOTA_EXCEEDED',
    who: { plan: 'few', credit: '1.00' },
    before: STATUS,
    call: STATUS,
    details: {
      exceeded_limit_type: 'requests_per_month',
      current_usage: 1,
      allowed_usage: 1,
      remaining: 0,
      resets_at: '2026-12-01T00:00:00.000Z',
    },
    action: 'upgrade_plan',
    retryKind: 'after_reset',
  },
  {
    title: 'the quota of a free plan used up',
    code: 'FREE_TIER_EXHAUSTED',
    who: { plan: 'gratis', credit: '1.00' },
    before: STATUS,
    call: chat({}),
    dialect: 'openai',
    details: { current_plan: 'gratis', current_usage: 1, allowed_usage: 1 },
    action: 'upgrade_plan',
    retryKind: 'after_reset',
  },
  {
    title: 'token quota too small for this call',
    code: 'TOKEN_QUOTA_EXCEEDED',
    who: { plan: 'wordy', credit: '1.00' },
    call: chat({ max_tokens: 60 }),
    dialect: 'openai',
    details: { exceeded_limit_type: 'tokens_per_day', current_usage: 0, allowed_usage: 20 },
    // C402-21: tomorrow it is too small again.
    action: 'upgrade_plan',
  },
  {
    title: 'spending limit of the plan',
    code: 'SPENDING_LIMIT_REACHED',
    who: { plan: 'thrifty', credit: '1.00' },
    before: STATUS,
    call: STATUS,
    details: {
      scope: 'tenant',
      unit: 'USD',
      current_usage: '0.0010 USD',
      allowed_usage: '0.0015 USD',
    },
    action: 'raise_spending_limit',
    retryKind: 'after_reset',
  },
  {
    title: "QUOTA-03: the key's own budget",
    code: 'SPENDING_LIMIT_REACHED',
    who: { ...RICH, budget: '0.0005' },
    call: STATUS,
    details: { scope: 'key', unit: 'USD', allowed_usage: '0.0005 USD', upgrade_options: [] },
    action: 'raise_spending_limit',
    unliftable: true,
  },
  {
    title: 'C402-15: a model that another plan includes',
    code: 'MODEL_NOT_IN_PLAN',
    who: RICH,
    call: chat({ model: 'big' }),
    dialect: 'openai',
    details: { model: 'big', current_plan: 'open', required_plan: 'Bigger' },
    action: 'upgrade_plan',
  },
  {
    title: 'C402-15: a feature that another plan includes',
    code: 'FEATURE_NOT_IN_PLAN',
    who: RICH,
    call: { path: '/lookup/acme' },
    details: { feature: 'reports', current_plan: 'open', required_plan: 'Bigger' },
    action: 'upgrade_plan',
  },
  {
    title: 'REQUIREMENTS "402 or 429": commercial and protective limit exceeded at once',
    code: 'REQUEST_QUOTA_EXCEEDED',
    who: { plan: 'both', credit: '1.00' },
    before: STATUS,
    call: STATUS,
    details: { exceeded_limit_type: 'requests_per_month', remaining: 0 },
    action: 'upgrade_plan',
    retryKind: 'after_reset',
  },
];

describe('I8, C402: a 402 has its code, its numbers and a way out, reaches no upstream, costs nothing, and the log decides it again', () => {
  it.each(FINANCIAL)('$code: $title', async (row) => {
    const { key } = await createCustomer(caller, row.who ?? RICH);
    await useUp(row.before, key);
    const usage = await caller.usage(key);
    const reached = lab.countUpstream();
    const answer = await caller.call({ ...row.call, key });
    const body = check(answer, row.code, row.dialect);
    // C402-05, C402-06, C402-21.
    expect(body.details).toMatchObject(row.details);
    expect(body.action).toBe(row.action);
    expect(body.retry.kind).toBe(row.retryKind ?? 'never_until_action');
    // GW-05, and nothing is counted or charged.
    expect(lab.countUpstream()).toBe(reached);
    const { balance, limits } = await caller.usage(key);
    expect({ balance, limits }).toEqual({ balance: usage.balance, limits: usage.limits });
    const facts = await checkLog(answer, row.code);
    expect(facts.identity).toMatchObject({ kind: 'key' });
    // C402-08, DOC-02.
    const page = await fetch(body.documentation_url);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain(row.code);
    if (row.unliftable === undefined) await payAndRetry(answer, row.call, key);
  });

  it('GW-05: a hundred refused calls reach no upstream', async () => {
    const { key } = await createCustomer(caller, { plan: 'open' });
    const reached = lab.countUpstream();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        caller.call({ ...(index % 2 === 0 ? STATUS : chat({})), key }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toEqual([]);
    expect(lab.countUpstream()).toBe(reached);
  });
});

const OTHERS: readonly Omit<Case, 'action'>[] = [
  {
    title: 'no purchase on sale includes the model',
    code: 'MODEL_NOT_AVAILABLE',
    call: chat({ model: 'secret' }),
    dialect: 'openai',
    details: { model: 'secret' },
  },
  {
    title: 'no purchase on sale includes the feature',
    code: 'FEATURE_NOT_AVAILABLE',
    call: { path: '/weather' },
    details: { feature: 'vault' },
  },
  { title: 'C402-17', code: 'ROUTE_NOT_FOUND', call: { path: '/nowhere' }, details: {} },
  {
    title: 'the method is named that works',
    code: 'METHOD_NOT_ALLOWED',
    call: { path: '/status', method: 'DELETE' },
    details: { allowed_methods: ['GET', 'HEAD'] },
  },
  {
    title: 'the model does not exist',
    code: 'MODEL_NOT_FOUND',
    call: chat({ model: 'nothing' }),
    dialect: 'openai',
    details: { model: 'nothing' },
  },
  {
    title: 'LLM-19: a wrong type',
    code: 'INVALID_REQUEST',
    call: chat({ messages: 'hi' }),
    dialect: 'openai',
    details: { pointer: '/messages' },
  },
  {
    title: 'longer than the window of the model',
    code: 'CONTEXT_LENGTH_EXCEEDED',
    call: chat({ messages: [{ role: 'user', content: 'word '.repeat(400) }] }),
    dialect: 'openai',
    details: { model: 'm', allowed_usage: 256 },
  },
  {
    title: 'a path that cannot be read',
    code: 'MALFORMED_REQUEST',
    call: { path: '/status%zz' },
    details: { reason: expect.any(String) },
  },
  {
    title: 'a body over the bound of its route',
    code: 'BODY_TOO_LARGE',
    call: { path: '/enrich', body: { text: 'x'.repeat(BODY_BYTES_MAX) } },
    details: { allowed_bytes: BODY_BYTES_MAX },
  },
  {
    title: 'its own output bound alone is longer than the window',
    code: 'CONTEXT_LENGTH_EXCEEDED',
    call: chat({ max_tokens: 1000 }),
    dialect: 'openai',
    details: { needed: expect.any(Number), allowed_usage: 256 },
  },
  {
    title: 'C402-18: faster than the plan protects',
    code: 'RATE_LIMITED',
    who: { plan: 'hasty', credit: '1.00' },
    before: STATUS,
    call: STATUS,
    details: { allowed_usage: 1, window: 'minute', scope: 'tenant' },
  },
];

describe('a refusal that no money lifts is not a 402, reaches no upstream and costs nothing', () => {
  it.each(OTHERS)('$code: $title', async (row) => {
    const { key } = await createCustomer(caller, row.who ?? RICH);
    await useUp(row.before, key);
    const { balance, limits } = await caller.usage(key);
    const reached = lab.countUpstream();
    const answer = await caller.call({ ...row.call, key });
    const body = check(answer, row.code, row.dialect);
    expect(body.details).toMatchObject(row.details);
    expect(lab.countUpstream()).toBe(reached);
    expect(await caller.usage(key)).toMatchObject({ balance, limits });
    await checkLog(answer, row.code);
  });
});

describe('C402-19: what is wrong with the upstream is 5xx, and is not charged', () => {
  it.each([
    ['UPSTREAM_UNAVAILABLE', 'nothing listens there', '/dead'],
    ['UPSTREAM_FAILED', 'it breaks off', '/broken'],
    ['UPSTREAM_TIMEOUT', 'it does not answer in time', '/silent'],
    [
      'UPSTREAM_PROVIDER_QUOTA_EXHAUSTED',
      "it wants money itself: the provider's matter",
      '/unpaid',
    ],
  ] as const)('%s: %s', async (code, _, path) => {
    const { key } = await createCustomer(caller, RICH);
    const answer = await caller.call({ path, key });
    const body = check(answer, code);
    expect(body.retryable).toBe(true);
    await checkLog(answer, code);
    const { balance } = await caller.usage(key);
    expect(balance).toMatchObject({ settled: '1.00', held: '0.00', available: '1.00' });
  });
});

describe('C402-13: 401 says which, and nothing about money', () => {
  it.each([
    ['KEY_MISSING', 'no key', undefined, ''],
    ['KEY_UNKNOWN', 'no key of ours', 'sk-something', ', error="invalid_token"'],
    ['KEY_UNKNOWN', 'a typing error', `tk_test_${'A'.repeat(36)}`, ', error="invalid_token"'],
  ] as const)('%s: %s', async (code, _, key, error) => {
    for (const [call, dialect] of [
      [STATUS, 'plain'],
      [chat({}), 'openai'],
    ] as const) {
      const answer = await caller.call({ ...call, key });
      const body = check(answer, code, dialect);
      expect(body.payment).toBeUndefined();
      expect(answer.headers['www-authenticate']).toBe(`Bearer realm="tollkeeper"${error}`);
      const facts = await checkLog(answer, code);
      expect(facts.limits).toEqual([]);
    }
  });

  it('KEY_REVOKED: with the time, on every worker when the revocation is answered (KEY-01)', async () => {
    const { key, keyId } = await createCustomer(caller, RICH);
    expect((await caller.call({ ...STATUS, key })).status).toBe(200);
    await caller.admin(`/admin/keys/${keyId}/revoke`, {});
    for (let connection = 0; connection < 6; connection += 1) {
      const fresh = new GatewayCaller(lab.gateway, 1);
      const answer = await fresh.call({ ...STATUS, key });
      fresh.close();
      const body = check(answer, 'KEY_REVOKED');
      expect(body.details.revoked_at).toMatch(/^2026-11-15T/);
      await checkLog(answer, 'KEY_REVOKED');
    }
  });

  it('KEY_EXPIRED: from its moment on', async () => {
    const { as_of: now } = JSON.parse((await caller.call({ path: '/v1/usage' })).text) as {
      as_of: string;
    };
    const expires = new Date(Date.parse(now) + 1500).toISOString();
    const { key } = await createCustomer(caller, { ...RICH, expires });
    expect((await caller.call({ ...STATUS, key })).status).toBe(200);
    const answer = await waitFor(
      async () => {
        const each = await caller.call({ ...STATUS, key });
        return each.status !== 200 && each;
      },
      { timeoutMs: 10_000, what: 'the key to expire' },
    );
    expect(check(answer, 'KEY_EXPIRED').details.expired_at).toBe(expires);
    await checkLog(answer, 'KEY_EXPIRED');
  });
});

describe('GW-02: the first failing step decides', () => {
  const exhausted: CustomerOptions = { plan: 'few' };

  it.each<readonly [string, Call, Code]>([
    ['route before identity', { path: '/nowhere', key: 'sk-x' }, 'ROUTE_NOT_FOUND'],
    ['identity before payload', { ...chat({ messages: 1 }), key: 'sk-x' }, 'KEY_UNKNOWN'],
    ['identity before money', { ...STATUS, key: 'sk-x' }, 'KEY_UNKNOWN'],
    ['payload before money', chat({ messages: 1 }), 'INVALID_REQUEST'],
    ['model before money', chat({ model: 'big' }), 'MODEL_NOT_IN_PLAN'],
    ['403 before money', chat({ model: 'secret' }), 'MODEL_NOT_AVAILABLE'],
    ['feature before money', { path: '/lookup/acme' }, 'FEATURE_NOT_IN_PLAN'],
    ['money before the upstream', { path: '/dead' }, 'INSUFFICIENT_CREDITS'],
  ])('%s', async (_, call, code) => {
    const { key } = await createCustomer(caller, exhausted);
    const answer = await caller.call({ key, ...call });
    const isLlm = call.path.startsWith('/v1/');
    check(answer, code, isLlm ? 'openai' : 'plain');
    const { reservation } = await checkLog(answer, code);
    expect(reservation?.kind).toBe(code === 'INSUFFICIENT_CREDITS' ? 'short' : undefined);
  });
});

describe('QUOTA-13: a client that repeats a 402 in a loop', () => {
  it(`PAYMENT_RETRY_STORM: 402 for the first and ${STORM_PER_MINUTE} repeats, then 429, for this key and cause alone`, async () => {
    const { key, tenantId } = await createCustomer(caller, { plan: 'open' });
    const statuses: number[] = [];
    let last: CallAnswer | undefined;
    for (let call = 0; call < STORM_PER_MINUTE + 4; call += 1) {
      last = await caller.call({ ...STATUS, key });
      statuses.push(last.status);
    }
    console.log({ storm: statuses.join(' ') });
    const first = statuses.indexOf(429);
    expect(statuses.slice(0, first)).toEqual(statuses.slice(0, first).map(() => 402));
    expect(statuses.slice(first)).toEqual(statuses.slice(first).map(() => 429));
    expect(first).toBe(STORM_PER_MINUTE + 1);
    if (last === undefined) throw new Error('nothing was called');
    const body = check(last, 'PAYMENT_RETRY_STORM');
    expect(body.details.cause).toBe('INSUFFICIENT_CREDITS');
    await checkLog(last, 'PAYMENT_RETRY_STORM');
    // Another cause has its own count, and what lifts the 402 lifts the storm.
    const other = await caller.call({ path: '/lookup/acme', key });
    expect(problemOf(other).code).toBe('FEATURE_NOT_IN_PLAN');
    await caller.admin(`/admin/tenants/${tenantId}/grants`, { amount: '1.00' });
    expect((await caller.call({ ...STATUS, key })).status).toBe(200);
  });
});

describe('the public pages and the admin API refuse in the same body', () => {
  it.each<readonly [Code, Call]>([
    ['NOT_FOUND', { path: '/pay/pl_forged' }],
    ['NOT_FOUND', { path: '/errors/NOPE', headers: { accept: 'application/json' } }],
    ['NOT_FOUND', { path: '/r/req_0' }],
  ])('%s: %o', async (code, call) => {
    expect(check(await caller.call(call), code).details).not.toHaveProperty('available');
  });

  interface AdminCall {
    readonly path: string;
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string>>;
    readonly token?: string;
  }
  async function askAdmin({ path, body, headers = {}, token }: AdminCall): Promise<CallAnswer> {
    const own = readFileSync(lab.gateway.admin_token_file, 'utf8').trim();
    const answer = await fetch(lab.gateway.admin + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token ?? own}`,
        'content-type': 'application/json',
        'idempotency-key': 'once',
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: Object.fromEntries(answer.headers), text };
  }

  it.each<readonly [Code, AdminCall]>([
    ['ADMIN_TOKEN_INVALID', { path: '/admin/tenants', token: 'guess' }],
    ['HOST_NOT_ALLOWED', { path: '/admin/tenants', body: {}, headers: { origin: 'http://evil' } }],
    ['TENANT_NOT_FOUND', { path: '/admin/tenants/ten_0' }],
    ['KEY_NOT_FOUND', { path: '/admin/keys/key_0/revoke', body: {} }],
    ['PLAN_NOT_FOUND', { path: '/admin/tenants', body: { name: 'A', plan: 'opne' } }],
    ['INVALID_REQUEST', { path: '/admin/tenants', body: { name: 7, plan: 'open' } }],
    ['NOT_FOUND', { path: '/admin/nothing' }],
    ['METHOD_NOT_ALLOWED', { path: '/admin/config', body: {} }],
  ])('%s: %o', async (code, call) => {
    expect(check(await askAdmin(call), code).payment).toBeUndefined();
  });

  it('IDEMPOTENCY_CONFLICT: the same key with another body changes nothing', async () => {
    const { tenantId, key } = await createCustomer(caller, { plan: 'open' });
    const path = `/admin/tenants/${tenantId}/grants`;
    const headers = { 'idempotency-key': `grant-${tenantId}` };
    const ask = (amount: string) => askAdmin({ path, headers, body: { amount } });
    const [first, again, other] = [await ask('1.00'), await ask('1.00'), await ask('2.00')];
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.text).toBe(first.text);
    check(other, 'IDEMPOTENCY_CONFLICT');
    expect((await caller.usage(key)).balance.settled).toBe('1.00');
  });
});

describe('bounds of the connection itself', () => {
  const CONFIG = `
version: 1
server: { header_timeout: 300ms, header_max: 4KiB, connections_max: 2 }
upstreams: { own: { url: "builtin:demo" } }
apis: { own: { upstream: own, routes: [{ name: status, path: /status }] } }
plans: { open: { title: Open, price: 9.00 USD / month } }
demo: { customer: { plan: open }, credit: 1.00 USD }
`;

  it('REQUEST_TIMEOUT, HEADERS_TOO_LARGE, MALFORMED_REQUEST, OVERLOADED', async () => {
    const env = { TOLLKEEPER_LOG_LEVEL: 'error' };
    const gateway = await startGateway({ config: CONFIG, args: ['--workers', '1'], env });
    const port = Number(new URL(gateway.gateway).port);
    const ask = (bytes: string): Promise<CallAnswer> => askRaw(port, bytes);
    const idle: RawConnection[] = [];
    try {
      const long = `GET /status HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(8192)}\r\n\r\n`;
      const refused = [
        check(await ask('GET /status HTTP/1.1\r\nHo'), 'REQUEST_TIMEOUT'),
        check(await ask(long), 'HEADERS_TOO_LARGE'),
        check(await ask('GET /status HTTP/1.1\r\n\r\n'), 'MALFORMED_REQUEST'),
      ];
      idle.push(await RawConnection.open(port), await RawConnection.open(port));
      refused.push(check(await ask('GET /status HTTP/1.1\r\nHost: a\r\n\r\n'), 'OVERLOADED'));
      expect(refused.map(({ status }) => status)).toEqual([408, 431, 400, 503]);
    } finally {
      for (const connection of idle) connection.destroy();
      await gateway.stop();
    }
  });
});

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CODES, type Code } from '../src/contract/codes.ts';
import type { ProblemForm } from '../src/contract/dialects.ts';
import { type CodeLab, startCodeLab, STORM_AFTER } from './support/code-lab.ts';
import { createCustomer, type Customer, type CustomerOptions } from './support/customers.ts';
import { ALL_FORMS, checkForm, FORMS, hostFor, languageFor } from './support/forms.ts';
import { type Call, type CallAnswer, GatewayCaller } from './support/gateway-caller.ts';
import { lockLedger } from './support/lock-ledger.ts';
import { waitFor } from './support/wait-for.ts';

/** How a call comes to be refused with a code. */
interface Way {
  readonly who?: CustomerOptions;
  /** What is agreed with the customer, and what its key may do: changes through the admin API. */
  readonly terms?: object;
  readonly key?: object;
  /** Sent first, and answered: uses something up. */
  readonly before?: readonly Call[];
  /** Sent first, and never answered. */
  readonly running?: Call;
  readonly call: Call;
}

let lab: CodeLab;
beforeAll(async () => {
  lab = await startCodeLab();
});
afterAll(() => lab.close());

const STATUS: Call = { path: '/status' };
const WRITE: Call = { path: '/enrich', body: { name: 'acme' } };
const ENDED = '2026-11-01T00:00:00Z';
const on = (plan: string, credit = '1.00'): CustomerOptions => ({ plan, credit });
const file = (bytes: number): Call => ({ path: '/enrich', body: { text: 'x'.repeat(bytes) } });
function chat(members: object = {}): Call {
  const body = { model: 'm', max_tokens: 4, messages: [{ role: 'user', content: 'hi' }] };
  return { path: '/v1/chat/completions', body: { ...body, ...members } };
}
const long = (words: number): Call =>
  chat({ messages: [{ role: 'user', content: 'word '.repeat(words) }] });
const owes = (payment: object): Way => ({ terms: { payment }, call: STATUS });
const subscribed = (state: string, ends?: string): Way => ({
  terms: { subscription: { state, ...(ends === undefined ? {} : { ends_at: ends }) } },
  call: STATUS,
});

const WAYS: { readonly [code in Code]?: Way } = {
  INSUFFICIENT_CREDITS: { who: { plan: 'open' }, call: STATUS },
  REQUEST_QUOTA_EXCEEDED: { who: on('few'), before: [STATUS], call: STATUS },
  FREE_TIER_EXHAUSTED: { who: on('gratis'), before: [STATUS], call: STATUS },
  TOKEN_QUOTA_EXCEEDED: { who: on('wordy'), call: chat({ max_tokens: 60 }) },
  COMPUTE_UNITS_EXHAUSTED: { who: on('light'), call: { path: '/heavy' } },
  OPERATION_LIMIT_REACHED: {
    who: on('rare'),
    before: [{ path: '/render' }],
    call: { path: '/render' },
  },
  DATA_QUOTA_EXCEEDED: { who: on('narrow'), call: WRITE },
  STORAGE_QUOTA_EXCEEDED: { who: on('shelf'), call: WRITE },
  SPENDING_LIMIT_REACHED: { who: on('thrifty'), before: [STATUS], call: STATUS },
  CONCURRENCY_LIMIT_EXCEEDED: { who: on('single'), running: { path: '/hang' }, call: STATUS },
  CONCURRENCY_LIMITED: { who: on('guarded'), running: { path: '/hang' }, call: STATUS },
  RATE_CAPACITY_EXCEEDED: { who: on('eager'), before: [STATUS], call: STATUS },
  RATE_LIMITED: { who: on('hasty'), before: [STATUS], call: STATUS },
  OVERAGE_AUTHORIZATION_REQUIRED: { who: on('agreed'), before: [STATUS], call: STATUS },
  PAYMENT_RETRY_STORM: {
    who: { plan: 'open' },
    before: Array.from({ length: STORM_AFTER + 1 }, () => STATUS),
    call: STATUS,
  },
  MODEL_NOT_IN_PLAN: { call: chat({ model: 'big' }) },
  MODEL_NOT_AVAILABLE: { call: chat({ model: 'secret' }) },
  FEATURE_NOT_IN_PLAN: { call: { path: '/reports' } },
  FEATURE_NOT_AVAILABLE: { call: { path: '/vault' } },
  PURCHASE_REQUIRED: { call: { path: '/course' } },
  MCP_CONTEXT_LIMIT_EXCEEDED: { who: on('tight'), call: long(100) },
  CONTEXT_SIZE_NOT_AVAILABLE: { key: { context_tokens_max: 60 }, call: long(100) },
  FILE_SIZE_NOT_IN_PLAN: { who: on('tight'), call: file(2000) },
  FILE_SIZE_NOT_AVAILABLE: { who: on('tight'), call: file(6000) },
  SUBSCRIPTION_EXPIRED: subscribed('active', ENDED),
  SUBSCRIPTION_CANCELED: subscribed('canceled', ENDED),
  SUBSCRIPTION_PAUSED: subscribed('paused'),
  TRIAL_EXPIRED: subscribed('trialing', ENDED),
  PAYMENT_METHOD_MISSING: owes({ method: 'missing' }),
  PAYMENT_METHOD_INVALID: owes({ failed_at: ENDED }),
  PAYMENT_METHOD_UNVERIFIED: owes({ method: 'unverified' }),
  PAYMENT_REAUTHORIZATION_REQUIRED: owes({ reauthorization_required: true }),
  INVOICE_OVERDUE: owes({ overdue_invoices: ['inv_1'] }),
  PAYMENT_DISPUTED: owes({ disputed: true }),
  KEY_MISSING: { call: { ...STATUS, key: undefined } },
  KEY_UNKNOWN: { call: { ...STATUS, key: 'tk_test_nothing' } },
  KEY_ENVIRONMENT_MISMATCH: { call: { path: '/sandbox' } },
  KEY_PERMISSION_DENIED: { key: { operations: ['render'] }, call: STATUS },
  KEY_ADDRESS_NOT_ALLOWED: { key: { addresses: ['203.0.113.0/24'] }, call: STATUS },
  FORBIDDEN_ROLE: { call: { path: '/audit' } },
  FORBIDDEN_POLICY: { call: { path: '/closed' } },
  SUBSCRIPTION_PENDING_APPROVAL: { terms: { account_state: 'pending_approval' }, call: STATUS },
  ACCOUNT_SUSPENDED: { terms: { account_state: 'suspended' }, call: STATUS },
  ACCOUNT_UNVERIFIED: { terms: { account_state: 'unverified' }, call: STATUS },
  INVALID_REQUEST: { call: { path: '/typed?size=large' } },
  CONTEXT_LENGTH_EXCEEDED: { call: long(400) },
  MODEL_NOT_FOUND: { call: chat({ model: 'nothing' }) },
  BODY_TOO_LARGE: { call: file(20_000) },
  API_RETIRED: { call: { path: '/gone' } },
  UPSTREAM_FAILED: { call: { path: '/broken' } },
  UPSTREAM_UNAVAILABLE: { call: { path: '/dead' } },
  UPSTREAM_TIMEOUT: { call: { path: '/silent' } },
  UPSTREAM_PROVIDER_QUOTA_EXHAUSTED: { call: { path: '/unpaid' } },
};

/** Sends it to the routes of one dialect, as a client that reads this form does. */
function callAs(form: ProblemForm, call: Call, key: string): Promise<CallAnswer> {
  const headers = {
    ...call.headers,
    host: hostFor(form),
    accept: FORMS[form].accept,
    'accept-language': `${languageFor(form)}, *;q=0.1`,
  };
  return lab.caller.call({ key, ...call, headers });
}

async function prepare(way: Way): Promise<Customer> {
  const { caller } = lab;
  const customer = await createCustomer(caller, way.who ?? on('open'));
  if (way.terms !== undefined) {
    await caller.admin(`/admin/tenants/${customer.tenantId}`, way.terms, 'PATCH');
  }
  if (way.key !== undefined) {
    await caller.admin(`/admin/keys/${customer.keyId}`, way.key, 'PATCH');
  }
  // oxlint-disable-next-line no-await-in-loop -- one after the other: each uses something up
  for (const call of way.before ?? []) await callAs('plain', call, customer.key);
  return customer;
}

/** A call that runs until it is let go; it is running once a slot shows as held. */
async function keepRunning(call: Call, key: string): Promise<() => void> {
  const own = new GatewayCaller(lab.gateway);
  own.call({ ...call, key, headers: { host: 'plain.test' } }).catch(() => undefined);
  await waitFor(async () => (await lab.caller.usage(key)).balance.held !== '0.00', {
    timeoutMs: 10_000,
    what: 'the call to run',
  });
  return () => own.close();
}

/** What a client of each form reads: one cause is one code, one action and one kind of retry (C402-23). */
async function checkAll(code: Code, call: Call, key: string): Promise<void> {
  const read = await Promise.all(
    ALL_FORMS.map(async (form) => checkForm(await callAs(form, call, key), code, form)),
  );
  for (const { action, retry } of read) {
    expect([action, retry.kind]).toEqual([read[0]?.action, read[0]?.retry.kind]);
  }
}

describe('every code of the request path, in every form that can carry it', () => {
  it.each(Object.entries(WAYS))('%s', async (code, way) => {
    const { key } = await prepare(way);
    const release = way.running && (await keepRunning(way.running, key));
    await expect(checkAll(code as Code, way.call, key)).resolves.toBeUndefined();
    release?.();
  });

  it('KEY_REVOKED', async () => {
    const { key, keyId } = await createCustomer(lab.caller, on('open'));
    await lab.caller.admin(`/admin/keys/${keyId}/revoke`, {});
    await expect(checkAll('KEY_REVOKED', STATUS, key)).resolves.toBeUndefined();
  });

  it('KEY_EXPIRED', async () => {
    const usage = await lab.caller.call({ path: '/v1/usage' });
    const { as_of: now } = JSON.parse(usage.text) as { as_of: string };
    const expires = new Date(Date.parse(now) + 1500).toISOString();
    const { key } = await createCustomer(lab.caller, { ...on('open'), expires });
    await waitFor(async () => (await callAs('plain', STATUS, key)).status === 401, {
      timeoutMs: 10_000,
      what: 'the key to expire',
    });
    await expect(checkAll('KEY_EXPIRED', STATUS, key)).resolves.toBeUndefined();
  });
});

describe('what is our own fault is told in every form too', () => {
  it('INTERNAL_ERROR', async () => {
    const call = { ...STATUS, headers: { authorization: 'Bearer a-fault-of-ours' } };
    await expect(checkAll('INTERNAL_ERROR', call, '')).resolves.toBeUndefined();
  });

  it('BILLING_UNAVAILABLE', async () => {
    // Too little for a call: without the store nobody knows whether that is still so.
    const { key } = await createCustomer(lab.caller, on('open', '0.0005'));
    await checkAll('INSUFFICIENT_CREDITS', STATUS, key);
    const ledger = lockLedger(lab.gateway.data);
    await waitFor(async () => (await callAs('plain', STATUS, key)).status === 503, {
      timeoutMs: 15_000,
      what: 'the ledger to be missed',
    });
    await expect(checkAll('BILLING_UNAVAILABLE', STATUS, key)).resolves.toBeUndefined();
    ledger.release();
    await waitFor(async () => (await callAs('plain', STATUS, key)).status === 402, {
      timeoutMs: 15_000,
      what: 'the ledger to be found again',
    });
  });
});

/** Codes of the connection and of the admin API: where they are produced. */
const ELSEWHERE: Readonly<Partial<Record<Code, string>>> = {
  ADMIN_TOKEN_INVALID: 'test/refusals.test.ts',
  HOST_NOT_ALLOWED: 'test/refusals.test.ts',
  NOT_FOUND: 'test/refusals.test.ts',
  TENANT_NOT_FOUND: 'test/refusals.test.ts',
  KEY_NOT_FOUND: 'test/refusals.test.ts',
  PLAN_NOT_FOUND: 'test/refusals.test.ts',
  IDEMPOTENCY_CONFLICT: 'test/refusals.test.ts',
  REQUEST_TIMEOUT: 'test/refusals.test.ts',
  HEADERS_TOO_LARGE: 'test/refusals.test.ts',
  OVERLOADED: 'test/refusals.test.ts',
};
const HERE: readonly Code[] = [
  'KEY_REVOKED',
  'KEY_EXPIRED',
  'ROUTE_NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'MALFORMED_REQUEST',
  'INTERNAL_ERROR',
  'BILLING_UNAVAILABLE',
];

it('DESIGN 3: no code of the registry is without a test that produces it', () => {
  const produced = new Set([...Object.keys(WAYS), ...HERE, ...Object.keys(ELSEWHERE)]);
  expect(Object.keys(CODES).filter((code) => !produced.has(code))).toEqual([]);
  for (const [code, path] of Object.entries(ELSEWHERE)) {
    const text = readFileSync(resolve(import.meta.dirname, '..', path), 'utf8');
    expect(text).toContain(`'${code}'`);
  }
});

describe('what no route answers is told as clients of that path read it', () => {
  it.each<readonly [Code, string]>([
    ['ROUTE_NOT_FOUND', '/nowhere'],
    ['METHOD_NOT_ALLOWED', '/only'],
    ['MALFORMED_REQUEST', '/%zz'],
  ])('%s', async (code, path) => {
    const { key } = lab.gateway;
    for (const form of ALL_FORMS) {
      const { base } = FORMS[form];
      if (base === undefined) continue;
      // oxlint-disable-next-line no-await-in-loop -- a few calls, in order
      const read = checkForm(await callAs(form, { path: base + path }, key), code, form);
      expect(read.action).toBe('fix_request');
    }
  });
});

import { afterAll, beforeAll, expect, it } from 'vitest';

import {
  buildFacts,
  buildIdentity,
  buildLimit,
  buildPlan,
  buildQuota,
} from '../../test/support/build-catalog.ts';
import {
  atGateway,
  type CommandRun,
  runClientCommand,
  runJsonCommand,
} from '../../test/support/run-client-command.ts';
import { type AdminApi, startAdminApi } from '../../test/support/start-admin-api.ts';
import { packFacts } from '../domain/facts-record.ts';
import { requestId } from '../platform/ids.ts';

let api: AdminApi;
beforeAll(async () => {
  api = await startAdminApi();
});
afterAll(() => api.close());

function run(...line: readonly string[]): Promise<CommandRun> {
  return runClientCommand(line, atGateway(api));
}
function runJson(...line: readonly string[]): Promise<Record<string, unknown>> {
  return runJsonCommand(line, atGateway(api));
}
async function makeCustomer(...options: readonly string[]): Promise<string> {
  const line = ['customers', 'create', '--name', 'Acme', '--plan', 'free', ...options];
  return String((await runJson(...line))['id']);
}

it('customers: everything that can be agreed has an option, and none takes it away', async () => {
  const options = [
    ...['--time-zone', 'Europe/Berlin', '--billing-anchor', '2026-11-05'],
    ...['--subscription', 'trialing', '--subscription-ends', '2027-01-01'],
    ...['--payment-method', 'missing', '--payment-failed-at', '2026-11-01'],
    ...['--overdue-invoice', 'inv-1', '--overdue-invoice', 'inv-2'],
    ...['--disputed', '--reauthorization', '--account-state', 'unverified'],
    ...['--override', 'requests_per_month=5000@2027-01-01', '--override', 'spend_per_day=7.50'],
    ...['--overage-until', '2026-12-31', '--enforcement', 'observe'],
    ...['--budget', '50.00 USD', '--budget-per', 'month'],
  ];
  const id = await makeCustomer(...options);
  const shown = await runJson('customers', 'show', id);
  const agreed = {
    time_zone: 'Europe/Berlin',
    billing_anchor: '2026-11-05T11:00:00.000Z',
    subscription: { state: 'trialing', ends_at: '2027-01-01T00:00:00.000Z' },
    payment: {
      method: 'missing',
      failed_at: '2026-11-01T00:00:00.000Z',
      overdue_invoices: ['inv-1', 'inv-2'],
      disputed: true,
      reauthorization_required: true,
    },
    account_state: 'unverified',
    overrides: [
      { limit_id: 'requests_per_month', amount: 5000, expires_at: '2027-01-01T00:00:00.000Z' },
      { limit_id: 'spend_per_day', amount: '7.50 USD', expires_at: null },
    ],
    overage_authorized_until: '2026-12-31T00:00:00.000Z',
    budget: '50.00 USD',
    budget_per: 'month',
    enforcement: 'observe',
  };
  expect(shown).toMatchObject(agreed);
  const cleared = [
    ...['--billing-anchor', 'none', '--subscription-ends', 'none', '--payment-failed-at', 'none'],
    ...['--overdue-invoice', 'none', '--no-disputed', '--no-reauthorization'],
    ...['--override', 'none', '--overage-until', 'none', '--enforcement', 'none'],
    ...['--budget', 'none'],
  ];
  expect(await runJson('customers', 'update', id, ...cleared)).toMatchObject({
    ...agreed,
    billing_anchor: null,
    subscription: { state: 'trialing', ends_at: null },
    payment: {
      method: 'missing',
      failed_at: null,
      overdue_invoices: [],
      disputed: false,
      reauthorization_required: false,
    },
    overrides: [],
    overage_authorized_until: null,
    budget: null,
    budget_per: null,
    enforcement: null,
  });
});

it('customers: for people, with how it stands, in tables', async () => {
  const id = await makeCustomer(
    ...['--override', 'requests_per_month=5000', '--payment-method', 'missing'],
    ...['--budget', '50.00', '--budget-per', 'month'],
  );
  await runJson('customers', 'purchases', 'add', '--tenant', id, '--add-on', 'course');
  const { out } = await run('customers', 'show', id);
  expect(out).toMatch(/^refused with +PAYMENT_METHOD_MISSING$/m);
  expect(out).toMatch(/^time zone +UTC$/m);
  expect(out).toMatch(/^budget +50\.00 USD per month$/m);
  expect(out).toMatch(/^tenant_budget +tenant +0\.00 USD +0\.00 USD +50\.00 USD .* tenant$/m);
  expect(out).toMatch(/^requests_per_month +tenant +0 +0 +5000 +5000 /m);
  expect(out).toMatch(/^spend_per_day +tenant +0\.00 USD +0\.00 USD +2\.50 USD +2\.50 USD /m);
  expect(out).toMatch(/^OVERRIDE +AMOUNT +EXPIRES\nrequests_per_month +5000 +-$/m);
  expect(out).toMatch(/^pur_[0-9a-f]{32} +course +\S+ +- +yes$/m);
});

it('customers: one below another, in a pool, listed below it, and out again', async () => {
  const parent = await makeCustomer();
  const child = await makeCustomer('--parent', parent, '--pooled');
  expect((await run('customers', 'show', child)).out).toMatch(
    new RegExp(`^paid by +${parent}$`, 'm'),
  );
  const listed = await run('customers', 'list', '--parent', parent);
  expect(listed.out.trimEnd().split('\n')).toHaveLength(2);
  expect(listed.out).toContain(child);
  const out = await runJson('customers', 'update', child, '--no-pooled', '--parent', 'none');
  expect(out).toMatchObject({ pooled: false, parent_id: null });
});

it('customers: change is another word for update; a mistake names the member and the fix', async () => {
  const id = await makeCustomer();
  expect(await runJson('customers', 'change', id, '--plan', 'business')).toMatchObject({
    plan: 'business',
  });
  const wrong = await run('customers', 'update', id, '--time-zone', 'Europe/Berln');
  expect(wrong).toMatchObject({ code: 2, out: '' });
  expect(wrong.talk).toContain('Europe/Berlin');
  expect((await run('customers', 'update', id)).talk).toContain('give at least one member');
  const override = await run('customers', 'update', id, '--override', 'requests_per_month');
  expect(override).toMatchObject({ code: 2, out: '' });
  expect(override.talk).toContain('LIMIT=AMOUNT');
});

it('BILL-13 customers purchases: add, add again with the same key, list, end', async () => {
  const id = await makeCustomer();
  const line = ['customers', 'purchases', 'add', '--tenant', id, '--add-on', 'thousand'];
  const first = await runJson(...line, '--expires', '30d', '--idempotency-key', `p-${id}`);
  const again = await runJson(...line, '--expires', '30d', '--idempotency-key', `p-${id}`);
  expect(again).toEqual(first);
  const purchase = String(first['id']);
  const ended = await runJson('customers', 'purchases', 'end', purchase, '--tenant', id);
  expect(ended).toMatchObject({ id: purchase, in_force: false });
  const listed = await run('customers', 'purchases', 'list', '--tenant', id);
  expect(listed.out).toMatch(new RegExp(`^${purchase} +thousand +\\S+ +\\S+ +no$`, 'm'));
  const wrong = await run('customers', 'purchases', 'add', '--tenant', id, '--add-on', 'thousnd');
  expect(wrong).toMatchObject({ code: 2, out: '' });
  expect(wrong.talk).toContain('did you mean "thousand"?');
});

it('KEY-02, KEY-05 keys: everything a key may be narrowed by has an option, and all or none opens it', async () => {
  const tenant = await makeCustomer();
  const options = [
    ...['--apis', 'weather', '--models', 'small, large', '--operations', 'weather'],
    ...['--addresses', '10.0.0.0/8,203.0.113.7', '--roles', 'reader', '--context-tokens', '9000'],
    ...['--limit', 'requests/day=100', '--limit', 'spend/month=5.00:protective'],
    ...['--limit', 'concurrent_requests=2', '--budget', '1.00', '--expires', '30d'],
    ...['--budget-per', 'day'],
  ];
  const made = await runJson('keys', 'create', '--tenant', tenant, ...options);
  const id = String(made['id']);
  expect(made).toMatchObject({
    apis: ['weather'],
    models: ['small', 'large'],
    operations: ['weather'],
    addresses: ['10.0.0.0/8', '203.0.113.7'],
    roles: ['reader'],
    context_tokens_max: 9000,
    budget: '1.00 USD',
    budget_per: 'day',
    limits: [
      { id: 'own_requests_per_day', amount: 100, class: 'commercial' },
      { id: 'own_spend_per_month', amount: '5.00 USD', class: 'protective' },
      { id: 'own_concurrent_requests', amount: 2, window: null },
    ],
  });
  const shown = await run('keys', 'show', id);
  expect(shown.out).toMatch(/^models +small, large$/m);
  expect(shown.out).toMatch(/^own_requests_per_day +requests +day +100 +commercial$/m);
  const opened = [
    ...['--apis', 'all', '--models', 'all', '--operations', 'all', '--addresses', 'all'],
    ...['--roles', 'all', '--context-tokens', 'none', '--limit', 'none', '--budget', 'none'],
    ...['--expires', 'none', '--name', 'open'],
  ];
  expect(await runJson('keys', 'update', id, ...opened)).toMatchObject({
    name: 'open',
    apis: [],
    models: [],
    operations: [],
    addresses: [],
    roles: [],
    context_tokens_max: null,
    limits: [],
    budget: null,
    expires_at: null,
  });
  expect((await run('keys', 'show', id)).out).toMatch(/^roles +none$/m);
});

it.each([
  ['a limit without an amount', ['--limit', 'requests/day'], 'such as requests/day=100'],
  ['a context that is no number', ['--context-tokens', '9k'], 'whole number'],
  ['a model that is not there', ['--models', 'smal'], 'did you mean "small"?'],
])('usage: %s ends with 2 and says the fix', async (_title, options, fix) => {
  const tenant = await makeCustomer();
  const result = await run('keys', 'create', '--tenant', tenant, ...options);
  expect(result).toMatchObject({ code: 2, out: '' });
  expect(result.talk).toContain(fix);
});

it('KEY-01 keys: regenerate shows another secret once, for the same key', async () => {
  const tenant = await makeCustomer();
  const made = await runJson('keys', 'create', '--tenant', tenant);
  const again = await run('keys', 'regenerate', String(made['id']));
  const key = /^tk_live_[0-9A-Za-z]{36}$/m.exec(again.out)?.[0] ?? '';
  expect(key).not.toBe('');
  expect(key).not.toBe(made['key']);
  expect(again.talk).toContain('cannot be shown again');
  expect((await run('keys', 'show', String(made['id']))).out).not.toContain(key);
});

it('EVID-01 report observe: what would have been refused, parts of the report added up', async () => {
  const rows = Array.from({ length: 20_003 }, (_, index) => {
    const at = Date.now() - 60_000;
    const facts = buildFacts({
      at,
      identity: buildIdentity(buildPlan('pro', { priceNano: 1n })),
      enforcement: 'observe',
      limits: [buildQuota(buildLimit(5), { spent: 5 })],
    });
    const common = { at, status: 200, code: '', facts: packFacts(facts) };
    const tenantId = index < 3 ? 'ten_2' : 'ten_1';
    return { ...common, requestId: requestId(at), tenantId, wouldRefuse: 'REQUEST_QUOTA_EXCEEDED' };
  });
  await api.store.appendRequests(rows);
  const group = { code: 'REQUEST_QUOTA_EXCEEDED', limit: 'requests_per_month', entitlement: null };
  expect(await runJson('report', 'observe', '--from', '1h')).toMatchObject({
    requests: 20_003,
    complete: true,
    data: [
      { ...group, tenant_id: 'ten_1', requests: 20_000 },
      { ...group, tenant_id: 'ten_2', requests: 3 },
    ],
  });
  const { out } = await run('report', 'observe', '--from', '1h');
  expect(out).toMatch(/^20003 requests would have been refused, \S+ to \S+\n\nREQUESTS +CODE /);
  expect(out).toMatch(/^20000 +REQUEST_QUOTA_EXCEEDED +ten_1 +requests_per_month +-$/m);
  const none = await run('report', 'observe', '--from', '2026-01-01', '--to', '2026-01-02');
  expect(none).toMatchObject({ code: 0, talk: '' });
  expect(none.out).toMatch(/^0 requests would have been refused/);
});

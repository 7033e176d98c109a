import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { CODES } from './codes.ts';
import type { Code } from './codes.ts';
import { buildProblem } from './problem.ts';
import type { ProblemDetails, ProblemInput, UpgradeOption } from './problem-document.ts';
import { renderHtml } from './problem-html.ts';
import { renderText } from './problem-text.ts';

const BASE = { requestId: 'req_1', baseUrl: 'https://gate.example', explainUrl: '/r/req_1' };
const PLAN: UpgradeOption = {
  kind: 'plan',
  id: 'business',
  title: 'Business',
  price: '49.00 USD/month',
  url: 'https://gate.example/pay/pl_1',
};
const PACK: UpgradeOption = {
  ...PLAN,
  kind: 'pack',
  id: 'small',
  title: 'Small',
  price: '5.00 USD',
};
const RESET = '2026-12-01T00:00:00Z';
const CODE_NAMES = Object.keys(CODES) as Code[];

const QUOTA: ProblemInput = {
  ...BASE,
  code: 'REQUEST_QUOTA_EXCEEDED',
  details: {
    current_plan: 'developer',
    exceeded_limit_type: 'requests_per_month',
    scope: 'tenant',
    unit: 'requests',
    window: 'month',
    current_usage: 10_000,
    allowed_usage: 10_000,
    remaining: 0,
    upgrade_options: [PLAN],
  },
  resolutionUrl: 'https://gate.example/pay/pl_1',
  resetsAt: RESET,
};

test('DESIGN 4: the whole document of a used-up quota', () => {
  const message =
    'You have used 10,000 of 10,000 requests this month. Upgrade to Business or wait until 2026-12-01 00:00 UTC: https://gate.example/pay/pl_1';
  expect(buildProblem(QUOTA)).toEqual({
    type: 'https://gate.example/errors/REQUEST_QUOTA_EXCEEDED',
    title: 'Request quota used up',
    status: 402,
    detail: message,
    instance: '/r/req_1',
    request_id: 'req_1',
    error: 'payment_required',
    code: 'REQUEST_QUOTA_EXCEEDED',
    errorCode: 'REQUEST_QUOTA_EXCEEDED',
    message,
    action: 'upgrade_plan',
    resolution_url: 'https://gate.example/pay/pl_1',
    resolutionLink: 'https://gate.example/pay/pl_1',
    documentation_url: 'https://gate.example/errors/REQUEST_QUOTA_EXCEEDED',
    documentation_link: 'https://gate.example/errors/REQUEST_QUOTA_EXCEEDED',
    retryable: false,
    retry: { kind: 'after_reset', resets_at: RESET },
    details: { ...QUOTA.details, resets_at: RESET },
    schema: 'https://gate.example/schemas/problem-v1.json',
  });
});

describe('C402-03: the sentence says what, the numbers and the next step', () => {
  const cases: readonly [Code, ProblemDetails, Partial<ProblemInput>, string][] = [
    [
      'INSUFFICIENT_CREDITS',
      { needed: '0.0420 USD', available: '0.0031 USD' },
      {},
      'This call could cost up to 0.0420 USD and your available balance is 0.0031 USD. Add credit, then retry',
    ],
    [
      'INSUFFICIENT_CREDITS',
      { needed: '0.0420 USD', available: '0.0031 USD', affordable_max_tokens: 3100 },
      {},
      'This call could cost up to 0.0420 USD and your available balance is 0.0031 USD. Lower max_tokens to 3,100 or add credit',
    ],
    [
      'INSUFFICIENT_CREDITS',
      { needed: '0.0420 USD', available: '0.0031 USD', affordable_max_tokens: 0 },
      {},
      'This call could cost up to 0.0420 USD and your available balance is 0.0031 USD. Add credit, then retry',
    ],
    [
      'INSUFFICIENT_CREDITS',
      { needed: '0.0420 USD', available: '0.0031 USD', held: '0.0800 USD' },
      { retryKind: 'transient', retryAfterSeconds: 1 },
      'This call could cost up to 0.0420 USD and your available balance is 0.0031 USD. 0.0800 USD is held by calls still running: retry in 1 s or add credit',
    ],
    [
      'REQUEST_QUOTA_EXCEEDED',
      { scope: 'key', window: 'lifetime', current_usage: 5, allowed_usage: 5, upgrade_options: [] },
      {},
      'This key has used 5 of 5 requests in total. Ask for a larger quota',
    ],
    [
      'REQUEST_QUOTA_EXCEEDED',
      { window: 'day', current_usage: 5, allowed_usage: 5, upgrade_options: [] },
      { resetsAt: RESET },
      'You have used 5 of 5 requests today. Wait until 2026-12-01 00:00 UTC or ask for a larger quota',
    ],
    [
      'REQUEST_QUOTA_EXCEEDED',
      { window: 'minute', current_usage: 4, allowed_usage: 5, upgrade_options: [PLAN] },
      { resetsAt: RESET, retryKind: 'transient', retryAfterSeconds: 1 },
      'You have used 4 of 5 requests this minute. All that is left is held by calls still running: retry in 1 s',
    ],
    [
      'FREE_TIER_EXHAUSTED',
      { unit: 'requests', window: 'hour', current_usage: 1e6, allowed_usage: 1e6, needed: 1 },
      {},
      'You have used 1,000,000 of 1,000,000 free requests this hour. Ask for a paid plan',
    ],
    [
      'TOKEN_QUOTA_EXCEEDED',
      {
        window: 'week',
        current_usage: 900,
        allowed_usage: 1000,
        needed: 350,
        required_plan: 'Pro',
      },
      {},
      'Weekly token quota exceeded: you have used 900 of 1,000 tokens this week, and this call could use up to 350 more. Upgrade to Pro',
    ],
    [
      'SPENDING_LIMIT_REACHED',
      {
        scope: 'key',
        current_usage: '0.9931 USD',
        allowed_usage: '1.00 USD',
        needed: '0.0420 USD',
      },
      {},
      'This key has spent 0.9931 USD of a limit of 1.00 USD, and this call could cost up to 0.0420 USD. Raise the spending limit, then retry',
    ],
    [
      'MODEL_NOT_IN_PLAN',
      {
        model: 'large',
        current_plan: 'basic',
        upgrade_options: [PACK, { ...PLAN, id: 'premium' }],
      },
      {},
      'The model large is not part of the basic plan. Upgrade to Business to use it',
    ],
    [
      'FEATURE_NOT_IN_PLAN',
      { feature: 'bulk', required_plan: 'Enterprise' },
      {},
      'Your subscription tier does not support this feature: bulk requires an Enterprise subscription. Upgrade to Enterprise to use it',
    ],
    [
      'INVALID_REQUEST',
      { pointer: '/messages/0/a~1b~0c', reason: 'must be text.' },
      {},
      'messages[0].a/b~c: must be text. Nothing was charged. Correct it and send it again',
    ],
    [
      'INVALID_REQUEST',
      { pointer: 'Idempotency-Key', reason: 'is required' },
      {},
      'Idempotency-Key: is required. Nothing was charged. Correct it and send it again',
    ],
    [
      'RATE_LIMITED',
      { scope: 'key', allowed_usage: 60, window: 'minute' },
      { retryAfterSeconds: 3 },
      'This key has sent requests faster than 60 per minute. Nothing was charged. Slow down and retry in 3 s',
    ],
    [
      'RATE_LIMITED',
      { allowed_usage: 20, needed: 50, window: 'minute' },
      { retryKind: 'never_until_action' },
      'This call needs 50 and no more than 20 are allowed per minute. Nothing was charged. No waiting makes room for 50: ask for less',
    ],
    [
      'METHOD_NOT_ALLOWED',
      { method: 'GET', path: '/v1/embeddings', allowed_methods: ['POST', 'PUT'] },
      {},
      '/v1/embeddings does not answer GET. Use POST or PUT',
    ],
    [
      'KEY_EXPIRED',
      { expired_at: '2026-11-20T00:00:00.000Z' },
      {},
      'This API key expired on 2026-11-20 00:00 UTC. Use another key, or ask the owner of the account for a new one',
    ],
    [
      'KEY_EXPIRED',
      { expired_at: 'yesterday' },
      {},
      'This API key expired. Use another key, or ask the owner of the account for a new one',
    ],
  ];
  test.each(cases)('%s %j', (code, details, more, expected) => {
    const link = 'https://gate.example/pay/pl_1';
    const { message } = buildProblem({ ...BASE, code, details, resolutionUrl: link, ...more });
    expect(message).toBe(`${expected}: ${link}`);
  });
});

describe('C402-05: the action is the first that is possible', () => {
  test.each<[Code, ProblemDetails, string | undefined, string]>([
    ['REQUEST_QUOTA_EXCEEDED', {}, RESET, 'upgrade_plan'],
    ['REQUEST_QUOTA_EXCEEDED', { upgrade_options: [PLAN] }, RESET, 'upgrade_plan'],
    ['REQUEST_QUOTA_EXCEEDED', { upgrade_options: [] }, RESET, 'wait_for_reset'],
    ['REQUEST_QUOTA_EXCEEDED', { upgrade_options: [PACK] }, undefined, 'contact_admin'],
    ['INSUFFICIENT_CREDITS', { upgrade_options: [PLAN] }, undefined, 'upgrade_plan'],
    ['INSUFFICIENT_CREDITS', { upgrade_options: [PACK, PLAN] }, undefined, 'buy_credits'],
    ['INSUFFICIENT_CREDITS', { upgrade_options: [] }, undefined, 'contact_admin'],
    ['SPENDING_LIMIT_REACHED', { upgrade_options: [] }, undefined, 'raise_spending_limit'],
    ['SPENDING_LIMIT_REACHED', { from: 'ancestor' }, RESET, 'wait_for_reset'],
    ['SPENDING_LIMIT_REACHED', { from: 'ancestor' }, undefined, 'contact_admin'],
    ['RATE_LIMITED', {}, undefined, 'wait_for_reset'],
    ['PAYMENT_RETRY_STORM', { cause: 'INSUFFICIENT_CREDITS' }, undefined, 'buy_credits'],
    ['PAYMENT_RETRY_STORM', { cause: 'no such code' }, undefined, 'contact_admin'],
    ['KEY_MISSING', {}, undefined, 'authenticate'],
  ])('%s with %j, reset %s: %s', (code, details, resetsAt, expected) => {
    const reset = resetsAt === undefined ? {} : { resetsAt };
    expect(buildProblem({ ...BASE, code, details, ...reset }).action).toBe(expected);
  });
});

describe('texts that people look for are found (REQUIREMENTS quotes them)', () => {
  const pro = { ...PLAN, id: 'pro', title: 'Professional' };
  test.each<[string, Code, ProblemDetails, string]>([
    ['C402-12', 'SUBSCRIPTION_EXPIRED', {}, 'Your subscription has expired'],
    ['C402-12', 'TOKEN_QUOTA_EXCEEDED', { window: 'month' }, 'Monthly token quota exceeded'],
    [
      'C402-12',
      'FEATURE_NOT_IN_PLAN',
      {},
      'Your subscription tier does not support this feature. Upgrade to a plan that includes it',
    ],
    ['C402-12', 'PAYMENT_METHOD_INVALID', {}, 'Please update your payment method'],
    [
      'PLAN-04',
      'FEATURE_NOT_IN_PLAN',
      { feature: 'Advanced Entity Recognition', required_plan: 'Enterprise' },
      'Advanced Entity Recognition requires an Enterprise subscription',
    ],
    [
      'LLM-09',
      'MCP_CONTEXT_LIMIT_EXCEEDED',
      { needed: 50_000, allowed_usage: 9000 },
      "(50,000 tokens) exceeds your current plan's limit (9,000 tokens)",
    ],
    ['QUOTA-06', 'COMPUTE_UNITS_EXHAUSTED', {}, 'Compute units exhausted'],
    [
      'QUOTA-06',
      'OPERATION_LIMIT_REACHED',
      { window: 'month' },
      'Monthly processing limit reached',
    ],
    [
      'QUOTA-09',
      'RATE_CAPACITY_EXCEEDED',
      { upgrade_options: [pro] },
      'Upgrade to a Professional plan for higher rate limits',
    ],
    ['SUB-02', 'TRIAL_EXPIRED', {}, 'Trial expired. Please upgrade your plan'],
    ['SUB-04', 'PAYMENT_METHOD_INVALID', {}, 'Subscription payment failed'],
    [
      'SUB-15',
      'SUBSCRIPTION_EXPIRED',
      { account: 'Example University', current_plan_end_date: RESET },
      'The subscription of Example University has expired (it ended on 2026-12-01 00:00 UTC)',
    ],
    [
      'PLAN-06',
      'FILE_SIZE_NOT_IN_PLAN',
      { unit: 'bytes', needed: 5_000_000, allowed_bytes: 1_000_000, current_plan: 'free' },
      'The file of 5 MB is larger than the 1 MB of the free plan',
    ],
    [
      'BILL-17',
      'INVOICE_OVERDUE',
      { invoices: ['A', 'B', 'C', 'D', 'E'].map((id) => ({ id })), amount_due: '5.00 USD' },
      'Outstanding invoices pending: A, B, C +2, 5.00 USD in all',
    ],
    [
      'BILL-14',
      'PAYMENT_METHOD_INVALID',
      { decline_reason: 'insufficient_funds' },
      'Subscription payment failed: insufficient funds',
    ],
    [
      'SUB-19',
      'PURCHASE_REQUIRED',
      { resource: 'level-2', price: '30 gems' },
      'Buy it for 30 gems',
    ],
    [
      'KEY-04',
      'KEY_ENVIRONMENT_MISMATCH',
      { key_environment: 'test', environment: 'live' },
      'This is a test key, and this address is the live environment',
    ],
  ])('%s: %s %j', (_row, code, details, expected) => {
    expect(buildProblem({ ...BASE, code, details }).message).toContain(expected);
  });

  test('QUOTA-15: the price of the call, when the free allowance of a caller without a key is used up', () => {
    const offer = { amountSats: 10, description: '1 call', expires: RESET };
    const payment = { amount: '0.0010 USD', methods: ['l402'] };
    const details = { scope: 'global', unit: 'requests', window: 'hour' } as const;
    const input = { ...BASE, code: 'FREE_TIER_EXHAUSTED', details, offer, payment } as const;
    const problem = buildProblem(input);
    expect(problem).toMatchObject({ action: 'pay_challenge', amount_sats: 10, payment });
    expect(problem.message).toContain('Pay 0.0010 USD = 10 sats for this call');
    const { offer: _offer, ...account } = input;
    expect(buildProblem(account).action).toBe('upgrade_plan');
  });
});

describe('C402-21: what is said about retrying', () => {
  const seconds = { retryAfterSeconds: 2 };
  test.each<[Code, Partial<ProblemInput>, boolean, object]>([
    [
      'REQUEST_QUOTA_EXCEEDED',
      { resetsAt: RESET },
      false,
      { kind: 'after_reset', resets_at: RESET },
    ],
    ['REQUEST_QUOTA_EXCEEDED', seconds, false, { kind: 'never_until_action' }],
    ['INSUFFICIENT_CREDITS', seconds, false, { kind: 'never_until_action' }],
    [
      'INSUFFICIENT_CREDITS',
      { retryKind: 'transient', ...seconds },
      true,
      { kind: 'transient', retry_after_seconds: 2 },
    ],
    [
      'INSUFFICIENT_CREDITS',
      { retryKind: 'when_slot_free', ...seconds },
      true,
      { kind: 'when_slot_free', retry_after_seconds: 2 },
    ],
    ['RATE_LIMITED', seconds, true, { kind: 'transient', retry_after_seconds: 2 }],
    ['RATE_LIMITED', { retryKind: 'never_until_action' }, false, { kind: 'never_until_action' }],
    ['PAYMENT_RETRY_STORM', seconds, false, { kind: 'never_until_action', retry_after_seconds: 2 }],
    ['KEY_MISSING', seconds, false, { kind: 'never_until_action' }],
    [
      'CONCURRENCY_LIMIT_EXCEEDED',
      seconds,
      true,
      { kind: 'when_slot_free', retry_after_seconds: 2 },
    ],
    // Waiting pays for nothing.
    ['FREE_TIER_EXHAUSTED', { retryKind: 'with_proof', ...seconds }, false, { kind: 'with_proof' }],
    ['OVERLOADED', {}, true, { kind: 'transient' }],
  ])('%s with %j: retryable %s, %j', (code, more, retryable, retry) => {
    const problem = buildProblem({ ...BASE, code, ...more });
    expect(problem.retryable).toBe(retryable);
    expect(problem.retry).toEqual(retry);
  });
});

test('C402-25: an offer and payment terms become members, and are absent otherwise', () => {
  const payment = { amount: '0.0010 USD', methods: ['credits', 'l402'] };
  const offer = { amountSats: 10, description: 'Translation: 1 call', expires: RESET };
  expect(buildProblem({ ...QUOTA, payment, offer })).toMatchObject({
    payment,
    amount_sats: 10,
    description: 'Translation: 1 call',
    expires: RESET,
  });
  const withoutRate = buildProblem({ ...QUOTA, offer: { description: 'x', expires: RESET } });
  expect(withoutRate).not.toHaveProperty('amount_sats');
  for (const member of ['payment', 'amount_sats', 'description', 'expires']) {
    expect(buildProblem(QUOTA)).not.toHaveProperty(member);
  }
});

test('a signed link to the explanation is the instance', () => {
  const explainUrl = 'https://gate.example/r/req_1?s=abc';
  expect(buildProblem({ ...QUOTA, explainUrl }).instance).toBe(explainUrl);
});

test('RFC 9457 3.1.5: what is not kept has a name and no link that would lead nowhere', () => {
  const { explainUrl: _, ...unkept } = QUOTA;
  const problem = buildProblem(unkept);
  expect(problem.instance).toBe('urn:tollkeeper:request:req_1');
  expect(renderText(problem)).not.toContain('Explanation');
  const page = renderHtml(problem);
  const shown = page.slice(0, page.indexOf('<script'));
  expect(shown).not.toContain('urn:');
  expect(shown).not.toContain('href="#"');
});

test('a text that the caller chose is cut at 300 characters, in the details and so in the sentence', () => {
  const details = { model: 'm'.repeat(1_000_000), upgrade_options: [PLAN] };
  const problem = buildProblem({ ...BASE, code: 'MODEL_NOT_FOUND', details });
  const cut = `${'m'.repeat(300)}...`;
  expect(problem.details).toEqual({ model: cut, upgrade_options: [PLAN] });
  expect(problem.message).toContain(`The model ${cut} does not exist here`);
  expect(JSON.stringify(problem).length).toBeLessThan(3000);
});

test('what an upstream wrote is cut too, and a list has at most 50 items', () => {
  const invoices = Array.from({ length: 51 }, (_, index) => ({ id: `INV-${index}` }));
  const upstream = { provider: 'OpenAI', message: 'x'.repeat(301) };
  const problem = buildProblem({
    ...BASE,
    code: 'INVOICE_OVERDUE',
    details: { invoices, upstream },
  });
  expect(problem.details.invoices).toEqual(invoices.slice(0, 50));
  expect(problem.details.upstream?.message).toBe(`${'x'.repeat(300)}...`);
  const within = { invoices: invoices.slice(0, 50), upstream: { provider: 'OpenAI' } };
  expect(buildProblem({ ...BASE, code: 'INVOICE_OVERDUE', details: within }).details).toBe(within);
});

/** Letters from which none of FAULTS can be written; sentence.test.ts has the hostile words. */
const word = fc.string({
  unit: fc.constantFrom('a', 'b', ' ', '.', '/', '~', '7'),
  maxLength: 300,
});
const anyWord = fc.option(word, { nil: undefined });
const anyQuantity = fc.option(fc.oneof(fc.double(), fc.maxSafeNat(), word), { nil: undefined });
const OPTION_SETS: readonly (readonly UpgradeOption[] | undefined)[] = [
  undefined,
  [],
  [PLAN],
  [PACK],
];
/** Any subset of the details, values of any kind in them. */
const anyDetails = fc
  .record({
    current_plan: anyWord,
    required_plan: anyWord,
    scope: fc.constantFrom('tenant', 'key', undefined),
    unit: anyWord,
    window: fc.constantFrom('minute', 'lifetime', 'toString', undefined),
    current_usage: anyQuantity,
    allowed_usage: anyQuantity,
    needed: anyQuantity,
    available: anyQuantity,
    held: anyQuantity,
    affordable_max_tokens: fc.option(fc.double(), { nil: undefined }),
    upgrade_options: fc.constantFrom(...OPTION_SETS),
    model: anyWord,
    feature: anyWord,
    pointer: anyWord,
    reason: anyWord,
    cause: anyWord,
    method: anyWord,
    path: anyWord,
    nearest: anyWord,
    id: anyWord,
    expired_at: anyWord,
    allowed_bytes: fc.option(fc.double(), { nil: undefined }),
  })
  .map((details) => {
    const known = Object.entries(details).filter(([, value]) => value !== undefined);
    return Object.fromEntries(known) as ProblemDetails;
  });
const FAULTS = /undefined|NaN|Infinity|null|\[object|function|[{}|[\]]/;

test('C402-03: whatever is known, the sentence is complete, longer than 20 characters and has the link', () => {
  const link = 'https://gate.example/pay/pl_1';
  fc.assert(
    fc.property(fc.constantFrom(...CODE_NAMES), anyDetails, (code, details) => {
      const { message, detail } = buildProblem({ ...BASE, code, details, resolutionUrl: link });
      expect(detail).toBe(message);
      expect(message.length).toBeGreaterThan(20 + link.length);
      expect(message.length).toBeLessThan(3000);
      expect(message).not.toContain('Payment Required');
      expect(message.endsWith(`: ${link}`)).toBe(true);
      // `messages[0]` names a parameter.
      expect(message.replace(/\[\d+\]/g, '')).not.toMatch(FAULTS);
    }),
    { numRuns: 2000 },
  );
});

test.each(CODE_NAMES)('C402-03: with nothing known %s still makes a plain sentence', (code) => {
  const { message } = buildProblem({ ...BASE, code });
  expect(message).not.toMatch(FAULTS);
  expect(message).toMatch(/^[A-Z].{20,}: https:\/\/gate\.example\/errors\/[A-Z_]+$/);
  expect(message).not.toMatch(/ {2}|\.\.|\. :|\.:/);
});

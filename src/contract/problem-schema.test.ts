import { describe, expect, test } from 'vitest';
import { z } from 'zod';

import { CODES } from './codes.ts';
import type { Code } from './codes.ts';
import { renderProblem } from './dialects.ts';
import { buildProblem } from './problem.ts';
import { PROBLEM_SCHEMA_PATH, PROBLEM_VERSION } from './problem-document.ts';
import { PROBLEM_SCHEMA } from './problem-schema.ts';

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];
// A copy: the constant's type is readonly all the way down, the parameter's is not.
const validator = z.fromJSONSchema(structuredClone<unknown>(PROBLEM_SCHEMA) as JsonSchema);

const FULL = {
  requestId: 'req_1',
  baseUrl: 'https://gate.example',
  resetsAt: '2026-12-01T00:00:00Z',
  retryAfterSeconds: 1,
  details: {
    current_plan: 'developer',
    exceeded_limit_type: 'requests_per_month',
    scope: 'tenant',
    unit: 'requests',
    current_usage: 10,
    allowed_usage: '10',
    pointer: '/messages/0',
    affordable_max_tokens: 5,
    upgrade_options: [{ kind: 'plan', id: 'b', price: '1.00 USD', url: 'https://gate.example' }],
  },
  payment: { amount: '0.0010 USD', methods: ['credits'] },
  language: 'de',
  offer: { amountSats: 1, description: 'one call', expires: '2026-12-01T00:00:00Z' },
} as const;

describe.each(['plain', 'openai', 'anthropic', 'gemini', 'jsonrpc'] as const)(
  'C402-26: the schema holds in the %s dialect',
  (dialect) => {
    test.each(Object.keys(CODES) as Code[])('%s', (code) => {
      const { requestId, baseUrl } = FULL;
      const least = renderProblem(buildProblem({ code, requestId, baseUrl }), dialect).body;
      const most = renderProblem(buildProblem({ ...FULL, code }), dialect).body;
      expect(validator.safeParse(JSON.parse(least)).error).toBeUndefined();
      expect(validator.safeParse(JSON.parse(most)).error).toBeUndefined();
    });
  },
);

const VALID = { ...buildProblem({ ...FULL, code: 'INSUFFICIENT_CREDITS' }) };
const INVALID: readonly (readonly [string, Record<string, unknown>])[] = [
  ['a message of only "Payment Required" (C402-03)', { message: 'Payment Required' }],
  ['an action outside the closed list (C402-05)', { action: 'send_flowers' }],
  ['a 402 whose action is no payment action (C402-05)', { action: 'fix_request' }],
  ['a code that does not exist (C402-02)', { code: 'insufficient_credits' }],
  ['a status outside the family', { status: 418 }],
  ['a retry kind that does not exist (C402-21)', { retry: { kind: 'soon' } }],
  ['details that are no object (C402-06)', { details: 'none' }],
  ['an error object of no dialect (C402-09)', { error: { message: 'x' } }],
  ['a decline reason that does not exist (BILL-14)', { details: { decline_reason: 'stolen' } }],
  ['an invoice without an id (BILL-17)', { details: { invoices: [{ amount: '1.00 USD' }] } }],
  ['a language nobody wrote (C402-27)', { language: 'fr' }],
  ['an offer in words (C402-25)', { amount_sats: '10' }],
  ['an upgrade option without a price (C402-07)', { details: { upgrade_options: [{ id: 'b' }] } }],
];

test.each(INVALID)('the schema refuses %s', (_case, change) => {
  expect(validator.safeParse(VALID).success).toBe(true);
  expect(validator.safeParse({ ...VALID, ...change }).success).toBe(false);
});

test.each(PROBLEM_SCHEMA.$defs.document.required)('the schema asks for %s', (member) => {
  expect(validator.safeParse({ ...VALID, [member]: undefined }).success).toBe(false);
});

test('C402-26: a document names its schema, and the path has the version', () => {
  expect(VALID.schema).toBe(`https://gate.example${PROBLEM_SCHEMA_PATH}`);
  expect(PROBLEM_SCHEMA_PATH).toContain(`v${PROBLEM_VERSION}.`);
});

test('members of later versions are let through', () => {
  expect(validator.safeParse({ ...VALID, later: { is: 'fine' } }).success).toBe(true);
});

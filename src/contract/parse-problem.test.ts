import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { renderProblem } from './dialects.ts';
import { parseProblem } from './parse-problem.ts';
import { buildProblem } from './problem.ts';

const DOCUMENT = buildProblem({
  code: 'REQUEST_QUOTA_EXCEEDED',
  requestId: 'req_1',
  baseUrl: 'https://gate.example',
  resolutionUrl: 'https://gate.example/pay/pl_1',
  resetsAt: '2026-12-01T00:00:00Z',
  details: { current_usage: 10, allowed_usage: 10 },
});
const PARSED = {
  code: 'REQUEST_QUOTA_EXCEEDED',
  message: DOCUMENT.message,
  status: 402,
  requestId: 'req_1',
  action: 'upgrade_plan',
  resolutionUrl: 'https://gate.example/pay/pl_1',
  documentationUrl: 'https://gate.example/errors/REQUEST_QUOTA_EXCEEDED',
  retryable: false,
  retry: { kind: 'after_reset', resets_at: '2026-12-01T00:00:00Z' },
  details: DOCUMENT.details,
};

test.each(['plain', 'openai'] as const)('reads a body of the %s dialect', (dialect) => {
  expect(parseProblem(JSON.parse(renderProblem(DOCUMENT, dialect).body))).toEqual(PARSED);
});

test('reads the inner error object that the OpenAI SDK hands over: the registry fills the rest', () => {
  const body = JSON.parse(renderProblem(DOCUMENT, 'openai').body) as { error: unknown };
  const missing = { requestId: undefined, resolutionUrl: undefined, documentationUrl: undefined };
  expect(parseProblem(body.error)).toEqual({ ...PARSED, ...missing });
});

test('reads a code of a newer gateway, and does not retry what it does not know (C402-21)', () => {
  const newer = {
    code: 'BRAND_NEW',
    message: 'Something new',
    status: 402,
    retry: { kind: 'maybe' },
  };
  expect(parseProblem(newer)).toMatchObject({
    code: 'BRAND_NEW',
    status: 402,
    action: undefined,
    retryable: false,
    retry: { kind: 'never_until_action' },
  });
});

describe('C402-21: what may be retried', () => {
  test.each<[string, object, object]>([
    ['nothing said, transient by its code', {}, { kind: 'transient' }],
    ['said', { retry: { kind: 'when_slot_free' } }, { kind: 'when_slot_free' }],
    [
      'said with seconds',
      { retry: { kind: 'transient', retry_after_seconds: 2 } },
      { kind: 'transient', retry_after_seconds: 2 },
    ],
    [
      'nonsense for seconds',
      { retry: { kind: 'transient', retry_after_seconds: -1 } },
      { kind: 'transient' },
    ],
    ['a reset without a time', { retry: { kind: 'after_reset' } }, { kind: 'never_until_action' }],
    ['no kind', { retry: {} }, { kind: 'never_until_action' }],
  ])('%s', (_case, more, retry) => {
    const problem = parseProblem({ code: 'OVERLOADED', message: 'busy', ...more });
    expect(problem?.retry).toEqual(retry);
  });
});

test.each<[string, unknown]>([
  ['null', null],
  ['text', 'Payment Required'],
  ['a list', [{ code: 'KEY_MISSING', message: 'x' }]],
  ['no code', { message: 'x' }],
  ['no message', { code: 'KEY_MISSING' }],
  ['an upstream error of another kind', { error: { message: 'x', code: 'insufficient_quota' } }],
  ['a code that is a number', { code: 402, message: 'x' }],
])('%s is not a refusal of ours', (_case, json) => {
  expect(parseProblem(json)).toBeUndefined();
});

test('never throws, whatever it is given', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (json, other) => {
      parseProblem(json);
      const mixed = parseProblem({
        code: 'KEY_MISSING',
        message: 'x',
        retry: json,
        details: other,
      });
      expect(mixed?.status).toBe(401);
    }),
  );
});

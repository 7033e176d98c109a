import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { CODES } from './codes.ts';
import type { Code } from './codes.ts';
import { renderProblem, renderProblemEvent } from './dialects.ts';
import type { ProblemDialect, ProblemForm } from './dialects.ts';
import { parseProblem } from './parse-problem.ts';
import { buildProblem } from './problem.ts';
import { readProblem } from './read-problem.ts';

const FORMS: readonly ProblemForm[] = [
  'plain',
  'openai',
  'anthropic',
  'gemini',
  'jsonrpc',
  'xml',
  'html',
  'text',
];
const DIALECTS: readonly ProblemDialect[] = ['plain', 'openai', 'anthropic', 'gemini', 'jsonrpc'];
const FULL = {
  requestId: 'req_1',
  baseUrl: 'https://gate.example',
  resolutionUrl: 'https://gate.example/pay/pl_1?a=1&b=2',
  resetsAt: '2026-12-01T00:00:00Z',
  retryAfterSeconds: 2,
  details: {
    current_plan: 'a < b & "c"',
    scope: 'key',
    unit: 'requests',
    window: 'month',
    current_usage: 10,
    allowed_usage: '0.0010 USD',
    reason: "it isn't: <b>",
    upgrade_options: [
      { kind: 'plan', id: 'b', title: 'B', price: '1.00 USD', url: 'https://gate.example/b' },
      { kind: 'pack', id: 'c', price: '2.00 USD', url: 'https://gate.example/c' },
    ],
    allowed_methods: [],
  },
} as const;

describe.each(FORMS)('a refusal written as %s is read back', (form) => {
  test.each(Object.keys(CODES) as Code[])('%s', (code) => {
    const document = buildProblem({ ...FULL, code });
    const read = readProblem(renderProblem(document, form).body);
    // Text has no details: it is for people and for scripts that branch on the code.
    const expected = parseProblem(document);
    expect(read).toEqual(form === 'text' ? { ...expected, details: {} } : expected);
  });
});

describe.each(DIALECTS)('the last event of a stream in the %s dialect is read', (dialect) => {
  const document = buildProblem({ ...FULL, code: 'SPENDING_LIMIT_REACHED' });
  const event = renderProblemEvent(document, dialect);

  test('by itself', () => {
    expect(readProblem(event)).toEqual(parseProblem(document));
  });

  test('behind others, with any line ends', () => {
    const stream = `: hello\r\n\r\ndata: {"choices":[]}\n\nevent: ping\ndata: {}\n\n${event}data: [DONE]\n\n`;
    expect(readProblem(stream)?.code).toBe('SPENDING_LIMIT_REACHED');
  });
});

test.each<[string, ProblemDialect]>([
  ['Anthropic', 'anthropic'],
  ['Google', 'gemini'],
  ['MCP', 'jsonrpc'],
])('the inner error object that the SDK of %s hands over is read', (_sdk, dialect) => {
  const document = buildProblem({ ...FULL, code: 'INSUFFICIENT_CREDITS' });
  const { error } = JSON.parse(renderProblem(document, dialect).body) as { error: unknown };
  expect(parseProblem(error)).toMatchObject({
    code: 'INSUFFICIENT_CREDITS',
    message: document.message,
    status: 402,
    action: 'buy_credits',
    retry: { kind: 'never_until_action' },
    details: { current_plan: 'a < b & "c"' },
  });
});

test.each<[string, string]>([
  ['nothing', ''],
  ['an upstream page', '<!doctype html><h1>502 Bad Gateway</h1>'],
  ['an upstream text', '502 Bad Gateway\n\nnginx'],
  ['other XML', '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'],
  ['XML that is cut off', '<problem><code>KEY_MISSING</code><message>x'],
  ['XML whose tags cross', '<problem><code>KEY_MISSING</message></problem>'],
  ['JSON that is cut off', '{"code":"KEY_MISSING"'],
  ['JSON of another kind', '{"error":{"code":"insufficient_quota","message":"x"}}'],
  ['a stream without a refusal', 'data: {"choices":[]}\n\ndata: [DONE]\n\n'],
])('%s is no refusal of ours', (_case, text) => {
  expect(readProblem(text)).toBeUndefined();
});

test('a text of more than 256 KiB is not searched, nested XML no deeper than ours', () => {
  const { body } = renderProblem(buildProblem({ ...FULL, code: 'OVERLOADED' }), 'plain');
  expect(readProblem(body + ' '.repeat(262_144))).toBeUndefined();
  expect(
    readProblem(`<problem>${'<a>'.repeat(1000)}${'</a>'.repeat(1000)}</problem>`),
  ).toBeUndefined();
});

test.each([
  ['a name without an end', '<problem'],
  ['attributes without an end', '<problem '],
  ['a text without an end', '<problem>'],
])('is read in a moment: XML that has %s', (_case, start) => {
  const began = performance.now();
  expect(readProblem(start + 'a'.repeat(200_000))).toBeUndefined();
  // It takes milliseconds; reading it once for each of its characters took minutes.
  expect(performance.now() - began).toBeLessThan(2000);
});

test('never throws, whatever it is given', () => {
  const starts = fc.constantFrom('', '{', '<?xml?><problem>', '<', 'data: ', '402 ', '<!doctype');
  fc.assert(
    fc.property(starts, fc.string({ unit: 'binary' }), (start, text) => {
      expect(() => readProblem(start + text)).not.toThrow();
    }),
  );
});

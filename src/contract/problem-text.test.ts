import { expect, test } from 'vitest';

import { buildProblem } from './problem.ts';
import { renderText } from './problem-text.ts';

const BASE = { requestId: 'req_1', baseUrl: 'https://gate.example', explainUrl: '/r/req_1' };

test('C402-10: text for a terminal, and lines a script can cut', () => {
  const document = buildProblem({
    ...BASE,
    code: 'REQUEST_QUOTA_EXCEEDED',
    resolutionUrl: 'https://gate.example/pay/pl_1',
    resetsAt: '2026-12-01T00:00:00Z',
    retryAfterSeconds: 60,
    details: { window: 'day', current_usage: 5, allowed_usage: 5 },
  });
  expect(renderText(document)).toBe(`402 Payment Required: Request quota used up

You have used 5 of 5 requests today. Wait until 2026-12-01 00:00 UTC or ask for a larger quota: https://gate.example/pay/pl_1

Code: REQUEST_QUOTA_EXCEEDED
Action: upgrade_plan
Resolve: https://gate.example/pay/pl_1
Documentation: https://gate.example/errors/REQUEST_QUOTA_EXCEEDED
Explanation: /r/req_1
Request: req_1
Retry: after_reset
Resets: 2026-12-01T00:00:00Z
Wait: 60
`);
});

test('a line break in what a caller wrote begins no line of ours', () => {
  const details = { reason: 'a\nCode: KEY_MISSING\r\nAction: none' };
  const text = renderText(buildProblem({ ...BASE, code: 'INVALID_REQUEST', details }));
  expect(text.match(/^Code: /gm)).toHaveLength(1);
  expect(text).toContain('a Code: KEY_MISSING Action: none');
});

import { expect } from 'vitest';
import { z } from 'zod';

import { CODES, type Code } from '../../src/contract/codes.ts';
import type { ProblemDialect } from '../../src/contract/dialects.ts';
import type { ProblemDocument } from '../../src/contract/problem-document.ts';
import { PROBLEM_SCHEMA } from '../../src/contract/problem-schema.ts';
import { type CallAnswer, problemOf } from './gateway-caller.ts';

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];
// A copy: the constant's type is readonly all the way down, the parameter's is not.
const validator = z.fromJSONSchema(structuredClone<unknown>(PROBLEM_SCHEMA) as JsonSchema);

/** What every refusal of the gateway must be, whatever its cause; returns the body. */
export function checkProblem(
  answer: CallAnswer,
  code: Code,
  dialect: ProblemDialect = 'plain',
): ProblemDocument {
  const { status, headers, text } = answer;
  expect({ status, code: readCode(text) }).toEqual({ status: CODES[code].status, code });
  const body = problemOf(answer);
  expect(validator.safeParse(body).error).toBeUndefined();
  // C402-01: 402 exactly where the cause is money.
  expect(status === 402).toBe(CODES[code].financial);
  expect(typeof body.error).toBe(dialect === 'plain' ? 'string' : 'object');
  // GW-22, C402-20, C402-26.
  expect(headers['content-type']).toBe('application/problem+json');
  expect(headers['cache-control']).toBe('no-store');
  expect(headers['x-request-id']).toBe(body.request_id);
  expect(headers['x-402-version']).toBe('1');
  // C402-03, C402-04: one sentence with the way out in it.
  expect(body.message).toContain(body.resolution_url);
  expect(body.detail).toBe(body.message);
  // C402-21: only what time heals may be tried again, and 402 never by itself.
  expect(headers['x-should-retry']).toBe(body.retryable ? undefined : 'false');
  expect(headers['link']).toBe(
    status === 402 ? `<${body.resolution_url}>; rel="payment"` : undefined,
  );
  if (status === 401) expect(headers['www-authenticate']).toMatch(/^Bearer realm="/);
  if (status === 429) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  return body;
}

function readCode(text: string): unknown {
  try {
    return (JSON.parse(text) as { code?: unknown }).code;
  } catch {
    return text.slice(0, 200);
  }
}

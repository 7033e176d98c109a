import { expect } from 'vitest';
import { z } from 'zod';

import { findText } from '../../src/contract/code-texts.ts';
import { CODES, type Code } from '../../src/contract/codes.ts';
import type { ProblemForm } from '../../src/contract/dialects.ts';
import { type Language, LANGUAGES } from '../../src/contract/languages.ts';
import type { ParsedProblem } from '../../src/contract/parse-problem.ts';
import { PROBLEM_SCHEMA } from '../../src/contract/problem-schema.ts';
import { readProblem } from '../../src/contract/read-problem.ts';
import type { CallAnswer } from './gateway-caller.ts';

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];
// A copy: the constant's type is readonly all the way down, the parameter's is not.
const validator = z.fromJSONSchema(structuredClone<unknown>(PROBLEM_SCHEMA) as JsonSchema);

interface FormFacts {
  readonly accept: string;
  readonly contentType: string;
  /** What clients of this form call when no route is known. */
  readonly base: string | undefined;
}

/** Every way to read a refusal: the dialects of routes, and what `Accept` may ask for instead. */
export const FORMS: Readonly<Record<ProblemForm, FormFacts>> = {
  plain: { accept: '*/*', contentType: 'application/problem+json', base: '' },
  openai: { accept: 'application/json', contentType: 'application/problem+json', base: '/v1' },
  anthropic: { accept: 'application/json', contentType: 'application/json', base: '/v1/messages' },
  gemini: { accept: '*/*', contentType: 'application/json', base: '/v1beta' },
  jsonrpc: { accept: 'application/json', contentType: 'application/json', base: undefined },
  xml: { accept: 'application/xml', contentType: 'application/problem+xml', base: '' },
  html: { accept: 'text/html', contentType: 'text/html; charset=utf-8', base: '' },
  text: { accept: 'text/plain', contentType: 'text/plain; charset=utf-8', base: '' },
};
export const ALL_FORMS = Object.keys(FORMS) as readonly ProblemForm[];

/** Whose routes speak it: those of the form itself, or, where `Accept` decides, the plain ones. */
export function hostFor(form: ProblemForm): string {
  return form === 'xml' || form === 'html' || form === 'text' ? 'plain.test' : `${form}.test`;
}

/** Each is read in two forms or more, and by clients of machines and of people. */
export function languageFor(form: ProblemForm): Language {
  return LANGUAGES[ALL_FORMS.indexOf(form) % LANGUAGES.length] ?? 'en';
}

/** What a refusal must be in this form and its language; returns what a client reads out of it. */
export function checkForm(answer: CallAnswer, code: Code, form: ProblemForm): ParsedProblem {
  const { status, headers, text } = answer;
  const read = readProblem(text);
  expect({ form, status, code: read?.code }).toEqual({ form, status: CODES[code].status, code });
  if (read === undefined) throw new Error('it was not read');
  expect(headers['content-type']).toBe(FORMS[form].contentType);
  if (FORMS[form].contentType.endsWith('json')) {
    expect(validator.safeParse(JSON.parse(text)).error).toBeUndefined();
  }
  // C402-01, C402-03, C402-04: money or not, said in a sentence with the way out in it.
  expect(status === 402).toBe(CODES[code].financial);
  expect(read.message).toContain(read.resolutionUrl);
  // C402-27: another language changes the words alone.
  const language = languageFor(form);
  expect(headers['content-language']).toBe(language);
  expect(text).toContain(findText(code, language).title);
  // C402-20, C402-21, GW-22: the headers are the same whatever the body looks like.
  expect(headers['cache-control']).toBe('no-store');
  expect(headers['x-request-id']).toBe(read.requestId);
  expect(headers['vary']).toContain('Accept, Accept-Language');
  expect(headers['x-should-retry']).toBe(read.retryable ? undefined : 'false');
  expect(headers['link']).toBe(
    status === 402 ? `<${read.resolutionUrl}>; rel="payment"` : undefined,
  );
  if (status === 401) expect(headers['www-authenticate']).toMatch(/^Bearer realm="/);
  if (status === 429) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  return read;
}

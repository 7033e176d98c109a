import type { HonoRequest } from 'hono';

import { CODES } from '../contract/codes.ts';
import { type ProblemDialect, renderProblem } from '../contract/dialects.ts';
import { buildProblemHeaders } from '../contract/headers.ts';
import { chooseLanguage } from '../contract/languages.ts';
import type { ProblemInput } from '../contract/problem-document.ts';
import { chooseForm } from '../contract/problem-form.ts';
import { buildProblem } from '../contract/problem.ts';

export interface ProblemOptions {
  /** The envelope programs expect there; default plain. */
  readonly dialect?: ProblemDialect | undefined;
  /** The media types that will do, where something else says so than the header of that name. */
  readonly accept?: string | undefined;
  /** Members beside those of the 402 contract (RFC 9457 3.2), for instance a list of problems. */
  readonly extension?: Readonly<Record<string, unknown>> | undefined;
}

/** A refusal as the gateway's own: in the form and language that the reader asks for (C402-10, C402-27). */
export function sendProblem(
  request: HonoRequest,
  problem: ProblemInput,
  { dialect = 'plain', accept = request.header('accept'), extension }: ProblemOptions = {},
): Response {
  const language = chooseLanguage(request.header('accept-language'));
  const { retryAfterSeconds } = CODES[problem.code];
  const waiting = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  const document = { ...buildProblem({ ...waiting, ...problem, language }), ...extension };
  const form = chooseForm(dialect, accept);
  const { contentType, body } = renderProblem(document, form);
  const headers = new Headers({ 'Referrer-Policy': 'no-referrer' });
  const list = buildProblemHeaders(document, { form, contentType });
  for (let index = 0; index + 1 < list.length; index += 2) {
    headers.append(list[index] ?? '', list[index + 1] ?? '');
  }
  headers.set('X-Content-Type-Options', 'nosniff');
  return new Response(body, { status: document.status, headers });
}

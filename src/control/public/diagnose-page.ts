import type { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';

import { negotiate, refuse, sendJson, sendPage } from './answers.ts';
import { diagnose } from './diagnosis.ts';
import { type PastedAnswer, readPastedAnswer } from './pasted-answer.ts';
import type { PublicContext, PublicDeps, PublicEnv } from './public-deps.ts';
import { readMembers } from './read-members.ts';
import { createRedact, redactAll } from './redact.ts';
import { renderDiagnose, viewDiagnosis } from './render-diagnosis.ts';

/** A whole answer with its head; a form needs up to three times as much. */
export const PASTE_BYTES_MAX = 64 * 1024;
const FORM_BYTES_MAX = 3 * PASTE_BYTES_MAX;
const HEADERS_MAX = 200;

/** DIAG-02: paste an answer, whoever sent it, and see what it means. Nothing is kept, and no key is needed. */
export function mountDiagnosePage(app: Hono<PublicEnv>, deps: PublicDeps): void {
  const limit = bodyLimit({
    maxSize: FORM_BYTES_MAX,
    onError: (context) => refuseSize(context as PublicContext, deps),
  });
  app.get('/diagnose', (context) => showForm(context, deps));
  app.post('/diagnose', limit, (context) => acceptPaste(context, deps));
  app.post('/v1/diagnose', limit, (context) => acceptPaste(context, deps));
}

function refuseSize(context: PublicContext, deps: PublicDeps): Response {
  return refuse(context, deps, {
    code: 'BODY_TOO_LARGE',
    details: { allowed_bytes: PASTE_BYTES_MAX },
  });
}

function showForm(context: PublicContext, deps: PublicDeps): Response {
  if (negotiate(context, 'html', 'json') === 'html')
    return sendPage(context, renderDiagnose(undefined));
  return sendJson(context, {
    how: `POST {"response": "<the whole answer as text>"} or {"status": 402, "headers": {}, "body": {}} to ${deps.publicUrl()}/v1/diagnose`,
  });
}

/** Either the whole answer as text, or its parts as a program has them. */
const pasteSchema = z.union([
  z.strictObject({ response: z.string().min(1) }),
  z.strictObject({
    status: z.int().min(100).max(599).optional(),
    headers: z
      .record(z.string(), z.string())
      .default({})
      .refine((headers) => Object.keys(headers).length <= HEADERS_MAX),
    body: z.unknown(),
  }),
]);

async function acceptPaste(context: PublicContext, deps: PublicDeps): Promise<Response> {
  const members = await readPaste(context);
  if (typeof members === 'string') return refuseInvalid(context, deps, members);
  const parsed = pasteSchema.safeParse(members);
  if (!parsed.success) {
    const reason =
      'send {"response": "<the whole answer as text>"}, or its parts: {"status": 402, "headers": {}, "body": {}}';
    return refuseInvalid(context, deps, reason);
  }
  // What was pasted may hold a key: it is neither kept nor shown again.
  const pasted = redactAll(parsed.data, createRedact(deps.catalog()));
  const answer = 'response' in pasted ? readPastedAnswer(pasted.response) : answerOf(pasted);
  if (Buffer.byteLength(answer.text) > PASTE_BYTES_MAX) return refuseSize(context, deps);
  const diagnosis = diagnose(answer);
  return context.req.path === '/diagnose' && negotiate(context, 'json', 'html') === 'html'
    ? sendPage(context, renderDiagnose(diagnosis))
    : sendJson(context, viewDiagnosis(diagnosis, deps.publicUrl()));
}

/** Text is the answer itself, so that `curl -i ... | curl --data-binary @-` works; a form and JSON say what is what. */
async function readPaste(context: PublicContext): Promise<unknown> {
  const isText = context.req.header('content-type')?.startsWith('text/plain') === true;
  return isText ? { response: await context.req.text() } : readMembers(context);
}

function answerOf(parts: {
  readonly status?: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}): PastedAnswer {
  const { status, headers, body } = parts;
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? '');
  const { body: read } = readPastedAnswer(text);
  const names = Object.entries(headers).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  return { status, headers: new Map(names), text, body: read };
}

function refuseInvalid(context: PublicContext, deps: PublicDeps, reason: string): Response {
  return refuse(context, deps, { code: 'INVALID_REQUEST', details: { reason } });
}

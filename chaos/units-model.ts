import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  type DemoServer,
  readBody,
  sendJson,
  startDemoServer,
  writeChunk,
} from '../src/server/demo/demo-server.ts';
import { CALL_ID_HEADER } from './served-record.ts';

/** How long the model takes for an answer, or for each event of a stream, in milliseconds. */
export const DELAY_HEADER = 'x-chaos-delay-ms';

/**
 * An upstream in the OpenAI format that answers with as many tokens as it may, and keeps what it sent to whom. A
 * token is four bytes, the length by which a stream is metered until the upstream has said what it used.
 */
export interface UnitsModel {
  readonly origin: string;
  /** Tokens it has sent for this call, whoever got them. */
  sentFor(callId: string): number;
  close(): Promise<void>;
}

interface Asked {
  readonly model: string;
  readonly max_tokens: number;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
}

const TOKEN = 'echo';
const BASE = { id: 'chatcmpl-chaos', created: 1_760_000_000 };

/** `port`: 0 = any free one. */
export async function startUnitsModel(port: number): Promise<UnitsModel> {
  const sent = new Map<string, number>();
  const server: DemoServer = await startDemoServer(
    { host: '127.0.0.1', port },
    (request, response) => serve(request, response, sent),
  );
  return {
    origin: server.origin,
    sentFor: (callId) => sent.get(callId) ?? 0,
    close: () => server.close(),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  sent: Map<string, number>,
): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) return;
  const asked = JSON.parse(body.toString()) as Asked;
  const delayMs = Number(request.headers[DELAY_HEADER] ?? 0);
  const id = request.headers[CALL_ID_HEADER];
  const note = (tokens: number): void => {
    if (typeof id === 'string') sent.set(id, (sent.get(id) ?? 0) + tokens);
  };
  if (asked.stream === true) await stream(asked, response, { delayMs, note });
  else await answer(asked, response, { delayMs, note });
}

interface Manner {
  readonly delayMs: number;
  readonly note: (tokens: number) => void;
}

async function answer(
  { model, max_tokens: tokens }: Asked,
  response: ServerResponse,
  { delayMs, note }: Manner,
): Promise<void> {
  if (delayMs > 0) await sleep(delayMs);
  note(tokens);
  const message = { role: 'assistant', content: TOKEN.repeat(tokens) };
  sendJson(response, 200, {
    ...BASE,
    model,
    object: 'chat.completion',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: usageOf(tokens),
  });
}

async function stream(
  { model, max_tokens: tokens, stream_options: options }: Asked,
  response: ServerResponse,
  { delayMs, note }: Manner,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const base = { ...BASE, model, object: 'chat.completion.chunk' };
  const eventOf = (delta: object, finish: string | null): string =>
    `data: ${JSON.stringify({ ...base, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  for (let each = 0; each < tokens; each += 1) {
    // oxlint-disable-next-line no-await-in-loop -- a model thinks about each token
    if (delayMs > 0) await sleep(delayMs);
    note(1);
    // oxlint-disable-next-line no-await-in-loop -- the next token waits until this one is taken
    if (!(await writeChunk(response, eventOf({ content: TOKEN }, null)))) return;
  }
  const usage = { ...base, choices: [], usage: usageOf(tokens) };
  const last = options?.include_usage === true ? `data: ${JSON.stringify(usage)}\n\n` : '';
  response.end(`${eventOf({}, 'stop')}${last}data: [DONE]\n\n`);
}

function usageOf(tokens: number): object {
  return { prompt_tokens: 1, completion_tokens: tokens, total_tokens: 1 + tokens };
}

import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LlmRequest } from '../../providers/provider.ts';
import { sendJson, writeChunk } from './demo-server.ts';
import type { EchoKnobs } from './echo-knobs.ts';
import { countEchoTokens, splitEchoTokens } from './echo-tokens.ts';

export interface EchoChat {
  readonly request: LlmRequest;
  /** `messages` of the body, which parseChat has checked. */
  readonly messages: readonly unknown[];
  readonly knobs: EchoKnobs;
  /** Epoch seconds, for `created`. */
  readonly createdSeconds: number;
}

interface Completion {
  readonly pieces: readonly string[];
  readonly finishReason: 'stop' | 'length';
  readonly usage: object | undefined;
  /** Members that every chunk and every answer has. */
  readonly base: { readonly id: string; readonly created: number; readonly model: string };
}

/** Answers with the text of the last user message, whole or word by word. */
export async function answerChat(chat: EchoChat, response: ServerResponse): Promise<void> {
  const completion = complete(chat);
  if (chat.request.stream) await streamCompletion(chat, completion, response);
  else await sendCompletion(chat, completion, response);
}

function complete(chat: EchoChat): Completion {
  const { request, knobs } = chat;
  const texts = chat.messages.map(readMessage);
  const wanted =
    knobs.tokens === undefined ? splitEchoTokens(findQuestion(texts)) : buildWords(knobs.tokens);
  const pieces = wanted.slice(0, request.outputTokensMax ?? wanted.length);
  const promptTokens = texts.reduce((sum, { text }) => sum + countEchoTokens(text), 0);
  const completionTokens = pieces.length * request.choices;
  return {
    pieces,
    finishReason: pieces.length < wanted.length ? 'length' : 'stop',
    usage: knobs.omitUsage ? undefined : buildUsage(promptTokens, completionTokens),
    base: {
      id: `chatcmpl-${randomBytes(12).toString('hex')}`,
      created: chat.createdSeconds,
      model: request.model,
    },
  };
}

async function sendCompletion(
  chat: EchoChat,
  completion: Completion,
  response: ServerResponse,
): Promise<void> {
  await pause(chat.knobs.delayMs);
  const { pieces, finishReason, usage, base } = completion;
  const content = pieces.join('');
  const choices = countUp(chat.request.choices).map((index) => ({
    index,
    message: { role: 'assistant', content, refusal: null },
    logprobs: null,
    finish_reason: finishReason,
  }));
  sendJson(response, 200, { ...base, object: 'chat.completion', choices, usage });
}

async function streamCompletion(
  chat: EchoChat,
  completion: Completion,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  // Node keeps the head back until the first chunk, which a slow stream has only later.
  if (chat.knobs.delayMs > 0) response.flushHeaders();
  for (const chunk of listChunks(chat, completion)) {
    await pause(chat.knobs.delayMs);
    if (!(await writeChunk(response, `data: ${JSON.stringify(chunk)}\n\n`))) return;
  }
  response.end('data: [DONE]\n\n');
}

function* listChunks(chat: EchoChat, completion: Completion): Generator<object> {
  const { pieces, finishReason, usage, base } = completion;
  const { choices, wantsUsageChunk } = chat.request;
  const withUsage = wantsUsageChunk && usage !== undefined;
  const build = (index: number, delta: object, finish: string | null) => ({
    ...base,
    object: 'chat.completion.chunk',
    choices: [{ index, delta, logprobs: null, finish_reason: finish }],
    ...(withUsage ? { usage: null } : {}),
  });
  const indexes = countUp(choices);
  for (const index of indexes) yield build(index, { role: 'assistant', content: '' }, null);
  for (const content of pieces) {
    for (const index of indexes) yield build(index, { content }, null);
  }
  for (const index of indexes) yield build(index, {}, finishReason);
  if (withUsage) yield { ...base, object: 'chat.completion.chunk', choices: [], usage };
}

function buildUsage(promptTokens: number, completionTokens: number): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  };
}

interface MessageText {
  readonly role: unknown;
  readonly text: string;
}

function readMessage(message: unknown): MessageText {
  if (typeof message !== 'object' || message === null) return { role: undefined, text: '' };
  const { role, content } = message as { role?: unknown; content?: unknown };
  const parts: readonly unknown[] = Array.isArray(content) ? content : [content];
  return { role, text: parts.map(readPart).join('') };
}

function readPart(part: unknown): string {
  if (typeof part === 'string') return part;
  if (typeof part !== 'object' || part === null) return '';
  const { text } = part as { text?: unknown };
  return typeof text === 'string' ? text : '';
}

function findQuestion(texts: readonly MessageText[]): string {
  return (texts.findLast(({ role }) => role === 'user') ?? texts.at(-1))?.text ?? '';
}

/** Of one token each: `echo echo echo`. */
function buildWords(count: number): readonly string[] {
  return countUp(count).map((index) => (index === 0 ? 'echo' : ' echo'));
}

function countUp(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

async function pause(delayMs: number): Promise<void> {
  // Unreferenced: a server that has closed need not wait for an answer that nobody will read.
  if (delayMs > 0) await sleep(delayMs, undefined, { ref: false });
}

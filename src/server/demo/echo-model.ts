import type { IncomingMessage, ServerResponse } from 'node:http';
import { createClock } from '../../platform/clock.ts';
import { parseChat, parseEmbeddings } from '../../providers/openai-compatible/parse-request.ts';
import type { ParsedLlmRequest } from '../../providers/provider.ts';
import { readBody, sendJson, startDemoServer } from './demo-server.ts';
import type { DemoServer, DemoServerOptions } from './demo-server.ts';
import { answerChat } from './echo-chat.ts';
import { answerEmbeddings } from './echo-embeddings.ts';
import { readKnobs } from './echo-knobs.ts';
import type { EchoKnobs } from './echo-knobs.ts';

/** Every model does chat and embeddings. */
const MODELS = ['echo-1'];
const CREATED_SECONDS = 1_760_000_000;

interface EchoError {
  readonly status: number;
  readonly message: string;
  readonly param?: string;
  readonly code?: string;
}

/** A call that has been read: its body, and what the provider's own checks made of it. */
interface EchoCall {
  readonly body: Readonly<Record<string, unknown>>;
  readonly request: Extract<ParsedLlmRequest, { kind: 'ok' }>['request'];
  readonly knobs: EchoKnobs;
}

/**
 * A model server in the OpenAI format that needs no model: `POST /v1/chat/completions` answers with the
 * last user message, `POST /v1/embeddings` with vectors made from a hash, and both count tokens
 * (echo-tokens.ts). The `x-echo-*` request headers of echo-knobs.ts make it slow, verbose, silent on usage,
 * or failing, for tests.
 */
export function startEchoModel(options: DemoServerOptions): Promise<DemoServer> {
  return startDemoServer(options, (request, response) => {
    const route = `${request.method} ${request.url?.split('?')[0]}`;
    switch (route) {
      case 'GET /v1/models':
        return listModels(response);
      case 'POST /v1/chat/completions':
        return serveChat(request, response);
      case 'POST /v1/embeddings':
        return serveEmbeddings(request, response);
      default:
        return sendError(response, { status: 404, message: `Unknown request URL: ${route}` });
    }
  });
}

const clock = createClock();

async function listModels(response: ServerResponse): Promise<void> {
  const data = MODELS.map((id) => {
    return { id, object: 'model', created: CREATED_SECONDS, owned_by: 'tollkeeper' };
  });
  sendJson(response, 200, { object: 'list', data });
}

async function serveChat(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const call = await readCall(request, parseChat);
  if ('status' in call) return sendError(response, call);
  const { messages } = call.body;
  return answerChat(
    {
      request: call.request,
      messages: Array.isArray(messages) ? messages : [],
      knobs: call.knobs,
      createdSeconds: Math.floor(clock.now() / 1000),
    },
    response,
  );
}

async function serveEmbeddings(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const call = await readCall(request, parseEmbeddings);
  if ('status' in call) return sendError(response, call);
  const { input, dimensions, encoding_format: encodingFormat } = call.body;
  const { omitUsage } = call.knobs;
  const { model } = call.request;
  const answer = answerEmbeddings({ model, input, dimensions, encodingFormat, omitUsage });
  if (answer.kind === 'invalid') return sendError(response, invalidParameter(answer));
  sendJson(response, 200, answer.body);
}

async function readCall(
  request: IncomingMessage,
  parse: (body: unknown, bodyBytes: number) => ParsedLlmRequest,
): Promise<EchoCall | EchoError> {
  const bytes = await readBody(request);
  if (bytes === undefined) return { status: 413, message: 'The body is larger than 16 MiB.' };
  const knobs = readKnobs(request.headers);
  if ('wrong' in knobs) return { status: 400, message: knobs.wrong };
  if (knobs.status !== undefined) {
    return { status: knobs.status, message: 'x-echo-status asked for this answer.' };
  }
  const body = parseObject(bytes.toString());
  if (body === undefined) return { status: 400, message: 'The body is not a JSON object.' };
  const parsed = parse(body, bytes.length);
  if (parsed.kind === 'invalid') return invalidParameter(parsed);
  const { model } = parsed.request;
  if (!MODELS.includes(model)) {
    const message = `The model '${model}' does not exist; there is ${MODELS.join(', ')}.`;
    return { status: 404, message, param: 'model', code: 'model_not_found' };
  }
  return { body, request: parsed.request, knobs };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** OpenAI names the member as `messages[0].role`, not by pointer; ours says the same. */
function invalidParameter(found: {
  readonly pointer: string;
  readonly problem: string;
}): EchoError {
  const param = found.pointer
    .slice(1)
    .replace(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.');
  return { status: 400, message: `'${param}' ${found.problem}.`, param };
}

/** https://platform.openai.com/docs/guides/error-codes */
async function sendError(response: ServerResponse, error: EchoError): Promise<void> {
  const type = error.status >= 500 ? 'server_error' : 'invalid_request_error';
  const { message, param = null, code = null } = error;
  sendJson(response, error.status, { error: { message, type, param, code } });
}

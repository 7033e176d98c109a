import { STATUS_FAMILIES } from './code-row.ts';
import type { ProblemDocument } from './problem-document.ts';
import { renderHtml } from './problem-html.ts';
import { renderText } from './problem-text.ts';
import { formatParameter } from './problem-words.ts';
import { renderXml } from './problem-xml.ts';

/**
 * The envelope a route's clients expect (DESIGN 4). In each of them every member of the plain one is
 * found at the top level, but `error`, Anthropic's `type` and JSON-RPC, where they are in `error.data`.
 */
export type ProblemDialect = 'plain' | 'openai' | 'anthropic' | 'gemini' | 'jsonrpc';

/** What a refusal can be written as: the route's dialect, or what `Accept` asks for (problem-form.ts). */
export type ProblemForm = ProblemDialect | 'xml' | 'html' | 'text';

export interface RenderedProblem {
  readonly form: ProblemForm;
  readonly contentType: string;
  readonly body: string;
}

/** What only JSON-RPC needs. */
export interface JsonRpcCall {
  /** The id of the call that is refused; null when it could not be read. */
  readonly id: string | number | null;
  /** Payment challenges as objects, in the order they are preferred; none when it cannot be paid per call. */
  readonly challenges?: readonly object[];
}

const CONTENT_TYPES: Readonly<Record<ProblemForm, string>> = {
  plain: 'application/problem+json',
  openai: 'application/problem+json',
  anthropic: 'application/json',
  // Google's SDK reads a body as JSON only under this very type.
  gemini: 'application/json',
  jsonrpc: 'application/json',
  xml: 'application/problem+xml',
  html: 'text/html; charset=utf-8',
  text: 'text/plain; charset=utf-8',
};

const NO_CALL: JsonRpcCall = { id: null };
/** MCP transport of draft-httpauth-payment: the client may pay one of `data.challenges` and repeat the call. */
const PAYMENT_CHALLENGE = -32042;

/** Pure. The JSON forms are one `JSON.stringify`; nothing is looked at twice. */
export function renderProblem(
  document: ProblemDocument,
  form: ProblemForm,
  call: JsonRpcCall = NO_CALL,
): RenderedProblem {
  return { form, contentType: CONTENT_TYPES[form], body: renderBody(document, form, call) };
}

function renderBody(document: ProblemDocument, form: ProblemForm, call: JsonRpcCall): string {
  switch (form) {
    case 'plain':
      return JSON.stringify(document);
    case 'openai':
      return JSON.stringify(envelopOpenai(document));
    case 'anthropic':
      return JSON.stringify(envelopAnthropic(document));
    case 'gemini':
      return JSON.stringify(envelopGemini(document));
    case 'jsonrpc':
      return JSON.stringify(envelopJsonRpc(document, call));
    case 'xml':
      return renderXml(document);
    case 'html':
      return renderHtml(document);
    case 'text':
      return renderText(document);
  }
}

/**
 * The error as the last event of a server-sent stream whose head has gone out with 200. The official
 * SDKs throw their API error on it: OpenAI's on a data event with an `error` object, Anthropic's on
 * `event: error`, Google's on a chunk with `error`. The body is one line: JSON escapes line breaks.
 */
export function renderProblemEvent(
  document: ProblemDocument,
  dialect: ProblemDialect = 'openai',
  call: JsonRpcCall = NO_CALL,
): string {
  const body = renderBody(document, dialect, call);
  return dialect === 'plain' || dialect === 'anthropic'
    ? `event: error\ndata: ${body}\n\n`
    : `data: ${body}\n\n`;
}

/** Without this object the official SDK reports `402 status code (no body)`. */
function envelopOpenai(document: ProblemDocument): object {
  const error = {
    message: document.message,
    type: STATUS_FAMILIES[document.status].openaiType,
    code: document.code,
    param: formatParameter(document.details.pointer) ?? null,
    details: document.details,
  };
  return Object.assign({}, document, { error });
}

function envelopAnthropic(document: ProblemDocument): object {
  const { message, code, details } = document;
  const type = STATUS_FAMILIES[document.status].anthropicType;
  return { ...document, type: 'error', error: { type, message, code, details } };
}

/** google.rpc.Status. `reason` of ErrorInfo is made for codes like ours. */
function envelopGemini(document: ProblemDocument): object {
  const { retry, message } = document;
  const details: object[] = [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: document.code,
      domain: 'tollkeeper',
      metadata: describeMetadata(document),
    },
    {
      '@type': 'type.googleapis.com/google.rpc.Help',
      links: [
        { description: document.action, url: document.resolution_url },
        { description: document.code, url: document.documentation_url },
      ],
    },
  ];
  if (retry.retry_after_seconds !== undefined) {
    details.push({
      '@type': 'type.googleapis.com/google.rpc.RetryInfo',
      retryDelay: `${retry.retry_after_seconds}s`,
    });
  }
  const { googleStatus } = STATUS_FAMILIES[document.status];
  return { ...document, error: { code: document.status, message, status: googleStatus, details } };
}

/** ErrorInfo's metadata is a map of texts. */
function describeMetadata(document: ProblemDocument): Readonly<Record<string, string>> {
  const { action, request_id, retry, details } = document;
  const metadata: Record<string, string> = { action, request_id, retry_kind: retry.kind };
  for (const [name, value] of Object.entries(details)) {
    if (typeof value === 'string' || typeof value === 'number') metadata[name] = String(value);
  }
  return metadata;
}

/** LLM-22: an account's 402 is a server's own error; only what this very call can be paid with is a challenge. */
function envelopJsonRpc(document: ProblemDocument, { id, challenges }: JsonRpcCall): object {
  const isChallenge = document.status === 402 && (challenges?.length ?? 0) > 0;
  const data = { ...document, httpStatus: document.status };
  return {
    jsonrpc: '2.0',
    id,
    error: {
      code: isChallenge ? PAYMENT_CHALLENGE : STATUS_FAMILIES[document.status].jsonRpcCode,
      message: document.message,
      data: isChallenge ? { ...data, challenges } : data,
    },
  };
}

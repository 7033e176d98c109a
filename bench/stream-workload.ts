import { type Call, CHAT_PATH, MODEL, REQUEST_BODY } from './workload.ts';

const TOKENS = 48;
export const STREAM_INTERVAL_MS = 4;

const base = { id: 'chatcmpl-9f3b1c7ad2e84c55b0a6', object: 'chat.completion.chunk', model: MODEL };
const deltas = Array.from({ length: TOKENS }, (_, index) => ({
  ...base,
  choices: [{ index: 0, delta: { content: ` word${index}` }, finish_reason: null }],
}));
const last = { ...base, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
const usage = {
  ...base,
  choices: [],
  usage: { prompt_tokens: 46, completion_tokens: TOKENS, total_tokens: 46 + TOKENS },
};

/** Each as it is sent: the tokens, the end with its reason, what was used, and the mark behind them. */
export const STREAM_EVENTS: readonly string[] = [
  ...[...deltas, last, usage].map((event) => `data: ${JSON.stringify(event)}\n\n`),
  'data: [DONE]\n\n',
];

export const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nKeep-Alive: timeout=3\r\nTransfer-Encoding: chunked\r\n\r\n';

/** The call of the first table, streamed, with its usage asked for: then what comes back is what was sent. */
export const STREAM_CALL: Call = {
  method: 'POST',
  path: CHAT_PATH,
  body: JSON.stringify({
    ...(JSON.parse(REQUEST_BODY) as object),
    stream: true,
    stream_options: { include_usage: true },
  }),
  answer: STREAM_EVENTS.join(''),
};

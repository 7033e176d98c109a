/** What every variant is asked, and what the upstream behind it answers: one small chat completion. */
export const MODEL = 'bench-model';
export const CHAT_PATH = '/v1/chat/completions';

/** About 300 bytes, as a client sends it. */
export const REQUEST_BODY = JSON.stringify({
  model: MODEL,
  messages: [
    {
      role: 'system',
      content: 'You are a helpful assistant. Answer in one short paragraph, in plain words.',
    },
    {
      role: 'user',
      content: 'How does a toll bridge know that a waggon has paid before it opens the gate?',
    },
  ],
  max_tokens: 128,
  temperature: 0.7,
  user: 'customer-4711',
});

const PROMPT_TOKENS = 46;
const COMPLETION_TOKENS = 58;

/** 583 bytes: usage is what the charge is computed from. */
export const ANSWER_BODY = JSON.stringify({
  id: 'chatcmpl-9f3b1c7ad2e84c55b0a6',
  object: 'chat.completion',
  created: 1763700000,
  model: MODEL,
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content:
          'The keeper writes each payment into a book before the bar goes up. A waggon whose coin is in the book may pass, and one whose coin is not waits, however long the queue behind it. In the evening by lantern light the book and the chest are counted against each other.',
      },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: {
    prompt_tokens: PROMPT_TOKENS,
    completion_tokens: COMPLETION_TOKENS,
    total_tokens: PROMPT_TOKENS + COMPLETION_TOKENS,
  },
  system_fingerprint: 'fp_bench',
});

/** One request, and what must come back byte for byte. */
export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string;
  readonly answer: string;
  /** Instead of the key of the load; an empty one is sent as none. */
  readonly key?: string;
  /** Beside those of every request. */
  readonly headers?: Readonly<Record<string, string>>;
}

export const CHAT_CALL: Call = {
  method: 'POST',
  path: CHAT_PATH,
  body: REQUEST_BODY,
  answer: ANSWER_BODY,
};

/** Headers a client library sends along; with Host and Content-Length 16 arrive. */
export function requestHeaders(
  key: string,
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  return {
    ...more,
    Accept: 'application/json',
    'Accept-Language': '*',
    'Accept-Encoding': 'gzip, deflate',
    Authorization: `Bearer ${key}`,
    'Content-Type': 'application/json',
    'User-Agent': 'OpenAI/JS 6.49.0',
    'X-Stainless-Arch': 'x64',
    'X-Stainless-Lang': 'js',
    'X-Stainless-OS': 'Linux',
    'X-Stainless-Package-Version': '6.49.0',
    'X-Stainless-Retry-Count': '0',
    'X-Stainless-Runtime': 'node',
    'X-Stainless-Runtime-Version': 'v20.20.2',
    'X-Stainless-Timeout': '600',
  };
}

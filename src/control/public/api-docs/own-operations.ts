/** One address of the gateway itself (DESIGN 12). */
export interface OwnOperation {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly secured: boolean;
  readonly parameters?: readonly { readonly name: string; readonly description: string }[];
  readonly body?: object;
  /** What a 200 carries. */
  readonly answers: string;
  /** Default: JSON. */
  readonly types?: readonly string[];
}

const ASKED = {
  type: 'object',
  properties: {
    method: { type: 'string', default: 'POST' },
    path: { type: 'string', default: '/v1/chat/completions' },
    headers: { type: 'object', additionalProperties: { type: 'string' } },
    body: { description: 'JSON of any kind, or the exact text of a body.' },
    after: {
      type: 'array',
      items: {
        type: 'object',
        required: ['kind', 'id'],
        properties: {
          kind: { enum: ['plan', 'pack', 'add_on'] },
          id: { type: 'string' },
        },
      },
    },
  },
} as const;

const PAY_LINK = { name: 'id', description: 'The signed name of a pay link: pl_...' };

export const OWN_OPERATIONS: readonly OwnOperation[] = [
  {
    method: 'get',
    path: '/v1/usage',
    id: 'getUsage',
    summary: 'Balance, limits and usage of your key; works when everything is used up',
    secured: true,
    answers: 'Usage and limits, exact.',
  },
  {
    method: 'post',
    path: '/v1/quote',
    id: 'quote',
    summary: 'What a request would cost at most, without sending it',
    secured: true,
    body: ASKED,
    answers:
      'The price, and whether it is guaranteed: no sum is where the length of the answer is priced.',
  },
  {
    method: 'post',
    path: '/v1/check',
    id: 'check',
    summary: 'Whether a request would pass now, and after buying something',
    secured: true,
    body: ASKED,
    answers: 'The decision and, when it is refused, the answer it would get.',
  },
  {
    method: 'get',
    path: '/r/{request_id}',
    id: 'explainRequest',
    summary: 'Why a request was answered as it was',
    secured: true,
    parameters: [{ name: 'request_id', description: 'X-Request-Id of the answer.' }],
    answers: 'The decision step by step, its arithmetic, and what fixes it.',
  },
  {
    method: 'get',
    path: '/errors/{code}',
    id: 'describeError',
    summary: 'What an error code means and what to do',
    secured: false,
    parameters: [{ name: 'code', description: 'A code such as INSUFFICIENT_CREDITS.' }],
    answers: 'The page of the code.',
    types: ['text/html', 'application/json', 'text/markdown'],
  },
  {
    method: 'get',
    path: '/pay/{id}',
    id: 'showPay',
    summary: 'What is on sale to the account a 402 was about: the path of its resolution_url',
    secured: false,
    parameters: [PAY_LINK],
    answers: 'The balance, and for each offer what to send as `pay_with`.',
    types: ['application/json', 'text/html'],
  },
  {
    method: 'post',
    path: '/pay/{id}',
    id: 'pay',
    summary: 'Buys one offer; with an Idempotency-Key a retry pays once',
    secured: false,
    parameters: [PAY_LINK],
    body: { type: 'object', description: 'The `pay_with` of an offer.' },
    answers: 'What was bought, and the balance after it.',
  },
  {
    method: 'post',
    path: '/v1/diagnose',
    id: 'diagnose',
    summary: 'What an answer of this gateway or of another means',
    secured: false,
    body: {
      anyOf: [
        {
          type: 'object',
          required: ['response'],
          properties: { response: { description: 'The whole answer.', type: 'string' } },
        },
        {
          type: 'object',
          properties: { status: { type: 'integer' }, headers: { type: 'object' }, body: {} },
        },
      ],
    },
    answers: 'What it says, whose it is, and what to do.',
  },
  {
    method: 'get',
    path: '/healthz',
    id: 'health',
    summary: 'Whether the process answers',
    secured: false,
    answers: 'ok',
    types: ['text/plain'],
  },
];

import type { StatusFamily } from './code-row.ts';
import { OTHER_ACTIONS, PAYMENT_ACTIONS, RETRY_KINDS, STATUS_FAMILIES } from './code-row.ts';
import { CODES } from './codes.ts';
import { LANGUAGES } from './languages.ts';
import { DECLINE_REASONS, LIMIT_SCOPES, VERIFICATIONS } from './problem-document.ts';

const TEXT = { type: 'string', minLength: 1 } as const;
const COUNT = { type: 'integer', minimum: 0 } as const;
const QUANTITY = { anyOf: [{ type: 'number' }, TEXT] } as const;

const RETRY = {
  type: 'object',
  required: ['kind'],
  properties: {
    kind: { enum: RETRY_KINDS },
    resets_at: TEXT,
    retry_after_seconds: COUNT,
  },
} as const;

const UPGRADE_OPTION = {
  type: 'object',
  required: ['kind', 'id', 'price', 'url'],
  properties: {
    kind: { enum: ['plan', 'pack', 'add_on'] },
    id: TEXT,
    title: TEXT,
    price: TEXT,
    url: TEXT,
  },
} as const;

const INVOICE = {
  type: 'object',
  required: ['id'],
  properties: { id: TEXT, amount: TEXT, due_at: TEXT, url: TEXT },
} as const;

const UPSTREAM = {
  type: 'object',
  required: ['provider'],
  properties: { provider: TEXT, status: COUNT, code: TEXT, message: TEXT },
} as const;

const DETAILS = {
  type: 'object',
  properties: {
    current_plan: TEXT,
    required_plan: TEXT,
    exceeded_limit_type: TEXT,
    limit_id: TEXT,
    scope: { enum: LIMIT_SCOPES },
    from: { const: 'ancestor' },
    unit: TEXT,
    window: TEXT,
    current_usage: QUANTITY,
    allowed_usage: QUANTITY,
    remaining: QUANTITY,
    needed: QUANTITY,
    available: QUANTITY,
    held: QUANTITY,
    affordable_max_tokens: COUNT,
    resets_at: TEXT,
    upgrade_options: { type: 'array', items: UPGRADE_OPTION },
    model: TEXT,
    feature: TEXT,
    pointer: { type: 'string' },
    reason: TEXT,
    charged_before: { const: true },
    allowed_methods: { type: 'array', items: TEXT },
    allowed_bytes: COUNT,
    current_plan_end_date: TEXT,
    account: TEXT,
    api: TEXT,
    operation: TEXT,
    resource: TEXT,
    price: TEXT,
    invoices: { type: 'array', items: INVOICE },
    amount_due: TEXT,
    decline_reason: { enum: DECLINE_REASONS },
    service_level: { enum: ['full', 'degraded', 'read_only'] },
    verification: { enum: VERIFICATIONS },
    upstream: UPSTREAM,
  },
} as const;

const FAMILIES: readonly StatusFamily[] = Object.values(STATUS_FAMILIES);

const OPENAI_ERROR = {
  type: 'object',
  required: ['message', 'type', 'code', 'param', 'details'],
  properties: {
    message: TEXT,
    type: {
      enum: [...new Set(FAMILIES.map(({ openaiType }) => openaiType))],
    },
    code: { enum: Object.keys(CODES) },
    param: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    details: DETAILS,
  },
} as const;

const ANTHROPIC_ERROR = {
  type: 'object',
  required: ['type', 'message', 'code', 'details'],
  properties: {
    type: { enum: [...new Set(FAMILIES.map(({ anthropicType }) => anthropicType))] },
    message: TEXT,
    code: { enum: Object.keys(CODES) },
    details: DETAILS,
  },
} as const;

const GOOGLE_ERROR = {
  type: 'object',
  required: ['code', 'message', 'status', 'details'],
  properties: {
    code: { enum: Object.keys(STATUS_FAMILIES).map(Number) },
    message: TEXT,
    status: { enum: [...new Set(FAMILIES.map(({ googleStatus }) => googleStatus))] },
    details: {
      type: 'array',
      items: { type: 'object', required: ['@type'], properties: { '@type': TEXT } },
    },
  },
} as const;

const BRAND = {
  type: 'object',
  required: ['name'],
  properties: { name: TEXT, logo_url: TEXT, color: TEXT, support_url: TEXT },
} as const;

const OTHER_STATUSES = Object.keys(STATUS_FAMILIES)
  .map(Number)
  .filter((status) => status !== 402);

/** The document in the plain, OpenAI, Anthropic and Gemini dialects, which differ in `error` and `type`. */
const DOCUMENT = {
  type: 'object',
  required: [
    'type',
    'title',
    'status',
    'detail',
    'instance',
    'request_id',
    'error',
    'code',
    'errorCode',
    'message',
    'action',
    'resolution_url',
    'resolutionLink',
    'documentation_url',
    'documentation_link',
    'retryable',
    'retry',
    'details',
    'schema',
  ],
  properties: {
    type: TEXT,
    title: TEXT,
    status: { enum: Object.keys(STATUS_FAMILIES).map(Number) },
    detail: { type: 'string', minLength: 21 },
    instance: TEXT,
    request_id: TEXT,
    error: { anyOf: [TEXT, OPENAI_ERROR, ANTHROPIC_ERROR, GOOGLE_ERROR] },
    code: { enum: Object.keys(CODES) },
    errorCode: { enum: Object.keys(CODES) },
    message: { type: 'string', minLength: 21 },
    action: { enum: [...PAYMENT_ACTIONS, ...OTHER_ACTIONS] },
    resolution_url: TEXT,
    resolutionLink: TEXT,
    documentation_url: TEXT,
    documentation_link: TEXT,
    retryable: { type: 'boolean' },
    retry: RETRY,
    details: DETAILS,
    payment: {
      type: 'object',
      required: ['amount', 'methods'],
      properties: { amount: TEXT, methods: { type: 'array', items: TEXT } },
    },
    amount_sats: COUNT,
    description: TEXT,
    expires: TEXT,
    language: { enum: LANGUAGES },
    brand: BRAND,
    schema: TEXT,
  },
  // C402-05: a 402 names an action of the closed list, and no other answer claims to want payment.
  anyOf: [
    {
      type: 'object',
      properties: { status: { const: 402 }, action: { enum: PAYMENT_ACTIONS } },
    },
    { type: 'object', properties: { status: { enum: OTHER_STATUSES } } },
  ],
} as const;

const JSON_RPC = {
  type: 'object',
  required: ['jsonrpc', 'id', 'error'],
  properties: {
    jsonrpc: { const: '2.0' },
    id: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'null' }] },
    error: {
      type: 'object',
      required: ['code', 'message', 'data'],
      properties: { code: { type: 'integer' }, message: TEXT, data: { $ref: '#/$defs/document' } },
    },
  },
} as const;

/**
 * C402-26: the body of every refusal, version 1, JSON Schema 2020-12; the gateway serves it at
 * PROBLEM_SCHEMA_PATH. Open: unknown members are later additions and are to be ignored.
 */
export const PROBLEM_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:tollkeeper:schema:problem-v1',
  title: 'Refusal of a Tollkeeper gateway',
  description:
    'RFC 9457 problem details with the members that 402-aware clients read. HTTP 402 is reserved by RFC 9110; its meaning here is this contract. In JSON-RPC the document is in error.data.',
  anyOf: [{ $ref: '#/$defs/document' }, { $ref: '#/$defs/jsonrpc' }],
  $defs: { document: DOCUMENT, jsonrpc: JSON_RPC },
} as const;

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Code } from '../src/contract/codes.ts';
import { checkProblem } from './support/check-problem.ts';
import { createCustomer } from './support/customers.ts';
import {
  type Call,
  type CallAnswer,
  GatewayCaller,
  type UsageView,
} from './support/gateway-caller.ts';
import { askRaw } from './support/raw-answer.ts';
import { type RefusalLab, startRefusalLab } from './support/refusal-lab.ts';

const MIB = 1024 * 1024;

let lab: RefusalLab;
let caller: GatewayCaller;
let key = '';
let port = 0;

beforeAll(async () => {
  lab = await startRefusalLab();
  caller = lab.caller;
  key = (await createCustomer(caller, { plan: 'open', credit: '1.00' })).key;
  port = Number(new URL(lab.gateway.gateway).port);
});
afterAll(() => lab.close());

async function readStanding(): Promise<Pick<UsageView, 'balance' | 'limits'>> {
  const { balance, limits } = await caller.usage(key);
  return { balance, limits };
}

/** What show 8 asks of every bad input: its clear error, nothing charged, and a gateway that goes on. */
async function checkBad(
  ask: () => Promise<CallAnswer>,
  code: Code,
  dialect: 'plain' | 'openai',
): Promise<{ readonly message: string; readonly pointer: string | undefined }> {
  const before = await readStanding();
  const answer = await ask();
  const { message, details } = checkProblem(answer, code, dialect);
  expect(await readStanding()).toEqual(before);
  const fresh = new GatewayCaller(lab.gateway, 1);
  const next = await fresh.call({ path: '/v1/models', key });
  fresh.close();
  expect(next.status).toBe(200);
  return { message, pointer: details.pointer };
}

function chat(members: object): Call {
  const body = { model: 'm', max_tokens: 4, messages: [{ role: 'user', content: 'hi' }] };
  return { path: '/v1/chat/completions', body: { ...body, ...members } };
}

describe('show 8: requests that HTTP can carry', () => {
  it.each<readonly [string, Call, Code, 'plain' | 'openai', RegExp]>([
    ['unknown key', { path: '/status', key: 'sk-x' }, 'KEY_UNKNOWN', 'plain', /copied whole/],
    [
      'unknown model',
      chat({ model: 'gpt-9' }),
      'MODEL_NOT_FOUND',
      'openai',
      /gpt-9 does not exist/,
    ],
    ['unknown route', { path: '/nope' }, 'ROUTE_NOT_FOUND', 'plain', /No route answers GET \/nope/],
    [
      'wrong method',
      { path: '/status', method: 'DELETE' },
      'METHOD_NOT_ALLOWED',
      'plain',
      /does not answer DELETE. Use GET or HEAD/,
    ],
    [
      'wrong method of a model route',
      { path: '/v1/chat/completions', method: 'GET' },
      'METHOD_NOT_ALLOWED',
      'openai',
      /Use POST/,
    ],
    ['a path that climbs', { path: '/status/../../etc' }, 'MALFORMED_REQUEST', 'plain', /\.\./],
    ['a broken escape', { path: '/status%zz' }, 'MALFORMED_REQUEST', 'plain', /percent-escape/],
  ])('%s', async (_, call, code, dialect, message) => {
    const answer = await checkBad(() => caller.call({ key, ...call }), code, dialect);
    expect(answer.message).toMatch(message);
  });
});

describe('show 8, GW-15, LLM-19: a body of the wrong shape names the member', () => {
  const user = { role: 'user', content: 'hi' };

  it.each<readonly [string, Call, string]>([
    ['model missing', chat({ model: undefined }), '/model'],
    ['model a number', chat({ model: 7 }), '/model'],
    ['messages missing', chat({ messages: undefined }), '/messages'],
    ['messages a text', chat({ messages: 'hi' }), '/messages'],
    ['messages empty', chat({ messages: [] }), '/messages'],
    ['a message that is none', chat({ messages: [user, 7] }), '/messages/1'],
    [
      'a content of the wrong type',
      chat({ messages: [{ ...user, content: 7 }] }),
      '/messages/0/content',
    ],
    ['a negative bound', chat({ max_tokens: -1 }), '/max_tokens'],
    ['a bound in words', chat({ max_tokens: 'many' }), '/max_tokens'],
    ['half a token', chat({ max_tokens: 1.5 }), '/max_tokens'],
    ['no choices', chat({ n: 0 }), '/n'],
    ['stream in words', chat({ stream: 'yes' }), '/stream'],
    ['embeddings of nothing', { path: '/v1/embeddings', body: { model: 'm' } }, '/input'],
    [
      'embeddings of an object',
      { path: '/v1/embeddings', body: { model: 'm', input: {} } },
      '/input',
    ],
  ])('%s', async (_, call, pointer) => {
    const reached = lab.countUpstream();
    const answer = await checkBad(() => caller.call({ key, ...call }), 'INVALID_REQUEST', 'openai');
    expect(answer.pointer).toBe(pointer);
    expect(lab.countUpstream()).toBe(reached);
  });

  it.each([
    ['malformed JSON', '{"model":"m","messages":[{'],
    ['nothing', ''],
    ['not an object', '[]'],
    ['null', 'null'],
    ['a text', '"chat"'],
    ['bytes that are no UTF-8', '{"model":"m","messages":[{"role":"user","content":"\xff\xfe"}]}'],
    ['more after the end', '{"model":"m"} {"model":"m"}'],
    ['nested deeper than any stack', `{"model":"m","messages":${'['.repeat(200_000)}`],
    [
      'nested deeply, and closed',
      `{"model":"m","messages":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    ],
  ])('%s', async (_, body) => {
    const reached = lab.countUpstream();
    const answer = await checkBad(
      () => askRaw(port, post('/v1/chat/completions', `Content-Length: ${body.length}`, body)),
      'INVALID_REQUEST',
      'openai',
    );
    expect(answer.message).toContain('Nothing was charged');
    expect(lab.countUpstream()).toBe(reached);
  });
});

/** A request of the priced route `/enrich` or of a model, framed as `fields` and `body` say. */
function post(path: string, fields: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n${fields}\r\n\r\n${body}`;
}

describe('show 8, DESIGN 10: request smuggling shapes are refused, with the connection', () => {
  const CHUNKED = 'Transfer-Encoding: chunked';
  const JSON_CHUNK = '2\r\n{}\r\n0\r\n\r\n';

  it.each<readonly [string, string, string]>([
    ['Content-Length and Transfer-Encoding', `Content-Length: 2\r\n${CHUNKED}`, JSON_CHUNK],
    ['Transfer-Encoding and Content-Length', `${CHUNKED}\r\nContent-Length: 2`, JSON_CHUNK],
    ['two different Content-Length', 'Content-Length: 2\r\nContent-Length: 3', '{}x'],
    ['the same Content-Length twice', 'Content-Length: 2\r\nContent-Length: 2', '{}'],
    ['a list of lengths', 'Content-Length: 2, 2', '{}'],
    ['a signed length', 'Content-Length: +2', '{}'],
    ['a negative length', 'Content-Length: -2', '{}'],
    ['a length in hexadecimal', 'Content-Length: 0x2', '{}'],
    ['a length with a blank in it', 'Content-Length: 2 0', '{}'],
    ['two Host headers', 'Host: other\r\nContent-Length: 2', '{}'],
    ['an unknown Transfer-Encoding', 'Transfer-Encoding: xchunked', JSON_CHUNK],
    ['chunked twice', 'Transfer-Encoding: chunked, chunked', JSON_CHUNK],
    ['chunked not last', 'Transfer-Encoding: chunked, identity', JSON_CHUNK],
    ['a blank before the colon', 'Transfer-Encoding : chunked', JSON_CHUNK],
    ['a folded header', `X-A: b\r\n ${CHUNKED}\r\nContent-Length: 2`, '{}'],
    ['a bare LF after a header', `X-A: b\n${CHUNKED}`, JSON_CHUNK],
    ['a bare CR in a header', `X-A: b\rc\r\nContent-Length: 2`, '{}'],
    ['a NUL in a header', `X-A: b\0c\r\nContent-Length: 2`, '{}'],
  ])('%s', async (_, fields, body) => {
    const reached = lab.countUpstream();
    const answer = await checkBad(
      () => askRaw(port, post('/enrich', fields, body)),
      'MALFORMED_REQUEST',
      'plain',
    );
    expect(answer.message).toMatch(/not a valid HTTP request: \S/);
    expect(lab.countUpstream()).toBe(reached);
  });

  it.each([
    ['no Host header', 'GET /status HTTP/1.1\r\n\r\n'],
    ['a full URL as target', 'GET http://other/status HTTP/1.1\r\nHost: gate\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a bare LF after the request line', 'GET /status HTTP/1.1\nHost: gate\r\n\r\n'],
    ['bare LF at the end of the head', 'GET /status HTTP/1.1\r\nHost: gate\n\n'],
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ])('%s', async (_, bytes) => {
    const answer = await checkBad(() => askRaw(port, bytes), 'MALFORMED_REQUEST', 'plain');
    expect(answer.message).toContain('Use a standard HTTP client');
  });

  const FRAMINGS = [
    ['a bare LF after the chunk size', '2\n{}\r\n0\r\n\r\n'],
    ['a bare LF after the chunk', '2\r\n{}\n0\r\n\r\n'],
    ['a bare LF after the last chunk', '2\r\n{}\r\n0\n\n'],
    ['a chunk longer than its size', '1\r\n{}\r\n0\r\n\r\n'],
    ['a size that is no number', 'zz\r\n{}\r\n0\r\n\r\n'],
    ['a signed size', '+2\r\n{}\r\n0\r\n\r\n'],
    ['a size beyond 64 bits', '10000000000000002\r\n{}\r\n0\r\n\r\n'],
  ] as const;
  it.each(FRAMINGS)('in chunk framing of a model call: %s', async (_, body) => {
    const reached = lab.countUpstream();
    const answer = await checkBad(
      () => askRaw(port, post('/v1/chat/completions', CHUNKED, body)),
      'MALFORMED_REQUEST',
      'openai',
    );
    expect(answer.message).toContain('Nothing was charged');
    expect(lab.countUpstream()).toBe(reached);
  });
  it.each(FRAMINGS)('in chunk framing of a proxied call: %s', async (_, body) => {
    const answer = await checkBad(
      () => askRaw(port, post('/enrich', CHUNKED, body)),
      'MALFORMED_REQUEST',
      'plain',
    );
    expect(answer.message).toContain('Nothing was charged');
  });
});

describe('show 8: bounds', () => {
  it.each(['X-Long: ', 'Cookie: a='])('a header of 100 KiB: %s', async (name) => {
    const fields = `${name}${'x'.repeat(100 * 1024)}`;
    const answer = await checkBad(
      () => askRaw(port, post('/enrich', `${fields}\r\nContent-Length: 2`, '{}')),
      'HEADERS_TOO_LARGE',
      'plain',
    );
    expect(answer.message).toContain('Nothing was charged');
  });

  it('two thousand small headers', async () => {
    const fields = Array.from({ length: 2000 }, (_, index) => `X-${index}: 1`).join('\r\n');
    await checkBad(
      () => askRaw(port, post('/enrich', `${fields}\r\nContent-Length: 2`, '{}')),
      'HEADERS_TOO_LARGE',
      'plain',
    );
    expect((await caller.call({ path: '/v1/models', key })).status).toBe(200);
  });

  it('a request line of 100 KiB', async () => {
    const line = `GET /status?${'x'.repeat(100 * 1024)} HTTP/1.1\r\nHost: gate\r\n\r\n`;
    const answer = await checkBad(() => askRaw(port, line), 'HEADERS_TOO_LARGE', 'plain');
    expect(answer.message).toContain('fewer or shorter headers');
  });

  const LONG = `{"model":"m","messages":[{"role":"user","content":"${'x'.repeat(20 * MIB)}"}]}`;
  it.each([
    ['with its length declared', `Content-Length: ${LONG.length}`, LONG],
    [
      'in chunks',
      'Transfer-Encoding: chunked',
      `${LONG.length.toString(16)}\r\n${LONG}\r\n0\r\n\r\n`,
    ],
  ])('a body of 20 MiB for a model, %s', async (_, fields, body) => {
    const reached = lab.countUpstream();
    const answer = await checkBad(
      () => askRaw(port, post('/v1/chat/completions', fields, body)),
      'BODY_TOO_LARGE',
      'openai',
    );
    expect(answer.message).toContain('at most 10,485,760 bytes');
    expect(lab.countUpstream()).toBe(reached);
  });

  it.each([
    ['with its length declared', `Content-Length: ${LONG.length}`, LONG],
    [
      'in chunks',
      'Transfer-Encoding: chunked',
      `${LONG.length.toString(16)}\r\n${LONG}\r\n0\r\n\r\n`,
    ],
  ])('a body over the bound of a proxied route, %s', async (_, fields, body) => {
    const answer = await checkBad(
      () => askRaw(port, post('/enrich', fields, body)),
      'BODY_TOO_LARGE',
      'plain',
    );
    expect(answer.message).toContain('at most 1,024 bytes');
  });
});

it('show 8: after all of it the books add up and both workers live', async () => {
  expect(await caller.audit()).toEqual([]);
  const { balance } = await caller.usage(key);
  expect(balance).toMatchObject({ settled: '1.00', held: '0.00', available: '1.00' });
  expect(Object.keys(await caller.workerCounts())).toEqual(['worker-1', 'worker-2']);
});

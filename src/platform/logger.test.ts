import { expect, it } from 'vitest';

import { createAuditTrail, createLogger } from './logger.ts';
import type { LogLevel } from './logger.ts';

const KEY = 'tk_live_0123456789abcdefghijABCDEFGHIJ012345';

function capture(level: LogLevel = 'debug') {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ level, fields: { process: 'worker-1' }, destination });
  return { logger, lines, last: (): unknown => JSON.parse(lines.at(-1) ?? 'null') };
}

it('writes one JSON object a line with level, time, message and fields', () => {
  const { logger, lines, last } = capture();
  logger.info({ request_id: 'req_1', status: 402, units: 5n }, 'refused');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/\n$/);
  expect(last()).toMatchObject({
    level: 'info',
    process: 'worker-1',
    request_id: 'req_1',
    status: 402,
    units: '5',
    message: 'refused',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  });
});

it.each([
  ['debug', ['"audit":true']],
  ['error', ['"audit":true']],
  ['silent', []],
] as const)('EVID-05: at level %s a change is told as %j', (level, told) => {
  const { logger, lines } = capture(level);
  createAuditTrail(logger, level).info({ action: 'tenant.created' }, 'changed');
  expect(lines.map((line) => /"audit":\w+/.exec(line)?.[0])).toEqual(told);
});

it.each([
  ['debug', 4],
  ['info', 3],
  ['warn', 2],
  ['error', 1],
  ['silent', 0],
] as const)('level %s lets %i of four lines through', (level, count) => {
  const { logger, lines } = capture(level);
  logger.debug({}, 'a');
  logger.info({}, 'b');
  logger.warn({}, 'c');
  logger.error({}, 'd');
  expect(lines).toHaveLength(count);
});

it.each([
  ['authorization', { authorization: `Bearer ${KEY}` }],
  [
    'headers',
    { headers: { Authorization: `Bearer ${KEY}`, 'x-api-key': KEY, Cookie: `k=${KEY}` } },
  ],
  ['raw header list', { headers: ['Authorization', `Bearer ${KEY}`] }],
  ['raw header list of another scheme', { headers: ['Authorization', `L402 ${KEY}:${KEY}`] }],
  ['api_key', { provider: { api_key: KEY } }],
  ['apiKey', { provider: { apiKey: KEY } }],
  ['admin_token', { admin_token: KEY }],
  ['token', { nested: [{ token: KEY }] }],
  ['secret', { signingSecret: KEY }],
  ['password', { url: { password: KEY } }],
  ['e-mail', { email: KEY }],
  ['a key in a text', { note: `the key ${KEY} was used` }],
  ['a key in an error', { error: new Error(`cannot use ${KEY}`, { cause: new Error(KEY) }) }],
  ['a secret member of an error', { error: Object.assign(new Error('x'), { authorization: KEY }) }],
])('a secret never reaches the log: %s', (_title, fields) => {
  const { logger, lines } = capture();
  logger.info(fields, 'as field');
  logger.child(fields).warn({}, 'as child');
  expect(lines).toHaveLength(2);
  expect(lines.join('')).not.toContain('0123456789abc');
  expect(lines.join('')).toContain('***');
});

it('a secret in the message itself is redacted', () => {
  const { logger, lines } = capture();
  logger.error({}, `cannot find ${KEY}`);
  expect(lines[0]).toContain('cannot find tk_live_***');
});

it('words that only look alike stay readable', () => {
  const { logger, last } = capture();
  const fields = { key_id: 'key_1', input_tokens: 12, tokenizer: 'o200k', code: 'KEY_UNKNOWN' };
  logger.info(fields, 'priced');
  expect(last()).toMatchObject(fields);
});

it('an error keeps its type, code, message, stack and cause', () => {
  const { logger, last } = capture();
  const error = Object.assign(new TypeError('no', { cause: new Error('why') }), { code: 'E1' });
  logger.error({ error }, 'failed');
  expect(last()).toMatchObject({
    error: {
      type: 'TypeError',
      code: 'E1',
      message: 'no',
      stack: expect.stringContaining('logger.test'),
      cause: { type: 'Error', message: 'why' },
    },
  });
});

it('bounds: depth, members and buffers', () => {
  const { logger, lines, last } = capture();
  const loop: Record<string, unknown> = {};
  loop['loop'] = loop;
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`m${index}`, index]));
  logger.info(
    { loop, many, list: Array.from({ length: 200 }, () => 0), body: Buffer.alloc(9) },
    'x',
  );
  expect(lines[0]?.length).toBeLessThan(2_000);
  expect(last()).toMatchObject({ body: '[9 bytes]' });
  expect(last()).not.toHaveProperty('many.m64');
  expect(last()).not.toHaveProperty('list.64');
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatProblem } from './config-problem.ts';
import { interpolate, SECRET_FILE_BYTES_MAX } from './interpolate.ts';
import { loadConfig } from './load-config.ts';
import { REDACTED } from './redact.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tollkeeper-interpolate-'));
  writeFileSync(join(directory, 'key'), 'sk-from-file\n');
  writeFileSync(join(directory, 'large'), 'x'.repeat(SECRET_FILE_BYTES_MAX + 1));
});
afterAll(() => rmSync(directory, { recursive: true }));

const env = { NAME: 'value', EMPTY: '', DOLLAR: '$1 ${NAME}' };

test.each([
  ['plain', undefined],
  ['$1 and $NAME stay', undefined],
  ['${NAME}', 'value'],
  ['Bearer ${NAME}!', 'Bearer value!'],
  ['${NAME}${NAME}', 'valuevalue'],
  ['${EMPTY}', ''],
  ['${EMPTY:-other}', 'other'],
  ['${MISSING:-other}', 'other'],
  ['${MISSING:-}', ''],
  ['${NAME:-other}', 'value'],
  ['${NAME:?say it}', 'value'],
  ['$${NAME}', '${NAME}'],
  ['${DOLLAR}', '$1 ${NAME}'],
])('%j becomes %j', (text, expected) => {
  const result = interpolate(text, { env, directory });
  expect(result).toEqual(expected === undefined ? undefined : { kind: 'ok', value: expected });
});

test.each([
  ['${MISSING}', 'environment variable MISSING is not set: set it, or write ${MISSING:-default}'],
  ['${MISSING:?ask the provider}', 'environment variable MISSING is not set: ask the provider'],
  ['${EMPTY:?ask the provider}', 'environment variable EMPTY is not set: ask the provider'],
  [
    '${NO-NAME}',
    '"${NO-NAME}" is not a reference: write ${NAME}, ${NAME:-default}, ${NAME:?message}, or $${ for a literal ${',
  ],
  [
    'Bearer ${NAME',
    '"${NAME" is not a reference: write ${NAME}, ${NAME:-default}, ${NAME:?message}, or $${ for a literal ${',
  ],
])('%j is refused', (text, problem) => {
  expect(interpolate(text, { env, directory })).toEqual({ kind: 'wrong', problem });
});

describe('file:', () => {
  test('reads a file relative to the configuration, without its last line end', () => {
    expect(interpolate('file:key', { env, directory })).toEqual({
      kind: 'ok',
      value: 'sk-from-file',
    });
    expect(interpolate('file:${DIR}/key', { env: { DIR: directory }, directory: '/' })).toEqual({
      kind: 'ok',
      value: 'sk-from-file',
    });
  });

  test('tells what is wrong, and reads nothing large', () => {
    const read = (text: string) => interpolate(text, { env, directory });
    expect(read('file:missing')).toEqual({
      kind: 'wrong',
      problem: `cannot read the file ${join(directory, 'missing')}: there is no such file`,
    });
    expect(read('file:.')).toEqual({
      kind: 'wrong',
      problem: `cannot read the file ${directory}: it is a directory`,
    });
    expect(read('file:large')).toEqual({
      kind: 'wrong',
      problem: `the file ${join(directory, 'large')} has 65537 bytes; at most 65536 are read`,
    });
  });
});

describe('in a configuration', () => {
  const yaml = [
    'version: 1',
    'server:',
    '  port: ${PORT:-0}',
    'providers:',
    '  openai:',
    '    base_url: https://api.openai.com/v1',
    '    api_key: ${OPENAI_API_KEY:?create one at the provider}',
    '    credentials: { x-team: "file:key", x-plain: hunter2 }',
    'models:',
    '  m: { provider: openai, context_window: "${WINDOW:-128k}", price: free }',
  ].join('\n');

  test('values arrive where they are used and nowhere else (GW-08)', () => {
    const file = join(directory, 'tollkeeper.yaml');
    const result = loadConfig({ text: yaml, file }, { env: { OPENAI_API_KEY: 'sk-secret-123' } });
    if (result.kind === 'invalid') throw new Error(result.problems.map(formatProblem).join('\n'));
    const { catalog, server, source, fingerprints } = result.config;
    expect(server.port).toBe(0);
    expect(catalog.models.get('m')?.contextWindow).toBe(128_000);
    expect(catalog.upstreams.get('provider:openai')?.credentials).toEqual([
      { name: 'x-team', value: 'sk-from-file' },
      { name: 'x-plain', value: 'hunter2' },
      { name: 'authorization', value: 'Bearer sk-secret-123' },
    ]);
    expect(source).toMatchObject({
      server: { port: REDACTED },
      providers: {
        openai: {
          base_url: 'https://api.openai.com/v1',
          api_key: REDACTED,
          credentials: { 'x-team': REDACTED, 'x-plain': REDACTED },
        },
      },
    });
    const printed = JSON.stringify([source, [...fingerprints]]);
    for (const secret of ['sk-secret-123', 'sk-from-file', 'hunter2'])
      expect(printed).not.toContain(secret);
  });

  test('a missing one is told once, with its line', () => {
    const result = loadConfig({ text: yaml, file: join(directory, 't.yaml') }, { env: {} });
    expect(result.kind === 'invalid' && result.problems).toEqual([
      {
        file: join(directory, 't.yaml'),
        line: 7,
        column: 14,
        path: 'providers.openai.api_key',
        message: 'environment variable OPENAI_API_KEY is not set: create one at the provider',
      },
    ]);
  });

  test.each([
    ['a wrong address', 'upstreams: { a: { url: "${SECRET}" } }', 'ftp://hunter2hunter2'],
    ['a wrong duration', 'server: { drain: "${SECRET}" }', 'hunter2'],
    ['a wrong number', 'server: { port: "${SECRET}" }', ' 99999999 '],
    ['one letter', 'server: { drain: "${SECRET}" }', 'e'],
    ['a very long word', 'log: { level: "${SECRET}" }', 'hunter2'.repeat(50)],
    ['a near word', 'log: { level: "${SECRET}" }', 'inf0'],
    ['an unknown plan', 'demo: { customer: { plan: "${SECRET}" }, credit: 1 USD }', 'hunter2'],
  ])('%s from a variable is refused without showing it', (_name, line, secret) => {
    const text = `version: 1\n${line}`;
    const result = loadConfig({ text, file: 't.yaml' }, { env: { SECRET: secret } });
    const problems = result.kind === 'invalid' ? result.problems : [];
    expect(problems).toHaveLength(1);
    const printed = problems
      .map((problem) => ` ${problem.message} ${problem.suggestion ?? ''} `)
      .join('');
    expect(printed).not.toContain(secret.length === 1 ? `"${secret}"` : secret.trim().slice(0, 20));
    expect(printed).not.toContain('info ');
  });
});

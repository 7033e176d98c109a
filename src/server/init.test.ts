import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { loadConfig } from './config/load-config.ts';
import { askInit, type InitFlags, type InitPlan, writeInitFiles } from './init.ts';

/** A question listens to keys a moment after the one before it was answered. */
const KEY_MS = 200;

/** Files in memory: names and contents. */
function filesWith(names: readonly string[]) {
  const files = new Map(names.map((name) => [name, 'old']));
  return {
    files,
    access: {
      exists: (path: string) => files.has(path),
      write: (path: string, text: string) => void files.set(path, text),
    },
  };
}

async function planOf(flags: InitFlags): Promise<InitPlan> {
  const plan = await askInit({ yes: true, ...flags });
  if ('kind' in plan) throw new Error(plan.message);
  return plan;
}

describe('askInit', () => {
  it('--yes answers with defaults, flags go before them', async () => {
    expect(await planOf({})).toMatchObject({
      answers: { sells: 'both' },
      file: 'tollkeeper.yaml',
      force: false,
    });
    expect(
      await planOf({
        sells: 'api',
        upstream: 'http://x.test',
        price: '2 USD',
        file: 'a.yaml',
        force: true,
      }),
    ).toMatchObject({
      answers: { sells: 'api', upstreamUrl: 'http://x.test', pricePerRequest: '2 USD' },
      file: 'a.yaml',
      force: true,
    });
  });

  it('--json asks nothing either', async () => {
    const plan = await askInit({
      json: true,
      sells: 'llm',
      model: 'm',
      modelBaseUrl: 'http://m.test/v1',
    });
    expect(plan).toMatchObject({
      answers: { sells: 'llm', model: 'm', modelBaseUrl: 'http://m.test/v1' },
    });
  });

  it.each<[string, InitFlags, string]>([
    ['no terminal', {}, 'there is no terminal to ask on: add --yes'],
    ['an unknown word', { yes: true, sells: 'cars' }, '--sells is cars: write api, llm or both'],
  ])('says what to do: %s', async (_what, flags, message) => {
    expect(await askInit(flags)).toMatchObject({
      kind: 'failed',
      exitCode: 2,
      message: expect.stringContaining(message),
    });
  });
});

describe('a person who is asked', () => {
  const ENTER = '\r';
  const CTRL_C = '\u0003';

  it.each([
    ['the first question', [CTRL_C]],
    ['the second', [ENTER, CTRL_C]],
    ['the third', [ENTER, ENTER, CTRL_C]],
  ])('gives up at %s: there is no plan to write', async (_what, keys) => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
    const asked = askInit({}, terminal);
    for (const key of keys) {
      await sleep(KEY_MS);
      terminal.write(key);
    }
    expect(await asked).toMatchObject({ kind: 'failed', exitCode: 1, code: 'GIVEN_UP' });
  });
});

describe('writeInitFiles', () => {
  it.each(['api', 'llm', 'both'])('a configuration for %s that loads as it is', async (sells) => {
    const { files, access } = filesWith([]);
    const outcome = writeInitFiles(await planOf({ sells }), access);
    expect(outcome).toMatchObject({
      kind: 'done',
      json: { written: ['tollkeeper.yaml', '.env.example'] },
    });
    // Without it the next command would fail on a file that has just been written.
    const hint = outcome.kind === 'done' ? (outcome.hint ?? '') : '';
    expect(hint.includes('set OPENAI_API_KEY')).toBe(sells !== 'api');
    expect(hint).toContain('npx tollkeeper check');
    const text = files.get('tollkeeper.yaml') ?? '';
    const loaded = loadConfig(
      { text, file: 'tollkeeper.yaml' },
      { env: { OPENAI_API_KEY: 'sk-1' } },
    );
    expect(loaded.kind === 'invalid' ? loaded.problems : []).toEqual([]);
    expect(files.get('.env.example')?.includes('OPENAI_API_KEY=')).toBe(sells !== 'api');
  });

  it('what people type does not become structure', async () => {
    const { files, access } = filesWith([]);
    writeInitFiles(
      await planOf({ sells: 'api', upstream: 'http://x.test/"a: b', price: '0.5 USD' }),
      access,
    );
    const text = files.get('tollkeeper.yaml') ?? '';
    const loaded = loadConfig({ text, file: 'tollkeeper.yaml' }, { env: {} });
    const upstream = loaded.kind === 'ok' ? loaded.config.catalog.upstreams.get('main') : undefined;
    expect(upstream?.targets[0]?.url).toContain('a:%20b');
  });

  it('never writes over a file that is there, unless forced; .env.example it leaves alone', async () => {
    const { files, access } = filesWith(['tollkeeper.yaml', '.env.example']);
    expect(writeInitFiles(await planOf({}), access)).toEqual({
      kind: 'failed',
      exitCode: 1,
      code: 'FILE_EXISTS',
      message: 'tollkeeper.yaml is there already: --force overwrites it, --file writes elsewhere',
    });
    expect([...files.values()]).toEqual(['old', 'old']);
    expect(writeInitFiles(await planOf({ force: true }), access)).toMatchObject({
      json: { written: ['tollkeeper.yaml'] },
    });
    expect([files.get('tollkeeper.yaml') === 'old', files.get('.env.example')]).toEqual([
      false,
      'old',
    ]);
  });

  it.each<[InitFlags, string]>([
    [{ sells: 'api', price: '-1 USD' }, 'price'],
    [{ sells: 'api', price: '0.001 EUR' }, 'price'],
    [{ sells: 'api', upstream: 'javascript:1' }, 'upstreams.main.url'],
    [{ sells: 'llm', model: 'a: b' }, 'is not a model name'],
    [{ sells: 'llm', modelBaseUrl: 'openai' }, 'providers.main.base_url'],
  ])('writes nothing that would not start: %j', async (flags, message) => {
    const { files, access } = filesWith([]);
    expect(writeInitFiles(await planOf(flags), access)).toMatchObject({
      kind: 'failed',
      exitCode: 2,
      message: expect.stringContaining(message),
    });
    expect(files.size).toBe(0);
  });

  it('says which file cannot be written', async () => {
    const { access } = filesWith([]);
    const write = () => {
      throw new Error('ENOENT: no such file or directory');
    };
    const plan = await planOf({ file: 'missing/tollkeeper.yaml' });
    expect(writeInitFiles(plan, { ...access, write })).toMatchObject({
      kind: 'failed',
      exitCode: 1,
      code: 'CANNOT_WRITE',
      message: expect.stringMatching(/^missing\/tollkeeper\.yaml cannot be written .*ENOENT/),
    });
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { formatProblem } from './config-problem.ts';
import { readDemoConfig } from './demo-config.ts';
import { writeInitEnvironment, writeInitTemplate } from './init-template.ts';
import type { InitAnswers } from './init-template.ts';
import { loadConfig } from './load-config.ts';
import type { ConfigSource } from './load-config.ts';
import type { LoadedConfig } from './loaded-config.ts';
import { formatSchemaFile, locateSchemaFile } from './schema-file.ts';
import { buildJsonSchema, fillDefaults, listKeysAt } from './schema/json-schema.ts';
import type { JsonSchema } from './schema/json-schema.ts';
import { isMapping } from './config-path.ts';

function load(source: ConfigSource, env = {}): LoadedConfig {
  const result = loadConfig(source, { env });
  if (result.kind === 'invalid') throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

interface SchemaNode {
  readonly path: string;
  readonly node: JsonSchema;
}

/** Every mapping inside the schema, itself too. */
function* listNodes(node: unknown, path: string): Generator<SchemaNode> {
  if (isMapping(node)) yield { node, path };
  if (typeof node !== 'object' || node === null) return;
  for (const [key, member] of Object.entries(node)) yield* listNodes(member, `${path}/${key}`);
}

describe('schema/tollkeeper.schema.json', () => {
  test('is what the schema in the code generates: else `npm run schema`', () => {
    expect(readFileSync(locateSchemaFile(), 'utf8')).toBe(formatSchemaFile());
  });

  const schema = buildJsonSchema();

  test('describes every key of the file for the reader (PLAN-02: unknown ones are refused)', () => {
    const mappings = [...listNodes(schema, '')].filter(({ node }) => isMapping(node['properties']));
    expect(mappings.length).toBeGreaterThan(20);
    const open = mappings.filter(({ node }) => node['additionalProperties'] !== false);
    expect(open.map(({ path }) => path)).toEqual([]);
    const bare = mappings.flatMap(({ node, path }) =>
      Object.entries(isMapping(node['properties']) ? node['properties'] : {})
        .filter(([, member]) => isMapping(member) && member['description'] === undefined)
        .map(([key]) => `${path}/${key}`),
    );
    expect(bare).toEqual([]);
  });

  test('bounds every list', () => {
    const lists = [...listNodes(schema, '')].filter(({ node }) => node['type'] === 'array');
    expect(lists.length).toBeGreaterThan(20);
    expect(lists.filter(({ node }) => !(Number(node['maxItems']) > 0))).toEqual([]);
  });

  test('takes a variable wherever a text is expected, as the gateway does', () => {
    const editor = z.fromJSONSchema({ ...schema });
    const taken = (more: object) => editor.safeParse({ version: 1, ...more }).success;
    for (const more of [
      { store: '${DATABASE_URL}' },
      { store: { type: 'postgres', url: 'file:/run/secrets/database' } },
      { asset: '${ASSET:-EUR}' },
      { log: { level: '${LEVEL}' } },
      { upstreams: { main: { url: '${URL}', health: { path: '${PATH}' } } } },
    ]) {
      expect([more, taken(more)]).toEqual([more, true]);
    }
    expect(taken({ log: { level: 'loud' } })).toBe(false);
    expect(taken({ plans: { '${NAME}': { title: 'Free', price: 'free' } } })).toBe(false);
  });

  test('takes the files we ship, as an editor reads it, and refuses what the gateway refuses', () => {
    const editor = z.fromJSONSchema({ ...schema });
    const demo = readDemoConfig();
    const files = [
      typeof demo === 'string' ? '' : demo.text,
      ...(['api', 'llm', 'both'] as const).map((sells) =>
        writeInitTemplate({ sells, schemaUrl: 'x' }),
      ),
    ];
    for (const file of files) expect(editor.safeParse(parse(file)).error).toBeUndefined();
    for (const wrong of [
      {},
      { version: 2 },
      { version: 1, severs: {} },
      { version: 1, server: { port: 70_000 } },
    ]) {
      expect(editor.safeParse(wrong).success).toBe(false);
    }
  });

  test.each([
    [['server'], 'admin_port'],
    [['plans', 'any', 'limits', 3], 'requests'],
    [['plans', 'any', 'rate_limits', 0], 'burst'],
    [['plans', 'any', 'limits', 3, 'overage'], 'authorize'],
    [['plans', 'any', 'degraded'], 'substitute'],
    [['add_ons', 'any', 'grants', 'limits', 0], 'compute_time'],
    [['apis', 'any', 'routes', 7, 'requires', 0, 'when'], 'body_above'],
    [['limits', 0], 'only'],
    [['upstreams', 'any', 'targets', 0], 'weight'],
    [['apis', 'any', 'routes', 7, 'price'], 'byte_in'],
    [['models', 'any', 'price'], 'cached_input'],
  ])('knows the keys at %j', (path, key) => {
    expect(listKeysAt(schema, path)).toContain(key);
  });

  test('has no fixed keys where names are free', () => {
    expect(listKeysAt(schema, ['plans'])).toEqual([]);
    expect(listKeysAt(schema, ['version', 'deeper', 1])).toEqual([]);
  });

  test('gives the defaults of what is not there and keeps what is', () => {
    expect(
      fillDefaults(schema, { version: 1, server: { port: 1 }, store: { type: 'sqlite' } }),
    ).toMatchObject({
      server: { port: 1, admin_port: 4021, drain: '30s' },
      store: { type: 'sqlite', directory: '.tollkeeper' },
      asset: 'USD',
    });
  });
});

describe('the demo', () => {
  const { catalog, demo } = load(readDemoConfig());
  const routes = catalog.apis.flatMap((api) => api.routes);

  test('has one route of each class, and a feature that only the bigger plans have (GW-18, PLAN-07)', () => {
    expect(new Set(routes.map((route) => route.endpointClass))).toEqual(
      new Set(['free', 'metered', 'premium']),
    );
    const owners = [...catalog.plans.values()].filter((plan) =>
      plan.features.includes('enrichment'),
    );
    expect(owners.map((plan) => plan.id)).toEqual(['business', 'enterprise']);
    expect(owners.some((plan) => plan.onSale)).toBe(true);
  });

  test('sells the four plans (PLAN-01)', () => {
    expect([...catalog.plans.keys()]).toEqual(['free', 'developer', 'business', 'enterprise']);
  });

  test('affords a few calls, and soon no more', () => {
    const credit = demo?.creditNano ?? 0n;
    const weather = routes.find((route) => route.id === 'demo.weather')?.price.perRequest ?? 0n;
    const calls = (credit * 1000n) / weather;
    expect(Number(calls)).toBeGreaterThanOrEqual(3);
    expect(Number(calls)).toBeLessThanOrEqual(10);
    expect(catalog.plans.get(demo?.planId ?? '')).toMatchObject({
      usage: 'prepaid',
      priceNano: 0n,
    });
  });
});

describe('what `init` writes', () => {
  const schemaUrl = './tollkeeper.schema.json';
  const cases: readonly InitAnswers[] = [
    { sells: 'api', schemaUrl },
    { sells: 'llm', schemaUrl },
    { sells: 'both', schemaUrl },
    {
      sells: 'both',
      schemaUrl,
      upstreamUrl: 'https://api.example.com/v2',
      pricePerRequest: '0.25 USD',
      modelBaseUrl: 'http://127.0.0.1:11434/v1',
      model: 'llama3.1:8b',
    },
  ];
  test.each(cases)('loads as it is: %j', (answers) => {
    const text = writeInitTemplate(answers);
    expect(text.split('\n')[0]).toBe(`# yaml-language-server: $schema=${schemaUrl}`);
    const { catalog } = load({ text, file: 'tollkeeper.yaml' }, { OPENAI_API_KEY: 'sk-1' });
    expect(catalog.apis.map((api) => api.id)).toEqual(
      { api: ['main'], llm: ['llm'], both: ['main', 'llm'] }[answers.sells],
    );
    expect(catalog.plans.size).toBe(2);
    const urls = ['main', 'provider:main'].map((id) => catalog.upstreams.get(id)?.targets[0]?.url);
    expect(urls).toEqual([
      answers.sells === 'llm' ? undefined : (answers.upstreamUrl ?? 'http://127.0.0.1:9000'),
      answers.sells === 'api' ? undefined : (answers.modelBaseUrl ?? 'https://api.openai.com/v1'),
    ]);
    const model = answers.sells === 'api' ? undefined : (answers.model ?? 'gpt-4.1-mini');
    expect(catalog.models.get('default-chat')?.aliasOf).toBe(model);
  });

  const template = writeInitTemplate({ sells: 'both', schemaUrl });
  const comments = [...template.matchAll(/^ +# (?=[a-z_]+: ).*$/gm)].map(([line]) => line);
  test.each(comments)('the key in the comment is one that exists: %s', (line) => {
    const text = template.replace(line, line.replace('# ', ''));
    const result = loadConfig(
      { text, file: 't.yaml' },
      { env: { OPENAI_API_KEY: 'x', UPSTREAM_TOKEN: 'y' } },
    );
    const problems =
      result.kind === 'invalid' ? result.problems.map((problem) => problem.path) : [];
    // The certificate of the example is not there; everything else is right as it stands.
    expect(problems.filter((path) => !path.startsWith('server.tls'))).toEqual([]);
  });

  test('has such comments', () => {
    expect(comments.map((line) => /[a-z_]+(?=:)/.exec(line)?.[0])).toEqual([
      'host',
      'public_url',
      'tls',
      'health',
      'credentials',
      'cors',
      'feature',
      'requires',
      'rewrite',
      'timeouts',
      'context',
    ]);
  });

  test('answers cannot become structure', () => {
    const text = writeInitTemplate({ sells: 'api', schemaUrl, upstreamUrl: 'x"\nplans: {}\n#' });
    const result = loadConfig({ text, file: 'tollkeeper.yaml' }, { env: {} });
    expect(result.kind === 'invalid' && result.problems.map((problem) => problem.path)).toEqual([
      'upstreams.main.url',
    ]);
  });

  test('names the variables it reads', () => {
    expect(writeInitEnvironment({ sells: 'llm' })).toContain('OPENAI_API_KEY=');
    expect(writeInitEnvironment({ sells: 'api' })).not.toContain('OPENAI_API_KEY');
  });
});

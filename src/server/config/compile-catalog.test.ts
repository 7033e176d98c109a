import { describe, expect, test } from 'vitest';
import { loadText } from '../../../test/support/check-config.ts';
import { parseCatalog, serializeCatalog } from './parse-catalog.ts';
import { listBuiltins, resolveBuiltins } from './resolve-builtins.ts';

const YAML = `
version: 1
upstreams:
  one: { url: http://127.0.0.1:9000/base/ }
  many:
    targets: [http://a.example, { url: http://b.example, weight: 3 }]
    health: { path: /healthz, interval: 2s, timeout: 1s, unhealthy_after: 3, healthy_after: 2 }
    credentials: { Authorization: Bearer upstream-token }
  own: { url: builtin:demo }
providers:
  echo: { base_url: builtin:echo }
models:
  small:
    { provider: echo, context_window: 32k, price: { input: 0.50 USD / 1M tokens, output: 1.50 USD / 1M tokens } }
  large:
    provider: echo
    upstream_model: large-2026
    context_window: 1M
    max_output_tokens: 8192
    price: { input: 1 USD / 1M tokens, cached_input: 0.1 USD / 1M tokens, output: 2 USD / 1M tokens, request: 0.01 USD }
aliases: { chat: small, best: large }
apis:
  llm: { type: llm, hosts: [llm.example], timeouts: { headers: 2m } }
  shop:
    upstream: one
    timeouts: { connect: 1s }
    body_max: 1MB
    cors: { origins: ["https://app.example"], credentials: true, max_age: 1h }
    routes:
      - { name: items, path: /items, methods: [GET], price: 0.001 USD / request }
      - path: /items
        methods: [GET]
        headers: { X-Version: "2" }
        upstream: many
        price: { request: 0.001 USD, byte_in: 0.01 USD / 1GB, byte_out: 0.09 USD / 1GB }
        class: premium
        feature: reports
        rewrite: { pattern: "^/items", with: /v2/items }
        timeouts: { headers: 5s, idle: 6s }
        body_max: unlimited
        request_headers: { set: { X-From: gateway }, remove: [Cookie] }
        response_headers: { remove: [Server] }
        dialect: openai
      - { path_prefix: /files, rewrite: { strip_prefix: /files } }
      - { path_regex: "^/v[0-9]+/x$" }
      - { path: /status, class: free }
plans:
  free:
    title: Free
    price: free
    limits:
      - { requests: 10k, per: month }
      - { tokens: 1M, per: day, scope: key }
      - { spend: 10.00 USD, per: lifetime }
    rate_limits: [60/min burst 10, { count: 5, per: second, scope: key }]
    models: [chat]
    on_sale: false
  business: { title: Business, price: 49.00 USD / month, usage: included, features: [reports] }
packs:
  five: { title: Five, price: 5.00 USD, credit: 5.50 USD }
retry_storm_per_minute: 0
`;

const { catalog } = loadText(YAML);
const ZERO = {
  asset: 'USD',
  perRequest: 0n,
  perInputToken: 0n,
  perCachedInputToken: 0n,
  perOutputToken: 0n,
  perByteIn: 0n,
  perByteOut: 0n,
};

/** What a route is that says nothing of it. */
const PLAIN_ROUTE = {
  durability: 'journal',
  requires: [],
  compute: undefined,
  endUserHeader: 'x-end-user-id',
  role: undefined,
  parameters: [],
  degradedAccess: 'by-method',
};
const PLAIN_LIMIT = {
  class: 'commercial',
  soft: false,
  models: [],
  routes: [],
  operations: [],
  overage: { kind: 'block' },
};

describe('upstreams (GW-06, GW-08)', () => {
  test('targets, weights, health and credentials', () => {
    expect(catalog.upstreams.get('many')).toEqual({
      id: 'many',
      targets: [
        { url: 'http://a.example', weight: 1 },
        { url: 'http://b.example', weight: 3 },
      ],
      health: {
        path: '/healthz',
        intervalMs: 2000,
        timeoutMs: 1000,
        unhealthyAfter: 3,
        healthyAfter: 2,
      },
      credentials: [{ name: 'authorization', value: 'Bearer upstream-token' }],
    });
  });

  test('one URL, without its last slash; health is passive by default', () => {
    expect(catalog.upstreams.get('one')).toMatchObject({
      targets: [{ url: 'http://127.0.0.1:9000/base', weight: 1 }],
      health: { path: undefined },
    });
  });

  test('a provider has an upstream of its own', () => {
    expect(catalog.providers.get('echo')).toEqual({
      id: 'echo',
      type: 'openai-compatible',
      upstreamId: 'provider:echo',
    });
    expect([...catalog.upstreams.keys()]).toEqual(['one', 'many', 'own', 'provider:echo']);
  });

  test('built-in servers are named, then found where they listen', () => {
    expect(listBuiltins(catalog)).toEqual(['echo', 'demo']);
    const resolved = resolveBuiltins(catalog, {
      echo: 'http://127.0.0.1:1',
      demo: 'http://127.0.0.1:2',
    });
    expect(resolved.upstreams.get('provider:echo')?.targets).toEqual([
      { url: 'http://127.0.0.1:1/v1', weight: 1 },
    ]);
    expect(resolved.upstreams.get('own')?.targets).toEqual([
      { url: 'http://127.0.0.1:2', weight: 1 },
    ]);
    expect(resolved.upstreams.get('many')).toEqual(catalog.upstreams.get('many'));
    expect(resolved.version).toBe(catalog.version);
    expect(listBuiltins(resolved)).toEqual([]);
  });
});

describe('models', () => {
  test('prices are pico per token; cached input costs what input costs unless said (BILL-06)', () => {
    expect(catalog.models.get('small')).toEqual({
      id: 'small',
      aliasOf: undefined,
      providerId: 'echo',
      upstreamModel: 'small',
      contextWindow: 32_000,
      outputTokensMax: 32_000,
      price: {
        ...ZERO,
        perInputToken: 500_000n,
        perCachedInputToken: 500_000n,
        perOutputToken: 1_500_000n,
      },
    });
    expect(catalog.models.get('large')).toMatchObject({
      upstreamModel: 'large-2026',
      outputTokensMax: 8192,
      price: { perRequest: 10_000_000_000n, perCachedInputToken: 100_000n },
    });
  });

  test('an alias is the model under another name', () => {
    expect(catalog.models.get('best')).toEqual({
      ...catalog.models.get('large'),
      id: 'best',
      aliasOf: 'large',
    });
  });
});

describe('APIs (GW-01)', () => {
  const [llm, shop] = catalog.apis;

  test('an llm API answers the OpenAI endpoints (LLM-02)', () => {
    expect(llm?.hosts).toEqual(['llm.example']);
    const summary = llm?.routes.map((each) => [
      each.id,
      each.kind,
      each.endpointClass,
      each.match.methods,
      each.match.path.value,
    ]);
    expect(summary).toEqual([
      ['llm.chat', 'chat', 'metered', ['POST'], '/v1/chat/completions'],
      ['llm.embeddings', 'embeddings', 'metered', ['POST'], '/v1/embeddings'],
      ['llm.models', 'models', 'free', ['GET'], '/v1/models'],
      ['llm.model', 'models', 'free', ['GET'], '/v1/models'],
    ]);
    for (const route of llm?.routes ?? []) {
      expect(route).toMatchObject({
        dialect: 'openai',
        upstreamId: undefined,
        bodyBytesMax: 10 * 1024 * 1024,
        rewrite: { kind: 'strip-prefix', prefix: '/v1' },
        timeouts: { connectMs: 5000, headersMs: 120_000, idleMs: 120_000 },
      });
    }
  });

  test('a route with nothing but a path is metered, free of charge and unbounded but for its API', () => {
    expect(shop?.routes[2]).toEqual({
      id: 'shop.* /files',
      apiId: 'shop',
      kind: 'proxy',
      dialect: 'plain',
      endpointClass: 'metered',
      match: { methods: [], path: { kind: 'prefix', value: '/files' }, headers: [] },
      upstreamId: 'one',
      price: ZERO,
      ...PLAIN_ROUTE,
      operation: 'shop.* /files',
      rewrite: { kind: 'strip-prefix', prefix: '/files' },
      requestHeaders: { set: [], remove: [] },
      responseHeaders: { set: [], remove: [] },
      timeouts: { connectMs: 1000, headersMs: 60_000, idleMs: 60_000 },
      bodyBytesMax: 1_000_000,
    });
  });

  test('a route with everything (GW-08, GW-18)', () => {
    expect(shop?.routes[1]).toEqual({
      id: 'shop.GET /items',
      apiId: 'shop',
      kind: 'proxy',
      dialect: 'openai',
      endpointClass: 'premium',
      match: {
        methods: ['GET'],
        path: { kind: 'exact', value: '/items' },
        headers: [{ name: 'x-version', value: '2' }],
      },
      upstreamId: 'many',
      price: { ...ZERO, perRequest: 1_000_000_000n, perByteIn: 10n, perByteOut: 90n },
      ...PLAIN_ROUTE,
      requires: [{ kind: 'feature', id: 'reports', when: [] }],
      operation: 'shop.GET /items',
      rewrite: { kind: 'replace', pattern: '^/items', with: '/v2/items' },
      requestHeaders: { set: [{ name: 'x-from', value: 'gateway' }], remove: ['cookie'] },
      responseHeaders: { set: [], remove: ['server'] },
      timeouts: { connectMs: 1000, headersMs: 5000, idleMs: 6000 },
      bodyBytesMax: undefined,
    });
  });

  test('ids, regular expressions, classes and CORS', () => {
    expect(shop?.routes.map((route) => route.id)).toEqual([
      'shop.items',
      'shop.GET /items',
      'shop.* /files',
      'shop.* ^/v[0-9]+/x$',
      'shop.* /status',
    ]);
    expect(shop?.routes[3]?.match.path).toEqual({ kind: 'regex', value: '^/v[0-9]+/x$' });
    expect(shop?.routes[4]?.endpointClass).toBe('free');
    expect(shop?.cors).toEqual({
      origins: ['https://app.example'],
      allowCredentials: true,
      maxAgeSeconds: 3600,
    });
    expect(llm?.cors).toBeUndefined();
  });

  test('routes that differ in a header condition only have ids of their own', () => {
    const { catalog: other } = loadText(`
version: 1
upstreams: { u: { url: http://a.example } }
apis: { a: { upstream: u, routes: [{ path: /x }, { path: /x, headers: { v: "2" } }, { path: /x, headers: { v: "3" } }] } }
`);
    expect(other.apis[0]?.routes.map((route) => route.id)).toEqual([
      'a.* /x',
      'a.* /x #2',
      'a.* /x #3',
    ]);
  });
});

describe('plans and packs (PLAN-01, PLAN-02)', () => {
  test('limits with their unit, window and scope (QUOTA-02, QUOTA-03)', () => {
    expect(catalog.plans.get('free')?.limits).toEqual([
      {
        id: 'requests_per_month',
        unit: 'requests',
        window: 'month',
        scope: 'tenant',
        amount: 10_000,
        ...PLAIN_LIMIT,
      },
      {
        id: 'key_tokens_per_day',
        unit: 'tokens',
        window: 'day',
        scope: 'key',
        amount: 1_000_000,
        ...PLAIN_LIMIT,
      },
      {
        id: 'spend_per_lifetime',
        unit: 'spend',
        window: 'lifetime',
        scope: 'tenant',
        amount: 10_000_000_000,
        ...PLAIN_LIMIT,
      },
    ]);
  });

  test('rate limits; without a burst, as many at once as in a period (QUOTA-07)', () => {
    expect(catalog.plans.get('free')?.rateLimits).toEqual([
      {
        id: 'rate_per_minute',
        scope: 'tenant',
        count: 60,
        periodMs: 60_000,
        burst: 10,
        class: 'protective',
      },
      {
        id: 'key_rate_per_second',
        scope: 'key',
        count: 5,
        periodMs: 1000,
        burst: 5,
        class: 'protective',
      },
    ]);
  });

  test('price, usage, models with all their names, features and sale', () => {
    expect(catalog.plans.get('free')).toMatchObject({
      title: 'Free',
      priceNano: 0n,
      usage: 'prepaid',
      models: ['small', 'chat'],
      features: [],
      onSale: false,
    });
    expect(catalog.plans.get('business')).toMatchObject({
      priceNano: 49_000_000_000n,
      usage: 'included',
      limits: [],
      models: ['*'],
      features: ['reports'],
      onSale: true,
    });
  });

  test('refusals in words of the provider (C402-11)', () => {
    const rules =
      '[{ code: INVOICE_OVERDUE, title: Overdue, fields: { level: 2 } }, { link: /help }]';
    expect(loadText(`version: 1\ncustomise: ${rules}`).catalog.customisations).toEqual([
      { code: 'INVOICE_OVERDUE', title: 'Overdue', fields: { level: 2 } },
      { link: '/help' },
    ]);
    expect(catalog.customisations).toEqual([]);
  });

  test('packs, asset and storm', () => {
    expect(catalog.packs).toEqual([
      { id: 'five', title: 'Five', priceNano: 5_000_000_000n, creditNano: 5_500_000_000n },
    ]);
    expect([catalog.asset, catalog.retryStormPerMinute]).toEqual(['USD', 0]);
  });
});

describe('versions', () => {
  const version = (text: string) => loadText(text).catalog.version;
  const planVersion = (text: string) => loadText(text).catalog.plans.get('free')?.version;

  test('are short hashes of what is sold, the same for the same', () => {
    expect(catalog.version).toMatch(/^[0-9a-f]{12}$/);
    expect(catalog.plans.get('free')?.version).toMatch(/^[0-9a-f]{8}$/);
    expect(
      version(`# a comment\n${YAML.replace('10.00 USD', '10 USD')}\nserver: { port: 0 }`),
    ).toBe(catalog.version);
  });

  test.each([
    ['a price', '0.001 USD / request', '0.002 USD / request', true],
    ['a secret', 'upstream-token', 'upstream-token-2', true],
    ['a term of the plan', '10k', '11k', false],
  ])('change with %s', (_name, from, to, planStays) => {
    const changed = YAML.replace(from, to);
    expect(version(changed)).not.toBe(catalog.version);
    expect(planVersion(changed) === planVersion(YAML)).toBe(planStays);
  });

  test('of a plan stay when a model gets one more name', () => {
    const more = YAML.replace('chat: small', 'chat: small, tiny: small');
    expect(planVersion(more)).toBe(planVersion(YAML));
    expect(loadText(more).catalog.plans.get('free')?.models).toEqual(['small', 'chat', 'tiny']);
  });
});

test('a catalogue survives the way to a worker process', () => {
  const copy = parseCatalog(serializeCatalog(catalog));
  expect(copy).toEqual(catalog);
  expect(copy.plans).toBeInstanceOf(Map);
  expect(copy.plans.get('business')?.priceNano).toBe(49_000_000_000n);
  expect(serializeCatalog(copy)).toBe(serializeCatalog(catalog));
});

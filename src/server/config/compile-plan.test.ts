import { describe, expect, test } from 'vitest';
import { loadText } from '../../../test/support/check-config.ts';
import { buildLimit } from '../../../test/support/build-catalog.ts';
import type { Catalog, Limit, Plan } from '../../domain/catalog.ts';

/** A catalogue whose plan `free` has these members, beside two models and an API. */
function load(members: string, rest = ''): Catalog {
  return loadText(`
version: 1
providers: { echo: { base_url: builtin:echo } }
models:
  small: { provider: echo, context_window: 8k, price: free }
  large: { provider: echo, context_window: 200k, price: free }
aliases: { chat: small }
upstreams: { demo: { url: builtin:demo } }
apis:
  llm: { type: llm }
  shop:
    upstream: demo
    routes:
      - { name: items, path: /items, operation: list }
      - { path: /report, methods: [GET, HEAD], feature: reports }
      - { path_regex: "^/course/(?<course>[0-9]+)$", requires: [{ purchase: "course-{course}" }] }
plans:
  free: { title: Free, price: free, ${members} }
${rest}`).catalog;
}

function planOf(members: string): Plan {
  const plan = load(members).plans.get('free');
  if (plan === undefined) throw new Error('no plan');
  return plan;
}

function limitOf(written: string): Limit | undefined {
  return planOf(`limits: [{ ${written} }]`).limits[0];
}

describe('limits (QUOTA-01..03)', () => {
  test.each([
    ['requests: 10k', { id: 'requests_per_day', unit: 'requests', amount: 10_000 }],
    ['tokens: 1M', { id: 'tokens_per_day', unit: 'tokens', amount: 1_000_000 }],
    ['input_tokens: 5', { id: 'input_tokens_per_day', unit: 'input_tokens', amount: 5 }],
    ['output_tokens: 5', { id: 'output_tokens_per_day', unit: 'output_tokens', amount: 5 }],
    ['bytes: 5 GB', { id: 'bytes_per_day', unit: 'bytes', amount: 5_000_000_000 }],
    ['bytes_in: 1 MiB', { id: 'bytes_in_per_day', unit: 'bytes_in', amount: 1_048_576 }],
    ['bytes_out: 1024', { id: 'bytes_out_per_day', unit: 'bytes_out', amount: 1024 }],
    ['storage_bytes: 10GB', { id: 'storage_bytes_per_day', amount: 10_000_000_000 }],
    ['compute_units: 500', { id: 'compute_units_per_day', unit: 'compute_units', amount: 500 }],
    ['compute_time: 90s', { id: 'compute_time_per_day', unit: 'compute_ms', amount: 90_000 }],
    ['compute_time: 9000h', { id: 'compute_time_per_day', amount: 32_400_000_000 }],
    ['operations: 100', { id: 'operations_per_day', unit: 'operations', amount: 100 }],
    ['spend: 10.50 USD', { id: 'spend_per_day', unit: 'spend', amount: 10_500_000_000 }],
  ] as const)('count %s', (written, expected) => {
    expect(limitOf(`${written}, per: day`)).toMatchObject({ window: 'day', ...expected });
  });

  test.each([
    'second',
    'minute',
    'hour',
    'day',
    'week',
    'month',
    'year',
    'billing_cycle',
    'lifetime',
  ] as const)('of the window %s', (window) => {
    const expected = buildLimit(1, { id: `requests_per_${window}`, window });
    expect(limitOf(`requests: 1, per: ${window}`)).toEqual(expected);
  });

  test.each(['second', 'minute', 'hour', 'day', 'week'] as const)('over any %s', (period) => {
    const window = `sliding_${period}` as const;
    const expected = buildLimit(1, { id: `requests_per_${window}`, window });
    expect(limitOf(`requests: 1, per: ${period}, window: sliding`)).toEqual(expected);
    expect(limitOf(`requests: 1, per: ${period}, window: calendar`)).toMatchObject({
      id: `requests_per_${period}`,
      window: period,
    });
  });

  test('an add-on raises the one that slides, not the one by the calendar', () => {
    const { addOns } = load(
      'limits: [{ requests: 1, per: hour }, { requests: 1, per: hour, window: sliding }]',
      `add_ons:
  more:
    title: More
    price: 1 USD
    grants: { limits: [{ requests: 5, per: hour, window: sliding }] }`,
    );
    expect(addOns[0]?.grants.limits).toEqual([{ id: 'requests_per_sliding_hour', amount: 5 }]);
  });

  test.each(['app', 'key', 'end_user', 'model', 'route', 'operation'] as const)(
    'of the scope %s',
    (scope) => {
      const expected = buildLimit(1, { id: `${scope}_requests_per_month`, scope });
      expect(limitOf(`requests: 1, per: month, scope: ${scope}`)).toEqual(expected);
    },
  );

  test('of calls at the same time, which have no window (QUOTA-10)', () => {
    expect(limitOf('concurrent_requests: 5, scope: key')).toEqual(
      buildLimit(5, {
        id: 'key_concurrent_requests',
        unit: 'concurrent_requests',
        scope: 'key',
        window: 'lifetime',
      }),
    );
  });

  test('class, soft and an id of their own', () => {
    const written = 'id: fair_use, requests: 10, per: second, class: protective, soft: true';
    expect(limitOf(written)).toEqual(
      buildLimit(10, { id: 'fair_use', window: 'second', class: 'protective', soft: true }),
    );
  });

  test('on some calls alone: a model under each of its names, routes by id, operations by name', () => {
    const only =
      'only: { models: [chat], routes: [shop.items, "shop.GET|HEAD /report"], operations: [list, llm.chat] }';
    expect(limitOf(`requests: 1, per: month, ${only}`)).toMatchObject({
      models: ['small', 'chat'],
      routes: ['shop.items', 'shop.GET|HEAD /report'],
      operations: ['list', 'llm.chat'],
    });
  });

  test('of the provider itself are over all callers, and protect unless they are for sale', () => {
    const rest =
      'limits: [{ requests: 1k, per: second }, { spend: 9 USD, per: day, class: commercial }]';
    expect(load('', rest).limits).toEqual([
      buildLimit(1000, {
        id: 'global_requests_per_second',
        window: 'second',
        scope: 'global',
        class: 'protective',
      }),
      buildLimit(9_000_000_000, {
        id: 'global_spend_per_day',
        unit: 'spend',
        window: 'day',
        scope: 'global',
      }),
    ]);
  });
});

describe('overage (PLAN-11)', () => {
  test.each([
    ['requests: 1', '{ price: 0.002 USD }', { kind: 'bill', unitPico: 2_000_000_000n }],
    [
      'requests: 1',
      '{ authorize: 2 USD / 1k requests }',
      { kind: 'authorize', unitPico: 2_000_000_000n },
    ],
    ['tokens: 1', '{ price: 0.50 USD / 1M tokens }', { kind: 'bill', unitPico: 500_000n }],
    ['bytes_out: 1 GB', '{ price: 0.09 USD / GB }', { kind: 'bill', unitPico: 90n }],
    ['compute_units: 1', '{ price: 0.01 USD }', { kind: 'bill', unitPico: 10_000_000_000n }],
    ['compute_time: 1h', '{ price: 0.36 USD / hour }', { kind: 'bill', unitPico: 100_000n }],
    ['compute_time: 1h', '{ price: 0.009 USD / 90s }', { kind: 'bill', unitPico: 100_000n }],
    [
      'operations: 1',
      '{ price: 1 USD / 2 operations }',
      { kind: 'bill', unitPico: 500_000_000_000n },
    ],
    ['requests: 1', 'block', { kind: 'block' }],
  ] as const)('of %s: %s', (unit, overage, expected) => {
    expect(limitOf(`${unit}, per: month, overage: ${overage}`)?.overage).toEqual(expected);
  });
});

describe('rate limits (QUOTA-07, QUOTA-09)', () => {
  const written =
    'rate_limits: [60/min burst 10, { count: 5, per: second, scope: key, class: protective }]';

  test('protect, unless what is too fast is for sale', () => {
    expect(planOf(written).rateLimits.map((rate) => rate.class)).toEqual([
      'protective',
      'protective',
    ]);
    expect(planOf(`rate_exceeded: pay, ${written}`).rateLimits).toEqual([
      {
        id: 'rate_per_minute',
        scope: 'tenant',
        count: 60,
        periodMs: 60_000,
        burst: 10,
        class: 'commercial',
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
});

describe('a plan (PLAN-02)', () => {
  test('says nothing: no caps, a week of grace, no partial service, enforced', () => {
    expect(planOf('')).toMatchObject({
      limits: [],
      rateLimits: [],
      contextTiers: [],
      fileBytesMax: undefined,
      degraded: undefined,
      graceDays: 7,
      enforcement: 'enforce',
    });
  });

  test('context tiers with their price, the largest file, grace and enforcement', () => {
    const members =
      'context: [{ up_to: 9000 }, { up_to: 100k, price: 1.5 }, { up_to: 200k, price: 2.125 }], max_file: 1 MB, grace: 30d, enforcement: observe';
    expect(planOf(members)).toMatchObject({
      contextTiers: [
        { tokensMax: 9000, priceMultiplierPermille: 1000 },
        { tokensMax: 100_000, priceMultiplierPermille: 1500 },
        { tokensMax: 200_000, priceMultiplierPermille: 2125 },
      ],
      fileBytesMax: 1_000_000,
      graceDays: 30,
      enforcement: 'observe',
    });
  });

  test('partial service while a payment is pending (DEG-01..03)', () => {
    expect(planOf('degraded: {}').degraded).toEqual({
      readOnly: true,
      duringGrace: false,
      contextTokensMax: undefined,
      rate: undefined,
      substitutes: new Map(),
      withheldFeatures: [],
    });
    const members =
      'degraded: { read_only: false, during_grace: true, max_context: 4k, rate: 10/min, substitute: { large: small }, withhold: [reports] }';
    expect(planOf(members).degraded).toEqual({
      readOnly: false,
      duringGrace: true,
      contextTokensMax: 4000,
      rate: {
        id: 'degraded_rate_per_minute',
        scope: 'tenant',
        count: 10,
        periodMs: 60_000,
        burst: 10,
        class: 'protective',
      },
      substitutes: new Map([['large', 'small']]),
      withheldFeatures: ['reports'],
    });
  });

  test('lists its APIs: the others ask for a feature it has not', () => {
    const rest = '  pro: { title: Pro, price: 1 USD }';
    const { plans, apis } = load('apis: [llm]', rest);
    expect(plans.get('free')?.features).toEqual(['api:llm']);
    expect(plans.get('pro')?.features).toEqual(['api:shop']);
    const [llm, shop] = apis.map((api) => api.routes.map((route) => route.requires));
    expect(new Set(llm?.map(({ length }) => length))).toEqual(new Set([0]));
    expect(shop?.map(([first]) => first)).toEqual([
      { kind: 'feature', id: 'api:shop', when: [] },
      { kind: 'feature', id: 'api:shop', when: [] },
      { kind: 'feature', id: 'api:shop', when: [] },
    ]);
  });
});

describe('add-ons (PLAN-05, PLAN-10)', () => {
  test('grant features, models under all their names, purchases, more of limits, and higher caps', () => {
    const rest = `
add_ons:
  burst:
    title: Burst
    price: 20.00 USD / month
    grants: { rate_limits: [500/min burst 50], max_context: 100k, max_file: 10 MB }
  more:
    title: More
    price: 5.00 USD
    grants:
      features: [reports]
      models: [chat]
      purchases: [course-7, course-*]
      limits: [{ requests: 1k, per: month }, { id: data, bytes: 1 GB, per: day }]
`;
    const members =
      'limits: [{ requests: 1, per: month }, { id: data, bytes: 1 GB, per: day }], rate_limits: [60/min]';
    expect(load(members, rest).addOns).toEqual([
      {
        id: 'burst',
        title: 'Burst',
        priceNano: 20_000_000_000n,
        interval: 'month',
        grants: {
          features: [],
          models: [],
          purchases: [],
          limits: [],
          rateLimits: [{ id: 'rate_per_minute', count: 500, burst: 50 }],
          contextTokensMax: 100_000,
          fileBytesMax: 10_000_000,
        },
      },
      {
        id: 'more',
        title: 'More',
        priceNano: 5_000_000_000n,
        interval: 'once',
        grants: {
          features: ['reports'],
          models: ['small', 'chat'],
          purchases: ['course-7', 'course-*'],
          limits: [
            { id: 'requests_per_month', amount: 1000 },
            { id: 'data', amount: 1_000_000_000 },
          ],
          rateLimits: [],
          contextTokensMax: undefined,
          fileBytesMax: undefined,
        },
      },
    ]);
  });
});

describe('the version of a plan', () => {
  const plain = planOf('').version;

  test.each([
    'limits: [{ concurrent_requests: 5 }]',
    'limits: [{ requests: 5, per: year, soft: true }]',
    'rate_limits: [60/min]',
    'context: [{ up_to: 9000 }]',
    'max_file: 1 MB',
    'degraded: {}',
    'grace: 8d',
    'enforcement: observe',
    'apis: [llm, shop]',
  ])('changes with %s', (members) => {
    expect(planOf(members).version).not.toBe(plain);
    expect(planOf(members).version).toBe(planOf(members).version);
  });

  test('tells prices of overage and classes of rates apart', () => {
    const versions = [
      'limits: [{ requests: 1, per: day }]',
      'limits: [{ requests: 1, per: day, overage: { price: 1 USD } }]',
      'limits: [{ requests: 1, per: day, overage: { price: 2 USD } }]',
      'limits: [{ requests: 1, per: day, overage: { authorize: 2 USD } }]',
      'rate_limits: [1/s]',
      'rate_exceeded: pay, rate_limits: [1/s]',
    ].map((members) => planOf(members).version);
    expect(new Set(versions).size).toBe(versions.length);
  });

  test('stays when another plan leaves an API out', () => {
    const rest = '  pro: { title: Pro, price: 1 USD, apis: [llm] }';
    expect(load('', rest).plans.get('free')).toMatchObject({
      version: plain,
      features: ['api:shop'],
    });
  });
});

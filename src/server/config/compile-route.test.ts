import { describe, expect, test } from 'vitest';
import { loadText } from '../../../test/support/check-config.ts';
import type { Api, Requirement, Route } from '../../domain/catalog.ts';

function apiOf(api: string, rest = ''): Api {
  const { catalog } = loadText(`
version: 1
upstreams: { demo: { url: builtin:demo } }
apis: { shop: { ${api} } }
${rest}`);
  const [found] = catalog.apis;
  if (found === undefined) throw new Error('no API');
  return found;
}

function routeOf(route: string, api = ''): Route {
  const [found] = apiOf(`${api} upstream: demo, routes: [{ ${route} }]`).routes;
  if (found === undefined) throw new Error('no route');
  return found;
}

describe('what a call needs, by what it asks for (GW-19)', () => {
  test.each<[string, Requirement]>([
    ['{ feature: reports }', { kind: 'feature', id: 'reports', when: [] }],
    ['{ purchase: course-7 }', { kind: 'purchase', id: 'course-7', when: [] }],
    [
      '{ feature: js_rendering, when: { query: { render_js: true } } }',
      {
        kind: 'feature',
        id: 'js_rendering',
        when: [{ kind: 'query', name: 'render_js', equals: 'true' }],
      },
    ],
    [
      '{ feature: js_rendering, when: { query: render_js } }',
      {
        kind: 'feature',
        id: 'js_rendering',
        when: [{ kind: 'query', name: 'render_js', equals: undefined }],
      },
    ],
    [
      '{ feature: fast, when: { header: { X-Mode: fast }, body: { /extract: ai, /depth: 2 }, body_above: 1 MB } }',
      {
        kind: 'feature',
        id: 'fast',
        when: [
          { kind: 'header', name: 'x-mode', equals: 'fast' },
          { kind: 'body', name: '/extract', equals: 'ai' },
          { kind: 'body', name: '/depth', equals: '2' },
          { kind: 'body-bytes', above: 1_000_000 },
        ],
      },
    ],
  ])('%s', (written, expected) => {
    expect(routeOf(`path: /a, requires: [${written}]`).requires).toEqual([expected]);
  });

  test('what the API asks comes first, then `feature`, then `requires`', () => {
    const route = 'path: /a, feature: two, requires: [{ feature: three }]';
    expect(routeOf(route, 'requires: [{ feature: one }],').requires.map(({ id }) => id)).toEqual([
      'one',
      'two',
      'three',
    ]);
  });

  test('nothing of a route that needs no key', () => {
    const free = routeOf('path: /a, class: free', 'requires: [{ feature: one }], role: admin,');
    expect(free).toMatchObject({ requires: [], role: undefined });
  });

  test('an llm API asks it of calls to models, not of the list of them (LLM-11)', () => {
    const memory = '{ feature: memory, when: { body: { /persist_context: true } } }';
    const { routes } = apiOf(`type: llm, requires: [${memory}], role: writer`);
    expect(routes.map(({ requires, role }) => [requires.length, role])).toEqual([
      [1, 'writer'],
      [1, 'writer'],
      [0, undefined],
      [0, undefined],
    ]);
  });
});

describe('a body that has to be read is bounded', () => {
  test.each([
    ['requires: [{ feature: a, when: { body: /x } }]', 10_485_760],
    ['requires: [{ feature: a, when: { body: /x } }], body_max: 1 KB', 1000],
    ['parameters: [{ in: body, name: /x }]', 10_485_760],
    ['requires: [{ feature: a, when: { body_above: 1 MB } }]', undefined],
    ['parameters: [{ in: query, name: x }], body_max: unlimited', undefined],
  ])('%s', (members, bytes) => {
    expect(routeOf(`path: /a, ${members}`).bodyBytesMax).toBe(bytes);
  });
});

describe('dialects', () => {
  test.each([
    ['path: /v1/messages', 'anthropic'],
    ['path_prefix: /v1/messages', 'anthropic'],
    ['path: /v1/messages/count_tokens', 'anthropic'],
    ['path_regex: "^/v1/messages$"', 'anthropic'],
    ['path: /v1/messages-archive', 'plain'],
    ['path_regex: "^/v1beta/models/[^/:]+:generateContent$"', 'gemini'],
    ['path_prefix: /v1beta/models', 'gemini'],
    ['path: /v1/orders', 'plain'],
    ['path: /v1/messages, dialect: jsonrpc', 'jsonrpc'],
  ])('%s is %s', (route, dialect) => {
    expect(routeOf(route).dialect).toBe(dialect);
  });

  test('the API says it for its routes, a route for itself', () => {
    expect(routeOf('path: /v1/messages', 'dialect: jsonrpc,').dialect).toBe('jsonrpc');
    expect(routeOf('path: /a, dialect: plain', 'dialect: jsonrpc,').dialect).toBe('plain');
    const dialects = apiOf('type: llm').routes.map((route) => route.dialect);
    expect(new Set(dialects)).toEqual(new Set(['openai']));
  });
});

describe('what else a route says', () => {
  test('operation, compute, end user, role, partial service', () => {
    const written =
      'path: /a, operation: render, compute: { units: 5, used_header: X-Compute-Units }, end_user_header: X-User, role: editor, degraded: refuse';
    expect(routeOf(written)).toMatchObject({
      operation: 'render',
      compute: { unitsMax: 5, usedHeader: 'x-compute-units' },
      endUserHeader: 'x-user',
      role: 'editor',
      degradedAccess: 'refuse',
    });
    expect(routeOf('path: /a, compute: { units: 1 }').compute?.usedHeader).toBeUndefined();
    expect(routeOf('path: /a', 'end_user_header: X-Who, role: admin,')).toMatchObject({
      endUserHeader: 'x-who',
      role: 'admin',
    });
  });

  test('parameters (GW-15): text and required unless said otherwise', () => {
    const written =
      'path: /a, parameters: [{ in: query, name: city }, { in: header, name: X-Size, type: integer, required: false }, { in: body, name: /items, type: array }]';
    expect(routeOf(written).parameters).toEqual([
      { in: 'query', name: 'city', type: 'string', required: true },
      { in: 'header', name: 'x-size', type: 'integer', required: false },
      { in: 'body', name: '/items', type: 'array', required: true },
    ]);
  });

  test('routes that differ in nothing but a header are operations of their own', () => {
    const { routes } = apiOf(
      'upstream: demo, routes: [{ path: /x }, { path: /x, headers: { v: "2" } }]',
    );
    expect(routes.map(({ id, operation }) => [id, operation])).toEqual([
      ['shop.* /x', 'shop.* /x'],
      ['shop.* /x #2', 'shop.* /x #2'],
    ]);
  });
});

describe('an API', () => {
  const ROUTE = 'upstream: demo, routes: [{ path: /a }]';

  test('says nothing: enforced, for everybody with a key of any environment', () => {
    expect(apiOf(ROUTE)).toMatchObject({
      enforcement: 'enforce',
      anonymous: undefined,
      addressPolicy: undefined,
      environment: undefined,
    });
  });

  test('free calls a subnet, addresses, environment (QUOTA-15, GW-14, KEY-04)', () => {
    const written =
      'anonymous: { requests: 100, per: hour }, allow_addresses: [10.0.0.0/8, "2001:db8::/32"], deny_addresses: [10.1.2.3], environment: test,';
    expect(apiOf(`${written} ${ROUTE}`)).toMatchObject({
      anonymous: { requests: 100, window: 'hour' },
      addressPolicy: { allow: ['10.0.0.0/8', '2001:db8::/32'], deny: ['10.1.2.3'] },
      environment: 'test',
    });
  });

  test('C402-17: the day it ends, in UTC, is announced in every answer until then', () => {
    const at = Date.parse('2026-12-31T00:00:00Z');
    const api = apiOf(`retired: { at: 2026-12-31, successor: /v2 }, ${ROUTE}`);
    expect(api.retirement).toEqual({ at, successor: '/v2' });
    const sunset = { name: 'sunset', value: 'Thu, 31 Dec 2026 00:00:00 GMT' };
    expect(api.routes[0]?.responseHeaders.set).toEqual([sunset]);
    const llm = apiOf('type: llm, retired: { at: "2026-12-31T00:00:00Z" }');
    expect(llm.retirement).toEqual({ at, successor: undefined });
    expect(llm.routes.map(({ responseHeaders }) => responseHeaders.set)).toEqual(
      llm.routes.map(() => [sunset]),
    );
    expect(apiOf(ROUTE)).not.toHaveProperty('retirement');
  });

  test('is observed when it says so, or the whole file does and it does not (EVID-01)', () => {
    expect(apiOf(`enforcement: observe, ${ROUTE}`).enforcement).toBe('observe');
    expect(apiOf(ROUTE, 'enforcement: observe').enforcement).toBe('observe');
    expect(apiOf(`enforcement: enforce, ${ROUTE}`, 'enforcement: observe').enforcement).toBe(
      'enforce',
    );
  });
});

describe('what a charge outlives', () => {
  const models = `
providers: { one: { base_url: 'http://127.0.0.1:1/v1' } }
models:
  dear: { provider: one, context_window: 1k, price: free, durability: commit-before-serve }
  cheap: { provider: one, context_window: 1k, price: free }
aliases: { best: dear }`;

  test.each([
    ['', '', '', 'journal'],
    ['durability: journal-fsync', '', '', 'journal-fsync'],
    ['durability: journal-fsync', 'durability: commit-before-serve', '', 'commit-before-serve'],
    ['', 'durability: commit-before-serve', ', durability: journal', 'journal'],
  ])('file %j, API %j, route %j: %s', (file, api, route, expected) => {
    const routes = `upstream: demo, routes: [{ path: /a${route} }]`;
    const members = api === '' ? routes : `${api}, ${routes}`;
    expect(apiOf(members, file).routes[0]?.durability).toBe(expected);
  });

  test('a model says it for itself and its aliases, or leaves it to the API it is called through', () => {
    const { catalog } = loadText(`
version: 1
durability: journal-fsync
apis: { llm: { type: llm } }
${models}`);
    const said = [...catalog.models].map(([id, { durability }]) => [id, durability]);
    expect(said).toEqual([
      ['dear', 'commit-before-serve'],
      ['cheap', undefined],
      ['best', 'commit-before-serve'],
    ]);
    const ofRoutes = catalog.apis[0]?.routes.map(({ durability }) => durability);
    expect(new Set(ofRoutes)).toEqual(new Set(['journal-fsync']));
  });
});

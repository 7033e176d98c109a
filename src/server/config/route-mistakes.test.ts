import { describe } from 'vitest';
import {
  type MistakeCase,
  lines,
  testMistakes,
  UPSTREAM,
  withPlan,
  withRoute,
} from '../../../test/support/check-config.ts';

const PRICES: readonly MistakeCase[] = [
  {
    name: 'a price finer than a pico (BILL-06)',
    yaml: withRoute('path: /a', 'price: 0.0000001 USD / 1M requests'),
    problems: [
      'tollkeeper.yaml:8:16 apis.shop.routes[0].price: "0.0000001 USD / 1M requests" is finer than 1 pico (0.000000000001 USD) per request: the nearest prices are 0.00 and 0.000000000001 USD / request',
    ],
  },
  {
    name: 'an amount finer than a nano',
    yaml: withPlan('title: Free', 'price: 0.0000000001 USD'),
    problems: [
      'tollkeeper.yaml:5:12 plans.free.price: "0.0000000001 USD" is finer than the smallest amount, 0.000000001 USD',
    ],
  },
  {
    name: 'a number instead of money',
    yaml: withRoute('path: /a', 'price: 0.001'),
    problems: [
      'tollkeeper.yaml:8:16 apis.shop.routes[0].price: expected "free", a price such as "0.001 USD / request", or { request, byte_in, byte_out }, got 0.001',
    ],
  },
  {
    name: 'another currency than the books',
    yaml: withRoute('path: /a', 'price: 0.001 EUR / request'),
    problems: [
      'tollkeeper.yaml:8:16 apis.shop.routes[0].price: this gateway keeps its books in USD, got "0.001 EUR": use USD or change "asset"',
    ],
  },
  {
    name: 'a price per something else',
    yaml: withRoute(
      'path: /a',
      'price: { request: 1 USD / 1M tokens, byte_in: 1 USD / minute, byte_out: 1 USD }',
    ),
    problems: [
      'tollkeeper.yaml:8:27 apis.shop.routes[0].price.request: expected a price per request such as "0.001 USD / request", got "1 USD / 1M tokens"',
      'tollkeeper.yaml:8:55 apis.shop.routes[0].price.byte_in: expected a price per byte such as "0.01 USD / 1GB", got "1 USD / minute"',
      'tollkeeper.yaml:8:81 apis.shop.routes[0].price.byte_out: expected a price per byte such as "0.01 USD / 1GB", got "1 USD"',
    ],
  },
  {
    name: 'a plan by the year',
    yaml: withPlan('title: Free', 'price: 100 USD / year'),
    problems: [
      'tollkeeper.yaml:5:12 plans.free.price: the price is by the month, such as "49.00 USD / month", got "100 USD / year"',
    ],
  },
  {
    name: 'more money than a hold can count',
    yaml: lines(
      'version: 1',
      'packs:',
      '  all: { title: All, price: 1 USD, credit: 10000000 USD }',
    ),
    problems: ['tollkeeper.yaml:3:44 packs.all.credit: "10000000 USD" is more than 9,000,000 USD'],
  },
  {
    name: 'a pack of nothing',
    yaml: lines('version: 1', 'packs:', '  none: { title: None, price: 1 USD, credit: 0 USD }'),
    problems: ['tollkeeper.yaml:3:46 packs.none.credit: must be more than 0'],
  },
];

const ROUTES: readonly MistakeCase[] = [
  {
    name: 'no path, two paths (GW-01)',
    yaml: withRoute('price: free', '- { path: /a, path_prefix: /b }').replace(
      '        - {',
      '      - {',
    ),
    problems: [
      'tollkeeper.yaml:7:9 apis.shop.routes[0]: needs exactly one of "path", "path_prefix" and "path_regex"',
      'tollkeeper.yaml:8:9 apis.shop.routes[1]: needs exactly one of "path", "path_prefix" and "path_regex"',
    ],
  },
  ...[
    ['weather', 'must start with "/", got "weather"'],
    ['/a?b=c', 'is compared without the query: leave out everything from "?" on'],
    ['/a/../b', 'must not contain "." or ".." segments: they never match'],
    ['/a//b', 'must not contain "//": repeated slashes are merged before matching'],
    ['/caf%C3%A9', 'is compared decoded: write the characters themselves, without "%" or "\\"'],
    ['/healthz', '"/healthz" is one of the gateway\'s own pages: choose another path'],
    ['/reference', '"/reference" is one of the gateway\'s own pages: choose another path'],
    ['/portal/me', '"/portal/me" is one of the gateway\'s own pages: choose another path'],
    ['/pay', '"/pay" is one of the gateway\'s own pages: choose another path'],
    ['/r/list', '"/r/list" is one of the gateway\'s own pages: choose another path'],
  ].map(([path, message]) => ({
    name: `the path ${path}`,
    yaml: withRoute(`path: ${path}`),
    problems: [`tollkeeper.yaml:7:15 apis.shop.routes[0].path: ${message}`],
  })),
  {
    name: 'a regular expression that is none, floats, or is too long',
    yaml: lines(
      withRoute('path_regex: "^/a("'),
      '      - path_regex: /a',
      `      - path_regex: ^/${'a'.repeat(511)}`,
    ),
    problems: [
      'tollkeeper.yaml:7:21 apis.shop.routes[0].path_regex: "^/a(" is not a regular expression: Invalid regular expression: /^/a(/: Unterminated group',
      'tollkeeper.yaml:8:21 apis.shop.routes[1].path_regex: must start with "^", the start of the path, got "/a"',
      'tollkeeper.yaml:9:21 apis.shop.routes[2].path_regex: is longer than 512 characters',
    ],
  },
  {
    name: 'a method that is none',
    yaml: withRoute('path: /a', 'methods: [GET, POTS]'),
    problems: [
      'tollkeeper.yaml:8:24 apis.shop.routes[0].methods[1]: expected "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" or "OPTIONS", got "POTS". Did you mean "POST"?',
    ],
  },
  {
    name: 'an upstream that does not exist (GW-01)',
    yaml: withRoute('path: /a', 'upstream: dmeo'),
    problems: [
      'tollkeeper.yaml:8:19 apis.shop.routes[0].upstream: there is no upstream "dmeo". Did you mean "demo"?',
    ],
  },
  {
    name: 'a route without an upstream',
    yaml: withRoute('path: /a').replace('upstream: demo', 'hosts: [a.example]'),
    problems: ['tollkeeper.yaml:7:9 apis.shop.routes[0]: needs an "upstream", here or on the API'],
  },
  {
    name: 'an API without routes, an llm API with them, or unbounded',
    yaml: lines(
      'version: 1',
      UPSTREAM,
      'apis:',
      '  empty: { upstream: demo }',
      '  llm: { type: llm, routes: [{ path: /a }], body_max: unlimited, hosts: [llm.example] }',
    ),
    problems: [
      'tollkeeper.yaml:4:3 apis.empty: needs "routes", or "type: llm"',
      'tollkeeper.yaml:5:29 apis.llm.routes: belongs to "type: proxy": an llm API has its own routes, and its models name the provider',
      'tollkeeper.yaml:5:55 apis.llm.body_max: cannot be unlimited for an llm API: its bodies are read whole to be priced',
    ],
  },
  {
    name: 'a free route that costs or needs a plan (GW-18, PLAN-07)',
    yaml: withRoute('path: /a', 'class: free', 'price: 1 USD', 'feature: x'),
    problems: [
      'tollkeeper.yaml:9:16 apis.shop.routes[0].price: a route of class free is never charged: leave the price out or change the class',
      'tollkeeper.yaml:10:18 apis.shop.routes[0].feature: a route of class free needs no key and no plan: leave the feature out or change the class',
    ],
  },
  {
    name: 'two routes for the same requests',
    yaml: lines(
      withRoute('{ path: /a, methods: [GET, POST] }'),
      '      - { path: /a, methods: [POST] }',
    ),
    problems: [
      'tollkeeper.yaml:8:17 apis.shop.routes[1].path: matches the same requests as apis.shop.routes[0].path, which comes first',
    ],
  },
  {
    name: 'two llm APIs, and a route where one of them answers',
    yaml: lines(
      'version: 1',
      UPSTREAM,
      'apis:',
      '  one: { type: llm }',
      '  two: { type: llm, hosts: [llm.example] }',
      '  three: { upstream: demo, routes: [{ path: /v1/models, methods: [GET] }] }',
    ),
    problems: [
      'tollkeeper.yaml:6:45 apis.three.routes[0].path: matches the same requests as apis.one, which comes first',
    ],
  },
  {
    name: 'half a rewrite (GW-08)',
    yaml: withRoute('path: /a', 'rewrite: { pattern: "^/a" }'),
    problems: [
      'tollkeeper.yaml:8:9 apis.shop.routes[0].rewrite: needs either "strip_prefix", or "pattern" and "with"',
    ],
  },
  {
    name: 'CORS that browsers refuse',
    yaml: lines(
      withRoute('path: /a'),
      '    cors:',
      '      origins: ["*"]',
      '      credentials: true',
    ),
    problems: [
      'tollkeeper.yaml:10:20 apis.shop.cors.credentials: cannot be true for origin "*": browsers refuse it; list the origins',
    ],
  },
];

describe('a mistake in a route or its price is told with file, line, key and the nearest right word', () => {
  testMistakes({ PRICES, ROUTES });
});

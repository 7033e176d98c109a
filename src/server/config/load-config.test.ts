import { check, constantFrom, nat, oneof, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  findProblems,
  lines,
  UPSTREAM,
  withPlan,
  withRoute,
} from '../../../test/support/check-config.ts';
import type { MistakeCase } from '../../../test/support/check-config.ts';
import { formatProblem } from './config-problem.ts';
import { readDemoConfig } from './demo-config.ts';
import { loadConfig } from './load-config.ts';

const SYNTAX: readonly MistakeCase[] = [
  {
    name: 'a list that is not closed',
    yaml: lines('version: 1', 'plans: [', 'packs: {}'),
    problems: [
      'tollkeeper.yaml:3:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  },
  {
    name: 'a key twice',
    yaml: lines('version: 1', 'asset: USD', 'asset: EUR'),
    problems: ['tollkeeper.yaml:3:1: the key "asset" is there twice'],
  },
  {
    name: 'tabs',
    yaml: lines('version: 1', 'server:', '\tport: 1'),
    problems: ['tollkeeper.yaml:3:1: tabs cannot indent YAML: use spaces'],
  },
  {
    name: 'an empty file',
    yaml: '',
    problems: ['tollkeeper.yaml:1:1 version: is required'],
  },
  {
    name: 'a list instead of a mapping',
    yaml: '- version: 1',
    problems: ['tollkeeper.yaml:1:1: expected a mapping, got a list'],
  },
  {
    name: 'keys that are no text',
    yaml: lines('version: 1', '? [a, b]', ': c'),
    problems: ['tollkeeper.yaml:1:1: keys must be plain text'],
  },
  {
    name: 'an alias that contains itself',
    yaml: lines('version: 1', 'plans: &plans', '  a: *plans'),
    problems: [
      'tollkeeper.yaml:3:3 plans.a.title: is required',
      'tollkeeper.yaml:3:3 plans.a.price: is required',
      'tollkeeper.yaml:3:3 plans.a.a: unknown key "a": there are title, price, usage, limits, rate_limits, rate_exceeded, context, max_file, models, features, apis, degraded, grace, enforcement, on_sale',
      `tollkeeper.yaml:3:6 plans${'.a'.repeat(32)}: nested deeper than 32 levels`,
    ],
  },
];

const SHAPE: readonly MistakeCase[] = [
  {
    name: 'a version of the future',
    yaml: 'version: 2',
    problems: ['tollkeeper.yaml:1:10 version: expected 1: the version of this file format'],
  },
  {
    name: 'an unknown key with a near one',
    yaml: lines('version: 1', 'sever:', '  port: 1'),
    problems: ['tollkeeper.yaml:2:1 sever: unknown key "sever". Did you mean "server"?'],
  },
  {
    name: 'an unknown key deep inside, spelled like a program',
    yaml: lines('version: 1', 'providers:', '  openai:', '    baseUrl: https://api.openai.com/v1'),
    problems: [
      'tollkeeper.yaml:4:5 providers.openai.baseUrl: unknown key "baseUrl". Did you mean "base_url"?',
    ],
  },
  {
    name: 'an unknown key that is near nothing',
    yaml: lines('version: 1', 'log:', '  colour: red'),
    problems: ['tollkeeper.yaml:3:3 log.colour: unknown key "colour": there are level, requests'],
  },
  {
    name: 'an unknown key in one of several forms',
    yaml: lines(
      'version: 1',
      'upstreams:',
      '  demo:',
      '    targets:',
      '      - url: http://a.example',
      '        wieght: 3',
    ),
    problems: [
      'tollkeeper.yaml:6:9 upstreams.demo.targets[0].wieght: unknown key "wieght". Did you mean "weight"?',
    ],
  },
  {
    name: 'wrong kinds of values',
    yaml: lines('version: 1', 'server: 4020', 'plans: []', 'apis: hello'),
    problems: [
      'tollkeeper.yaml:2:9 server: expected a mapping, got 4020',
      'tollkeeper.yaml:3:8 plans: expected a mapping, got a list',
      'tollkeeper.yaml:4:7 apis: expected a mapping, got "hello"',
    ],
  },
  {
    name: 'a section without content',
    yaml: lines('version: 1', 'plans:'),
    problems: ['tollkeeper.yaml:2:7 plans: expected a mapping, got nothing'],
  },
  {
    name: 'a word that is not one of the choices',
    yaml: lines('version: 1', 'log:', '  level: warning'),
    problems: [
      'tollkeeper.yaml:3:10 log.level: expected "debug", "info", "warn", "error" or "silent", got "warning". Did you mean "warn"?',
    ],
  },
  {
    name: 'names that are no names',
    yaml: lines('version: 1', 'upstreams:', '  My Server: { url: http://a.example }'),
    problems: [
      'tollkeeper.yaml:3:3 upstreams["My Server"]: "My Server" is not a name: use lower-case letters, digits, "-" and "_", at most 64 of them',
    ],
  },
  {
    name: 'a key that would change every object',
    yaml: lines('version: 1', 'upstreams:', '  __proto__: { url: http://a.example }'),
    problems: ['tollkeeper.yaml:3:3 upstreams: "__proto__" cannot be a key'],
  },
];

const SERVER: readonly MistakeCase[] = [
  {
    name: 'ports',
    yaml: lines('version: 1', 'server:', '  port: 70000', '  admin_port: http'),
    problems: [
      'tollkeeper.yaml:3:9 server.port: must be at most 65535, got 70000',
      'tollkeeper.yaml:4:15 server.admin_port: expected a whole number from 0 to 65535, got "http"',
    ],
  },
  {
    name: 'the same port twice',
    yaml: lines('version: 1', 'server: { port: 8080, admin_port: 8080 }'),
    problems: [
      "tollkeeper.yaml:2:35 server.admin_port: is the gateway's own port (8080): the admin API needs another",
    ],
  },
  {
    name: 'workers',
    yaml: lines('version: 1', 'server:', '  workers: many'),
    problems: [
      'tollkeeper.yaml:3:12 server.workers: expected a whole number from 1 to 256, got "many"',
    ],
  },
  {
    name: 'a public URL with a path',
    yaml: lines('version: 1', 'server:', '  public_url: https://example.com/api'),
    problems: [
      'tollkeeper.yaml:3:15 server.public_url: expected an origin such as "https://api.example.com", without a path, got "https://example.com/api"',
    ],
  },
  {
    name: 'durations and sizes without or with a wrong unit, or out of bounds',
    yaml: lines(
      'version: 1',
      'server:',
      '  drain: 30',
      '  keep_alive: 5 parsecs',
      '  header_max: 2MB',
      '  header_timeout: 1ms',
    ),
    problems: [
      'tollkeeper.yaml:3:10 server.drain: expected text, got 30',
      'tollkeeper.yaml:4:15 server.keep_alive: expected a duration such as "10s", "2m" or "500ms", got "5 parsecs"',
      'tollkeeper.yaml:5:15 server.header_max: must be between 1024 and 1048576 bytes, got "2MB"',
      'tollkeeper.yaml:6:19 server.header_timeout: must be between 100ms and 10m, got "1ms"',
    ],
  },
  {
    name: 'a proxy range',
    yaml: lines('version: 1', 'server:', '  trusted_proxies: [10.0.0.0/8, 10.0.0.0/64, office]'),
    problems: [
      'tollkeeper.yaml:3:33 server.trusted_proxies[1]: expected an address or a range such as 10.0.0.0/8, got "10.0.0.0/64"',
      'tollkeeper.yaml:3:46 server.trusted_proxies[2]: expected an address or a range such as 10.0.0.0/8, got "office"',
    ],
  },
  {
    name: 'a certificate that is not there, a key that is missing',
    yaml: lines('version: 1', 'server:', '  tls: { cert: /nowhere/cert.pem }'),
    problems: [
      'tollkeeper.yaml:3:3 server.tls.key: is required',
      'tollkeeper.yaml:3:16 server.tls.cert: cannot read the file /nowhere/cert.pem: there is no such file',
    ],
  },
  {
    name: 'a connection string that is none, without a word of it',
    yaml: lines('version: 1', 'store: postgre://me:pass-word@host/books'),
    problems: [
      'tollkeeper.yaml:2:1 store.url: expected postgres://user:password@host:5432/database',
    ],
  },
  {
    name: 'a connection string without a database',
    yaml: lines('version: 1', 'store: { type: postgres, url: "postgres://me:p%ZZ@host/" }'),
    problems: [
      'tollkeeper.yaml:2:31 store.url: expected postgres://user:password@host:5432/database, with special characters written as %40',
    ],
  },
  {
    name: 'a database without its address',
    yaml: lines('version: 1', 'store: postgres'),
    problems: [
      'tollkeeper.yaml:2:1 store.url: is required with type postgres: postgres://user:password@host:5432/database',
    ],
  },
  {
    name: 'an address of a store that has none',
    yaml: lines(
      'version: 1',
      'store: { url: "postgres://me:pass-word@host/books", connections: 9 }',
    ),
    problems: [
      'tollkeeper.yaml:2:15 store.url: needs type: postgres',
      'tollkeeper.yaml:2:66 store.connections: needs type: postgres',
    ],
  },
  {
    name: 'a store that does not exist',
    yaml: lines('version: 1', 'store: mysql'),
    problems: ['tollkeeper.yaml:2:1 store.type: expected "sqlite" or "postgres", got "mysql"'],
  },
  {
    name: 'an asset that is no currency',
    yaml: lines('version: 1', 'asset: dollars'),
    problems: ['tollkeeper.yaml:2:8 asset: expected the code of a currency, such as USD'],
  },
];

const UPSTREAMS: readonly MistakeCase[] = [
  {
    name: 'neither url nor targets, and both (GW-06)',
    yaml: lines(
      'version: 1',
      'upstreams:',
      '  none: {}',
      '  both: { url: http://a.example, targets: [http://b.example] }',
    ),
    problems: [
      'tollkeeper.yaml:3:3 upstreams.none: needs "url" or "targets"',
      'tollkeeper.yaml:4:43 upstreams.both.targets: cannot stand beside "url": give one of the two',
    ],
  },
  {
    name: 'weights that leave no traffic to anybody (GW-06)',
    yaml: lines(
      'version: 1',
      'upstreams:',
      '  idle: { targets: [{ url: http://a.example, weight: 0 }] }',
      '  odd: { targets: [{ url: http://a.example, weight: -1 }] }',
    ),
    problems: [
      'tollkeeper.yaml:3:20 upstreams.idle.targets: needs one target with a weight above 0',
      'tollkeeper.yaml:4:53 upstreams.odd.targets[0].weight: must be at least 0, got -1',
    ],
  },
  {
    name: 'URLs of other kinds',
    yaml: lines(
      'version: 1',
      'upstreams:',
      '  a: { url: "ftp://a.example" }',
      '  b: { url: "http://user:secret@b.example" }',
      '  c: { url: "builtin:shop" }',
    ),
    problems: [
      'tollkeeper.yaml:3:13 upstreams.a.url: expected a URL such as "http://127.0.0.1:9000" or "https://api.example.com/v1", got "ftp://a.example"',
      'tollkeeper.yaml:4:13 upstreams.b.url: must not contain a user or password: those go into headers, under "credentials"',
      'tollkeeper.yaml:5:13 upstreams.c.url: "builtin:shop" does not exist: there are builtin:echo and builtin:demo',
    ],
  },
  {
    name: 'headers that would smuggle (GW-08)',
    yaml: lines(
      'version: 1',
      'upstreams:',
      '  a:',
      '    url: http://a.example',
      '    credentials:',
      '      Transfer-Encoding: chunked',
      '      "x y": "1"',
      '      x-two-lines: "a\\r\\nb: c"',
    ),
    problems: [
      'tollkeeper.yaml:6:7 upstreams.a.credentials.Transfer-Encoding: "transfer-encoding" belongs to the transport and cannot be set',
      'tollkeeper.yaml:7:7 upstreams.a.credentials["x y"]: "x y" is not a header name',
      'tollkeeper.yaml:8:20 upstreams.a.credentials.x-two-lines: must be printable ASCII, without line ends: a secret file with more than one line?',
    ],
  },
  {
    name: 'a key twice in different places',
    yaml: lines(
      'version: 1',
      'providers:',
      '  a:',
      '    base_url: http://a.example',
      '    api_key: sk-1',
      '    credentials: { authorization: Bearer sk-2 }',
    ),
    problems: [
      'tollkeeper.yaml:5:14 providers.a.api_key: cannot stand beside credentials.authorization: both are the same header',
    ],
  },
  {
    name: 'models without a price, with too long answers, of nobody',
    yaml: lines(
      'version: 1',
      'providers: { openai: { base_url: https://api.openai.com/v1 } }',
      'models:',
      '  a: { provider: openai, context_window: 1000 }',
      '  b: { provider: openai, context_window: 1k, max_output_tokens: 2k, price: free }',
      '  c: { provider: opneai, context_window: 1k, price: free }',
      '  d: { provider: anthropic, context_window: 1k, price: free }',
    ),
    problems: [
      'tollkeeper.yaml:4:3 models.a.price: is required',
      'tollkeeper.yaml:5:65 models.b.max_output_tokens: is more than the context window of 1000',
      'tollkeeper.yaml:6:18 models.c.provider: there is no provider "opneai". Did you mean "openai"?',
      'tollkeeper.yaml:7:18 models.d.provider: there is no provider "anthropic": there are openai',
    ],
  },
  {
    name: 'aliases of nothing, of aliases, of themselves',
    yaml: lines(
      'version: 1',
      'providers: { p: { base_url: http://a.example } }',
      'models: { echo: { provider: p, context_window: 1k, price: free } }',
      'aliases:',
      '  a: echoo',
      '  b: a',
      '  echo: echo',
    ),
    problems: [
      'tollkeeper.yaml:5:6 aliases.a: there is no model "echoo". Did you mean "echo"?',
      'tollkeeper.yaml:6:6 aliases.b: "a" is an alias itself: name the model',
      'tollkeeper.yaml:7:3 aliases.echo: "echo" is the name of a model already',
    ],
  },
];

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

const PLANS: readonly MistakeCase[] = [
  {
    name: 'limits of nothing, of two things, of none (PLAN-02)',
    yaml: withPlan(
      'title: Free',
      'price: free',
      'limits:',
      '  - { per: month }',
      '  - { requests: 1, tokens: 1, per: day }',
      '  - { requests: 0, per: day }',
      '  - { spend: 0 USD, per: day }',
      '  - { tokens: 1.5, per: hour }',
      '  - { unit: 5, per: week }',
    ),
    problems: [
      'tollkeeper.yaml:7:9 plans.free.limits[0]: needs exactly one unit, such as "requests", "tokens", "bytes" or "spend"',
      'tollkeeper.yaml:8:9 plans.free.limits[1]: needs exactly one unit, such as "requests", "tokens", "bytes" or "spend"',
      'tollkeeper.yaml:9:21 plans.free.limits[2].requests: must be at least 1, got 0',
      'tollkeeper.yaml:10:18 plans.free.limits[3].spend: must be more than 0: to forbid spending, sell the plan without credit',
      'tollkeeper.yaml:11:19 plans.free.limits[4].tokens: expected a whole number such as 1000, "50k" or "1M", got 1.5',
      'tollkeeper.yaml:12:9 plans.free.limits[5]: needs exactly one unit, such as "requests", "tokens", "bytes" or "spend"',
      'tollkeeper.yaml:12:11 plans.free.limits[5].unit: unknown key "unit": there are requests, tokens, input_tokens, output_tokens, bytes, bytes_in, bytes_out, storage_bytes, compute_units, compute_time, operations, concurrent_requests, spend, per, window, id, scope, class, soft, only, overage',
    ],
  },
  {
    name: 'more than can be counted exactly (PLAN-02)',
    yaml: withPlan(
      'title: Free',
      'price: free',
      'limits:',
      '  - { tokens: 9007199254740993B, per: day }',
    ),
    problems: [
      'tollkeeper.yaml:7:19 plans.free.limits[0].tokens: "9007199254740993B" is more than can be counted exactly',
    ],
  },
  {
    name: 'an unknown window and scope (QUOTA-02, QUOTA-03)',
    yaml: withPlan(
      'title: Free',
      'price: free',
      'limits:',
      '  - { requests: 1, per: months, scope: user }',
    ),
    problems: [
      'tollkeeper.yaml:7:29 plans.free.limits[0].per: expected "second", "minute", "hour", "day", "week", "month", "year", "billing_cycle" or "lifetime", got "months". Did you mean "month"?',
      'tollkeeper.yaml:7:44 plans.free.limits[0].scope: expected "tenant", "app", "key", "end_user", "model", "route" or "operation", got "user"',
    ],
  },
  {
    name: 'the same limit twice',
    yaml: withPlan(
      'title: Free',
      'price: free',
      'limits: [{ requests: 1, per: day }, { requests: 2, per: day }]',
      'rate_limits: [1/min, { count: 2, per: minute, scope: key }, 3/min burst 3]',
    ),
    problems: [
      'tollkeeper.yaml:6:41 plans.free.limits[1]: has the same id as the one at [0], "requests_per_day": keep one, or give it an "id"',
      'tollkeeper.yaml:7:65 plans.free.rate_limits[2]: has the same id as the one at [0], "rate_per_minute": keep one',
    ],
  },
  {
    name: 'rates (QUOTA-07)',
    yaml: withPlan(
      'title: Free',
      'price: free',
      'rate_limits: [fast, 60/min burst 0, 0/min, { count: 1, per: minute, burst: 0 }]',
    ),
    problems: [
      'tollkeeper.yaml:6:19 plans.free.rate_limits[0]: expected a rate such as "60/min" or "60/min burst 10", got "fast"',
      'tollkeeper.yaml:6:25 plans.free.rate_limits[1]: count and burst must be from 1 to 1000000000',
      'tollkeeper.yaml:6:41 plans.free.rate_limits[2]: count and burst must be from 1 to 1000000000',
      'tollkeeper.yaml:6:80 plans.free.rate_limits[3].burst: must be at least 1, got 0',
    ],
  },
  {
    name: 'models and features that nobody sells (PLAN-01)',
    yaml: lines(
      withPlan('title: Free', 'price: free', 'models: [ecoh]', 'features: [enrichmnt]'),
      'providers: { p: { base_url: http://a.example } }',
      'models: { echo: { provider: p, context_window: 1k, price: free } }',
      UPSTREAM,
      'apis: { a: { upstream: demo, routes: [{ path: /e, feature: enrichment }] } }',
    ),
    problems: [
      'tollkeeper.yaml:6:14 plans.free.models[0]: there is no model "ecoh". Did you mean "echo"?',
      'tollkeeper.yaml:7:16 plans.free.features[0]: there is no route with the feature "enrichmnt". Did you mean "enrichment"?',
    ],
  },
  {
    name: 'a demo customer without a plan',
    yaml: lines('version: 1', 'demo: { customer: { plan: free }, credit: 1 USD }'),
    problems: [
      'tollkeeper.yaml:2:27 demo.customer.plan: there is no plan "free": none is configured',
    ],
  },
];

describe('a mistake is told with file, line, key and the nearest right word', () => {
  const groups = { SYNTAX, SHAPE, SERVER, UPSTREAMS, PRICES, ROUTES, PLANS };
  for (const [group, cases] of Object.entries(groups)) {
    test.each(cases)(`${group.toLowerCase()}: $name`, ({ yaml, problems }) => {
      expect(findProblems(yaml)).toEqual(problems);
    });
  }

  test('all mistakes of a file at once, in the order of the file', () => {
    const yaml = lines(
      'version: 1',
      'server: { port: high }',
      'upstreams: { a: { url: nowhere } }',
      'apis: { x: { upstream: b, routes: [{ path: y }] } }',
      'plans: { free: { title: Free, price: 1, models: [gpt] } }',
    );
    expect(findProblems(yaml).map((problem) => problem.split(': ')[0])).toEqual([
      'tollkeeper.yaml:2:17 server.port',
      'tollkeeper.yaml:3:24 upstreams.a.url',
      'tollkeeper.yaml:4:24 apis.x.upstream',
      'tollkeeper.yaml:4:44 apis.x.routes[0].path',
      'tollkeeper.yaml:5:38 plans.free.price',
      'tollkeeper.yaml:5:50 plans.free.models[0]',
    ]);
  });

  test('a file that is not there, and one that is too large', () => {
    const missing = loadConfig('/nowhere/tollkeeper.yaml', { env: {} });
    expect(missing.kind === 'invalid' && missing.problems.map(formatProblem)).toEqual([
      '/nowhere/tollkeeper.yaml: cannot read the configuration: there is no such file',
    ]);
    expect(findProblems(`version: 1\n#${' '.repeat(4 * 1024 * 1024)}`)).toEqual([
      'tollkeeper.yaml:1:1: the file is larger than 4194304 bytes',
    ]);
  });

  test('aliases cannot blow a small file up', () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const previous = level === 0 ? 'x' : `*a${level - 1}`;
      return `  a${level}: &a${level} [${Array.from({ length: 10 }, () => previous).join(', ')}]`;
    });
    const problems = findProblems(lines('version: 1', 'plans:', ...levels));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('more than 250000 values, aliases counted');
  });

  test('whatever is done to a file, the answer is a configuration or a list of placed problems', () => {
    const demo = readDemoConfig();
    const text = typeof demo === 'string' ? '' : demo.text;
    const snippet = oneof(
      string(),
      constantFrom(
        '{',
        '[',
        '- ',
        ': ',
        '\n',
        '  ',
        '*a',
        '&a ',
        '${X}',
        'file:x',
        '0',
        '-1',
        '1e999',
        'null',
        '"',
        '!!map ',
      ),
    );
    check(
      property(nat(text.length), nat(40), snippet, (at, removed, inserted) => {
        const broken = text.slice(0, at) + inserted + text.slice(at + removed);
        const result = loadConfig({ text: broken, file: 'demo.yaml' }, { env: {} });
        const problems = result.kind === 'ok' ? [] : result.problems;
        expect(result.kind === 'ok' || problems.length > 0).toBe(true);
        const count = broken.split('\n').length;
        expect(
          problems.every(({ line, column }) => line >= 1 && line <= count && column >= 1),
        ).toBe(true);
        expect(problems.every(({ message }) => message.length > 5)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

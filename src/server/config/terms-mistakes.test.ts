import { describe } from 'vitest';
import { lines, testMistakes, withPlan, withRoute } from '../../../test/support/check-config.ts';
import type { MistakeCase } from '../../../test/support/check-config.ts';

const FREE = ['title: Free', 'price: free'] as const;

const LIMITS: readonly MistakeCase[] = [
  {
    name: 'windows that are missing, or do not fit (QUOTA-02, QUOTA-10)',
    yaml: withPlan(
      ...FREE,
      'limits:',
      '  - { requests: 1 }',
      '  - { concurrent_requests: 5, per: day }',
    ),
    problems: [
      'tollkeeper.yaml:7:9 plans.free.limits[0].per: is required',
      'tollkeeper.yaml:8:40 plans.free.limits[1].per: does not fit "concurrent_requests": they are counted at each moment',
    ],
  },
  {
    name: 'what cannot slide (QUOTA-02)',
    yaml: withPlan(
      ...FREE,
      'limits:',
      '  - { requests: 1, per: month, window: sliding }',
      '  - { requests: 1, per: lifetime, window: sliding }',
      '  - { concurrent_requests: 5, window: sliding }',
      '  - { requests: 1, window: sliding }',
      '  - { requests: 1, per: sliding_hour }',
      '  - { requests: 1, per: hour, window: slide }',
    ),
    problems: [
      'tollkeeper.yaml:7:44 plans.free.limits[0].window: does not fit "per: month": only second, minute, hour, day and week can slide; choose one of them, or leave "window" out',
      'tollkeeper.yaml:8:47 plans.free.limits[1].window: does not fit "per: lifetime": only second, minute, hour, day and week can slide; choose one of them, or leave "window" out',
      'tollkeeper.yaml:9:43 plans.free.limits[2].window: does not fit "concurrent_requests": they are counted at each moment',
      'tollkeeper.yaml:10:9 plans.free.limits[3].per: is required',
      'tollkeeper.yaml:11:29 plans.free.limits[4].per: expected "second", "minute", "hour", "day", "week", "month", "year", "billing_cycle" or "lifetime", got "sliding_hour"',
      'tollkeeper.yaml:12:43 plans.free.limits[5].window: expected "calendar" or "sliding", got "slide"',
    ],
  },
  {
    name: 'amounts of the wrong unit (QUOTA-01)',
    yaml: withPlan(
      ...FREE,
      'limits:',
      '  - { bytes: 5 parsecs, per: day }',
      '  - { bytes_in: 0 MB, per: day }',
      '  - { compute_time: 90, per: day }',
      '  - { compute_time: 0s, per: day }',
      '  - { requests: 5 GB, per: day }',
      '  - { storage_bytes: -1, per: day }',
    ),
    problems: [
      'tollkeeper.yaml:7:18 plans.free.limits[0].bytes: expected a size such as "1MB", "64KiB" or "512B", got "5 parsecs"',
      'tollkeeper.yaml:8:21 plans.free.limits[1].bytes_in: must be more than 0: to forbid something, leave it out of the plan',
      'tollkeeper.yaml:9:25 plans.free.limits[2].compute_time: expected a duration such as "10s", "2m" or "500ms", got "90"',
      'tollkeeper.yaml:10:25 plans.free.limits[3].compute_time: must be more than 0: to forbid something, leave it out of the plan',
      'tollkeeper.yaml:11:21 plans.free.limits[4].requests: expected a whole number such as 1000, "50k" or "1M", got "5 GB"',
      'tollkeeper.yaml:12:26 plans.free.limits[5].storage_bytes: must be at least 1, got -1',
    ],
  },
  {
    name: 'ids that are taken',
    yaml: withPlan(
      ...FREE,
      'limits:',
      '  - { id: key_budget, spend: 1 USD, per: day }',
      '  - { requests: 1, per: day, only: { operations: [shop.a] } }',
      '  - { requests: 2, per: day }',
      '  - { id: rate_per_minute, requests: 2, per: minute }',
      'rate_limits: [60/min]',
    ),
    problems: [
      'tollkeeper.yaml:7:15 plans.free.limits[0].id: is the id of the budgets of keys and customers',
      'tollkeeper.yaml:8:55 plans.free.limits[1].only.operations[0]: there is no operation "shop.a": none is configured',
      'tollkeeper.yaml:9:9 plans.free.limits[2]: has the same id as the one at [1], "requests_per_day": keep one, or give it an "id"',
      'tollkeeper.yaml:10:15 plans.free.limits[3].id: is the id of a rate limit: choose another, so that headers tell the two apart',
    ],
  },
  {
    name: 'one id for two units',
    yaml: lines(
      withPlan(...FREE, 'limits: [{ id: quota, requests: 1, per: day }]'),
      '  pro: { title: Pro, price: 1 USD, limits: [{ id: quota, bytes: 1 GB, per: day }] }',
    ),
    problems: [
      'tollkeeper.yaml:7:51 plans.pro.limits[0].id: "quota" counts requests at plans.free.limits[0]: choose another id',
    ],
  },
  {
    name: 'overage that cannot be (PLAN-11)',
    yaml: withPlan(
      ...FREE,
      'limits:',
      '  - { requests: 1, per: day, overage: bill }',
      '  - { requests: 1, per: week, overage: { price: 1 USD, authorize: 1 USD } }',
      '  - { requests: 1, per: month, overage: { prize: 1 USD } }',
      '  - { concurrent_requests: 1, overage: { price: 1 USD } }',
      '  - { spend: 1 USD, per: day, overage: { price: 1 USD } }',
      '  - { tokens: 1, per: day, overage: { price: 1 USD } }',
      '  - { tokens: 1, per: week, soft: true, overage: { price: 1 USD / token } }',
      '  - { tokens: 1, per: year, class: protective, overage: { price: 1 USD / token } }',
      '  - { compute_time: 1h, per: year, overage: { authorize: 1 USD / request } }',
    ),
    problems: [
      'tollkeeper.yaml:7:43 plans.free.limits[0].overage: expected "block", { price: "0.002 USD" } or { authorize: "0.002 USD" }, got "bill"',
      'tollkeeper.yaml:8:35 plans.free.limits[1].overage: needs exactly one of "price" and "authorize"',
      'tollkeeper.yaml:9:47 plans.free.limits[2].overage.prize: unknown key "prize". Did you mean "price"?',
      'tollkeeper.yaml:10:35 plans.free.limits[3].overage: more of "concurrent_requests" cannot be sold one by one',
      'tollkeeper.yaml:11:35 plans.free.limits[4].overage: more of "spend" cannot be sold one by one',
      'tollkeeper.yaml:12:32 plans.free.limits[5].overage: expected a price per token such as "0.50 USD / 1M tokens", got "1 USD"',
      'tollkeeper.yaml:13:45 plans.free.limits[6].overage: does not fit "soft": nothing is refused beyond a soft limit',
      'tollkeeper.yaml:14:52 plans.free.limits[7].overage: does not fit "class: protective": that is not for sale',
      'tollkeeper.yaml:15:40 plans.free.limits[8].overage: expected a price per millisecond such as "0.36 USD / hour", got "1 USD / request"',
    ],
  },
  {
    name: 'overage that nothing could be drawn from',
    yaml: withPlan(
      ...FREE,
      'usage: included',
      'limits: [{ requests: 1, per: day, overage: { price: 1 USD } }]',
    ),
    problems: [
      'tollkeeper.yaml:7:39 plans.free.limits[0].overage: needs "usage: prepaid": what goes beyond the allowance is drawn from the balance',
    ],
  },
  {
    name: 'filters of what is not there',
    yaml: lines(
      withRoute('{ name: items, path: /items, operation: list }'),
      'models: {}',
      'plans:',
      '  free:',
      '    title: Free',
      '    price: free',
      '    limits:',
      '      - requests: 1',
      '        per: day',
      '        only: { models: [gpt], routes: [shop.item], operations: [lsit] }',
      'limits: [{ requests: 1, per: second, only: { routes: [items] } }]',
    ),
    problems: [
      'tollkeeper.yaml:16:26 plans.free.limits[0].only.models[0]: there is no model "gpt": none is configured',
      'tollkeeper.yaml:16:41 plans.free.limits[0].only.routes[0]: there is no route "shop.item". Did you mean "shop.items"?',
      'tollkeeper.yaml:16:66 plans.free.limits[0].only.operations[0]: there is no operation "lsit". Did you mean "list"?',
      'tollkeeper.yaml:17:55 limits[0].only.routes[0]: there is no route "items": there are shop.items',
    ],
  },
  {
    name: 'limits of the provider with the scope of a plan',
    yaml: lines(
      'version: 1',
      'limits:',
      '  - { requests: 1, per: second, scope: tenant }',
      '  - { requests: 1, per: second, overage: block }',
    ),
    problems: [
      'tollkeeper.yaml:3:40 limits[0].scope: expected "global", got "tenant"',
      'tollkeeper.yaml:4:33 limits[1].overage: unknown key "overage": there are requests, tokens, input_tokens, output_tokens, bytes, bytes_in, bytes_out, storage_bytes, compute_units, compute_time, operations, concurrent_requests, spend, per, window, id, scope, class, soft, only',
    ],
  },
  {
    name: 'limits of the provider with one id',
    yaml: lines(
      'version: 1',
      'limits: [{ requests: 1, per: second }, { requests: 2, per: second }]',
    ),
    problems: [
      'tollkeeper.yaml:2:40 limits[1]: has the same id as the one at [0], "global_requests_per_second": keep one, or give it an "id"',
    ],
  },
];

const PLANS: readonly MistakeCase[] = [
  {
    name: 'context tiers that do not grow (LLM-10)',
    yaml: withPlan(
      ...FREE,
      'context: [{ up_to: 9k }, { up_to: 9000, price: 1.2345 }, { up_to: 1, price: -1 }, { price: 1 }]',
    ),
    problems: [
      'tollkeeper.yaml:6:52 plans.free.context[1].price: has more than three decimals',
      'tollkeeper.yaml:6:81 plans.free.context[2].price: must be at least 0, got -1',
      'tollkeeper.yaml:6:87 plans.free.context[3].up_to: is required',
    ],
  },
  {
    name: 'context tiers out of order',
    yaml: withPlan(...FREE, 'context: [{ up_to: 100k }, { up_to: 9k }]'),
    problems: [
      'tollkeeper.yaml:6:41 plans.free.context[1].up_to: must be more than the 100000 before it: the smallest size comes first',
    ],
  },
  {
    name: 'grace, size, enforcement and class of rates (PLAN-02)',
    yaml: withPlan(
      ...FREE,
      'grace: 31d',
      'max_file: 0B',
      'enforcement: observed',
      'rate_exceeded: 402',
      'rate_limits: [{ count: 1, per: day, class: comercial }]',
    ),
    problems: [
      'tollkeeper.yaml:6:12 plans.free.grace: must be whole days, from 0d to 30d, got "31d"',
      'tollkeeper.yaml:7:15 plans.free.max_file: must be between 1 and 9007199254740991 bytes, got "0B"',
      'tollkeeper.yaml:8:18 plans.free.enforcement: expected "observe" or "enforce", got "observed". Did you mean "observe"?',
      'tollkeeper.yaml:9:20 plans.free.rate_exceeded: expected "wait" or "pay", got 402',
      'tollkeeper.yaml:10:48 plans.free.rate_limits[0].class: expected "commercial" or "protective", got "comercial". Did you mean "commercial"?',
    ],
  },
  {
    name: 'half days of grace',
    yaml: withPlan(...FREE, 'grace: 36h'),
    problems: [
      'tollkeeper.yaml:6:12 plans.free.grace: must be whole days, from 0d to 30d, got "36h"',
    ],
  },
  {
    name: 'partial service with what is not there (DEG-03)',
    yaml: withPlan(
      ...FREE,
      'degraded:',
      '  readonly: true',
      '  substitute: { large: smal }',
      '  withhold: [reports]',
      '  rate: slow',
    ),
    problems: [
      'tollkeeper.yaml:7:7 plans.free.degraded.readonly: unknown key "readonly". Did you mean "read_only"?',
      'tollkeeper.yaml:8:21 plans.free.degraded.substitute.large: there is no model "large": none is configured',
      'tollkeeper.yaml:8:28 plans.free.degraded.substitute.large: there is no model "smal": none is configured',
      'tollkeeper.yaml:9:18 plans.free.degraded.withhold[0]: there is no route with the feature "reports": none is configured',
      'tollkeeper.yaml:10:13 plans.free.degraded.rate: expected a rate such as "60/min" or "60/min burst 10", got "slow"',
    ],
  },
  {
    name: 'APIs that are not there',
    yaml: lines(
      withRoute('path: /a'),
      'plans: { free: { title: Free, price: free, apis: [shpo] } }',
    ),
    problems: [
      'tollkeeper.yaml:8:51 plans.free.apis[0]: there is no API "shpo". Did you mean "shop"?',
    ],
  },
];

const ADD_ONS: readonly MistakeCase[] = [
  {
    name: 'of nothing, by the year, with unknown members (PLAN-10)',
    yaml: lines(
      'version: 1',
      'add_ons:',
      '  none: { title: None, price: 1 USD, grants: {} }',
      '  year: { title: Year, price: 1 USD / year, grants: { max_file: 1 MB } }',
      '  odd: { title: Odd, price: 1 USD, grants: { feature: x } }',
    ),
    problems: [
      'tollkeeper.yaml:3:38 add_ons.none.grants: needs something to grant',
      'tollkeeper.yaml:4:31 add_ons.year.price: the price is by the month, such as "49.00 USD / month", got "1 USD / year"',
      'tollkeeper.yaml:5:46 add_ons.odd.grants.feature: unknown key "feature". Did you mean "features"?',
    ],
  },
  {
    name: 'that raise or grant what is not there',
    yaml: lines(
      withRoute(
        'path_regex: "^/c/(?<course>[0-9]+)$"',
        'requires: [{ purchase: "course-{course}" }, { feature: reports }]',
      ),
      'plans:',
      '  free:',
      '    title: Free',
      '    price: free',
      '    limits: [{ requests: 1, per: month }, { id: data, bytes: 1, per: day }]',
      '    rate_limits: [1/min]',
      'add_ons:',
      '  a:',
      '    title: A',
      '    price: 1 USD',
      '    grants:',
      '      features: [report]',
      '      models: [gpt]',
      '      purchases: [course-7, course-*, lesson-7, "*x"]',
      '      limits:',
      '        - { requests: 1, per: day }',
      '        - { id: dta, bytes: 1, per: day }',
      '        - { id: data, requests: 1, per: day }',
      '      rate_limits: [5/s]',
    ),
    problems: [
      'tollkeeper.yaml:20:18 add_ons.a.grants.features[0]: there is no route with the feature "report". Did you mean "reports"?',
      'tollkeeper.yaml:21:16 add_ons.a.grants.models[0]: there is no model "gpt": none is configured',
      'tollkeeper.yaml:22:39 add_ons.a.grants.purchases[2]: there is no route with the purchase "lesson-7": there are course-{course}',
      'tollkeeper.yaml:22:49 add_ons.a.grants.purchases[3]: "*x" is not a name: use lower-case letters, digits and . _ -, at most 128 of them, and "*" at the end for all that begin so',
      'tollkeeper.yaml:24:11 add_ons.a.grants.limits[0]: there is no limit in any plan called "requests_per_day": there are requests_per_month, data',
      'tollkeeper.yaml:25:17 add_ons.a.grants.limits[1].id: there is no limit in any plan called "dta". Did you mean "data"?',
      'tollkeeper.yaml:26:17 add_ons.a.grants.limits[2].id: "data" counts bytes at plans.free.limits[1]: choose another id',
      'tollkeeper.yaml:27:21 add_ons.a.grants.rate_limits[0]: there is no rate limit in any plan called "rate_per_second": there are rate_per_minute',
    ],
  },
];

const REQUESTS: readonly MistakeCase[] = [
  {
    name: 'requirements of nothing, of two things, under no condition (GW-19)',
    yaml: withRoute(
      'path: /a',
      'requires:',
      '  - {}',
      '  - { feature: a, purchase: b }',
      '  - { feature: a, when: {} }',
      '  - { feature: a, when: { body: extract } }',
      '  - { feature: a, when: { query: { "a=b": 1 } } }',
      '  - { feature: a, when: { header: { "x y": 1 } } }',
      '  - { feature: a, when: { cookie: a } }',
      '  - { feature: "A b" }',
    ),
    problems: [
      'tollkeeper.yaml:9:13 apis.shop.routes[0].requires[0]: needs exactly one of "feature" and "purchase"',
      'tollkeeper.yaml:10:13 apis.shop.routes[0].requires[1]: needs exactly one of "feature" and "purchase"',
      'tollkeeper.yaml:11:27 apis.shop.routes[0].requires[2].when: must have 1 to 8 conditions',
      'tollkeeper.yaml:12:41 apis.shop.routes[0].requires[3].when.body: expected a JSON pointer such as "/extract", got "extract"',
      'tollkeeper.yaml:13:44 apis.shop.routes[0].requires[4].when.query["a=b"]: expected the name of a query parameter such as "render_js", got "a=b"',
      'tollkeeper.yaml:14:45 apis.shop.routes[0].requires[5].when.header["x y"]: "x y" is not a header name',
      'tollkeeper.yaml:15:27 apis.shop.routes[0].requires[6].when: must have 1 to 8 conditions',
      'tollkeeper.yaml:15:35 apis.shop.routes[0].requires[6].when.cookie: unknown key "cookie": there are header, query, body, body_above',
      'tollkeeper.yaml:16:24 apis.shop.routes[0].requires[7].feature: "A b" is not a name: use lower-case letters, digits and . _ -, at most 128 of them',
    ],
  },
  {
    name: 'groups that the path does not have',
    yaml: lines(
      withRoute(
        'path_regex: "^/c/(?<course>[0-9]+)$"',
        'requires: [{ purchase: "course-{cuorse}" }]',
      ),
      '      - { path: /a, requires: [{ feature: "proxy-{country}" }] }',
      '    requires: [{ feature: "{any}" }]',
    ),
    problems: [
      'tollkeeper.yaml:8:32 apis.shop.routes[0].requires[0].purchase: there is no group in path_regex called "cuorse". Did you mean "course"?',
      'tollkeeper.yaml:9:43 apis.shop.routes[1].requires[0].feature: there is no group in path_regex called "country": none is configured',
      'tollkeeper.yaml:10:27 apis.shop.requires[0].feature: there is no group in path_regex called "any": none is configured',
    ],
  },
  {
    name: 'parameters (GW-15)',
    yaml: withRoute(
      'path: /a',
      'parameters:',
      '  - { in: query, name: "a b" }',
      '  - { in: body, name: items }',
      '  - { in: header, name: X-List, type: array }',
      '  - { in: path, name: id }',
      '  - { in: query, name: n, type: int }',
    ),
    problems: [
      'tollkeeper.yaml:9:32 apis.shop.routes[0].parameters[0].name: expected the name of a query parameter such as "render_js", got "a b"',
      'tollkeeper.yaml:10:31 apis.shop.routes[0].parameters[1].name: expected a JSON pointer such as "/items", got "items"',
      'tollkeeper.yaml:11:47 apis.shop.routes[0].parameters[2].type: "array" can only be in a body',
      'tollkeeper.yaml:12:19 apis.shop.routes[0].parameters[3].in: expected "query", "header" or "body", got "path"',
      'tollkeeper.yaml:13:41 apis.shop.routes[0].parameters[4].type: expected "string", "number", "integer", "boolean", "array" or "object", got "int". Did you mean "integer"?',
    ],
  },
  {
    name: 'a body that must be read and may have any size',
    yaml: lines(
      withRoute('path: /a', 'body_max: unlimited', 'parameters: [{ in: body, name: /x }]'),
      '      - { path: /b, requires: [{ feature: a, when: { body: /x } }] }',
      '      - { path: /c }',
      '    body_max: unlimited',
    ),
    problems: [
      'tollkeeper.yaml:8:19 apis.shop.routes[0].body_max: cannot be unlimited: "requires" and "parameters" of routes[0] read the body',
      'tollkeeper.yaml:12:15 apis.shop.body_max: cannot be unlimited: "requires" and "parameters" of routes[1] read the body',
    ],
  },
  {
    name: 'what needs a key, on a route that needs none',
    yaml: withRoute('path: /a', 'class: free', 'requires: [{ feature: a }]', 'role: admin'),
    problems: [
      'tollkeeper.yaml:9:19 apis.shop.routes[0].requires: a route of class free needs no key and no plan: leave the requires out or change the class',
      'tollkeeper.yaml:10:15 apis.shop.routes[0].role: a route of class free needs no key and no plan: leave the role out or change the class',
    ],
  },
  {
    name: 'compute, operation, dialect, partial service',
    yaml: withRoute(
      'path: /a',
      'compute: { units: 0 }',
      'operation: My Operation',
      'dialect: opnai',
      'degraded: never',
      'end_user_header: "x y"',
    ),
    problems: [
      'tollkeeper.yaml:8:27 apis.shop.routes[0].compute.units: must be at least 1, got 0',
      'tollkeeper.yaml:9:20 apis.shop.routes[0].operation: "My Operation" is not a name: use lower-case letters, digits, "-" and "_", at most 64 of them',
      'tollkeeper.yaml:10:18 apis.shop.routes[0].dialect: expected "plain", "openai", "anthropic", "gemini" or "jsonrpc", got "opnai". Did you mean "openai"?',
      'tollkeeper.yaml:11:19 apis.shop.routes[0].degraded: expected "allow", "refuse" or "by-method", got "never"',
      'tollkeeper.yaml:12:26 apis.shop.routes[0].end_user_header: "x y" is not a header name',
    ],
  },
  {
    name: 'APIs: addresses, anonymous callers, environments (GW-14, QUOTA-15, KEY-04)',
    yaml: lines(
      withRoute('path: /a'),
      '    allow_addresses: [10.0.0.0/33]',
      '    deny_addresses: [here]',
      '    anonymous: { requests: 0, per: year }',
      '    environment: prod',
      '    enforcement: off',
      '    retired: { at: 2026-02-31 }',
    ),
    problems: [
      'tollkeeper.yaml:8:23 apis.shop.allow_addresses[0]: expected an address or a range such as 10.0.0.0/8, got "10.0.0.0/33"',
      'tollkeeper.yaml:9:22 apis.shop.deny_addresses[0]: expected an address or a range such as 10.0.0.0/8, got "here"',
      'tollkeeper.yaml:10:28 apis.shop.anonymous.requests: must be at least 1, got 0',
      'tollkeeper.yaml:10:36 apis.shop.anonymous.per: expected "second", "minute", "hour", "day", "week" or "month", got "year"',
      'tollkeeper.yaml:11:18 apis.shop.environment: expected "live" or "test", got "prod"',
      'tollkeeper.yaml:12:18 apis.shop.enforcement: expected "observe" or "enforce", got "off"',
      'tollkeeper.yaml:13:20 apis.shop.retired.at: expected a day such as 2026-12-31 or a time such as 2026-12-31T12:00:00Z, got "2026-02-31"',
    ],
  },
  {
    name: 'the limit of an address',
    yaml: lines('version: 1', 'server: { address_limit: many, address_limit_loopback: 1 }'),
    problems: [
      'tollkeeper.yaml:2:26 server.address_limit: expected a rate such as "60/min" or "60/min burst 10", got "many"',
      'tollkeeper.yaml:2:56 server.address_limit_loopback: expected true or false, got 1',
    ],
  },
];

const CUSTOMISE: readonly MistakeCase[] = [
  {
    name: 'rules of nothing, for what is not there (C402-11)',
    yaml: lines(
      withRoute('path: /a'),
      'customise:',
      '  - {}',
      '  - { api: shop, code: INVOICE_OVERDUE, language: en }',
      '  - { api: shpo, title: Hello }',
      '  - { code: INVOICE_OVRDUE, title: Hello }',
      '  - { title: Hello, language: fr, translations: { fr: { title: Bonjour } } }',
    ),
    problems: [
      'tollkeeper.yaml:9:5 customise[0]: needs something to change: title, message, translations, link, fields or brand',
      'tollkeeper.yaml:10:5 customise[1]: needs something to change: title, message, translations, link, fields or brand',
      'tollkeeper.yaml:11:12 customise[2].api: there is no API "shpo". Did you mean "shop"?',
      'tollkeeper.yaml:12:13 customise[3].code: there is no code "INVOICE_OVRDUE": docs/errors has them all. Did you mean "INVOICE_OVERDUE"?',
      'tollkeeper.yaml:13:31 customise[4].language: expected "en", "de", "es" or "zh", got "fr"',
      'tollkeeper.yaml:13:51 customise[4].translations.fr: unknown key "fr": there are en, de, es, zh',
    ],
  },
  {
    name: 'words, links, fields and brands that would break a body (C402-11)',
    yaml: lines(
      'version: 1',
      'customise:',
      '  - { message: "You used {current_usage}" }',
      '  - { message: "You [have used {currnt_usage}|are here]" }',
      '  - { translations: { de: { title: "" } } }',
      '  - { link: help }',
      '  - { fields: { code: X, a.b: 1 } }',
      '  - { brand: { name: Acme, logo_url: http://acme.example/logo, color: blue } }',
      '  - { titel: Hello }',
    ),
    problems: [
      'tollkeeper.yaml:3:16 customise[0].message: must have its words in brackets, each with what to say without them: [You used {current_usage}|You used all]',
      'tollkeeper.yaml:4:16 customise[1].message: has no word {currnt_usage}',
      'tollkeeper.yaml:5:36 customise[2].translations.de.title: must not be empty',
      'tollkeeper.yaml:6:13 customise[3].link: must be an http(s) address or a path that begins with /, with no placeholder but {code} and {request_id}',
      'tollkeeper.yaml:7:23 customise[4].fields.code: is a member of the contract: take another name',
      'tollkeeper.yaml:7:31 customise[4].fields["a.b"]: must be called by 1 to 64 letters, digits and underscores, a letter first',
      'tollkeeper.yaml:8:38 customise[5].brand.logo_url: must be an https address',
      'tollkeeper.yaml:8:71 customise[5].brand.color: must be written like #0b57c2',
      'tollkeeper.yaml:9:7 customise[6].titel: unknown key "titel". Did you mean "title"?',
    ],
  },
];

describe('a mistake in what is sold is told with file, line, key and the nearest right word', () => {
  testMistakes({ LIMITS, PLANS, ADD_ONS, REQUESTS, CUSTOMISE });
});

import { describe } from 'vitest';
import {
  type MistakeCase,
  lines,
  testMistakes,
  UPSTREAM,
  withPlan,
} from '../../../test/support/check-config.ts';

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

describe('a mistake in a plan is told with file, line, key and the nearest right word', () => {
  testMistakes({ PLANS });
});

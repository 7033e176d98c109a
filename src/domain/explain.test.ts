import { describe, expect, it } from 'vitest';

import {
  AT,
  buildApi,
  buildCatalog,
  buildFacts,
  buildIdentity,
  buildLimit,
  buildModel,
  buildPlan,
  buildPrice,
  buildRateLimit,
  buildRoute,
} from '../../test/support/build-catalog.ts';
import type { LimitLabel } from './accounts.ts';
import type { Api, Catalog } from './catalog.ts';
import { decide } from './decide.ts';
import { explain } from './explain.ts';
import { describeArithmetic } from './explain-money.ts';
import type { EntitlementFact, Facts, LimitFact, OutcomeFact, ReservationFact } from './facts.ts';
import type { Price } from './pricing.ts';

const quota = (amount: number) => buildLimit(amount, { id: 'requests_month' });
const FREE_PLAN = buildPlan('free', {
  title: 'Free',
  limits: [quota(100)],
  models: ['echo'],
  rateLimits: [buildRateLimit({ id: 'burst', scope: 'key', count: 5, periodMs: 1000, burst: 10 })],
});

// 2.00 USD per 1M input, 8.00 per 1M output.
const TOKEN_PRICE = { perInputToken: 2_000_000n, perOutputToken: 8_000_000n };
const CATALOG: Catalog = buildCatalog(
  [
    FREE_PLAN,
    buildPlan('business', {
      title: 'Business',
      limits: [quota(10_000)],
      models: ['*'],
      priceNano: 49_000_000_000n,
    }),
  ],
  {
    models: new Map(['echo', 'large'].map((id) => [id, buildModel(id, TOKEN_PRICE)])),
    packs: [{ id: 'small', title: 'Small', priceNano: 5_000_000_000n, creditNano: 5_000_000_000n }],
  },
);

function pricedApi(price: Partial<Price>): Api {
  return buildApi({
    id: 'llm',
    routes: [buildRoute({ id: 'chat', apiId: 'llm', kind: 'chat', price: buildPrice(price) })],
  });
}

const RESET = AT + 86_400_000;

const BALANCE: LimitFact = {
  accountId: 'bal:ten_1:USD',
  kind: 'balance',
  unit: 'USD',
  label: undefined,
  need: 42_000_000,
  allowance: 100_000_000,
  spent: 96_900_000,
  reserved: 0,
  resetsAt: undefined,
};
const LABEL: LimitLabel = {
  id: 'requests_month',
  unit: 'requests',
  window: 'month',
  scope: 'tenant',
  keyId: undefined,
};
const REQUESTS: LimitFact = {
  accountId: 'quo:ten_1:requests_month:2027-01',
  kind: 'quota',
  unit: 'requests',
  label: LABEL,
  need: 1,
  allowance: 100,
  spent: 100,
  reserved: 0,
  resetsAt: RESET,
};

const OUTCOME: OutcomeFact = {
  status: 200,
  code: '',
  durationMs: 12,
  model: 'echo',
  target: 'http://127.0.0.1:9000',
  upstreamStatus: 200,
  ending: 'complete',
  holdNano: 42_000_000,
  costNano: 5_208_000,
  overrunNano: 0,
  inputTokens: 1204,
  cachedInputTokens: 0,
  outputTokens: 350,
  bytesIn: 900,
  bytesOut: 1200,
  estimated: false,
  clampedOutputTokens: undefined,
};

function facts(members: Partial<Facts> = {}): Facts {
  return buildFacts({
    requestId: 'req_1',
    route: {
      apiId: 'llm',
      routeId: 'chat',
      operation: 'chat',
      kind: 'chat',
      dialect: 'openai',
      endpointClass: 'metered',
    },
    identity: buildIdentity(FREE_PLAN),
    entitlements: [{ kind: 'model', id: 'echo', granted: true }],
    limits: [
      { ...REQUESTS, spent: 41 },
      { ...BALANCE, spent: 0 },
    ],
    reservation: { kind: 'held' },
    outcome: OUTCOME,
    ...members,
  });
}

/** A request that was refused: nothing left for the upstream. */
function refused(status: number, code: string, members: Partial<Facts>): Facts {
  const outcome: OutcomeFact = {
    ...OUTCOME,
    status,
    code,
    target: undefined,
    upstreamStatus: undefined,
    ending: 'refused',
    costNano: 0,
    inputTokens: 0,
    outputTokens: 0,
  };
  return facts({ outcome, reservation: undefined, ...members });
}

const short = (
  members: Partial<Extract<ReservationFact, { kind: 'short' }>> = {},
): ReservationFact => ({
  kind: 'short',
  index: 1,
  cause: 'gone',
  held: 0,
  affordableOutputTokens: undefined,
  ...members,
});
const LARGE: EntitlementFact = { kind: 'model', id: 'large', granted: false };
const noCredit = refused(402, 'INSUFFICIENT_CREDITS', {
  // Gateways have leased ahead: that is not held, and not missing.
  limits: [
    { ...REQUESTS, spent: 41, reserved: 32 },
    { ...BALANCE, reserved: 3_000_000 },
  ],
  reservation: short(),
});
const quotaUsedUp = refused(402, 'FREE_TIER_EXHAUSTED', {
  limits: [REQUESTS, { ...BALANCE, spent: 0 }],
  reservation: short({ index: 0 }),
});
const spendLabel: LimitLabel = { ...LABEL, id: 'key_budget', unit: 'spend', window: 'lifetime' };
const budgetUsedUp = refused(402, 'SPENDING_LIMIT_REACHED', {
  limits: [
    {
      ...REQUESTS,
      unit: 'spend',
      label: { ...spendLabel, scope: 'key', keyId: 'key_1', from: 'key' },
      need: 42_000_000,
      allowance: 1_000_000_000,
      spent: 990_000_000,
      resetsAt: undefined,
    },
  ],
  reservation: short({ index: 0 }),
});
const tokensUsedUp = refused(402, 'TOKEN_QUOTA_EXCEEDED', {
  limits: [
    {
      ...REQUESTS,
      unit: 'tokens',
      label: { ...spendLabel, id: 'tokens_day', unit: 'tokens', window: 'day' },
      need: 4096,
      allowance: 10_000,
      spent: 9000,
    },
  ],
  reservation: short({ index: 0, affordableOutputTokens: 900 }),
});

const view = (each: Facts) =>
  explain(each, { catalog: CATALOG, formatTime: (at) => `<${at - AT} ms later>` });
const actions = (each: Facts) => view(each).fixes.map(({ action }) => action);

describe('the verdict is one sentence with the numbers of the decision', () => {
  it.each<[string, string, Facts]>([
    ['served', 'Charged 0.005208 USD for 1,204 input and 350 output tokens.', facts()],
    [
      'a flat price',
      'Charged 0.0010 USD for one request.',
      facts({
        outcome: {
          ...OUTCOME,
          inputTokens: 0,
          outputTokens: 0,
          costNano: 1_000_000,
          model: undefined,
        },
      }),
    ],
    [
      'embeddings',
      'Charged 0.0024 USD for 1 input token.',
      facts({ outcome: { ...OUTCOME, inputTokens: 1, outputTokens: 0, costNano: 2_400_000 } }),
    ],
    [
      'an overrun is not charged',
      'Charged 0.0050 USD for 1,204 input and 350 output tokens.',
      facts({ outcome: { ...OUTCOME, overrunNano: 208_000 } }),
    ],
    [
      'free of charge',
      'Served without a charge: one request.',
      facts({ limits: [], outcome: { ...OUTCOME, costNano: 0, inputTokens: 0, outputTokens: 0 } }),
    ],
    [
      'an upstream error passed on',
      'Nothing was charged: the upstream answered 422.',
      facts({ outcome: { ...OUTCOME, status: 422, costNano: 0 } }),
    ],
    [
      'INSUFFICIENT_CREDITS',
      'Refused: this call could cost up to 0.0420 USD and the available balance is 0.0031 USD.',
      noCredit,
    ],
    [
      'INSUFFICIENT_CREDITS while money is held',
      'Refused: this call could cost up to 0.0420 USD and the available balance is 0.0031 USD, because calls that still run hold 0.0900 USD.',
      refused(402, 'INSUFFICIENT_CREDITS', {
        limits: [REQUESTS, { ...BALANCE, spent: 6_900_000, reserved: 90_000_000 }],
        reservation: short({ cause: 'held', held: 90_000_000 }),
      }),
    ],
    ['FREE_TIER_EXHAUSTED', 'Refused: this account used 100 of 100 requests a month.', quotaUsedUp],
    [
      'SPENDING_LIMIT_REACHED',
      'Refused: this key used 0.9900 USD of 1.00 USD in total and this call could take up to 0.0420 USD.',
      budgetUsedUp,
    ],
    [
      'TOKEN_QUOTA_EXCEEDED',
      'Refused: this account used 9,000 of 10,000 tokens a day and this call could take up to 4,096 tokens.',
      tokensUsedUp,
    ],
    [
      'MODEL_NOT_IN_PLAN',
      'Refused: the model large is not part of the plan Free.',
      refused(402, 'MODEL_NOT_IN_PLAN', { entitlements: [LARGE] }),
    ],
    [
      'FEATURE_NOT_AVAILABLE',
      'Refused: the feature vision is not part of the plan Free.',
      refused(403, 'FEATURE_NOT_AVAILABLE', {
        entitlements: [{ kind: 'feature', id: 'vision', granted: false }],
      }),
    ],
    [
      'BILLING_UNAVAILABLE',
      'Refused: the gateway could not check the money at that moment, which is not your fault.',
      refused(503, 'BILLING_UNAVAILABLE', { reservation: short({ cause: 'stranded' }) }),
    ],
    [
      'RATE_LIMITED',
      'Refused: too many requests.',
      refused(429, 'RATE_LIMITED', {
        reservation: { kind: 'limited', rateLimitId: 'burst', retryAfterMs: 200 },
      }),
    ],
    [
      'PAYMENT_RETRY_STORM',
      'Refused: repeated too often after a 402.',
      refused(429, 'PAYMENT_RETRY_STORM', {
        storm: { cause: 'INSUFFICIENT_CREDITS', retryAfterMs: 30_000 },
      }),
    ],
    [
      'KEY_REVOKED',
      'Refused: API key revoked.',
      refused(401, 'KEY_REVOKED', {
        identity: { kind: 'refused', code: 'KEY_REVOKED', since: AT },
      }),
    ],
    [
      'INVALID_REQUEST',
      'Refused: must be a number.',
      refused(400, 'INVALID_REQUEST', {
        understanding: {
          code: 'INVALID_REQUEST',
          problem: 'Must be a number.',
          pointer: '/temperature',
        },
      }),
    ],
    [
      'ROUTE_NOT_FOUND',
      'Refused: no route answers GET /nowhere.',
      refused(404, 'ROUTE_NOT_FOUND', {
        routing: {
          code: 'ROUTE_NOT_FOUND',
          problem: 'no route answers GET /nowhere',
          pointer: undefined,
        },
      }),
    ],
    [
      'UPSTREAM_TIMEOUT',
      'Failed: the upstream took too long. Nothing was charged.',
      refused(504, 'UPSTREAM_TIMEOUT', {
        reservation: { kind: 'held' },
        forwarding: {
          code: 'UPSTREAM_TIMEOUT',
          problem: 'no answer within 30 s',
          pointer: undefined,
        },
      }),
    ],
    ['no outcome yet', 'Admitted: the request is still running.', facts({ outcome: undefined })],
  ])('%s', (_title, verdict, each) => {
    expect(view(each).verdict).toBe(verdict);
  });
});

describe('DIAG-01: the trace has every check in evaluation order and stops at the failing one', () => {
  const verdicts = (each: Facts) =>
    view(each).trace.map(({ step, verdict }) => `${step}: ${verdict}`);

  it('tells an admitted request to its end', () => {
    expect(verdicts(facts())).toEqual([
      'route: passed',
      'identify: passed',
      'authorize: passed',
      'understand: passed',
      'storm: passed',
      'stand: passed',
      'entitle: passed',
      'reserve: passed',
      'reserve: passed',
      'forward: passed',
    ]);
    expect(view(facts()).trace.at(-1)?.text).toBe(
      'http://127.0.0.1:9000 answered 200: the whole answer was sent.',
    );
  });

  it.each<[string, Facts, readonly string[], string]>([
    [
      'the balance',
      noCredit,
      ['reserve: passed', 'reserve: refused', 'forward: not reached'],
      'Balance: 0.0031 USD settled, 0.0000 USD held, 0.0031 USD free; the call needs 0.0420 USD.',
    ],
    [
      'a quota before the balance',
      quotaUsedUp,
      ['reserve: refused', 'reserve: not reached', 'forward: not reached'],
      'Limit requests_month of this account: 100 of 100 requests a month used, 0 held, 0 free; the call needs 1 request.',
    ],
    [
      'the budget of a key',
      budgetUsedUp,
      ['entitle: passed', 'reserve: refused', 'forward: not reached'],
      'Budget of this key: 0.9900 USD of 1.00 USD in total used, 0.0000 USD held, 0.0100 USD free; the call needs 0.0420 USD.',
    ],
    [
      'a protective limit, after the commercial ones',
      refused(429, 'RATE_LIMITED', {
        reservation: { kind: 'limited', rateLimitId: 'burst', retryAfterMs: 200 },
      }),
      ['reserve: passed', 'reserve: refused', 'forward: not reached'],
      'Rate limit burst of this key: at most 10 at once and 5 per 1 s; requests came faster, the next fits in 200 ms.',
    ],
    [
      'a rate limit that the plan has lost since',
      refused(429, 'RATE_LIMITED', {
        reservation: { kind: 'limited', rateLimitId: 'gone', retryAfterMs: 200 },
      }),
      ['reserve: passed', 'reserve: refused', 'forward: not reached'],
      'Rate limit gone: requests came too fast, the next fits in 200 ms.',
    ],
    [
      'books that do not answer',
      refused(503, 'BILLING_UNAVAILABLE', {
        reservation: short({ index: 0, cause: 'unavailable' }),
      }),
      ['reserve: not reached', 'reserve: refused', 'forward: not reached'],
      'The books did not answer in time.',
    ],
    [
      'the second of two entitlements',
      refused(402, 'MODEL_NOT_IN_PLAN', {
        entitlements: [{ kind: 'feature', id: 'chat', granted: true }, LARGE],
        limits: [],
      }),
      ['entitle: passed', 'entitle: refused', 'reserve: not reached', 'forward: not reached'],
      'The plan does not include the model large.',
    ],
    [
      'the upstream',
      refused(502, 'UPSTREAM_FAILED', {
        limits: [],
        reservation: { kind: 'held' },
        forwarding: { code: 'UPSTREAM_FAILED', problem: 'connection reset', pointer: undefined },
      }),
      ['entitle: passed', 'reserve: passed', 'forward: refused'],
      'UPSTREAM_FAILED: connection reset (the upstream).',
    ],
    [
      'a retry storm',
      refused(429, 'PAYMENT_RETRY_STORM', {
        entitlements: [],
        limits: [],
        storm: { cause: 'INSUFFICIENT_CREDITS', retryAfterMs: 30_000 },
      }),
      [
        'storm: refused',
        'stand: not reached',
        'entitle: not reached',
        'reserve: not reached',
        'forward: not reached',
      ],
      'INSUFFICIENT_CREDITS was answered, and the same call was repeated too often after it.',
    ],
  ])('names the rule: %s', (_title, each, ending, text) => {
    const trace = view(each).trace;
    expect(trace.slice(-ending.length).map(({ step, verdict }) => `${step}: ${verdict}`)).toEqual(
      ending,
    );
    expect(trace.filter(({ verdict }) => verdict === 'refused').map((line) => line.text)).toContain(
      text,
    );
  });

  it.each<[string, Partial<Facts>, string]>([
    [
      'the route',
      {},
      'POST /v1/chat/completions is route chat of API llm (metered, counted as chat).',
    ],
    [
      'an address of ours',
      { route: undefined },
      'POST /v1/chat/completions is an address of the gateway itself.',
    ],
    ['the key', {}, 'Key key_1 of ten_1, on plan Free (free, version v-free).'],
    ['nobody', { identity: { kind: 'anonymous' } }, 'The route needs no key.'],
    [
      'a caller that left',
      { outcome: { ...OUTCOME, ending: 'client-gone' } },
      'http://127.0.0.1:9000 answered 200: the caller left before the end; what had been sent was charged.',
    ],
    ['a request that runs', { outcome: undefined }, 'The request is still running.'],
  ])('says what each step saw: %s', (_title, members, text) => {
    expect(view(facts(members)).trace.map((line) => line.text)).toContain(text);
  });

  it('carries the numbers for machines', () => {
    const stop = view(noCredit).trace.find(({ verdict }) => verdict === 'refused');
    expect(stop).toMatchObject({ limit: { need: 42_000_000, spent: 96_900_000 }, held: 0 });
  });

  it('refuses where decide refuses and nowhere else', () => {
    for (const each of [facts(), noCredit, quotaUsedUp, budgetUsedUp, tokensUsedUp]) {
      const decision = decide(each);
      const stop = view(each).trace.find(({ verdict }) => verdict === 'refused');
      expect(stop?.step).toBe(decision.kind === 'refuse' ? decision.step : undefined);
    }
  });
});

describe('money: hold -> settle -> release', () => {
  it('shows units times unit price and what went back', () => {
    const { money } = view(facts());
    expect(money?.lines).toEqual([
      { what: 'input tokens', units: 1204, unitPrice: '2.00 USD per 1M', amount: '0.002408 USD' },
      { what: 'output tokens', units: 350, unitPrice: '8.00 USD per 1M', amount: '0.0028 USD' },
    ]);
    expect(money?.releasedNano).toBe(42_000_000 - 5_208_000);
    expect(money && describeArithmetic(money)).toBe(
      '0.0420 USD held - 0.005208 USD charged = 0.036792 USD released.',
    );
    expect(money?.source).toBe('The upstream reported the token counts.');
  });

  it.each<[string, Partial<OutcomeFact>, string]>([
    [
      'a stream whose hold grew',
      { holdNano: 5_000_000 },
      '0.0050 USD held + 0.000208 USD held while it ran = 0.005208 USD charged.',
    ],
    [
      'an overrun',
      { holdNano: 5_000_000, overrunNano: 208_000 },
      '0.0050 USD held - 0.0050 USD charged = 0.0000 USD released. The call cost 0.005208 USD; the provider pays the other 0.000208 USD.',
    ],
    [
      'a failure after the hold',
      { costNano: 0 },
      '0.0420 USD held - 0.0000 USD charged = 0.0420 USD released.',
    ],
  ])('adds up: %s', (_title, members, text) => {
    const { money } = view(facts({ outcome: { ...OUTCOME, ...members } }));
    expect(money && describeArithmetic(money)).toBe(text);
  });

  it.each<[string, Partial<OutcomeFact>, readonly string[]]>([
    [
      'a flat price',
      { model: undefined, costNano: 1_000_000 },
      ['request: 1 x 0.0010 USD each = 0.0010 USD'],
    ],
    [
      'a flat price on top of the model',
      { costNano: 6_208_000 },
      [
        'request: 1 x 0.0010 USD each = 0.0010 USD',
        'input tokens: 1204 x 2.00 USD per 1M = 0.002408 USD',
        'output tokens: 350 x 8.00 USD per 1M = 0.0028 USD',
      ],
    ],
  ])('finds the price of the route: %s', (_title, members, expected) => {
    const catalog = { ...CATALOG, apis: [pricedApi({ perRequest: 1_000_000_000n })] };
    const { money } = explain(facts({ outcome: { ...OUTCOME, ...members } }), {
      catalog,
      formatTime: String,
    });
    const lines = money?.lines.map(
      ({ what, units, unitPrice, amount }) => `${what}: ${units} x ${unitPrice} = ${amount}`,
    );
    expect(lines).toEqual(expected);
  });

  it('says so when nothing was served', () => {
    const { money } = view(facts({ outcome: { ...OUTCOME, costNano: 0 } }));
    expect(money?.rounding).toBe('No successful answer was served, so nothing was charged.');
    expect(money?.lines).toEqual([]);
  });

  it('says who counted, and that the output was clamped', () => {
    const outcome = { ...OUTCOME, estimated: true, clampedOutputTokens: 1500 };
    expect(view(facts({ outcome })).money?.source).toBe(
      'The upstream reported no usage, so the gateway counted the tokens itself. The output was limited to 1,500 tokens, which is what the balance afforded.',
    );
  });

  it.each<[string, Partial<Facts>, RegExp]>([
    [
      'another configuration decided',
      { catalogVersion: 'ffffffffffff' },
      /^Decided under .*ffffffffffff/,
    ],
    [
      'the prices do not give what was charged',
      { outcome: { ...OUTCOME, costNano: 77 } },
      /^The cost was rounded once/,
    ],
    ['the model is gone', { outcome: { ...OUTCOME, model: 'gone' } }, /^The cost was rounded once/],
  ])('shows no price lines when %s', (_title, members, rounding) => {
    const { money } = view(facts(members));
    expect(money?.lines).toEqual([]);
    expect(money?.rounding).toMatch(rounding);
  });

  it('speaks of no hold when the hold was refused', () => {
    expect(view(noCredit).money).toBeUndefined();
  });
});

describe('what fixes it comes in order of effort', () => {
  it.each<[string, Facts, readonly string[]]>([
    ['served', facts(), []],
    ['INSUFFICIENT_CREDITS', noCredit, ['buy_credits', 'contact_admin']],
    ['a quota', quotaUsedUp, ['wait_for_reset', 'upgrade_plan', 'contact_admin']],
    ['a key budget', budgetUsedUp, ['raise_spending_limit', 'contact_admin']],
    [
      'a smaller call',
      tokensUsedUp,
      ['wait_for_reset', 'lower_max_tokens', 'upgrade_plan', 'contact_admin'],
    ],
    [
      'a model',
      refused(402, 'MODEL_NOT_IN_PLAN', { entitlements: [LARGE] }),
      ['use_another_model', 'upgrade_plan', 'contact_admin'],
    ],
    [
      'a key',
      refused(401, 'KEY_MISSING', {
        identity: { kind: 'refused', code: 'KEY_MISSING', since: undefined },
      }),
      ['authenticate'],
    ],
    [
      'an upstream',
      refused(502, 'UPSTREAM_FAILED', {
        reservation: { kind: 'held' },
        forwarding: { code: 'UPSTREAM_FAILED', problem: 'reset', pointer: undefined },
      }),
      ['retry_later', 'contact_support'],
    ],
  ])('%s', (_title, each, expected) => {
    expect(actions(each)).toEqual(expected);
  });

  it('names amounts, the member that is wrong, and what to buy', () => {
    const texts = [...view(noCredit).fixes, ...view(tokensUsedUp).fixes].map(({ text }) => text);
    expect(texts).toContain('Add credit: Small, 5.00 USD for 5.00 USD.');
    expect(texts).toContain('Lower max_tokens to 900 or less.');
    expect(texts).toContain('Wait until <86400000 ms later>.');
    const fault = { code: 'INVALID_REQUEST', problem: 'must be a number', pointer: '/n' } as const;
    expect(view(refused(400, 'INVALID_REQUEST', { understanding: fault })).fixes[0]?.text).toBe(
      'Correct the request (/n) and send it again.',
    );
    expect(view(noCredit).fixes[0]?.offer).toEqual({ kind: 'pack', id: 'small' });
  });
});

describe('C402-21: will retrying help', () => {
  it.each<[string, Facts, boolean, number | undefined]>([
    ['INSUFFICIENT_CREDITS', noCredit, false, undefined],
    ['a quota that resets', quotaUsedUp, true, RESET],
    ['a lifetime budget', budgetUsedUp, false, undefined],
    [
      'held by running calls',
      refused(402, 'INSUFFICIENT_CREDITS', { reservation: short({ cause: 'held' }) }),
      true,
      AT + 1000,
    ],
    [
      'too fast',
      refused(429, 'RATE_LIMITED', {
        reservation: { kind: 'limited', rateLimitId: 'burst', retryAfterMs: 200 },
      }),
      true,
      AT + 200,
    ],
  ])('%s', (_title, each, helps, from) => {
    expect(view(each).retry).toMatchObject({ helps, from });
  });

  it('of a limit that slides it is when enough is free, which is not when all of it is', () => {
    const pace = { ...REQUESTS, label: { ...LABEL, id: 'pace', window: 'sliding_hour' as const } };
    const short = refused(402, 'REQUEST_QUOTA_EXCEEDED', { limits: [pace] });
    const { retry, trace } = view(short);
    expect(retry).toMatchObject({
      from: RESET,
      text: expect.stringMatching(/^Not before .*, when the limit is free enough again\.$/),
    });
    expect(trace.map(({ text }) => text)).toContainEqual(
      expect.stringContaining('Limit pace of this account: 100 of 100 requests in any hour used'),
    );
  });

  it('does not ask the question of an answer that was served', () => {
    expect(view(facts()).retry).toBeUndefined();
  });
});

it('speaks of leases of other gateways nowhere: they are neither held nor missing', () => {
  const passed = view(facts({ limits: [{ ...REQUESTS, spent: 41, reserved: 32 }] }));
  expect(passed.trace.map(({ text }) => text)).toContain(
    'Limit requests_month of this account: 41 of 100 requests a month used; the call needs 1 request.',
  );
});

it('is the same from the log row as from memory', () => {
  for (const each of [facts(), noCredit, quotaUsedUp]) {
    const row: Facts = JSON.parse(JSON.stringify(each));
    expect(view(row)).toEqual(view(each));
  }
});

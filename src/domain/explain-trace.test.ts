import { describe, expect, it } from 'vitest';

import {
  OUTCOME,
  facts,
  refused,
  short,
  LARGE,
  noCredit,
  quotaUsedUp,
  budgetUsedUp,
  tokensUsedUp,
  view,
} from '../../test/support/explained-facts.ts';
import { decide } from './decide.ts';
import type { Facts } from './facts.ts';

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

  it('says nothing of what was not looked at', () => {
    const storm = refused(429, 'PAYMENT_RETRY_STORM', {
      entitlements: [],
      limits: [],
      storm: { cause: 'INSUFFICIENT_CREDITS', retryAfterMs: 30_000 },
    });
    expect(
      view(storm)
        .trace.slice(-4)
        .map(({ step, text }) => `${step}: ${text}`),
    ).toEqual([
      'stand: Not looked at: an earlier check decided.',
      'entitle: Not looked at: an earlier check decided.',
      'reserve: Not looked at: an earlier check decided.',
      'forward: the upstream: nothing was served.',
    ]);
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

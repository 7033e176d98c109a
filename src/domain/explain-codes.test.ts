import { describe, expect, it } from 'vitest';

import {
  AT,
  buildBalance,
  buildCatalog,
  buildFacts,
  buildIdentity,
  buildLimit,
  buildModel,
  buildOutcome,
  buildPlan,
  buildQuota,
  buildRateLimit,
} from '../../test/support/build-catalog.ts';
import { type Code, CODES } from '../contract/codes.ts';
import type { Limit } from './catalog.ts';
import { decide, type StepName } from './decide.ts';
import { explain } from './explain.ts';
import type { EntitlementFact, Facts, Fault, ReservationFact } from './facts.ts';
import { packFacts, unpackFacts } from './facts-record.ts';
import { finalCode, findOffers } from './offers.ts';
import { standOf } from './standing.ts';
import { PLAIN_TERMS, type TenantTerms } from './tenant-terms.ts';

const PRO = buildPlan('pro', { title: 'Pro', priceNano: 9_000_000_000n, models: ['small'] });
const CATALOG = buildCatalog(
  [
    { ...PRO, rateLimits: [buildRateLimit({ id: 'burst', count: 5, periodMs: 1000, burst: 10 })] },
    buildPlan('max', {
      title: 'Max',
      priceNano: 99_000_000_000n,
      models: ['*'],
      features: ['images'],
      contextTiers: [{ tokensMax: 200_000, priceMultiplierPermille: 1000 }],
    }),
  ],
  {
    models: new Map([
      ['small', buildModel('small', { perInputToken: 1_000n })],
      ['large', buildModel('large', { perInputToken: 9_000n })],
    ]),
    packs: [{ id: 'five', title: 'Five', priceNano: 5_000_000_000n, creditNano: 5_000_000_000n }],
    retryStormPerMinute: 2000,
  },
);
const RESET = AT + 3_600_000;
const SINCE = AT - 60_000;

const fault = (code: Code, problem: string, pointer?: string): Fault => ({
  code,
  problem,
  pointer,
});
const limited = (limitClass: 'protective' | 'commercial'): ReservationFact => ({
  kind: 'limited',
  rateLimitId: 'burst',
  retryAfterMs: 250,
  class: limitClass,
});
const used = (limit: Limit, need = 1) => ({
  limits: [buildQuota(limit, { need, spent: limit.amount, resetsAt: RESET })],
});
const lacking = (entitlement: Omit<EntitlementFact, 'granted'>) => ({
  entitlements: [{ ...entitlement, granted: false }],
});
const standing = (terms: Partial<TenantTerms>) => ({
  standing: standOf(
    { ...PLAIN_TERMS, ...terms },
    { graceDays: 7, degraded: undefined },
    'write',
    AT,
  ),
});
const paying = (payment: Partial<TenantTerms['payment']>) =>
  standing({ payment: { ...PLAIN_TERMS.payment, ...payment } });
const refusedKey = (code: 'KEY_MISSING' | 'KEY_UNKNOWN' | 'KEY_REVOKED' | 'KEY_EXPIRED') => ({
  identity: { kind: 'refused' as const, code, since: undefined },
});

interface Case {
  readonly code: Code;
  readonly step: StepName;
  /** What the line of the trace that refused has to say. */
  readonly rule: string;
  readonly facts: Partial<Facts>;
}
const CASES: readonly Case[] = [
  {
    code: 'ROUTE_NOT_FOUND',
    step: 'route',
    rule: 'no route answers',
    facts: { routing: fault('ROUTE_NOT_FOUND', 'no route answers GET /x') },
  },
  {
    code: 'KEY_MISSING',
    step: 'identify',
    rule: 'API key missing',
    facts: refusedKey('KEY_MISSING'),
  },
  {
    code: 'KEY_REVOKED',
    step: 'identify',
    rule: 'API key revoked',
    facts: refusedKey('KEY_REVOKED'),
  },
  {
    code: 'KEY_EXPIRED',
    step: 'identify',
    rule: 'API key expired',
    facts: refusedKey('KEY_EXPIRED'),
  },
  {
    code: 'KEY_PERMISSION_DENIED',
    step: 'authorize',
    rule: 'KEY_PERMISSION_DENIED: the key may not use model large (model)',
    facts: {
      authorization: fault('KEY_PERMISSION_DENIED', 'the key may not use model large', 'model'),
    },
  },
  {
    code: 'FORBIDDEN_POLICY',
    step: 'authorize',
    rule: 'FORBIDDEN_POLICY: 192.0.2.7 is in a denied block',
    facts: { authorization: fault('FORBIDDEN_POLICY', '192.0.2.7 is in a denied block') },
  },
  {
    code: 'INVALID_REQUEST',
    step: 'understand',
    rule: 'must be a number (/n)',
    facts: { understanding: fault('INVALID_REQUEST', 'must be a number', '/n') },
  },
  {
    code: 'PAYMENT_RETRY_STORM',
    step: 'storm',
    rule: 'INSUFFICIENT_CREDITS was answered, and the same call was repeated more than 2000 times a minute',
    facts: { storm: { cause: 'INSUFFICIENT_CREDITS', retryAfterMs: 1000 } },
  },
  {
    code: 'SUBSCRIPTION_EXPIRED',
    step: 'stand',
    rule: 'The subscription is over since <-60000>; nothing is owed (SUBSCRIPTION_EXPIRED)',
    facts: standing({ subscription: { state: 'active', endsAt: SINCE } }),
  },
  {
    code: 'TRIAL_EXPIRED',
    step: 'stand',
    rule: 'a trial that is over since <-60000>',
    facts: standing({ subscription: { state: 'trialing', endsAt: SINCE } }),
  },
  {
    code: 'SUBSCRIPTION_PAUSED',
    step: 'stand',
    rule: 'The subscription is paused',
    facts: standing({ subscription: { state: 'paused', endsAt: undefined } }),
  },
  {
    code: 'INVOICE_OVERDUE',
    step: 'stand',
    rule: '2 invoices past due: inv_1, inv_2',
    facts: paying({ overdueInvoices: ['inv_1', 'inv_2'] }),
  },
  {
    code: 'PAYMENT_METHOD_MISSING',
    step: 'stand',
    rule: 'no payment method (PAYMENT_METHOD_MISSING)',
    facts: paying({ method: 'missing' }),
  },
  {
    code: 'PAYMENT_DISPUTED',
    step: 'stand',
    rule: 'a payment is disputed',
    facts: paying({ disputed: true }),
  },
  {
    code: 'MODEL_NOT_IN_PLAN',
    step: 'entitle',
    rule: 'The plan does not include the model large.',
    facts: lacking({ kind: 'model', id: 'large' }),
  },
  {
    code: 'FEATURE_NOT_IN_PLAN',
    step: 'entitle',
    rule: 'The plan does not include the feature images.',
    facts: lacking({ kind: 'feature', id: 'images' }),
  },
  {
    code: 'FEATURE_NOT_AVAILABLE',
    step: 'entitle',
    rule: 'The plan does not include the feature video.',
    facts: lacking({ kind: 'feature', id: 'video' }),
  },
  {
    code: 'MCP_CONTEXT_LIMIT_EXCEEDED',
    step: 'entitle',
    rule: 'The call needs 50,000 tokens; the plan allows 9,000 tokens.',
    facts: lacking({ kind: 'context', id: 'plan', needed: 50_000, allowed: 9_000 }),
  },
  {
    code: 'FILE_SIZE_NOT_IN_PLAN',
    step: 'entitle',
    rule: 'The call sends 20 MB; the plan allows 10 MB.',
    facts: lacking({ kind: 'file_size', id: 'plan', needed: 20_000_000, allowed: 10_000_000 }),
  },
  {
    code: 'REQUEST_QUOTA_EXCEEDED',
    step: 'reserve',
    rule: 'Limit requests_per_month of this account: 100 of 100 requests a month used; the call needs 1 request.',
    facts: used(buildLimit(100)),
  },
  {
    code: 'TOKEN_QUOTA_EXCEEDED',
    step: 'reserve',
    rule: 'Limit model_tokens of model large: 900 of 900 output tokens a day used; the call needs 50 output tokens.',
    facts: {
      limits: [
        buildQuota(
          buildLimit(900, {
            id: 'model_tokens',
            unit: 'output_tokens',
            window: 'day',
            scope: 'model',
          }),
          {
            need: 50,
            spent: 900,
            label: {
              id: 'model_tokens',
              unit: 'output_tokens',
              window: 'day',
              scope: 'model',
              keyId: undefined,
              of: 'large',
            },
          },
        ),
      ],
    },
  },
  {
    code: 'DATA_QUOTA_EXCEEDED',
    step: 'reserve',
    rule: 'Limit volume of this account: 5 GB of 5 GB a day used; the call needs 2.5 MB.',
    facts: used(buildLimit(5e9, { id: 'volume', unit: 'bytes', window: 'day' }), 2_500_000),
  },
  {
    code: 'COMPUTE_UNITS_EXHAUSTED',
    step: 'reserve',
    rule: '60 of 60 compute units an hour used; the call needs 8 compute units.',
    facts: used(buildLimit(60, { id: 'compute', unit: 'compute_units', window: 'hour' }), 8),
  },
  {
    code: 'OPERATION_LIMIT_REACHED',
    step: 'reserve',
    rule: '30 of 30 operations a billing cycle used; the call needs 1 operation.',
    facts: used(buildLimit(30, { id: 'renders', unit: 'operations', window: 'billing_cycle' })),
  },
  {
    code: 'SPENDING_LIMIT_REACHED',
    step: 'reserve',
    rule: 'Budget of this key: 1.00 USD of 1.00 USD in total used; the call needs 0.5000 USD.',
    facts: {
      limits: [
        buildQuota(
          buildLimit(1e9, { id: 'key_budget', unit: 'spend', window: 'lifetime', scope: 'key' }),
          {
            need: 5e8,
            spent: 1e9,
          },
        ),
      ],
    },
  },
  {
    code: 'CONCURRENCY_LIMIT_EXCEEDED',
    step: 'reserve',
    rule: 'Limit slots of this account: at most 5 calls at a time, 5 running; the call needs 1 call.',
    facts: {
      limits: [
        buildQuota(buildLimit(5, { id: 'slots', unit: 'concurrent_requests', window: 'second' }), {
          reserved: 5,
        }),
      ],
      reservation: {
        kind: 'short',
        index: 0,
        cause: 'held',
        held: 5,
        affordableOutputTokens: undefined,
      },
    },
  },
  {
    code: 'RATE_CAPACITY_EXCEEDED',
    step: 'reserve',
    rule: 'Rate limit burst of this account: at most 10 at once and 5 per 1 s; requests came faster, the next fits in 250 ms.',
    facts: { reservation: limited('commercial') },
  },
  {
    code: 'RATE_LIMITED',
    step: 'reserve',
    rule: 'Rate limit burst of this account',
    facts: { reservation: limited('protective') },
  },
  {
    code: 'CONCURRENCY_LIMITED',
    step: 'reserve',
    rule: 'Protective limit slots of this account: at most 5 calls at a time',
    facts: {
      limits: [
        buildQuota(
          buildLimit(5, {
            id: 'slots',
            unit: 'concurrent_requests',
            window: 'second',
            class: 'protective',
          }),
          { reserved: 5 },
        ),
      ],
    },
  },
  {
    code: 'OVERAGE_AUTHORIZATION_REQUIRED',
    step: 'reserve',
    rule: 'Beyond the allowance it would be billed, 0.0200 USD for this call, and nobody has allowed that.',
    facts: {
      limits: [
        buildQuota(buildLimit(100), {
          spent: 100,
          overage: { kind: 'authorize', nano: 20_000_000 },
        }),
      ],
    },
  },
  {
    code: 'INSUFFICIENT_CREDITS',
    step: 'reserve',
    rule: 'Balance: 0.0031 USD settled; the call needs 0.0420 USD.',
    facts: { limits: [buildBalance({ need: 42_000_000, allowance: 3_100_000 })] },
  },
  {
    code: 'BILLING_UNAVAILABLE',
    step: 'reserve',
    rule: 'The books did not answer in time.',
    facts: {
      limits: [buildBalance()],
      reservation: {
        kind: 'short',
        index: 0,
        cause: 'unavailable',
        held: 0,
        affordableOutputTokens: undefined,
      },
    },
  },
  {
    code: 'UPSTREAM_PROVIDER_QUOTA_EXHAUSTED',
    step: 'forward',
    rule: 'UPSTREAM_PROVIDER_QUOTA_EXHAUSTED: openai refused for its own billing reasons',
    facts: {
      reservation: { kind: 'held' },
      forwarding: fault(
        'UPSTREAM_PROVIDER_QUOTA_EXHAUSTED',
        'openai refused for its own billing reasons',
      ),
    },
  },
];

/** The facts as the log has them after the answer: with the code that left. */
function answered({ code, facts }: Case, members: Partial<Facts> = {}): Facts {
  const asked = buildFacts({ identity: buildIdentity(PRO), ...facts, ...members });
  const outcome = buildOutcome({ status: CODES[code].status, code, ending: 'refused' });
  const row = unpackFacts(packFacts({ ...asked, outcome }));
  if (row === undefined) throw new Error('a row that was packed can be unpacked');
  return row;
}
const formatTime = (at: number) => `<${at - AT}>`;

describe('DIAG-01: the trace names the rule that refused, for each code', () => {
  it.each(CASES)('$code', (each) => {
    const facts = answered(each);
    const view = explain(facts, { catalog: CATALOG, formatTime });
    const refused = view.trace.filter(({ verdict }) => verdict === 'refused');
    expect(refused.map(({ step }) => step)).toContain(each.step);
    expect(refused.map(({ text }) => text).join('\n')).toContain(each.rule);
    // Nothing after the rule was looked at, and everything before it passed.
    const steps = view.trace.map(({ verdict }) => verdict);
    expect(steps.slice(0, steps.indexOf('refused'))).not.toContain('not reached');
    expect(steps.slice(steps.lastIndexOf('refused') + 1)).not.toContain('passed');
    expect(view).toMatchObject({ code: each.code, status: CODES[each.code].status, agrees: true });
    expect(view.result).toBe(each.step === 'forward' ? 'failed' : 'refused');
  });

  it.each(CASES)(
    '$code: decided again from the log row, it is the code that was answered',
    (each) => {
      const facts = answered(each);
      const decision = decide(facts);
      if (decision.kind === 'admit') throw new Error('it was refused');
      expect(finalCode(decision, findOffers(facts, decision, CATALOG))).toBe(each.code);
    },
  );

  it.each(CASES)('$code: one sentence, a way out, and whether retrying helps', (each) => {
    const view = explain(answered(each), { catalog: CATALOG, formatTime });
    expect(view.verdict).toMatch(/^(Refused: [^A-Z]?|Failed: )[^\n]+\.$/);
    expect(view.fixes.length).toBeGreaterThan(0);
    expect(view.retry?.text).toMatch(/^(Yes|No)/);
  });

  it('a log row that the code of now would not give is said to disagree', () => {
    const [each] = CASES.filter(({ code }) => code === 'INSUFFICIENT_CREDITS');
    if (each === undefined) throw new Error('the case is there');
    const facts = answered(each, { limits: [] });
    expect(explain(facts, { catalog: CATALOG, formatTime }).agrees).toBe(false);
  });
});

describe('EVID-01: what was only observed', () => {
  const served = (members: Partial<Facts>): Facts => {
    const facts = answered(
      { code: 'REQUEST_QUOTA_EXCEEDED', step: 'reserve', rule: '', facts: used(buildLimit(100)) },
      { enforcement: 'observe', ...members },
    );
    const { outcome } = facts;
    if (outcome === undefined) throw new Error('it has an outcome');
    return {
      ...facts,
      outcome: {
        ...outcome,
        status: 200,
        code: '',
        ending: 'complete',
        costNano: 5_000_000,
        wouldRefuse: 'REQUEST_QUOTA_EXCEEDED',
      },
    };
  };

  it('was served, and says what would have refused it and what would fix that', () => {
    const view = explain(served({}), { catalog: CATALOG, formatTime });
    expect(view).toMatchObject({
      result: 'served',
      code: undefined,
      wouldRefuse: 'REQUEST_QUOTA_EXCEEDED',
      agrees: true,
      retry: undefined,
    });
    expect(view.verdict).toBe(
      'Observed and let through; it would have been refused: this account used 100 of 100 requests a month. Nothing was charged or counted.',
    );
    expect([view.money, view.counts]).toEqual([undefined, []]);
    expect(view.trace.slice(-2).map(({ step, verdict }) => `${step}: ${verdict}`)).toEqual([
      'reserve: would refuse',
      'forward: passed',
    ]);
    expect(view.fixes.map(({ action }) => action)).toContain('wait_for_reset');
  });

  it('and failed at the upstream: the failure is what was answered', () => {
    const forwarding = fault('UPSTREAM_TIMEOUT', 'no answer within 30 s');
    const facts = served({ forwarding });
    const outcome = facts.outcome && { ...facts.outcome, code: 'UPSTREAM_TIMEOUT', status: 504 };
    const view = explain({ ...facts, outcome }, { catalog: CATALOG, formatTime });
    expect(view).toMatchObject({
      result: 'failed',
      code: 'UPSTREAM_TIMEOUT',
      wouldRefuse: 'REQUEST_QUOTA_EXCEEDED',
      agrees: true,
    });
    expect(view.retry?.helps).toBe(true);
  });

  it('marks every step that would have refused', () => {
    const facts = served({
      ...standing({ subscription: { state: 'paused', endsAt: undefined } }),
      ...lacking({ kind: 'model', id: 'large' }),
    });
    const view = explain(facts, { catalog: CATALOG, formatTime });
    expect(
      view.trace.filter(({ verdict }) => verdict === 'would refuse').map(({ step }) => step),
    ).toEqual(['stand', 'entitle', 'reserve']);
    expect(view.verdict).toContain('subscription paused');
  });
});

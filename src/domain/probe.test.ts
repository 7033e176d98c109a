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
  buildRoute,
} from '../../test/support/build-catalog.ts';
import type { Code } from '../contract/codes.ts';
import type { Catalog, Plan } from './catalog.ts';
import type { AccountNumbersNow } from './checklist-limits.ts';
import { decide } from './decide.ts';
import type { Facts } from './facts.ts';
import { PLAIN_KEY_TERMS } from './key-terms.ts';
import { probe, type ProbeKind, type ProbeNow } from './probe.ts';
import { standOf } from './standing.ts';
import { NO_TAKE } from './take.ts';
import { accessOf } from './tenant-access.ts';
import { PLAIN_TERMS, type TenantTerms } from './tenant-terms.ts';

const NOW = AT + 60_000;
const FREE_AT = NOW + 1000;
const PRO = buildPlan('pro', {
  models: ['large', 'small'],
  limits: [buildLimit(100), buildLimit(10_000, { id: 'tokens', unit: 'tokens', window: 'day' })],
});
const ROUTE = {
  apiId: 'demo',
  routeId: 'chat',
  operation: 'chat',
  kind: 'chat',
  dialect: 'openai',
  endpointClass: 'metered',
} as const;
const models = new Map([
  ['large', buildModel('large', { perInputToken: 9_000_000n })],
  ['small', buildModel('small', { perInputToken: 1_000_000n })],
  ['tiny', buildModel('tiny', { perInputToken: 1n })],
]);

interface Given {
  readonly plan?: Plan;
  readonly terms?: Partial<TenantTerms>;
  readonly facts?: Partial<Facts>;
  /** Used of an account, by its limit; `balance` is what there is. */
  readonly used?: Readonly<Record<string, number>>;
  readonly balance?: number;
  readonly catalog?: Partial<Catalog>;
}

function probed(kind: ProbeKind, given: Given = {}) {
  const { plan = PRO, used = {}, balance = 1_000_000_000 } = given;
  const catalog = buildCatalog([plan], { models, ...given.catalog });
  const terms = { ...PLAIN_TERMS, ...given.terms };
  const tenant = { id: 'ten_1', planId: plan.id, terms };
  const key = { id: 'key_1', budgetNano: undefined, terms: PLAIN_KEY_TERMS };
  const access = accessOf({ key, tenant, ancestors: [] }, catalog, NOW);
  const accounts = new Map<string, AccountNumbersNow>(
    Object.entries(used).map(([id, spent]) => [
      id,
      {
        allowance: 0n,
        spent: BigInt(spent),
        reserved: 0n,
        ...(id.endsWith(':sliding') ? { resetsAt: FREE_AT } : {}),
      },
    ]),
  );
  accounts.set('bal:ten_1:USD', { allowance: BigInt(balance), spent: 0n, reserved: 0n });
  const facts = buildFacts({
    route: ROUTE,
    identity: buildIdentity(plan),
    entitlements: [{ kind: 'model', id: 'large', granted: true }],
    take: { ...NO_TAKE, inputTokens: 1_000, outputTokens: 500, nano: 9_000_000 },
    storm: { cause: 'INSUFFICIENT_CREDITS', retryAfterMs: 1 },
    ...given.facts,
  });
  const standing = standOf(terms, plan, 'write', NOW);
  const now: ProbeNow = { at: NOW, access, standing, accounts, catalog };
  return probe(facts, kind, now);
}
function codeOf(kind: ProbeKind, given?: Given): string | undefined {
  const tried = probed(kind, given);
  if (tried === undefined) return 'none';
  const decision = decide(tried.facts);
  return decision.kind === 'refuse' ? decision.code : undefined;
}

const LARGE = { kind: 'model', id: 'large', granted: true } as const;
const OWED: TenantTerms = {
  ...PLAIN_TERMS,
  payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] },
};
const OWING = standOf(OWED, PRO, 'write', NOW);
const fault = (code: Code) => ({ code, problem: 'x', pointer: undefined });

describe('DIAG-07: the request, decided again with the numbers of now', () => {
  it('passes when what refused it is gone', () => {
    expect(codeOf('same')).toBeUndefined();
    expect(probed('same')?.facts).toMatchObject({ at: NOW, storm: undefined, outcome: undefined });
  });

  it('QUOTA-05: a limit that slides is there again when what is used of it is free', () => {
    const pace = buildLimit(1, { id: 'pace', window: 'sliding_hour' });
    const accounts = { 'quo:ten_1:pace.requests:sliding': 1 };
    const tried = probed('same', { plan: { ...PRO, limits: [pace] }, used: accounts });
    expect(tried?.facts.limits[0]).toMatchObject({ spent: 1, resetsAt: FREE_AT });
  });

  it.each<[string, string, Given]>([
    ['the balance', 'INSUFFICIENT_CREDITS', { balance: 8_999_999 }],
    ['a quota', 'FREE_TIER_EXHAUSTED', { used: { 'quo:ten_1:requests_per_month:2027-01': 100 } }],
    [
      'the standing',
      'SUBSCRIPTION_PAUSED',
      { terms: { subscription: { state: 'paused', endsAt: undefined } } },
    ],
    ['a model', 'MODEL_NOT_IN_PLAN', { plan: { ...PRO, models: ['small'] } }],
    [
      'the request itself',
      'INVALID_REQUEST',
      { facts: { understanding: { code: 'INVALID_REQUEST', problem: 'x', pointer: '/n' } } },
    ],
  ])('is still refused for %s', (_title, code, given) => {
    expect(codeOf('same', given)).toBe(code);
  });

  it('a small call fits where the whole one does not', () => {
    const given = { balance: 200_000, used: { 'quo:ten_1:tokens:2027-01-15': 9_900 } };
    expect(codeOf('same', given)).toBe('TOKEN_QUOTA_EXCEEDED');
    expect(codeOf('reduced', given)).toBeUndefined();
    expect(probed('reduced', given)?.take).toMatchObject({
      inputTokens: 16,
      outputTokens: 1,
      nano: 144_000,
    });
  });

  it('the cheapest model of the plan fits where the asked one does not', () => {
    const given = { balance: 2_000_000 };
    expect(codeOf('same', given)).toBe('INSUFFICIENT_CREDITS');
    expect(codeOf('cheaper', given)).toBeUndefined();
    expect(probed('cheaper', given)).toMatchObject({ model: 'small', take: { nano: 1_000_000 } });
    expect(codeOf('cheaper', { facts: { entitlements: [] } })).toBe('none');
  });

  it('costs what the size of its context costs, and is refused beyond the cap (LLM-10)', () => {
    const plan = { ...PRO, contextTiers: [{ tokensMax: 9_000, priceMultiplierPermille: 2000 }] };
    const context = {
      kind: 'context',
      id: 'plan',
      granted: false,
      needed: 50_000,
      allowed: 9_000,
    } as const;
    const take = { ...NO_TAKE, inputTokens: 50_000, nano: 10 };
    const facts = { entitlements: [context], take };
    expect(codeOf('same', { plan, facts })).toBe('MCP_CONTEXT_LIMIT_EXCEEDED');
    expect(codeOf('reduced', { plan, facts })).toBeUndefined();
    expect(probed('same', { plan, facts })?.take.nano).toBe(20);
    const keys = { entitlements: [{ ...context, id: 'key' }], take };
    expect(codeOf('same', { facts: keys })).toBe('MCP_CONTEXT_LIMIT_EXCEEDED');
  });

  it('knows what is billed beyond an allowance, and whether that was allowed (PLAN-11)', () => {
    const limit = buildLimit(5, { overage: { kind: 'authorize', unitPico: 1_000_000n } });
    const plan = { ...PRO, limits: [limit] };
    const used = { 'quo:ten_1:requests_per_month:2027-01': 5 };
    expect(codeOf('same', { plan, used })).toBe('OVERAGE_AUTHORIZATION_REQUIRED');
    const terms = { overageAuthorizedUntil: NOW + 1 };
    expect(codeOf('same', { plan, used, terms })).toBeUndefined();
  });

  it('a route without a model has its own price', () => {
    const route = buildRoute({ id: 'chat', price: buildPrice({ perRequest: 2_000_000n }) });
    const catalog = { apis: [buildApi({ routes: [route] })] };
    const facts = { entitlements: [], take: { ...NO_TAKE, nano: 7 } };
    expect(probed('reduced', { facts, catalog })?.take.nano).toBe(2_000);
  });

  it.each<[string, Partial<Facts>]>([
    ['an account that owed', { standing: OWING }],
    ['a model that is not in the plan', { entitlements: [{ ...LARGE, granted: false }] }],
    ['a request that was wrong', { understanding: fault('INVALID_REQUEST') }],
  ])('what was turned away for %s was not counted: nobody knows what it costs', (_why, facts) => {
    const given = { facts: { ...facts, take: NO_TAKE } };
    expect(probed('same', given)?.sizeIsKnown).toBe(false);
    expect(probed('cheaper', given)?.sizeIsKnown).toBe(false);
    const reduced = probed('reduced', given);
    expect([reduced?.sizeIsKnown, reduced?.take.inputTokens]).toEqual([true, 16]);
    const proxied = { ...given.facts, ...facts, entitlements: [], standing: OWING };
    expect(probed('reduced', { facts: proxied })?.sizeIsKnown).toBe(false);
  });

  it('what came as far as the limits was counted', () => {
    expect(probed('same')?.sizeIsKnown).toBe(true);
    const needsNothing = { take: NO_TAKE, storm: undefined };
    expect(probed('same', { facts: needsNothing })?.sizeIsKnown).toBe(true);
  });

  it.each<[Code, Record<ProbeKind, Code | undefined>]>([
    [
      'CONTEXT_LENGTH_EXCEEDED',
      { same: 'CONTEXT_LENGTH_EXCEEDED', reduced: undefined, cheaper: undefined },
    ],
    ['BODY_TOO_LARGE', { same: 'BODY_TOO_LARGE', reduced: undefined, cheaper: 'BODY_TOO_LARGE' }],
    [
      'MODEL_NOT_FOUND',
      { same: 'MODEL_NOT_FOUND', reduced: 'MODEL_NOT_FOUND', cheaper: undefined },
    ],
  ])('%s is lifted by what was wrong with it, and by nothing else', (code, codes) => {
    const given = { facts: { understanding: fault(code), take: NO_TAKE } };
    for (const kind of ['same', 'reduced', 'cheaper'] as const) {
      expect([kind, codeOf(kind, given)]).toEqual([kind, codes[kind]]);
    }
  });

  it('of a request that was served it takes what that held', () => {
    const { facts } = probed('same', { facts: { take: undefined, outcome: undefined } }) ?? {};
    expect(facts?.take?.nano).toBe(0);
  });
});

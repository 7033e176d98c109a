import { describe, expect, it } from 'vitest';

import {
  AT,
  buildApi,
  buildBalance,
  buildCatalog,
  buildFacts,
  buildIdentity,
  buildLimit,
  buildModel,
  buildOutcome,
  buildPlan,
  buildPrice,
  buildQuota,
  buildRateLimit,
  buildRoute,
  NO_GRANTS,
} from '../../test/support/build-catalog.ts';
import type { Catalog, Plan } from './catalog.ts';
import { explain } from './explain.ts';
import type { EntitlementFact, Facts, OutcomeFact } from './facts.ts';
import { standOf } from './standing.ts';
import { NO_TAKE } from './take.ts';
import { PLAIN_TERMS, type TenantTerms } from './tenant-terms.ts';

const PRO = buildPlan('pro', {
  title: 'Pro',
  priceNano: 9_000_000_000n,
  models: ['large', 'small'],
});
const ROUTE = {
  apiId: 'demo',
  routeId: 'weather',
  operation: 'weather',
  kind: 'proxy',
  dialect: 'plain',
  endpointClass: 'metered',
} as const;
const OUTCOME = buildOutcome();

function explained(members: Partial<Facts>, catalog: Catalog = buildCatalog([PRO])) {
  const facts = buildFacts({ identity: buildIdentity(PRO), route: ROUTE, ...members });
  return explain(facts, { catalog, formatTime: (at) => `<${at - AT}>` });
}
const textsOf = (members: Partial<Facts>, catalog?: Catalog) =>
  explained(members, catalog).fixes.map(({ action, text }) => `${action}: ${text}`);
const stand = (terms: Partial<TenantTerms>) =>
  standOf({ ...PLAIN_TERMS, ...terms }, { graceDays: 7, degraded: undefined }, 'write', AT);
const lacking = (entitlement: Omit<EntitlementFact, 'granted'>) => ({
  entitlements: [{ ...entitlement, granted: false }],
});

describe('the ways out of a refusal, least effort first', () => {
  it('of a standing: settle what is owed, or buy the plan again', () => {
    const standing = stand({ subscription: { state: 'active', endsAt: AT - 1 } });
    const { fixes } = explained({ standing });
    expect(fixes).toMatchObject([
      { action: 'renew_subscription', payable: true, offer: undefined },
      {
        action: 'renew_subscription',
        text: 'Renew the plan Pro for 9.00 USD a month.',
        offer: { kind: 'plan', id: 'pro' },
      },
      { action: 'contact_admin', payable: false },
    ]);
    const unpaid = { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] };
    expect(textsOf({ standing: stand({ payment: unpaid }) })).toEqual([
      'pay_invoice: Pay the open invoice.',
      'contact_support: Write to the provider, with the request id.',
    ]);
  });

  it('of a storm: what lifts the 402 that it repeats, and no other waiting (QUOTA-13)', () => {
    const storm = { cause: 'REQUEST_QUOTA_EXCEEDED', retryAfterMs: 3000 } as const;
    const resetsAt = AT + 61_000;
    const limits = [buildQuota(buildLimit(1), { spent: 1, resetsAt })];
    const view = explained({ storm, limits });
    expect(view.code).toBe('PAYMENT_RETRY_STORM');
    expect(view.fixes.map(({ text }) => text)).toEqual([
      'Wait until <120000>.',
      'Ask the owner of the account or the provider, with the request id.',
    ]);
    expect(view.retry).toMatchObject({ from: resetsAt, text: expect.stringContaining('<120000>') });
    const broke = explained({ storm, limits: [buildBalance({ need: 5 })] });
    expect(broke.fixes.map(({ action }) => action)).not.toContain('wait_for_reset');
  });

  it('of a size: ask for less', () => {
    const context = lacking({ kind: 'context', id: 'plan', needed: 50_000, allowed: 9_000 });
    expect(textsOf(context)[0]).toBe('smaller_request: Shorten the call to 9,000 tokens or less.');
    const size = lacking({ kind: 'file_size', id: 'plan', needed: 2e6, allowed: 1e6 });
    expect(textsOf(size)[0]).toBe('smaller_request: Send 1 MB or less.');
  });

  it.each([
    [
      { kind: 'query' as const, name: 'render_js', equals: 'true' },
      'query parameter render_js = true',
    ],
    [{ kind: 'header' as const, name: 'x-hd', equals: undefined }, 'header x-hd'],
    [{ kind: 'body' as const, name: '/proxy', equals: 'home' }, 'body member /proxy = home'],
    [{ kind: 'body-bytes' as const, above: 1000 }, 'more than 1,000 bytes of body'],
  ])('of a feature that the request asked for: leave that out (GW-19)', (condition, text) => {
    const requires = [{ kind: 'feature' as const, id: 'js', when: [condition] }];
    const api = buildApi({ routes: [buildRoute({ requires })] });
    const catalog = buildCatalog([PRO], { apis: [api] });
    expect(textsOf(lacking({ kind: 'feature', id: 'js' }), catalog)[0]).toBe(
      `smaller_request: Send it without ${text}.`,
    );
  });

  it('of a model: another one of the plan, bought ones among them', () => {
    const grants = {
      features: [],
      models: ['extra'],
      purchases: [],
      limits: [],
      rateLimits: [],
      contextTokensMax: undefined,
      fileBytesMax: undefined,
    };
    const catalog = buildCatalog([PRO], {
      models: new Map(['extra', 'huge', 'large', 'small'].map((id) => [id, buildModel(id)])),
      addOns: [{ id: 'more', title: 'More', priceNano: 1n, interval: 'once', grants }],
    });
    const agreed = {
      overrides: [],
      purchases: [{ id: 'pur_1', addOnId: 'more', at: AT - 1, expiresAt: undefined }],
    };
    expect(textsOf({ ...lacking({ kind: 'model', id: 'huge' }), agreed }, catalog)[0]).toBe(
      'use_another_model: Use a model of your plan: extra, large, small.',
    );
  });

  it('the rate that was too slow is told as add-ons have made it', () => {
    const rate = buildRateLimit({ id: 'burst', count: 5, burst: 10 });
    const plan = { ...PRO, rateLimits: [rate] };
    const faster = { ...NO_GRANTS, rateLimits: [{ id: 'burst', count: 20, burst: 30 }] };
    const addOn = { id: 'fast', title: 'Fast', priceNano: 1n, interval: 'once' as const };
    const catalog = buildCatalog([plan], { addOns: [{ ...addOn, grants: faster }] });
    const agreed = {
      overrides: [],
      purchases: [{ id: 'pur_1', addOnId: 'fast', at: AT - 1, expiresAt: undefined }],
    };
    const reservation = { kind: 'limited', rateLimitId: 'burst', retryAfterMs: 200 } as const;
    const told = (members: Partial<Facts>) =>
      explained({ reservation, ...members }, catalog).trace.map(({ text }) => text);
    expect(told({}).join()).toContain('at most 10 at once and 5 per');
    expect(told({ agreed }).join()).toContain('at most 40 at once and 25 per');
  });

  it('of an empty balance: the cheapest model that the same call fits', () => {
    const catalog = buildCatalog([PRO], {
      models: new Map([
        ['large', buildModel('large', { perInputToken: 9_000_000n })],
        ['small', buildModel('small', { perInputToken: 1_000_000n })],
        ['tiny', buildModel('tiny', { perInputToken: 1n })],
      ]),
    });
    const members = {
      take: { ...NO_TAKE, inputTokens: 1_000, nano: 9_000_000 },
      limits: [buildBalance({ need: 9_000_000, allowance: 2_000_000 })],
      outcome: { ...OUTCOME, status: 402, code: 'INSUFFICIENT_CREDITS', model: 'large' },
    };
    // `tiny` is not part of the plan.
    expect(textsOf(members, catalog)[0]).toBe(
      'use_another_model: Use the model small: there this call costs 0.0010 USD at most.',
    );
  });

  it('of a limit of the key or of the organisation above: ask who set it', () => {
    const limit = buildLimit(5, { id: 'mine', scope: 'key' });
    const quota = buildQuota(limit, { spent: 5 });
    const by = (from: 'key' | 'ancestor') => ({
      limits: [{ ...quota, ...(quota.label && { label: { ...quota.label, from } }) }],
    });
    expect(textsOf(by('key'))).toContain(
      'raise_spending_limit: Ask the owner of the key to raise its limit mine, or use another key.',
    );
    expect(textsOf(by('ancestor'))).toContain(
      'contact_admin: Ask the organisation above this account to raise its limit mine.',
    );
  });

  it('BILL-05: of a budget of the account or of one above: ask who is responsible for it', () => {
    const budget = buildLimit(5, { id: 'tenant_budget', unit: 'spend' });
    const quota = buildQuota(budget, { spent: 5 });
    const by = (from: 'tenant' | 'ancestor') => ({
      limits: [{ ...quota, ...(quota.label && { label: { ...quota.label, from } }) }],
    });
    expect(textsOf(by('tenant'))).toContain(
      'raise_spending_limit: Ask who is responsible for this account to raise its budget.',
    );
    expect(textsOf(by('ancestor'))).toContain(
      'contact_admin: Ask the organisation above this account to raise its budget.',
    );
  });

  it('of a busy slot: wait for a call to end', () => {
    const slots = buildLimit(5, { id: 'slots', unit: 'concurrent_requests', window: 'second' });
    const { fixes, retry } = explained({ limits: [buildQuota(slots, { reserved: 5 })] });
    expect(fixes[0]).toMatchObject({ action: 'wait_for_slot' });
    expect(retry).toMatchObject({ helps: true, from: AT + 1000 });
  });

  it('of a priced call without an account: pay for the call alone', () => {
    const members = {
      identity: { kind: 'anonymous' as const, subnet: '192.0.2.0/24' },
      limits: [buildQuota(buildLimit(100), { spent: 100 })],
    };
    expect(explained(members).fixes[0]).toMatchObject({ action: 'pay_challenge', payable: false });
  });
});

describe('the arithmetic of what is counted', () => {
  const held = (members: Partial<Facts>, outcome: Partial<OutcomeFact>): Partial<Facts> => ({
    reservation: { kind: 'held' },
    outcome: { ...OUTCOME, ...outcome },
    ...members,
  });
  const quota = (unit: Parameters<typeof buildLimit>[1], need: number) =>
    buildQuota(buildLimit(1e9, unit), { need });

  it('bytes, tokens, compute and slots: held, counted, released', () => {
    const limits = [
      quota({ id: 'volume', unit: 'bytes' }, 2_000_000),
      quota({ id: 'tokens', unit: 'tokens' }, 4_096),
      quota({ id: 'compute', unit: 'compute_units' }, 10),
      quota({ id: 'time', unit: 'compute_ms' }, 1_000),
      quota({ id: 'slots', unit: 'concurrent_requests' }, 1),
    ];
    const outcome = {
      bytesIn: 500_000,
      bytesOut: 1_000_000,
      inputTokens: 1_204,
      outputTokens: 350,
      computeUnits: 7,
      computeMs: 1_250,
    };
    expect(
      explained(held({ limits }, outcome)).counts.map(({ name, text }) => `${name}: ${text}`),
    ).toEqual([
      'Limit volume: 2 MB held - 1.5 MB counted = 500 kB released.',
      'Limit tokens: 4,096 tokens held - 1,554 tokens counted = 2,542 tokens released.',
      'Limit compute: 10 compute units held - 7 compute units counted = 3 compute units released.',
      'Limit time: 1,000 ms of compute held + 250 ms of compute held while it ran = 1,250 ms of compute counted.',
      'Limit slots: 1 call held while the call ran, and free again.',
    ]);
  });

  it('an error of the upstream counts nothing', () => {
    const limits = [quota({}, 1)];
    const { counts } = explained(held({ limits }, { status: 500 }));
    expect(counts).toMatchObject([{ held: 1, counted: 0, released: 1 }]);
  });

  it('nothing is counted of what was refused', () => {
    expect(explained({ limits: [quota({}, 2e9)] }).counts).toEqual([]);
  });

  const LARGE: Plan = {
    ...PRO,
    contextTiers: [
      { tokensMax: 9_000, priceMultiplierPermille: 1000 },
      { tokensMax: 100_000, priceMultiplierPermille: 1500 },
    ],
    limits: [
      buildLimit(100, {
        id: 'images',
        unit: 'operations',
        overage: { kind: 'bill', unitPico: 20_000_000_000n },
      }),
    ],
  };
  const priced = buildCatalog([LARGE], {
    models: new Map([['large', buildModel('large', { perInputToken: 2_000_000n })]]),
    apis: [
      buildApi({ routes: [buildRoute({ price: buildPrice({ perRequest: 1_000_000_000n }) })] }),
    ],
  });
  const linesOf = (members: Partial<Facts>) =>
    explained(members, priced).money?.lines.map(
      ({ what, units, unitPrice, amount }) => `${what}: ${units ?? ''} ${unitPrice} = ${amount}`,
    );

  it('a large context has its own line (LLM-10)', () => {
    const outcome = { model: 'large', inputTokens: 50_000, costNano: 150_000_000, holdNano: 2e8 };
    const route = { ...ROUTE, apiId: 'llm' };
    expect(linesOf(held({ limits: [buildBalance()], route }, outcome))).toEqual([
      'input tokens: 50000 2.00 USD per 1M = 0.1000 USD',
      'context of up to 100,000 tokens:  x 1.5 = 0.0500 USD',
    ]);
  });

  it('units beyond an allowance have theirs (PLAN-11)', () => {
    const [images = buildLimit(0)] = LARGE.limits;
    const accountId = 'quo:ten_1:images:2027-01';
    const within = buildQuota(images, {
      accountId,
      need: 0,
      spent: 100,
      overage: { kind: 'bill', nano: 0 },
    });
    const over = buildQuota(images, {
      accountId: `${accountId}:over`,
      allowance: Number.MAX_SAFE_INTEGER,
      spent: 3,
    });
    const outcome = { costNano: 21_000_000, holdNano: 21_000_000 };
    const members = held({ limits: [within, over, buildBalance()] }, outcome);
    const billed = [
      'request: 1 0.0010 USD each = 0.0010 USD',
      'operations beyond images: 1 0.0200 USD each = 0.0200 USD',
    ];
    expect(linesOf(members)).toEqual(billed);
    // Of a plan whose price covers the calls only what is beyond costs anything.
    const covered = held({ limits: [within, over] }, { costNano: 20_000_000, holdNano: 2e7 });
    expect(linesOf(covered)).toEqual(billed.slice(1));
    const { trace, counts } = explained(members, priced);
    expect(trace.map(({ text }) => text)).toContain(
      'Limit images of this account: 3 operations used beyond the allowance, each is billed; the call needs 1 operation.',
    );
    expect(counts).toMatchObject([
      { name: 'Limit images', held: 0, counted: 0 },
      { name: 'Limit images, beyond it', held: 1, counted: 1 },
    ]);
  });

  it('a call that an allowance covers in part counts the rest beyond it', () => {
    const tokens = buildLimit(1_000, { id: 'tokens', unit: 'tokens' });
    const limits = [
      buildQuota(tokens, { accountId: 'quo:t', need: 300 }),
      buildQuota(tokens, {
        accountId: 'quo:t:over',
        need: 700,
        allowance: Number.MAX_SAFE_INTEGER,
      }),
    ];
    const outcome = { inputTokens: 400, outputTokens: 100 };
    expect(explained(held({ limits }, outcome)).counts.map(({ counted }) => counted)).toEqual([
      300, 200,
    ]);
  });

  it('a soft limit is told as what it is', () => {
    const soft = buildQuota(buildLimit(1_000, { soft: true }), {
      allowance: Number.MAX_SAFE_INTEGER,
      spent: 1_200,
      label: {
        id: 'requests_per_month',
        unit: 'requests',
        window: 'month',
        scope: 'tenant',
        keyId: undefined,
        softAt: 1_000,
      },
    });
    expect(explained(held({ limits: [soft] }, {})).trace.map(({ text }) => text)).toContain(
      'Limit requests_per_month of this account: 1,200 requests used, a warning from 1,000 a month on, never a refusal; the call needs 1 request.',
    );
  });
});

import { describe, expect, it } from 'vitest';

import {
  AT,
  buildApi,
  buildBalance,
  buildCatalog,
  buildFacts,
  buildIdentity,
  buildLimit,
  buildOutcome,
  buildPlan,
  buildQuota,
} from '../../test/support/build-catalog.ts';
import {
  type AccountNow,
  type CheckSource,
  type CheckStep,
  explainChecklist,
  type KeyNow,
} from './checklist.ts';
import { explainGuide } from './checklist-guide.ts';
import { explainLimitRows } from './checklist-limits.ts';
import { explain } from './explain.ts';
import type { Facts } from './facts.ts';
import { PLAIN_KEY_TERMS } from './key-terms.ts';
import { standOf } from './standing.ts';
import { PLAIN_TERMS, type TenantTerms } from './tenant-terms.ts';

const PRO = buildPlan('pro', { title: 'Pro', priceNano: 9_000_000_000n });
const CATALOG = buildCatalog([PRO], { apis: [buildApi({ id: 'live-api', environment: 'live' })] });
const formatTime = (at: number) => `<${at - AT}>`;
const ROUTE = {
  apiId: 'live-api',
  routeId: 'r',
  operation: 'r',
  kind: 'proxy',
  dialect: 'plain',
  endpointClass: 'metered',
} as const;
const OUTCOME = buildOutcome({
  durationMs: 12,
  target: 'https://api.openai.com/v1',
  upstreamStatus: 200,
});
const OPENAI = {
  name: 'OpenAI',
  statusUrl: 'https://status.openai.com',
  documentationUrl: 'https://platform.openai.com/docs/guides/error-codes',
};

function accountNow(
  terms: Partial<TenantTerms> = {},
  members: Partial<AccountNow> = {},
): AccountNow {
  const full = { ...PLAIN_TERMS, ...terms };
  return {
    state: full.account,
    stateFrom: 'tenant',
    planTitle: 'Pro',
    paidPlan: true,
    standing: standOf(full, { graceDays: 7, degraded: undefined }, 'write', AT),
    payment: full.payment,
    availableNano: 1_000_000_000n,
    ...members,
  };
}
const KEY: KeyNow = {
  hint: 'tk_live_...aB3d',
  environment: 'live',
  revokedAt: undefined,
  expiresAt: undefined,
  terms: PLAIN_KEY_TERMS,
};

function sourceOf(members: Partial<Facts>, now: Partial<CheckSource['now']> = {}): CheckSource {
  const facts = buildFacts({
    requestId: 'req_1',
    route: ROUTE,
    identity: buildIdentity(PRO),
    outcome: OUTCOME,
    ...members,
  });
  return {
    facts,
    view: explain(facts, { catalog: CATALOG, formatTime }),
    catalog: CATALOG,
    now: { at: AT + 1000, account: accountNow(), key: KEY, ...now },
    provider: undefined,
    probes: [],
    formatTime,
  };
}
function stepOf(id: CheckStep['id'], source: CheckSource) {
  const found = explainChecklist(source).find((step) => step.id === id);
  if (found === undefined) throw new Error(`there is no step ${id}`);
  return {
    verdict: found.verdict,
    lines: found.items.map(({ verdict, text }) => `${verdict}: ${text}`),
    links: found.items.flatMap(({ link }) => (link === undefined ? [] : [link.href])),
  };
}
const refused = (members: Partial<Facts>, status: number, code: string): Partial<Facts> => ({
  outcome: {
    ...OUTCOME,
    status,
    code,
    target: undefined,
    upstreamStatus: undefined,
    ending: 'refused',
  },
  ...members,
});
const broke = refused({ limits: [buildBalance({ need: 5 })] }, 402, 'INSUFFICIENT_CREDITS');

describe('DIAG-02..08: eight steps, filled in', () => {
  it('are these, in this order', () => {
    expect(explainChecklist(sourceOf({})).map(({ id }) => id)).toEqual([
      'error',
      'log',
      'limits',
      'account',
      'key',
      'upstream',
      'probe',
      'bundle',
    ]);
  });

  it('a request that worked has no problem in it', () => {
    const verdicts = explainChecklist(sourceOf({ reservation: { kind: 'held' } })).map(
      ({ verdict }) => verdict,
    );
    expect(verdicts).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'note', 'note']);
  });

  it('1: the error in plain words, what its status means, and whether retrying helps', () => {
    expect(stepOf('error', sourceOf(broke))).toMatchObject({
      verdict: 'problem',
      lines: [
        'problem: Refused: this call could cost up to 0.000000005 USD and the available balance is 0.0000 USD.',
        'note: 402: money is what is missing. Paying, or raising a limit of money, makes the same request work.',
        'note: Will retrying help? No: the same call gets the same answer until something changes.',
      ],
    });
    const fault = { code: 'UPSTREAM_TIMEOUT', problem: 'no answer', pointer: undefined } as const;
    expect(
      stepOf('error', sourceOf(refused({ forwarding: fault }, 504, fault.code))).lines[1],
    ).toContain("It is not the caller's fault and costs nothing.");
  });

  it('2: the log row at that moment, and whether the code of now would decide the same', () => {
    expect(stepOf('log', sourceOf(broke)).lines).toEqual([
      'note: POST /v1/chat/completions arrived at <0> as req_1.',
      'note: It was answered with status 402, INSUFFICIENT_CREDITS after 12 ms.',
      'ok: Decided again from this row, the answer is the same.',
    ]);
    expect(stepOf('log', sourceOf({ ...broke, limits: [] })).verdict).toBe('unknown');
    expect(stepOf('log', sourceOf({ outcome: undefined })).verdict).toBe('unknown');
  });

  it('3: which limit refused, as it was and as it is now, and whose use it counts', () => {
    const limits = [
      buildQuota(buildLimit(9, { id: 'user_day', window: 'day', scope: 'end_user' }), {
        accountId: 'quo:u',
        spent: 2,
        resetsAt: AT + 5000,
        label: {
          id: 'user_day',
          unit: 'requests',
          window: 'day',
          scope: 'end_user',
          keyId: undefined,
          of: 'eve',
        },
      }),
      buildQuota(buildLimit(5, { id: 'old' }), {
        accountId: 'quo:old',
        spent: 2,
        resetsAt: AT + 1,
      }),
      // That enough was free at some time says nothing about now: others have used it since.
      buildQuota(buildLimit(6, { id: 'pace', window: 'sliding_hour' }), {
        accountId: 'quo:pace',
        spent: 2,
        resetsAt: AT + 1,
      }),
      buildQuota(buildLimit(7, { id: 'all', scope: 'global' }), { accountId: 'quo:all', spent: 7 }),
      buildBalance({ accountId: 'bal', need: 5, allowance: 8 }),
    ];
    const source = sourceOf(refused({ limits }, 402, 'REQUEST_QUOTA_EXCEEDED'));
    expect(stepOf('limits', source)).toMatchObject({ verdict: 'problem' });
    const accounts = new Map([
      ['quo:u', { allowance: 9n, spent: 3n, reserved: 1n }],
      ['quo:pace', { allowance: 6n, spent: 4n, reserved: 0n }],
      ['quo:all', { allowance: 7n, spent: 9n, reserved: 0n }],
      ['bal', { allowance: 2_000_000_000n, spent: 0n, reserved: 0n }],
    ]);
    const rows = explainLimitRows({ view: source.view, asset: 'USD', accounts, at: AT + 1000 });
    expect(rows).toMatchObject([
      {
        name: 'user_day',
        counts: 'requests a day',
        type: 'end user eve',
        used: '2',
        allowed: '9',
        now: '5 left',
        verdict: 'passed',
      },
      { name: 'old', type: 'this account', now: 'full again', verdict: 'passed' },
      { name: 'pace', counts: 'requests in any hour', now: '2 left', slides: true },
      { name: 'all', type: 'all callers together', now: '0 left', verdict: 'refused' },
      {
        name: 'Balance',
        counts: 'credit',
        needed: '0.000000005 USD',
        now: '2.00 USD left',
        verdict: 'not reached',
      },
    ]);
  });

  it.each<[string, Partial<TenantTerms>, string]>([
    [
      'a lapsed subscription',
      { subscription: { state: 'active', endsAt: AT - 5 } },
      'problem: Now: the subscription is over since <-5>; nothing is owed (SUBSCRIPTION_EXPIRED).',
    ],
    [
      'overdue invoices',
      { payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_7'] } },
      'problem: Invoices: 1 invoice overdue (inv_7).',
    ],
    [
      'no payment method',
      { payment: { ...PLAIN_TERMS.payment, method: 'missing' } },
      'problem: Payment method: there is none.',
    ],
    [
      'a dispute',
      { payment: { ...PLAIN_TERMS.payment, disputed: true } },
      'problem: A payment is disputed.',
    ],
    [
      'a suspended account',
      { account: 'suspended' },
      'problem: Account: suspended. Paying does not change that.',
    ],
    [
      'grace',
      { payment: { ...PLAIN_TERMS.payment, failedAt: AT } },
      'ok: Now: the subscription is active; a payment failed and is forgiven until <604800000>.',
    ],
  ])('4: %s', (_title, terms, line) => {
    expect(stepOf('account', sourceOf({}, { account: accountNow(terms) })).lines).toContain(line);
  });

  it('4: an organisation above that may not call', () => {
    const account = accountNow({ account: 'suspended' }, { stateFrom: 'ancestor' });
    expect(stepOf('account', sourceOf({}, { account })).lines).toContain(
      'problem: The organisation above this account: suspended. Paying does not change that.',
    );
  });

  it('4: the tier, and what stood against the account at that moment', () => {
    const entitlements = [{ kind: 'model' as const, id: 'large', granted: false }];
    const standing = standOf(
      { ...PLAIN_TERMS, subscription: { state: 'paused', endsAt: undefined } },
      { graceDays: 7, degraded: undefined },
      'write',
      AT,
    );
    expect(stepOf('account', sourceOf({ entitlements, standing })).lines.slice(0, 2)).toEqual([
      'problem: At that moment: the subscription is paused; nothing is owed (SUBSCRIPTION_PAUSED).',
      'problem: Plan: the model large is not part of the plan Pro.',
    ]);
    const unknown = (members: Partial<Facts>) =>
      stepOf('account', sourceOf(members, { account: undefined })).lines.at(-1);
    const missing = { kind: 'refused', code: 'KEY_MISSING', since: undefined } as const;
    const noKey = 'unknown: The call was made without a key, so there is no account to look at.';
    expect(unknown({ identity: { kind: 'anonymous' } })).toBe(noKey);
    expect(unknown({ identity: missing })).toBe(noKey);
    expect(unknown({ identity: { ...missing, code: 'KEY_UNKNOWN' } })).toContain('not accepted');
  });

  it('says of what an earlier check decided that nobody has looked, not that it was well or missing', () => {
    const routing = { code: 'API_RETIRED', problem: 'retired', pointer: undefined } as const;
    const members = { routing, identity: { kind: 'anonymous' }, limits: [buildBalance()] } as const;
    const source = sourceOf(members, { account: undefined, key: undefined });
    const notLooked = 'note: Not looked at: an earlier check decided.';
    expect(stepOf('key', source).lines).toEqual([notLooked]);
    expect(stepOf('limits', source).lines).toEqual([notLooked]);
    expect(stepOf('account', source).lines).toEqual([
      'unknown: An earlier check decided: nobody has looked whose account it is.',
    ]);
    const usage = explainGuide(source).find(({ id }) => id === 'usage');
    expect(usage?.text).toBe('It was not looked at: something else came first.');
  });

  it('5: environment, revocation, expiry, permissions, and the account it is linked to', () => {
    const good = stepOf('key', sourceOf({}));
    expect(good).toMatchObject({ verdict: 'ok' });
    expect(good.lines).toEqual([
      'note: It is tk_live_...aB3d (key_1).',
      'ok: Environment: a live key for a live API.',
      'ok: Revoked: no.',
      'ok: Expires: never.',
      'ok: Permissions: the call was allowed to this key.',
      'ok: Account: linked to a paid one, on plan Pro.',
    ]);
    const bad = stepOf(
      'key',
      sourceOf(
        {
          authorization: {
            code: 'KEY_PERMISSION_DENIED',
            problem: 'not this model',
            pointer: undefined,
          },
        },
        {
          account: accountNow({}, { paidPlan: false, availableNano: 0n }),
          key: {
            ...KEY,
            environment: 'test',
            revokedAt: AT + 1,
            expiresAt: AT + 2,
            terms: { ...PLAIN_KEY_TERMS, models: ['small'] },
          },
        },
      ),
    );
    expect(bad.lines.slice(1)).toEqual([
      'problem: Environment: a test key, and the API takes live keys.',
      'problem: Revoked: since <1>.',
      'problem: Expired: since <2>.',
      'problem: Permissions: not this model (KEY_PERMISSION_DENIED).',
      'note: Its models: small.',
      'note: Account: on plan Pro, which is free, and without credit.',
    ]);
    const since = { kind: 'refused', code: 'KEY_REVOKED', since: AT } as const;
    expect(stepOf('key', sourceOf({ identity: since }, { key: undefined })).lines).toEqual([
      'problem: API key revoked (KEY_REVOKED).',
    ]);
    expect(stepOf('key', sourceOf({}, { key: undefined })).verdict).toBe('problem');
  });

  it('6: an answer of the upstream names the provider, its status page and its documentation', () => {
    const forwarding = {
      code: 'UPSTREAM_PROVIDER_QUOTA_EXHAUSTED',
      problem: 'OpenAI has no quota left for us',
      pointer: undefined,
      upstream: {
        provider: 'OpenAI',
        status: 429,
        code: 'insufficient_quota',
        message: 'You exceeded',
      },
    } as const;
    const outcome = { ...OUTCOME, status: 503, code: forwarding.code, upstreamStatus: 429 };
    const source = { ...sourceOf({ forwarding, outcome }), provider: OPENAI };
    expect(stepOf('upstream', source)).toMatchObject({
      verdict: 'problem',
      lines: [
        'problem: It failed at https://api.openai.com/v1, which answered 429: OpenAI has no quota left for us.',
        'note: OpenAI said insufficient_quota: You exceeded',
        'note: OpenAI says how it is:',
        'note: What errors of OpenAI mean:',
      ],
      links: [OPENAI.statusUrl, OPENAI.documentationUrl],
    });
    expect(stepOf('upstream', sourceOf(broke)).lines[0]).toContain('Nothing was sent to it');
  });

  it('7: what the dry runs gave', () => {
    const probes = [{ verdict: 'ok', text: 'A small call would pass now.' }] as const;
    expect(stepOf('probe', { ...sourceOf(broke), probes }).verdict).toBe('ok');
    expect(stepOf('probe', sourceOf(broke)).verdict).toBe('note');
  });
});

describe('DIAG-09: the order for people who use an application', () => {
  const guide = (source: CheckSource) =>
    explainGuide(source).map(({ id, verdict }) => `${id}: ${verdict}`);

  it('is context, subscription, payment method, usage, cache, support', () => {
    expect(guide(sourceOf({ reservation: { kind: 'held' } }))).toEqual([
      'context: ok',
      'subscription: ok',
      'payment_method: ok',
      'usage: ok',
      'cache: note',
      'support: note',
    ]);
  });

  it('marks what to do', () => {
    expect(guide(sourceOf(broke))).toContain('usage: problem');
    const tooLong = { kind: 'context', id: 'plan', granted: false, needed: 9, allowed: 5 } as const;
    expect(guide(sourceOf({ entitlements: [tooLong] }))).toContain('context: problem');
    const lapsed = accountNow({
      subscription: { state: 'active', endsAt: AT - 5 },
      payment: { ...PLAIN_TERMS.payment, method: 'invalid' },
    });
    expect(guide(sourceOf({}, { account: lapsed })).slice(1, 3)).toEqual([
      'subscription: problem',
      'payment_method: problem',
    ]);
    expect(guide(sourceOf({}, { account: undefined })).slice(1, 3)).toEqual([
      'subscription: unknown',
      'payment_method: unknown',
    ]);
  });

  it('says when an allowance is full again, and that too fast is not used up', () => {
    const limits = [buildQuota(buildLimit(5), { spent: 5, resetsAt: AT + 5000 })];
    const texts = (members: Partial<Facts>) =>
      explainGuide(sourceOf(members)).map(({ text }) => text);
    expect(texts({ limits })).toContain('An allowance is used up. It is full again at <60000>.');
    const sliding = buildLimit(5, { window: 'sliding_hour' });
    const pace = [buildQuota(sliding, { spent: 5, resetsAt: AT + 5000 })];
    expect(texts({ limits: pace })).toContain(
      'An allowance is used up. It is free enough again at <60000>.',
    );
    const tooMuch = [buildQuota(buildLimit(5), { need: 6, resetsAt: AT + 5000 })];
    expect(texts({ limits: tooMuch })).toContain(
      'It asked for more than is ever allowed: ask for less.',
    );
    const reservation = { kind: 'limited', rateLimitId: 'x', retryAfterMs: 5 } as const;
    expect(texts({ reservation })).toContain('It was too fast: wait a little and try once.');
  });
});

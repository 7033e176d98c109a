import * as fc from 'fast-check';

import type { LimitLabel } from '../../src/domain/accounts.ts';
import type { Facts, Fault, IdentityFact, LimitFact } from '../../src/domain/facts.ts';
import { standOf } from '../../src/domain/standing.ts';
import { NO_TAKE } from '../../src/domain/take.ts';
import { PLAIN_TERMS } from '../../src/domain/tenant-terms.ts';

const TENANT = 'ten_01a1fd80167b700082b9779be6814e5e';
const KEY = 'key_01a1fd80167b7001a1d1baa4fb3008d8';
const OTHER_TENANT = 'ten_01a1fd80167b700082b9779be6814e5f';
const OTHER_KEY = 'key_01a1fd80167b7001a1d1baa4fb3008d9';
const caller: IdentityFact = {
  kind: 'key',
  keyId: KEY,
  tenantId: TENANT,
  planId: 'free',
  planVersion: 'ba76fb2a',
  planTitle: 'Free "tier"',
  freePlan: true,
};

const neighbour: IdentityFact = { ...caller, keyId: OTHER_KEY };
const stranger: IdentityFact = { ...neighbour, tenantId: OTHER_TENANT, freePlan: false };

const FORGIVING = { graceDays: 7, degraded: undefined };
/** Numbers of every length, and two that no count should be. */
const count = fc.oneof(fc.nat(300), fc.nat(), fc.maxSafeNat(), fc.constantFrom(-7, 0.5));
const labels: fc.Arbitrary<LimitLabel> = fc
  .record({
    unit: fc.constantFrom('requests' as const, 'tokens' as const, 'spend' as const),
    window: fc.constantFrom('minute' as const, 'month' as const, 'lifetime' as const),
    scope: fc.constantFrom('tenant' as const, 'key' as const),
    id: fc.constantFrom(undefined, 'key_budget', 'tenant_budget', 'of_my_own:making'),
    extra: fc.constantFrom<Partial<LimitLabel>>(
      {},
      { class: 'protective' },
      { softAt: 5 },
      { from: 'house', scope: 'global' },
      { of: 'large', scope: 'model' },
    ),
  })
  .map(({ unit, window, scope, id, extra }): LimitLabel => {
    if (id === 'key_budget')
      return { id, unit: 'spend', window, scope: 'key', keyId: KEY, from: 'key' };
    if (id === 'tenant_budget') {
      const from = scope === 'key' ? 'ancestor' : 'tenant';
      return { id, unit: 'spend', window, scope: 'tenant', keyId: undefined, from };
    }
    const own = id ?? `${scope === 'key' ? 'key_' : ''}${unit}_per_${window}`;
    return { id: own, unit, window, scope, keyId: scope === 'key' ? KEY : undefined, ...extra };
  });
const limits: fc.Arbitrary<LimitFact> = fc
  .record({
    label: fc.option(labels, { nil: undefined }),
    need: count,
    allowance: fc.constantFrom(0, 10_000, 10 ** 15),
    overage: fc.constantFrom(undefined, undefined, 'bill' as const, 'authorize' as const),
    spent: count,
    reserved: count,
    resetsAt: fc.option(count, { nil: undefined }),
  })
  .map(({ label, overage, ...rest }): LimitFact => {
    const numbers =
      overage === undefined ? rest : { ...rest, overage: { kind: overage, nano: rest.need } };
    if (label === undefined) {
      return { accountId: `bal:${TENANT}:USD`, kind: 'balance', unit: 'USD', label, ...numbers };
    }
    const accountId = `quo:${label.keyId ?? TENANT}:${label.id}:2026-11-21T10:05`;
    return { accountId, kind: 'quota', unit: label.unit, label, ...numbers };
  });

const faults = fc.option(
  fc
    .record({
      code: fc.constant('INVALID_REQUEST' as const),
      problem: fc.string(),
      pointer: fc.option(fc.string(), { nil: undefined }),
      extra: fc.constantFrom<Partial<Fault>>(
        {},
        { retryAfterMs: 250 },
        { upstream: { provider: 'acme', status: 402, code: 'insufficient_quota' } },
      ),
    })
    .map(({ extra, ...fault }): Fault => ({ ...fault, ...extra })),
  { nil: undefined },
);
/** Epoch ms at which the requests began, more or less. */
export const T0 = Date.UTC(2026, 10, 21, 12);
const requestIds = fc
  .tuple(fc.nat(1000), fc.maxSafeNat())
  .map(
    ([ms, luck]) =>
      `req_${(T0 + ms).toString(16).padStart(12, '0')}70008${luck.toString(16).padStart(15, '0')}`,
  );

/** Facts of every kind, of few callers: much of one is in the next. */
export const anyFacts: fc.Arbitrary<Facts> = fc.record({
  requestId: requestIds,
  at: fc.oneof(count, fc.constant(T0 + 5)),
  catalogVersion: fc.constant('aabbccddeeff'),
  method: fc.constantFrom('GET', 'POST'),
  path: fc.string(),
  route: fc.option(
    fc.constant({
      apiId: 'llm',
      routeId: 'llm.chat',
      kind: 'chat' as const,
      dialect: 'openai' as const,
      endpointClass: 'metered' as const,
      operation: 'llm.chat',
    }),
    { nil: undefined },
  ),
  routing: faults,
  identity: fc.constantFrom<IdentityFact>(
    caller,
    neighbour,
    stranger,
    { kind: 'anonymous' },
    { kind: 'anonymous', subnet: '203.0.113.0/24' },
    { kind: 'refused', code: 'KEY_MISSING', since: undefined },
    { kind: 'refused', code: 'KEY_EXPIRED', since: 5 },
  ),
  authorization: faults,
  understanding: faults,
  standing: fc.constantFrom(
    undefined,
    standOf(
      { ...PLAIN_TERMS, payment: { ...PLAIN_TERMS.payment, failedAt: 5 } },
      FORGIVING,
      'read',
      6,
    ),
  ),
  entitlements: fc.array(
    fc
      .record({
        kind: fc.constantFrom('model' as const, 'context' as const),
        id: fc.string(),
        granted: fc.boolean(),
        size: fc.constantFrom({}, { needed: 9, allowed: 8 }),
      })
      .map(({ size, ...fact }) => ({ ...fact, ...size })),
  ),
  limits: fc.array(limits, { maxLength: 4 }),
  reservation: fc.constantFrom<Facts['reservation']>(
    undefined,
    { kind: 'held' },
    { kind: 'short', index: 0, cause: 'gone', held: 3, affordableOutputTokens: undefined },
    { kind: 'limited', rateLimitId: 'rate_per_minute', retryAfterMs: 12.5 },
  ),
  take: fc.constantFrom(undefined, { ...NO_TAKE, nano: 7 }),
  agreed: fc.constantFrom(undefined, {
    overrides: [{ limitId: 'requests_per_month', amount: 5, expiresAt: 9 }],
    purchases: [],
  }),
  enforcement: fc.constantFrom('enforce' as const, 'observe' as const),
  storm: fc.constantFrom(undefined, { cause: 'INSUFFICIENT_CREDITS' as const, retryAfterMs: 3 }),
  forwarding: faults,
  outcome: fc.option(
    fc
      .record({
        status: count,
        code: fc.string(),
        durationMs: fc.double({ min: 0, max: 1e6, noNaN: true }).map((ms) => ms + 0),
        model: fc.option(fc.string(), { nil: undefined }),
        target: fc.option(fc.string(), { nil: undefined }),
        upstreamStatus: fc.option(count, { nil: undefined }),
        ending: fc.constantFrom('complete' as const, 'cut' as const),
        holdNano: count,
        costNano: count,
        overrunNano: count,
        inputTokens: count,
        cachedInputTokens: count,
        outputTokens: count,
        bytesIn: count,
        bytesOut: count,
        estimated: fc.boolean(),
        clampedOutputTokens: fc.option(count, { nil: undefined }),
        rare: fc.constantFrom(
          {},
          { computeUnits: 3, computeMs: 250 },
          { wouldRefuse: 'RATE_LIMITED' as const },
        ),
      })
      .map(({ rare, ...outcome }) => ({ ...outcome, ...rare })),
    { nil: undefined },
  ),
});

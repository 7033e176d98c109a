import {
  AT,
  buildCatalog,
  buildFacts,
  buildIdentity,
  buildLimit,
  buildModel,
  buildPlan,
  buildRateLimit,
} from './build-catalog.ts';
import type { LimitLabel } from '../../src/domain/accounts.ts';
import type { Catalog } from '../../src/domain/catalog.ts';
import { explain } from '../../src/domain/explain.ts';
import type {
  EntitlementFact,
  Facts,
  LimitFact,
  OutcomeFact,
  ReservationFact,
} from '../../src/domain/facts.ts';

const quota = (amount: number) => buildLimit(amount, { id: 'requests_month' });
const FREE_PLAN = buildPlan('free', {
  title: 'Free',
  limits: [quota(100)],
  models: ['echo'],
  rateLimits: [buildRateLimit({ id: 'burst', scope: 'key', count: 5, periodMs: 1000, burst: 10 })],
});

// 2.00 USD per 1M input, 8.00 per 1M output.
const TOKEN_PRICE = { perInputToken: 2_000_000n, perOutputToken: 8_000_000n };
export const CATALOG: Catalog = buildCatalog(
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

export const RESET = AT + 86_400_000;

export const BALANCE: LimitFact = {
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
export const LABEL: LimitLabel = {
  id: 'requests_month',
  unit: 'requests',
  window: 'month',
  scope: 'tenant',
  keyId: undefined,
};
export const REQUESTS: LimitFact = {
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

export const OUTCOME: OutcomeFact = {
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

export function facts(members: Partial<Facts> = {}): Facts {
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
export function refused(status: number, code: string, members: Partial<Facts>): Facts {
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

export const short = (
  members: Partial<Extract<ReservationFact, { kind: 'short' }>> = {},
): ReservationFact => ({
  kind: 'short',
  index: 1,
  cause: 'gone',
  held: 0,
  affordableOutputTokens: undefined,
  ...members,
});
export const LARGE: EntitlementFact = { kind: 'model', id: 'large', granted: false };
export const noCredit = refused(402, 'INSUFFICIENT_CREDITS', {
  // Gateways have leased ahead: that is not held, and not missing.
  limits: [
    { ...REQUESTS, spent: 41, reserved: 32 },
    { ...BALANCE, reserved: 3_000_000 },
  ],
  reservation: short(),
});
export const quotaUsedUp = refused(402, 'FREE_TIER_EXHAUSTED', {
  limits: [REQUESTS, { ...BALANCE, spent: 0 }],
  reservation: short({ index: 0 }),
});
const spendLabel: LimitLabel = { ...LABEL, id: 'key_budget', unit: 'spend', window: 'lifetime' };
export const budgetUsedUp = refused(402, 'SPENDING_LIMIT_REACHED', {
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
export const tokensUsedUp = refused(402, 'TOKEN_QUOTA_EXCEEDED', {
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

export const view = (each: Facts) =>
  explain(each, { catalog: CATALOG, formatTime: (at) => `<${at - AT} ms later>` });

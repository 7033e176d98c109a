import { describe, expect, it } from 'vitest';

import { packFacts, unpackFacts } from './facts-record.ts';
import type { Facts, IdentityFact, LimitFact, OutcomeFact } from './facts.ts';

const TENANT = 'ten_01a1fd80167b700082b9779be6814e5e';
const KEY = 'key_01a1fd80167b7001a1d1baa4fb3008d8';
const START =
  '[1,"req_01a1fd8064907000b7be30ac2a79681d",1763700000001,"aabbccddeeff","POST","/v1/x \\"y\\""';
const ROUTE = '["llm","llm.chat","chat","openai","metered","chat"]';
const CALLER = `["${KEY}","${TENANT}","free","ba76fb2a","Free \\"tier\\"",true]`;

const nobody: Facts = {
  requestId: 'req_01a1fd8064907000b7be30ac2a79681d',
  at: 1_763_700_000_001,
  catalogVersion: 'aabbccddeeff',
  method: 'POST',
  path: '/v1/x "y"',
  route: undefined,
  routing: { code: 'ROUTE_NOT_FOUND', problem: 'nothing there', pointer: undefined },
  identity: { kind: 'anonymous' },
  authorization: undefined,
  understanding: undefined,
  standing: undefined,
  entitlements: [],
  limits: [],
  reservation: undefined,
  take: undefined,
  agreed: undefined,
  enforcement: 'enforce',
  storm: undefined,
  forwarding: undefined,
  outcome: undefined,
};
const caller: IdentityFact = {
  kind: 'key',
  keyId: KEY,
  tenantId: TENANT,
  planId: 'free',
  planVersion: 'ba76fb2a',
  planTitle: 'Free "tier"',
  freePlan: true,
};
const outcome: OutcomeFact = {
  status: 200,
  code: '',
  durationMs: 2.909,
  model: 'm',
  target: 'http://u/v1',
  upstreamStatus: 200,
  ending: 'complete',
  holdNano: 524_500,
  costNano: 210_000,
  overrunNano: 0,
  inputTokens: 46,
  cachedInputTokens: 0,
  outputTokens: 58,
  bytesIn: 305,
  bytesOut: 583,
  estimated: false,
  clampedOutputTokens: undefined,
};
const NUMBERS = { need: 1, allowance: 10, spent: 7, reserved: 2, resetsAt: 1_796_083_200_000 };

function quota(name: string, label: LimitFact['label'], changed: Partial<LimitFact> = {}) {
  const unit = label?.unit ?? '';
  const accountId = `quo:${label?.keyId ?? TENANT}${name}`;
  return { accountId, kind: 'quota' as const, unit, label, ...NUMBERS, ...changed };
}

const balance: LimitFact = {
  accountId: `bal:${TENANT}:USD`,
  kind: 'balance',
  unit: 'USD',
  label: undefined,
  ...NUMBERS,
  resetsAt: undefined,
};
const served: Facts = {
  ...nobody,
  route: {
    apiId: 'llm',
    routeId: 'llm.chat',
    operation: 'chat',
    kind: 'chat',
    dialect: 'openai',
    endpointClass: 'metered',
  },
  routing: undefined,
  identity: caller,
  entitlements: [
    { kind: 'model', id: 'm', granted: true },
    { kind: 'context', id: 'm', granted: false, needed: 9, allowed: 8 },
  ],
  limits: [
    quota(':requests_per_month:2026-11', {
      id: 'requests_per_month',
      unit: 'requests',
      window: 'month',
      scope: 'tenant',
      keyId: undefined,
    }),
    quota(':key_tokens_per_day:2026-11-21', {
      id: 'key_tokens_per_day',
      unit: 'tokens',
      window: 'day',
      scope: 'key',
      keyId: KEY,
    }),
    quota(
      ':key_budget:lifetime',
      {
        id: 'key_budget',
        unit: 'spend',
        window: 'lifetime',
        scope: 'key',
        keyId: KEY,
        from: 'key',
      },
      { resetsAt: undefined },
    ),
    quota('/model/m:model_requests_per_year:2026', {
      id: 'model_requests_per_year',
      unit: 'requests',
      window: 'year',
      scope: 'model',
      keyId: undefined,
      of: 'm',
    }),
    quota(
      ':tokens_per_week:2026-W47',
      { id: 'tokens_per_week', unit: 'tokens', window: 'week', scope: 'tenant', keyId: undefined },
      { overage: { kind: 'bill', nano: 5 } },
    ),
    balance,
  ],
  reservation: { kind: 'held' },
  outcome,
};

/** As the version before wrote them. */
const RECORDS: readonly (readonly [what: string, text: string, facts: Facts])[] = [
  [
    'served, of six accounts',
    `${START},${ROUTE},${CALLER},[{"kind":"model","id":"m","granted":true},{"kind":"context","id":"m","granted":false,"needed":9,"allowed":8}],[["quo:t:requests_per_month:2026-11",1,10,7,2,1796083200000],["quo:k:key_tokens_per_day:2026-11-21",1,10,7,2,1796083200000],["quo:k:key_budget:lifetime",1,10,7,2,null],[{"accountId":"quo:${TENANT}/model/m:model_requests_per_year:2026","kind":"quota","unit":"requests","label":{"id":"model_requests_per_year","unit":"requests","window":"year","scope":"model","of":"m"}},1,10,7,2,1796083200000],{"accountId":"quo:${TENANT}:tokens_per_week:2026-W47","kind":"quota","unit":"tokens","label":{"id":"tokens_per_week","unit":"tokens","window":"week","scope":"tenant"},"need":1,"allowance":10,"spent":7,"reserved":2,"resetsAt":1796083200000,"overage":{"kind":"bill","nano":5}},["bal:t:USD",1,10,7,2,null]],[200,"",2.909,"m","http://u/v1",200,"complete",524500,210000,0,46,0,58,305,583,false,null],{"reservation":{"kind":"held"}}]`,
    served,
  ],
  [
    'observed, and short of a balance',
    `${START},${ROUTE},${CALLER},[],[["bal:t:USD",1,10,7,2,null]],[200,"",2.909,null,null,null,"complete",524500,210000,0,46,0,58,305,583,true,12],{"reservation":{"kind":"short","index":0,"cause":"gone","held":3},"take":{"inputTokens":1,"outputTokens":2,"bytesIn":0,"bytesOut":0,"computeUnits":0,"computeMs":0,"nano":7},"observed":true,"wouldRefuse":"INSUFFICIENT_CREDITS","compute":[3,250]}]`,
    {
      ...served,
      entitlements: [],
      limits: [balance],
      enforcement: 'observe',
      reservation: {
        kind: 'short',
        index: 0,
        cause: 'gone',
        held: 3,
        affordableOutputTokens: undefined,
      },
      take: {
        inputTokens: 1,
        outputTokens: 2,
        bytesIn: 0,
        bytesOut: 0,
        computeUnits: 0,
        computeMs: 0,
        nano: 7,
      },
      outcome: {
        ...outcome,
        model: undefined,
        target: undefined,
        upstreamStatus: undefined,
        estimated: true,
        clampedOutputTokens: 12,
        wouldRefuse: 'INSUFFICIENT_CREDITS',
        computeUnits: 3,
        computeMs: 250,
      },
    },
  ],
  [
    'not routed',
    `${START},null,{"kind":"anonymous"},[],[],null,{"routing":{"code":"ROUTE_NOT_FOUND","problem":"nothing there"}}]`,
    nobody,
  ],
  [
    'of a key that has expired',
    `${START},null,{"kind":"refused","code":"KEY_EXPIRED","since":5},[],[],null,{}]`,
    {
      ...nobody,
      routing: undefined,
      identity: { kind: 'refused', code: 'KEY_EXPIRED', since: 5 },
    },
  ],
];

describe('a record of an earlier version', () => {
  it.each(RECORDS)('%s, is read, and says the same as one of today', (_, text, facts) => {
    expect(unpackFacts(text)).toEqual(facts);
    expect(packFacts(facts)).not.toBe(text);
    expect(unpackFacts(packFacts(facts))).toEqual(facts);
  });

  it('that ends too early is none', () => {
    expect(unpackFacts(`${START}]`)).toBeUndefined();
  });
});

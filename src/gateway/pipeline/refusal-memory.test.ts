import { describe, expect, it } from 'vitest';

import {
  AT,
  buildCatalog,
  buildFacts,
  buildLimit,
  buildPlan,
  buildPrice,
  buildApi,
  buildQuota,
  buildRoute,
} from '../../../test/support/build-catalog.ts';
import { buildKeyWithTenant } from '../../../test/support/build-key.ts';
import { MemoryGateway } from '../../../test/support/memory-gateway.ts';
import { decide } from '../../domain/decide.ts';
import type { EntitlementFact, Facts, LimitFact } from '../../domain/facts.ts';
import type { StandingFact } from '../../domain/standing.ts';
import { NO_TAKE, type Take } from '../../domain/take.ts';
import { KeyAccess } from './key-access.ts';
import {
  type CallIds,
  isSameRefusal,
  type RefusedCall,
  RefusalMemory,
  type WrittenRefusal,
} from './refusal-memory.ts';

const CATALOG = buildCatalog([
  buildPlan('free', { limits: [buildLimit(1)] }),
  buildPlan('pro', { title: 'Pro', priceNano: 9n }),
]);
const newAccess = (): KeyAccess => new KeyAccess(buildKeyWithTenant(), CATALOG, AT);
const ACCESS = newAccess();
const ASKED = {
  form: 'openai',
  language: 'en',
  publicUrl: 'http://localhost',
  jsonRpcId: null,
} as const;

/** A quota that is used up. */
const SPENT = buildQuota(buildLimit(10), { spent: 10 });
const GONE = buildFacts({
  limits: [SPENT],
  reservation: {
    kind: 'short',
    index: 0,
    cause: 'gone',
    held: 0,
    affordableOutputTokens: undefined,
  },
  take: NO_TAKE,
  entitlements: [{ kind: 'model', id: 'm', granted: true }],
});

const IN_GRACE: StandingFact = {
  lifecycle: 'active',
  standing: 'grace',
  code: undefined,
  level: 'full',
  stillServed: false,
  since: AT,
  graceEndsAt: AT + 1,
  invoices: [],
};
const ROUTE_FACT = {
  apiId: 'demo',
  routeId: 'demo.status',
  operation: 'demo.status',
  kind: 'proxy',
  dialect: 'plain',
  endpointClass: 'metered',
} as const;

function callOf(facts: Facts, members: Partial<RefusedCall> = {}): RefusedCall {
  const refusal = decide(facts);
  if (refusal.kind !== 'refuse') throw new Error('it is not refused');
  return { access: ACCESS, facts, refusal, asked: ASKED, ...members };
}

const { refusal: REFUSAL } = callOf(GONE);

function idsOf(number: number): CallIds {
  const requestId = `req_${String(number).padStart(32, '0')}`;
  return { requestId, explainUrl: `http://localhost/r/${requestId}?s=signature${number}` };
}

const SHARED = ['Cache-Control', 'no-store'];

function writtenFor({ requestId, explainUrl }: CallIds): WrittenRefusal {
  return {
    code: 'REQUEST_QUOTA_EXCEEDED',
    status: 402,
    idHeaders: ['X-Request-Id'],
    shared: SHARED,
    retryAfterSeconds: undefined,
    body: Buffer.from(
      `{"instance":"${explainUrl}","request_id":"${requestId}","detail":"für 5 €: ${explainUrl}"}`,
    ),
  };
}

it('a refusal that is repeated is told again under the ids of the new call', () => {
  const memory = new RefusalMemory();
  const call = callOf(GONE);
  expect(memory.recall(call, idsOf(1))).toBeUndefined();
  memory.keep(call, idsOf(1), writtenFor(idsOf(1)));
  for (const number of [2, 3]) {
    expect(memory.recall(callOf(GONE), idsOf(number))).toEqual(writtenFor(idsOf(number)));
  }
});

it('ids of another length are not filled into a body that has no room for them', () => {
  const memory = new RefusalMemory();
  memory.keep(callOf(GONE), idsOf(1), writtenFor(idsOf(1)));
  expect(memory.recall(callOf(GONE), idsOf(10))).toBeUndefined();
  expect(memory.recall(callOf(GONE), { ...idsOf(2), requestId: 'req_2' })).toBeUndefined();
});

it('a body whose link cannot be filled in anew is not kept', () => {
  const memory = new RefusalMemory();
  const ids = idsOf(1);
  const body = Buffer.from(`/r/elsewhere${ids.explainUrl.slice(ids.explainUrl.indexOf('?'))}`);
  memory.keep(callOf(GONE), ids, { ...writtenFor(ids), body });
  const beyondAscii = { ...ids, explainUrl: ids.explainUrl.replace('localhost', 'münze.test') };
  memory.keep(callOf(GONE), beyondAscii, writtenFor(beyondAscii));
  expect(memory.size).toBe(0);
});

describe('anything that is different makes another refusal of it', () => {
  const withLimit = (members: Partial<LimitFact>): Partial<Facts> => ({
    limits: [{ ...SPENT, ...members }],
  });
  const withModel = (members: Partial<EntitlementFact>): Partial<Facts> => ({
    entitlements: [{ kind: 'model', id: 'm', granted: true, ...members }],
  });
  const FAULT = { code: 'UPSTREAM_FAILED', problem: '', pointer: undefined } as const;
  const UNITS = Object.keys(NO_TAKE) as readonly (keyof Take)[];
  const changes: readonly (readonly [string, Partial<Facts>])[] = [
    ['the second', { at: AT + 1000 }],
    ['the configuration', { catalogVersion: 'other' }],
    ['the route', { route: { ...ROUTE_FACT } }],
    ['the identity', { identity: { ...GONE.identity } }],
    ['what is agreed', { agreed: { overrides: [], purchases: [] } }],
    ['the enforcement', { enforcement: 'observe' }],
    ['a storm', { storm: { cause: 'REQUEST_QUOTA_EXCEEDED', retryAfterMs: 1000 } }],
    ...UNITS.map(
      (unit) => [`what it takes: ${unit}`, { take: { ...NO_TAKE, [unit]: 1 } }] as const,
    ),
    ['nothing known of what it takes', { take: undefined }],
    ['no shortage', { reservation: undefined }],
    ['which limit refuses', withReservation({ index: 1 })],
    ['tokens that would fit', withReservation({ affordableOutputTokens: 5 })],
    ['what is held', withReservation({ held: 1 })],
    ['the cause', withReservation({ cause: 'held' })],
    ['whose limit it is', withLimit({ accountId: 'quo:ten_2:other:2027-01' })],
    ['units spent', withLimit({ spent: 11 })],
    ['units reserved', withLimit({ reserved: 1 })],
    ['units needed', withLimit({ need: 2 })],
    ['the allowance', withLimit({ allowance: 9 })],
    ['the reset', withLimit({ resetsAt: AT + 1 })],
    ['the label', withLimit({ label: SPENT.label && { ...SPENT.label } })],
    ['overage', withLimit({ overage: { kind: 'authorize', nano: 1 } })],
    ['a limit more', { limits: [...GONE.limits, SPENT] }],
    ['an entitlement', { entitlements: [{ kind: 'model', id: 'n', granted: true }] }],
    ['no entitlement', { entitlements: [] }],
    ['the kind of an entitlement', withModel({ kind: 'feature' })],
    ['what is granted', withModel({ granted: false })],
    ['what is needed', withModel({ needed: 1 })],
    ['what is allowed', withModel({ allowed: 1 })],
    ['a fault of the route', { routing: FAULT }],
    ['a fault of the key', { authorization: FAULT }],
    ['a fault of the body', { understanding: FAULT }],
    ['a fault of the upstream', { forwarding: FAULT }],
  ];
  it.each(changes)('%s', (_, change) => {
    const before = callOf(GONE);
    const now = { ...before, facts: { ...GONE, ...change } };
    expect(isSameRefusal(before, { ...before, facts: { ...GONE } })).toBe(true);
    expect(isSameRefusal(before, now)).toBe(false);
  });

  it.each([
    ['the key', { access: newAccess() }],
    ['the form', { asked: { ...ASKED, form: 'plain' } }],
    ['the language', { asked: { ...ASKED, language: 'de' } }],
    ['the address of the gateway', { asked: { ...ASKED, publicUrl: 'https://api.test' } }],
    ['the id of a JSON-RPC call', { asked: { ...ASKED, jsonRpcId: 1 } }],
    ['the code', { refusal: { ...REFUSAL, code: 'TOKEN_QUOTA_EXCEEDED' } }],
    ['the step', { refusal: { ...REFUSAL, step: 'storm' } }],
    ['whether it passes by itself', { refusal: { ...REFUSAL, transient: true } }],
    ['the wait', { refusal: { ...REFUSAL, retryAfterMs: 1 } }],
  ] as const)('%s', (_, members) => {
    expect(isSameRefusal(callOf(GONE), callOf(GONE, members))).toBe(false);
  });

  it.each([
    [1, 1000, true],
    [1000, 1001, false],
    [undefined, 1, false],
  ])('a wait of %j ms and one of %j ms: the same seconds are told: %j', (one, other, isSame) => {
    const waiting = (retryAfterMs: number | undefined) =>
      callOf(GONE, { refusal: { ...REFUSAL, retryAfterMs } });
    expect(isSameRefusal(waiting(one), waiting(other))).toBe(isSame);
  });
});

it.each([
  ['reserve', false, 1],
  ['reserve', true, 0],
  ['storm', false, 1],
  ['entitle', false, 1],
  ['authorize', false, 0],
] as const)('a refusal at %s, transient: %j: %i of it is kept', (step, transient, kept) => {
  const memory = new RefusalMemory();
  const call = callOf(GONE, { refusal: { ...REFUSAL, step, transient } });
  memory.keep(call, idsOf(1), writtenFor(idsOf(1)));
  expect(memory.size).toBe(kept);
});

it('what another second may lift is not kept: held money, grace, callers without a key', () => {
  const memory = new RefusalMemory();
  const inGrace = callOf(GONE, { facts: { ...GONE, standing: IN_GRACE } });
  memory.keep(inGrace, idsOf(1), writtenFor(idsOf(1)));
  const held = callOf({ ...GONE, ...withReservation({ cause: 'held' }) });
  memory.keep(held, idsOf(1), writtenFor(idsOf(1)));
  memory.keep(callOf(GONE, { access: undefined }), idsOf(1), writtenFor(idsOf(1)));
  expect(memory.size).toBe(0);
});

it('bound: the refusals of 1,000 keys are remembered, then the oldest is forgotten', () => {
  const memory = new RefusalMemory();
  const first = callOf(GONE, { access: newAccess() });
  memory.keep(first, idsOf(0), writtenFor(idsOf(0)));
  for (let key = 1; key <= 1000; key += 1) {
    memory.keep(callOf(GONE, { access: newAccess() }), idsOf(key), writtenFor(idsOf(key)));
  }
  expect(memory.size).toBe(1000);
  expect(memory.recall(first, idsOf(1))).toBeUndefined();
});

it('through the pipeline: the tenth refusal says what the first says, and another once there is more credit', async () => {
  const gateway = new MemoryGateway(
    buildCatalog([buildPlan('free', { usage: 'prepaid' })], {
      apis: [buildApi({ routes: [buildRoute({ price: buildPrice({ perRequest: 1000n }) })] })],
      retryStormPerMinute: 0,
    }),
  );
  const path = '/';
  const ask = async (): Promise<string> => {
    const response = await gateway.call({ path });
    const id = gateway.facts.requestId;
    expect(response.body).toContain(id);
    return response.body.replaceAll(id, 'ID');
  };
  const first = await ask();
  expect(first).toContain('INSUFFICIENT_CREDITS');
  for (let call = 0; call < 9; call += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await ask()).toBe(first);
  }
  gateway.engine.balances.set('bal:ten_1:USD', 999);
  expect(await ask()).not.toBe(first);
});

function withReservation(
  members: Partial<Extract<Facts['reservation'], { kind: 'short' }>>,
): Partial<Facts> {
  const { reservation } = GONE;
  if (reservation?.kind !== 'short') throw new Error('it is short');
  return { reservation: { ...reservation, ...members } };
}

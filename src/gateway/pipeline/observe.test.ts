import { describe, expect, it } from 'vitest';

import { buildLimit, buildPrice, buildRateLimit } from '../../../test/support/build-catalog.ts';
import { type MemoryCall } from '../../../test/support/memory-gateway.ts';
import { decide, enforced } from '../../domain/decide.ts';
import type { Api } from '../../domain/catalog.ts';
import {
  ask,
  exact,
  IN_BODY,
  ONE_CALL,
  open,
  OWES,
  type Setting,
} from '../../../test/support/pipeline-setting.ts';

describe('EVID-01: observe', () => {
  const observed: Partial<Api> = { enforcement: 'observe' };

  it.each<[string, Setting, MemoryCall, string]>([
    ['a standing', { tenant: OWES }, { path: '/' }, 'INVOICE_OVERDUE'],
    [
      'an entitlement',
      { routes: [{ requires: [{ kind: 'feature', id: 'x', when: [] }] }] },
      { path: '/' },
      'FEATURE_NOT_AVAILABLE',
    ],
    ['a quota', { plan: { limits: [buildLimit(0)] } }, { path: '/' }, 'FREE_TIER_EXHAUSTED'],
    [
      'a balance',
      {
        plan: { usage: 'prepaid' },
        routes: [{ price: buildPrice({ perRequest: 1_000_000_000n }) }],
      },
      { path: '/' },
      'INSUFFICIENT_CREDITS',
    ],
    [
      'a rate',
      { plan: { rateLimits: [buildRateLimit({ burst: 0 })] } },
      { path: '/' },
      'RATE_LIMITED',
    ],
    [
      'a body',
      { plan: { fileBytesMax: 3, limits: [buildLimit(9)] } },
      { path: '/', body: 'four' },
      'FILE_SIZE_NOT_AVAILABLE',
    ],
    [
      'a body of unknown length',
      { plan: { fileBytesMax: 3, limits: [buildLimit(9)] } },
      { path: '/', body: 'four', contentLength: -1 },
      'FILE_SIZE_NOT_AVAILABLE',
    ],
  ])(
    '%s is recorded, and the call passes and takes nothing',
    async (_what, setting, call, code) => {
      expect(await ask(open(setting), call)).toMatch(code);
      const gateway = open({ ...setting, api: observed });
      const response = await gateway.call(call);
      expect([response.status, response.body]).toEqual([200, 'served']);
      expect(response.header('x-tollkeeper-would-refuse')).toBe(code);
      expect([gateway.engine.charged, gateway.engine.openUnits]).toEqual([{}, 0]);
      expect(gateway.facts).toMatchObject({
        enforcement: 'observe',
        outcome: { status: 200, wouldRefuse: code, costNano: 0, ending: 'complete' },
      });
      expect(decide(gateway.facts).kind).toBe('admit');
      expect(decide(enforced(gateway.facts)).kind).toBe('refuse');
      expect(gateway.sent).toMatchObject([{ body: call.body ?? '' }]);
    },
  );

  it('an answer that would be cut is charged as far as it would go, and passes whole', async () => {
    const setting: Setting = {
      plan: { usage: 'prepaid' },
      routes: [{ price: buildPrice({ perByteOut: 1_000_000_000n }) }],
    };
    const served = async (api: Partial<Api>) => {
      const gateway = open({ ...setting, api });
      gateway.engine.balances.set('bal:ten_1:USD', 4_000_000);
      gateway.answer = { status: 200, headers: [], body: 'served!' };
      const { body } = await gateway.call({ path: '/' });
      const { outcome } = gateway.facts;
      return { body, charged: gateway.engine.charged, ending: outcome?.ending, outcome };
    };
    const cut = await served({});
    expect([cut.body, cut.ending]).toEqual(['serv', 'cut']);
    const whole = await served(observed);
    expect([whole.body, whole.ending]).toEqual(['served!', 'complete']);
    expect(whole.charged).toEqual(cut.charged);
    expect(whole.outcome).toMatchObject({
      wouldRefuse: 'INSUFFICIENT_CREDITS',
      costNano: 4_000_000,
      overrunNano: 0,
    });
  });

  it('a call that nothing speaks against is counted as ever', async () => {
    const gateway = open({ api: observed, plan: { limits: [ONE_CALL] } });
    const first = await gateway.call({ path: '/' });
    expect(first.header('x-tollkeeper-would-refuse')).toBeUndefined();
    expect(Object.values(gateway.engine.charged)).toEqual([1]);
    const second = await gateway.call({ path: '/' });
    expect(second.header('x-tollkeeper-would-refuse')).toBe('FREE_TIER_EXHAUSTED');
    expect(Object.values(gateway.engine.charged)).toEqual([1]);
  });

  it.each<[string, Setting, MemoryCall, string]>([
    ['a wrong key', {}, { path: '/', key: 'nonsense' }, '401 KEY_UNKNOWN'],
    ['a permission', { key: { apis: ['other'] } }, { path: '/' }, '403 KEY_PERMISSION_DENIED'],
    ['a parameter', { routes: [{ parameters: [IN_BODY] }] }, { path: '/' }, '400 INVALID_REQUEST'],
    [
      'an unknown path',
      { routes: [{ match: exact('/a') }] },
      { path: '/b' },
      '404 ROUTE_NOT_FOUND',
    ],
  ])('%s is refused all the same', async (_what, setting, call, expected) => {
    expect(await ask(open({ ...setting, api: observed }), call)).toBe(expected);
  });

  it('the books that do not answer refuse all the same: 503', async () => {
    const gateway = open({ api: observed, plan: { limits: [ONE_CALL] } });
    gateway.engine.broken = true;
    expect(await ask(gateway, { path: '/' })).toBe('503 BILLING_UNAVAILABLE');
  });

  it('an upstream that fails fails the observed call too: never a 402', async () => {
    const gateway = open({ api: observed, tenant: OWES });
    gateway.answer = { status: 402, headers: [], body: 'pay me' };
    expect(await ask(gateway, { path: '/' })).toBe('503 UPSTREAM_PROVIDER_QUOTA_EXHAUSTED');
  });

  it.each<[string, Setting, boolean]>([
    ['the plan', { plan: { enforcement: 'observe' } }, true],
    ['the tenant', { tenant: { enforcement: 'observe' } }, true],
    [
      'the tenant against its plan',
      { plan: { enforcement: 'observe' }, tenant: { enforcement: 'enforce' } },
      false,
    ],
    ['an API, where nothing else was agreed', { api: observed }, true],
  ])('%s says so', async (_what, setting, passes) => {
    const plan = { ...setting.plan, limits: [buildLimit(0)] };
    const answer = await ask(open({ ...setting, plan }), { path: '/' });
    expect(answer).toBe(passes ? '200' : '402 FREE_TIER_EXHAUSTED');
  });
});

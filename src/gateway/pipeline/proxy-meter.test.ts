import { describe, expect, it } from 'vitest';

import { buildLimit, buildPrice } from '../../../test/support/build-catalog.ts';
import { ask, open, type Setting } from '../../../test/support/pipeline-setting.ts';
import type { Plan } from '../../domain/catalog.ts';

const BALANCE = 'bal:ten_1:USD';
const TERABYTE = 1_000_000_000_000;
/** 1 USD a megabyte. */
const PER_BYTE_PICO = 1_000_000n;

describe('a body that is said to be larger than money can count (BILL-06)', () => {
  const upload = { path: '/', method: 'PUT', contentLength: 11 * TERABYTE };

  it.each<[string, Setting]>([
    [
      'on a route priced by the byte',
      { plan: { usage: 'prepaid' }, routes: [{ price: buildPrice({ perByteIn: PER_BYTE_PICO }) }] },
    ],
    [
      'beyond an allowance of bytes that is billed, on such a route',
      {
        plan: {
          usage: 'prepaid',
          limits: [
            buildLimit(1, { unit: 'bytes', overage: { kind: 'bill', unitPico: PER_BYTE_PICO } }),
          ],
        },
        routes: [{ price: buildPrice({ perByteIn: PER_BYTE_PICO }) }],
      },
    ],
  ])('%s is a matter of money, not a fault of ours', async (_where, setting) => {
    const gateway = open(setting);
    gateway.engine.balances.set(BALANCE, 10_000_000_000);
    expect(await ask(gateway, upload)).toBe('402 INSUFFICIENT_CREDITS');
    expect(gateway.sent).toEqual([]);
    expect(gateway.facts.limits.every(({ need }) => Number.isSafeInteger(need))).toBe(true);
  });
});

describe('what a call by the byte costs at most (DISC-07)', () => {
  const perByteOut = { routes: [{ price: buildPrice({ perByteOut: 1_000n }) }] };
  const perByteIn = { routes: [{ price: buildPrice({ perByteIn: 1_000n }) }] };
  const billing = (unit: 'bytes_in' | 'bytes_out'): Partial<Plan> => ({
    limits: [buildLimit(5, { id: 'volume', unit, overage: { kind: 'bill', unitPico: 1_000n } })],
  });
  const prepaid = { usage: 'prepaid' } as const;
  const blocked = { limits: [buildLimit(10_000_000, { unit: 'bytes_out' })] };

  it.each<[string, Setting, number, string | undefined]>([
    ['bytes of the answer have a price', { ...perByteOut, plan: prepaid }, 10, undefined],
    ['bytes of a body of unknown length have one', { ...perByteIn, plan: prepaid }, -1, undefined],
    ['those of a body of known length', { ...perByteIn, plan: prepaid }, 10, '0.00000001 USD'],
    ['the plan covers them', { ...perByteOut, plan: { usage: 'included' } }, 10, '0.0000 USD'],
    ['those beyond an allowance have one', { plan: billing('bytes_out') }, 10, undefined],
    ['so has a known length beyond one', { plan: billing('bytes_in') }, 10, '0.000000005 USD'],
    ['an allowance of them is all there is', { plan: blocked }, 10, '0.0000 USD'],
  ])('where %s', async (_what, setting, contentLength, costMax) => {
    const gateway = open(setting);
    gateway.engine.balances.set(BALANCE, 10_000_000_000);
    const response = await gateway.call({
      path: '/',
      method: 'PUT',
      body: '0123456789',
      contentLength,
    });
    expect(response.status).toBe(200);
    expect(response.header('x-tollkeeper-cost-max')).toBe(costMax);
  });

  it('RFC 9110 8.6: an answer to HEAD costs nothing by the length that GET would have', async () => {
    const gateway = open({ ...perByteOut, plan: prepaid });
    gateway.engine.balances.set(BALANCE, 10_000_000_000);
    gateway.answer = { status: 200, headers: ['Content-Length', '6'], body: [] };
    const response = await gateway.call({ path: '/', method: 'HEAD' });
    expect(response.header('x-tollkeeper-cost-max')).toBe('0.0000 USD');
    expect(response.header('content-length')).toBe('6');
    expect(gateway.facts.outcome?.costNano).toBe(0);
  });

  it.each<[string, Setting, number, string | undefined]>([
    ['its bytes have a price', { ...perByteOut, plan: prepaid }, 10, '0.000000006 USD'],
    ['nobody knows how long the request is', { ...perByteOut, plan: prepaid }, -1, undefined],
    ['what is beyond an allowance is billed', { plan: billing('bytes_out') }, 10, undefined],
  ])(
    'DESIGN 12: an answer that says how long it is, where %s',
    async (_what, setting, length, costMax) => {
      const gateway = open(setting);
      gateway.engine.balances.set(BALANCE, 10_000_000_000);
      gateway.answer = { status: 200, headers: ['Content-Length', '6'], body: 'served' };
      const call = { path: '/', method: 'PUT', body: '0123456789', contentLength: length };
      const response = await gateway.call(call);
      expect(response.header('x-tollkeeper-cost-max')).toBe(costMax);
      expect(gateway.facts.outcome?.costNano).toBeLessThanOrEqual(6);
    },
  );
});

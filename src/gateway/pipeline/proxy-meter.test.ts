import { describe, expect, it } from 'vitest';

import { buildLimit, buildPrice } from '../../../test/support/build-catalog.ts';
import { ask, open, type Setting } from '../../../test/support/pipeline-setting.ts';

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

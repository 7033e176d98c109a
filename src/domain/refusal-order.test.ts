import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { buildHolder, buildLimit, buildPlan } from '../../test/support/build-catalog.ts';
import { accountsFor, ANY_CALL } from './accounts.ts';
import type { LimitWindow } from './catalog.ts';
import { inRefusalOrder, standUntil } from './refusal-order.ts';
import type { Calendar } from './window.ts';

const HOUR_MS = 3_600_000;
const UTC: Calendar = { timeZone: 'UTC', billingAnchorAt: undefined };
const ANCHORED: Calendar = { ...UTC, billingAnchorAt: Date.parse('2026-10-25') };

/** Accounts of limits with these windows, in the order they refuse in. */
function accountsAt(time: string | number, windows: readonly LimitWindow[], calendar = UTC) {
  const limits = windows.map((window) => buildLimit(1, { id: window, window }));
  const plan = buildPlan('p', { usage: 'included', limits });
  const at = new Date(time).getTime();
  return accountsFor(plan, buildHolder({ calendar }), ANY_CALL, { asset: 'USD', at });
}

const orderAt = (...of: Parameters<typeof accountsAt>) =>
  accountsAt(...of).map(({ limit }) => limit?.id);

describe('QUOTA-03: of two limits that refuse, the one that opens again last is named', () => {
  it.each<[string, readonly LimitWindow[], Calendar]>([
    ['2026-11-21T12:00:00Z', ['month', 'billing_cycle'], ANCHORED],
    ['2026-11-26T12:00:00Z', ['billing_cycle', 'month'], ANCHORED],
    ['2026-11-30T12:00:00Z', ['week', 'month'], UTC],
    ['2026-11-18T12:00:00Z', ['month', 'week'], UTC],
    ['2026-12-31T12:00:00Z', ['lifetime', 'week', 'month'], UTC],
    ['2026-11-21T22:59:00Z', ['day', 'sliding_hour', 'hour'], UTC],
    ['2026-11-21T23:01:00Z', ['sliding_hour', 'day', 'sliding_minute'], UTC],
  ])('at %s: %j', (time, order, calendar) => {
    expect(orderAt(time, order, calendar)).toEqual(order);
    expect(orderAt(time, order.toReversed(), calendar)).toEqual(order);
  });

  it('by the zone of whose limit it is', () => {
    const calendar = { ...UTC, timeZone: 'America/New_York' };
    const holder = buildHolder({
      keyLimits: [buildLimit(1, { id: 'own', scope: 'key' })],
      ancestors: [{ tenantId: 'org', limits: [buildLimit(1, { id: 'above' })], calendar }],
    });
    const terms = { asset: 'USD', at: Date.parse('2026-11-21') };
    const specs = accountsFor(buildPlan('p', { usage: 'included' }), holder, ANY_CALL, terms);
    expect(specs.map(({ limit }) => limit?.id)).toEqual(['above', 'own']);
  });

  it('two that never open again are told apart by their scope', () => {
    const of = (id: string, scope: 'key' | 'tenant') =>
      buildLimit(1, { id, scope, window: 'lifetime' });
    const plan = buildPlan('p', {
      usage: 'included',
      limits: [of('all', 'tenant'), of('k', 'key')],
    });
    const specs = accountsFor(plan, buildHolder(), ANY_CALL, { asset: 'USD', at: 0 });
    expect(specs.map(({ limit }) => limit?.id)).toEqual(['k', 'all']);
  });
});

describe('how long an order stands', () => {
  it('is until what slides may be full for longer than the day lasts, and then until its end', () => {
    const windows = ['day', 'sliding_hour'] as const;
    const midnight = Date.parse('2026-11-22');
    const noon = accountsAt(midnight - 12 * HOUR_MS, windows);
    expect(standUntil(noon, midnight - 12 * HOUR_MS)).toBe(midnight - HOUR_MS);
    const late = midnight - HOUR_MS;
    expect(standUntil(accountsAt(late, windows), late)).toBe(midnight);
    expect(standUntil(accountsAt(0, ['lifetime', 'sliding_day']), 0)).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  it('as long as it does, putting the same accounts in order again changes nothing', () => {
    const windows = ['month', 'week', 'day', 'hour', 'sliding_day', 'sliding_hour'] as const;
    const start = Date.parse('2026-11-21');
    const moments = fc.integer({ min: start, max: start + 40 * 24 * HOUR_MS });
    fc.assert(
      fc.property(moments, fc.double({ min: 0, max: 1, noNaN: true }), (at, part) => {
        const specs = accountsAt(at, windows);
        const until = standUntil(specs, at);
        expect(until).toBeGreaterThan(at);
        const later = at + Math.floor((until - 1 - at) * part);
        expect(later === at || inRefusalOrder(specs, later)).toEqual(later === at || specs);
      }),
    );
  });
});

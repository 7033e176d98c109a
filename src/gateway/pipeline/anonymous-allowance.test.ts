import { describe, expect, it } from 'vitest';

import { AT, buildCatalog, buildLimit, buildRoute } from '../../../test/support/build-catalog.ts';
import { NO_TAKE } from '../../domain/take.ts';
import { AnonymousAllowance, SUBNETS_MAX } from './anonymous-allowance.ts';
import { countedAs, needsOf } from './caller-accounts.ts';

const HOUR_END = AT + 3_600_000;
const ALLOWANCE = { requests: 100, window: 'hour' } as const;

function allowanceOf(limits = [buildLimit(9, { id: 'house', scope: 'global' })]) {
  return new AnonymousAllowance({ id: 'demo' }, ALLOWANCE, buildCatalog([], { limits }));
}

describe('AnonymousAllowance (QUOTA-15)', () => {
  it('is an account of the subnet, beside the limits of the house', () => {
    const { identity, accounts } = allowanceOf().callerFrom('203.0.113.0/24');
    expect(identity).toEqual({ kind: 'anonymous', subnet: '203.0.113.0/24' });
    const needs = needsOf(accounts.shapeAt(countedAs(buildRoute()), AT), NO_TAKE);
    expect(needs.map(({ account, amount }) => [account.id, amount])).toEqual([
      ['quo:house:house.requests:2027-01', 1],
      ['quo:anonymous/203.0.113.0/24:anonymous_demo.requests:2027-01-15T08', 1],
    ]);
    expect(needs[1]?.account).toMatchObject({ allowance: 100, windowEndsAt: HOUR_END });
  });

  it('has no balance: what a call costs beyond it nobody can be charged for', () => {
    const { accounts } = allowanceOf().callerFrom('203.0.113.0/24');
    expect(accounts.prepaid).toBe(false);
    const take = { ...NO_TAKE, nano: 1000 };
    const needs = needsOf(accounts.shapeAt(countedAs(buildRoute()), AT), take);
    const units = needs.map(({ account }) => account.unit);
    expect(units).toEqual(['requests', 'requests']);
  });

  it('remembers a bounded number of subnets', () => {
    const allowance = allowanceOf([]);
    const first = allowance.callerFrom('0');
    expect(allowance.callerFrom('0')).toBe(first);
    for (let subnet = 1; subnet <= SUBNETS_MAX; subnet += 1) allowance.callerFrom(String(subnet));
    expect(allowance.callerFrom('0')).not.toBe(first);
    expect(allowance.callerFrom(String(SUBNETS_MAX)).identity).toMatchObject({
      subnet: String(SUBNETS_MAX),
    });
  });
});

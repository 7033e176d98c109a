import { describe, expect, it } from 'vitest';

import { AddressLimiter, CALLERS_MAX } from './address-limiter.ts';

const TEN_A_SECOND = { count: 10, periodMs: 1000, burst: 4, loopback: false };

function callsServed(limiter: AddressLimiter, address: string, atMs: readonly number[]): number {
  return atMs.filter((ms) => limiter.take(address, ms) === 0).length;
}

describe('AddressLimiter', () => {
  it('lets a burst through and then the sustained rate', () => {
    const limiter = new AddressLimiter(TEN_A_SECOND, 1);
    expect(callsServed(limiter, '203.0.113.7', Array<number>(9).fill(0))).toBe(4);
    const everyTenMs = Array.from({ length: 100 }, (_, index) => 10 + index * 10);
    expect(callsServed(limiter, '203.0.113.7', everyTenMs)).toBe(10);
  });

  it('says when to come again, and who waits so long is served', () => {
    const limiter = new AddressLimiter({ ...TEN_A_SECOND, burst: 1 }, 1);
    expect(limiter.take('203.0.113.7', 1000)).toBe(0);
    const waitMs = limiter.take('203.0.113.7', 1030);
    expect(waitMs).toBe(70);
    expect(limiter.take('203.0.113.7', 1030 + waitMs)).toBe(0);
  });

  it('each of several workers has its part', () => {
    const limiter = new AddressLimiter(TEN_A_SECOND, 2);
    const everyTenMs = Array.from({ length: 200 }, (_, index) => index * 10);
    expect(callsServed(limiter, '203.0.113.7', everyTenMs)).toBe(2 - 1 + 10);
  });

  it('a part of less than one call at once still is one', () => {
    const limiter = new AddressLimiter({ ...TEN_A_SECOND, burst: 1 }, 4);
    expect(limiter.take('203.0.113.7', 0)).toBe(0);
    expect(limiter.take('203.0.113.7', 0)).toBe(400);
  });

  it('addresses do not share, those of one IPv6 /64 do', () => {
    const limiter = new AddressLimiter({ ...TEN_A_SECOND, burst: 1 }, 1);
    expect(limiter.take('203.0.113.7', 0)).toBe(0);
    expect(limiter.take('203.0.113.8', 0)).toBe(0);
    expect(limiter.take('2001:db8::1', 0)).toBe(0);
    expect(limiter.take('2001:db8:0:0:9::1', 0)).toBeGreaterThan(0);
    expect(limiter.take('2001:db8:0:1::1', 0)).toBe(0);
  });

  it.each([
    [false, 0],
    [true, 100],
  ])('callers on this machine: limited %s', (loopback, waitMs) => {
    const limiter = new AddressLimiter({ ...TEN_A_SECOND, burst: 1, loopback }, 1);
    for (const address of ['127.0.0.1', '::1']) {
      limiter.take(address, 0);
      expect(limiter.take(address, 0)).toBe(waitMs);
    }
  });

  it('remembers no more than so many callers, and forgets who was not seen for longest', () => {
    const limiter = new AddressLimiter({ ...TEN_A_SECOND, burst: 1, periodMs: 1e9 }, 1);
    const address = (index: number): string =>
      `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    for (let index = 0; index < CALLERS_MAX; index += 1) limiter.take(address(index), 0);
    expect(limiter.take(address(0), 0)).toBeGreaterThan(0);
    limiter.take('192.0.2.1', 0);
    expect(limiter.take(address(1), 0)).toBeGreaterThan(0);
    expect(limiter.take(address(0), 0)).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';

import { compileAddressSet } from './address-set.ts';
import { findClientAddress, isLoopback } from './client-address.ts';

const PROXIES = compileAddressSet(['10.0.0.0/8', '::1']);

function addressOf(remoteAddress: string, ...forwarded: readonly string[]): string {
  const headers = forwarded.flatMap((value) => ['X-Forwarded-For', value]);
  return findClientAddress({ remoteAddress, headers }, PROXIES);
}

describe('findClientAddress', () => {
  it.each([
    ['a stranger is who it is, whatever it claims', '203.0.113.7', ['1.1.1.1'], '203.0.113.7'],
    ['a trusted proxy says for whom', '10.0.0.1', ['203.0.113.7'], '203.0.113.7'],
    ['a proxy that says nothing calls itself', '10.0.0.1', [], '10.0.0.1'],
    [
      'what the caller wrote before is not believed',
      '10.0.0.1',
      ['1.1.1.1, 203.0.113.7'],
      '203.0.113.7',
    ],
    ['proxies in a row', '10.0.0.1', ['203.0.113.7, 10.2.2.2, 10.3.3.3'], '203.0.113.7'],
    ['several headers are one list', '10.0.0.1', ['203.0.113.7', '10.2.2.2'], '203.0.113.7'],
    ['nothing but proxies: the first of them', '10.0.0.1', ['10.2.2.2, 10.3.3.3'], '10.2.2.2'],
    [
      'a hop that is no address ends the walk',
      '10.0.0.1',
      ['203.0.113.7, unknown, 10.2.2.2'],
      '10.2.2.2',
    ],
    [
      'of a header as long as any',
      '10.0.0.1',
      [`${','.repeat(999_999)}203.0.113.7`],
      '203.0.113.7',
    ],
    ['with a port', '10.0.0.1', ['203.0.113.7:4711'], '203.0.113.7'],
    ['IPv6', '::1', ['2001:db8::1'], '2001:db8::1'],
    ['IPv6 in brackets, with a port', '::1', ['[2001:db8::1]:4711'], '2001:db8::1'],
    ['an IPv4 peer of a dual-stack socket', '::ffff:203.0.113.7', [], '203.0.113.7'],
    ['a trusted one', '::ffff:10.0.0.1', ['203.0.113.9'], '203.0.113.9'],
  ])('%s', (_what, remoteAddress, forwarded, expected) => {
    expect(addressOf(remoteAddress, ...forwarded)).toBe(expected);
  });
});

it.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['128.0.0.1', false],
  ['2001:db8::1', false],
])('isLoopback %s: %s', (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});

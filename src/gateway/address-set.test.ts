import { describe, expect, it } from 'vitest';

import { compileAddressSet } from './address-set.ts';

describe('address sets (server.trusted_proxies, KEY-02, GW-14)', () => {
  it('an empty one holds nobody, not even loopback', () => {
    expect(compileAddressSet([])('127.0.0.1')).toBe(false);
  });

  it.each([
    ['10.0.0.1', true],
    ['10.0.0.2', false],
    ['192.168.77.1', true],
    ['fd00::1', true],
    ['fe80::1', false],
    ['::ffff:10.0.0.1', true],
    ['', false],
    ['unix', false],
  ])('%s -> %s', (address, expected) => {
    expect(compileAddressSet(['10.0.0.1', '192.168.0.0/16', 'fd00::/8'])(address)).toBe(expected);
  });

  it.each(['10.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/x', 'proxy.example', '::/129'])(
    'refuses %s by name',
    (range) => {
      expect(() => compileAddressSet([range])).toThrow(
        `\`${range}\` is neither an address nor a network`,
      );
    },
  );
});

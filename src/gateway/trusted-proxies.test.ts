import { describe, expect, it } from 'vitest';

import { compileTrustedProxies, findClientAddress } from './trusted-proxies.ts';

describe('trusted proxies (server.trusted_proxies)', () => {
  it('trusts nobody by default, not even loopback', () => {
    expect(compileTrustedProxies([])('127.0.0.1')).toBe(false);
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
    expect(compileTrustedProxies(['10.0.0.1', '192.168.0.0/16', 'fd00::/8'])(address)).toBe(
      expected,
    );
  });

  it.each(['10.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/x', 'proxy.example', '::/129'])(
    'refuses %s by name',
    (range) => {
      expect(() => compileTrustedProxies([range])).toThrow(
        `\`${range}\` is neither an address nor a network`,
      );
    },
  );
});

describe('the caller`s address', () => {
  const trusts = compileTrustedProxies(['10.0.0.0/8']);
  it.each([
    [
      'from a stranger is the connection`s, whatever it claims',
      '1.2.3.4',
      '203.0.113.5',
      '203.0.113.5',
    ],
    [
      'is the last one no trusted proxy has',
      '6.6.6.6, 203.0.113.5, 10.0.0.2',
      '10.0.0.1',
      '203.0.113.5',
    ],
    ['is the first of all when all are trusted', '10.0.0.3, 10.0.0.2', '10.0.0.1', '10.0.0.3'],
    ['is the connection`s when the header is rubbish', 'unknown', '10.0.0.1', '10.0.0.1'],
    ['is the connection`s without the header', undefined, '10.0.0.1', '10.0.0.1'],
  ])('%s', (_name, forwardedFor, remoteAddress, expected) => {
    expect(findClientAddress(forwardedFor, remoteAddress, trusts)).toBe(expected);
  });
});

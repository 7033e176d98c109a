import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { callerBlock, subnetOf } from './subnet.ts';

describe('subnetOf (QUOTA-16)', () => {
  it.each([
    ['203.0.113.7', '203.0.113.0/24'],
    ['2001:db8:0:1:ffff::9', '2001:db8:0:1::/64'],
    ['2001:0DB8:0000:0001::9', '2001:db8:0:1::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['unix', 'unix'],
  ])('%s belongs to %s', (address, subnet) => {
    expect(subnetOf(address)).toBe(subnet);
  });

  it('whatever stands in the last half of an IPv6 address changes nothing', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        expect(subnetOf(address)).toBe(subnetOf(`${subnetOf(address).replace('::/64', '')}::1`));
      }),
    );
  });
});

describe('callerBlock (DESIGN 10)', () => {
  it('is the address in IPv4 and the /64 in IPv6', () => {
    expect(callerBlock('203.0.113.7')).toBe('203.0.113.7');
    expect(callerBlock('2001:db8::9')).toBe(callerBlock('2001:db8:0:0:1:2:3:4'));
    expect(callerBlock('2001:db8::9')).not.toBe(callerBlock('2001:db8:0:1::9'));
  });
});

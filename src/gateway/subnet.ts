import { isIP } from 'node:net';

const IPV6_GROUPS = 8;
/** A site has a /64 of its own: its addresses are one caller. */
const IPV6_SITE_GROUPS = 4;

/** What counts as one caller: an IPv4 address, an IPv6 /64 (DESIGN 10). */
export function callerBlock(address: string): string {
  return isIP(address) === 6 ? siteOf(address) : address;
}

/** What a free allowance is shared by: an IPv4 /24, an IPv6 /64 (QUOTA-16). Text that is no address is its own. */
export function subnetOf(address: string): string {
  const family = isIP(address);
  if (family === 6) return siteOf(address);
  if (family !== 4) return address;
  return `${address.slice(0, address.lastIndexOf('.'))}.0/24`;
}

/** `2001:db8:0:1::/64`, in one spelling however the address was written. */
function siteOf(address: string): string {
  const [bare = ''] = address.split('%');
  const [head = '', tail] = bare.toLowerCase().split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Math.max(0, IPV6_GROUPS - before.length - after.length);
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after];
  const site = groups.slice(0, IPV6_SITE_GROUPS).map(trimZeros);
  return `${site.join(':')}::/64`;
}

/** An IPv4 tail (`::1.2.3.4`) is two groups, and never among the first four. */
function groupsOf(text: string): string[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}

function trimZeros(group: string): string {
  return group.replace(/^0+(?=.)/, '');
}

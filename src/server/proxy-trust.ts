import { BlockList, isIPv6 } from 'node:net';

/** Whether forwarded addresses of this peer are believed (DESIGN 10): nobody's, unless configured. */
export function createProxyTrust(trusted: readonly string[]): (remoteAddress: string) => boolean {
  if (trusted.length === 0) return () => false;
  const list = new BlockList();
  for (const entry of trusted) {
    const [address = '', prefix] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (remoteAddress) => list.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4');
}

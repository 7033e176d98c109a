import { BlockList, isIP } from 'node:net';

/** Whether the peer at an address may say for whom it forwards (server.trusted_proxies, default nobody). */
export type TrustedProxies = (remoteAddress: string) => boolean;

/**
 * @param ranges addresses (`10.0.0.1`, `::1`) and networks (`10.0.0.0/8`, `fd00::/8`).
 * @throws RangeError naming the entry that is neither.
 */
export function compileTrustedProxies(ranges: readonly string[]): TrustedProxies {
  if (ranges.length === 0) return () => false;
  const list = new BlockList();
  for (const range of ranges) addRange(list, range);
  return (remoteAddress) => {
    const family = isIP(remoteAddress);
    return family !== 0 && list.check(remoteAddress, family === 4 ? 'ipv4' : 'ipv6');
  };
}

function addRange(list: BlockList, range: string): void {
  const [address = '', bits] = range.split('/');
  const family = isIP(address);
  const bitsMax = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? bitsMax : Number(bits);
  if (family === 0 || bits === '' || !Number.isInteger(prefix) || prefix < 0 || prefix > bitsMax) {
    throw new RangeError(
      `\`${range}\` is neither an address nor a network: write 10.0.0.1 or 10.0.0.0/8`,
    );
  }
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
}

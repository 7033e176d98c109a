import { BlockList, isIP } from 'node:net';

/** Whether an address is one of a set. Text that is no address is in none. */
export type AddressSet = (address: string) => boolean;

/**
 * @param ranges addresses (`10.0.0.1`, `::1`) and networks (`10.0.0.0/8`, `fd00::/8`). An IPv4 range holds the
 * same addresses in their IPv6 spelling (`::ffff:10.0.0.1`).
 * @throws RangeError naming the entry that is neither.
 */
export function compileAddressSet(ranges: readonly string[]): AddressSet {
  if (ranges.length === 0) return () => false;
  const list = new BlockList();
  for (const range of ranges) addRange(list, range);
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
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

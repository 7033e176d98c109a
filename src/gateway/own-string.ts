/**
 * The same text in memory of its own. The parts of a head that a transport hands over may share the memory of the whole
 * head, up to `server.header_max`: what is remembered beyond its request is copied, or each entry of a cache would keep
 * a head.
 *
 * @param text of characters up to U+00FF, as headers are.
 */
export function ownString(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

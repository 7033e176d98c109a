const CR = 0x0d;
const LF = 0x0a;

/** Ends the head of a message. */
export const HEAD_END = Buffer.from('\r\n\r\n');

/** What is wrong with line ends, from `from` on; undefined when nothing is. */
export function explainLineFeeds(bytes: Buffer, from: number): string | undefined {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at - 1] !== CR) return 'Invalid header: Missing expected CR before a line feed';
  }
  return undefined;
}

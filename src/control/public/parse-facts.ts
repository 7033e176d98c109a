import type { Facts } from '../../domain/facts.ts';

/** The log row's `facts`: JSON that the gateway itself wrote from a Facts (members that were undefined are absent). */
export function parseFacts(text: string): Facts {
  const facts = JSON.parse(text) as Facts | null;
  if (typeof facts !== 'object' || facts === null || typeof facts.requestId !== 'string') {
    throw new TypeError('a row of the request log holds no facts');
  }
  return facts;
}

import type { Books } from './books.ts';
import type { ServedRecord } from './served-record.ts';
import type { Client } from './traffic.ts';

/**
 * The served record against the books, client by client, so that what one was not charged cannot hide behind what
 * another was charged twice. Of a call that its caller left, anything from what was seen to what the upstream sent
 * may be charged.
 */
export interface Comparison {
  readonly servedAnswers: number;
  readonly servedUnits: number;
  readonly chargedAnswers: number;
  readonly chargedUnits: number;
  readonly unchargedAnswers: number;
  readonly unchargedUnits: number;
  readonly unservedAnswers: number;
  readonly unservedUnits: number;
}

interface Range {
  readonly answers: number;
  readonly answersMost: number;
  readonly units: number;
  readonly unitsMost: number;
}

export function compare(
  clients: readonly Client[],
  books: Books,
  sentFor: (callId: string) => number,
): Comparison {
  const sum = {
    servedAnswers: 0,
    servedUnits: 0,
    chargedAnswers: 0,
    chargedUnits: 0,
    unchargedAnswers: 0,
    unchargedUnits: 0,
    unservedAnswers: 0,
    unservedUnits: 0,
  };
  for (const { id, record } of clients) {
    const served = rangeOf(record, sentFor);
    const charged = books.keys.get(id) ?? { answers: 0, units: 0 };
    sum.servedAnswers += served.answers;
    sum.servedUnits += served.units;
    sum.chargedAnswers += charged.answers;
    sum.chargedUnits += charged.units;
    sum.unchargedAnswers += Math.max(0, served.answers - charged.answers);
    sum.unchargedUnits += Math.max(0, served.units - charged.units);
    sum.unservedAnswers += Math.max(0, charged.answers - served.answersMost);
    sum.unservedUnits += Math.max(0, charged.units - served.unitsMost);
  }
  return sum;
}

function rangeOf(record: ServedRecord, sentFor: (callId: string) => number): Range {
  let { answers: answersMost, units: unitsMost } = record;
  for (const { id, seen } of record.left) {
    const sent = id === undefined ? seen : Math.max(seen, sentFor(id));
    unitsMost += sent - seen;
    if (seen === 0 && sent > 0) answersMost += 1;
  }
  return { answers: record.answers, answersMost, units: record.units, unitsMost };
}

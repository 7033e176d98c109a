import { unpackForm1 } from './facts-record-form1.ts';
import { readFacts } from './facts-record-reader.ts';
import { type FactsSink, writeFacts } from './facts-record-writer.ts';
import type { Facts } from './facts.ts';

/** First element of every record, so that an earlier or later form can be told apart. */
const FORM = 2;

/** Facts as one line of JSON without names: what a row of the request log says. `unpackFacts` gives them back. */
export function packFacts(facts: Facts): string {
  const values = new JsonValues();
  writeFacts(facts, values);
  return joinRecord(facts.requestId, facts.at, values.texts);
}

/** `values`: JSON texts of what `writeFacts` wrote. */
export function joinRecord(requestId: string, at: number, values: readonly string[]): string {
  return `[${FORM},"${requestId}",${at},${values.join(',')}]`;
}

/** The facts of a row; undefined when the text is no record of a form that is known. */
export function unpackFacts(text: string): Facts | undefined {
  const record = parseRecord(text);
  if (record?.[0] === FORM) return readFacts(record);
  return record?.[0] === 1 ? unpackForm1(record) : undefined;
}

function parseRecord(text: string): readonly unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

class JsonValues implements FactsSink {
  readonly texts: string[] = [];

  number(value: number): void {
    this.texts.push(JSON.stringify(value));
  }

  text(value: string | undefined): void {
    this.texts.push(value === undefined ? 'null' : JSON.stringify(value));
  }

  json(text: string): void {
    this.texts.push(text);
  }
}

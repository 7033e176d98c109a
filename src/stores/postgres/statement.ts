import { sha256Hex } from '../../platform/sha256.ts';
import { assertScalar, type SqlScalar } from '../sql-scalar.ts';

/** Everything that may reach the driver; a list is an array of the server. */
export type SqlValue = SqlScalar | readonly (null | number | string)[];

const NAME_LENGTH = 24;

/**
 * Constant text that a connection prepares once, under a name made of the text. `Row` names the columns it reads:
 * int8 is a safe integer, and a sum (numeric) is a text.
 */
export class Statement<Row> {
  readonly name: string;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
    this.name = `tollkeeper_${sha256Hex(text).slice(0, NAME_LENGTH)}`;
  }

  /** What the driver made of the rows of this statement. */
  rows(found: readonly unknown[]): readonly Row[] {
    return found as readonly Row[];
  }
}

/** The driver would turn an object into JSON, a date into local time and NaN into a text. */
export function assertBindable(values: readonly unknown[]): void {
  for (const value of values) {
    if (Array.isArray(value)) assertBindable(value);
    else assertScalar(value);
  }
}

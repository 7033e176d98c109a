import { type FactsSink, writeFacts } from '../domain/facts-record-writer.ts';
import type { Facts } from '../domain/facts.ts';
import {
  BATCH_BYTES_MAX,
  BATCH_FORM,
  FACTS_AS_TEXT,
  FACTS_AS_VALUES,
  HEAD,
  ID_BYTES,
  LENGTH_BYTES,
  readIdTime,
  writeId,
  writeLength,
} from './request-rows-layout.ts';
import type { RequestRow } from './store.ts';

/** UTF-8 needs at most this for one UTF-16 unit. */
const BYTES_PER_UNIT = 3;
/** Behind what a batch may hold: whether a row fits is seen when it is written. What does not even fit here is not kept. */
const SLACK_BYTES = 16 * 1024;
const SMALL_MAX = 2 ** 30;
const LOW_SIZE = 2 ** 28;

type Caller = Pick<RequestRow, 'tenantId'> & { readonly keyId: string };
type Ending = Pick<RequestRow, 'status' | 'code' | 'wouldRefuse'>;
const NOBODY: Caller = { tenantId: '', keyId: '' };
const UNFINISHED: Ending = { status: 0, code: '' };

/**
 * Rows of the request log on their way to the store, and as it keeps them (`request-rows-layout.ts`): bytes, because
 * rows as objects would live just long enough to be promoted, and collecting them costs more than all else about the
 * log. A text that comes again is written once a batch; what is known of the texts dies with the batch.
 */
export class RequestBatch implements FactsSink {
  readonly #rows = Buffer.allocUnsafe(BATCH_BYTES_MAX + SLACK_BYTES);
  readonly #texts = Buffer.allocUnsafe(BATCH_BYTES_MAX);
  /** Values that stand for texts, by what is said and by the JSON that says it. */
  readonly #byText = new Map<string, number>();
  readonly #byJson = new Map<string, number>();
  #used = 0;
  #textBytes = 0;
  #textCount = 0;
  #rowCount = 0;
  #refused = 0;
  #observed = 0;
  #leastId = '';
  #greatestId = '';
  /** A row did not fit, and with it texts that are known by now: nothing more is taken before `take`. */
  #full = false;
  /** As it was before the row that is being written. */
  #usedBefore = 0;
  #textBytesBefore = 0;
  #textCountBefore = 0;

  get rowCount(): number {
    return this.#rowCount;
  }

  /** False when it does not fit: `take` what there is and add it again. Too long for any batch, it is never taken. */
  add(facts: Facts): boolean {
    const { identity } = facts;
    const ending = facts.outcome ?? UNFINISHED;
    this.#beginRow(facts.requestId, facts.at, FACTS_AS_VALUES);
    this.#writeColumns(identity.kind === 'key' ? identity : NOBODY, ending);
    writeFacts(facts, this);
    return this.#endRow(facts.requestId, ending);
  }

  /** The same for a row with whatever text as its facts. `keyId`: empty = none. */
  addRow(row: RequestRow, keyId: string): boolean {
    this.#beginRow(row.requestId, row.at, FACTS_AS_TEXT);
    this.#writeColumns({ tenantId: row.tenantId, keyId }, row);
    this.text(row.facts);
    return this.#endRow(row.requestId, row);
  }

  /** The batch in an array of its own; the next row begins another one. Undefined = there are no rows. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#rowCount === 0) return undefined;
    const bytes = new Uint8Array(HEAD.end + this.#textBytes + this.#used);
    const head = new DataView(bytes.buffer);
    head.setUint8(HEAD.form, BATCH_FORM);
    head.setUint32(HEAD.rows, this.#rowCount);
    head.setUint32(HEAD.refused, this.#refused);
    head.setUint32(HEAD.observed, this.#observed);
    head.setUint32(HEAD.texts, this.#textCount);
    head.setUint32(HEAD.textBytes, this.#textBytes);
    writeId(this.#leastId, bytes, HEAD.leastId);
    writeId(this.#greatestId, bytes, HEAD.greatestId);
    bytes.set(this.#texts.subarray(0, this.#textBytes), HEAD.end);
    bytes.set(this.#rows.subarray(0, this.#used), HEAD.end + this.#textBytes);
    this.#clear();
    return bytes;
  }

  number(value: number): void {
    if ((value | 0) === value && value >= 0 && value < SMALL_MAX) this.#writeValue(value << 1);
    else if (Number.isSafeInteger(value) && value >= 0) this.#writeLarge(2 * value);
    else this.json(JSON.stringify(value));
  }

  text(value: string | undefined): void {
    if (value === undefined) {
      this.#writeValue(1);
      return;
    }
    let known = this.#byText.get(value);
    if (known === undefined) {
      known = this.#addText(JSON.stringify(value));
      this.#byText.set(value, known);
    }
    this.#writeValue(known);
  }

  /** No text in quotes: those are `text`, so that one value stands for each and a search compares values. */
  json(text: string): void {
    let known = this.#byJson.get(text);
    if (known === undefined) {
      known = this.#addText(text);
      this.#byJson.set(text, known);
    }
    this.#writeValue(known);
  }

  /** The value that stands for it. */
  #addText(json: string): number {
    const start = this.#textBytes + LENGTH_BYTES;
    if (start + json.length * BYTES_PER_UNIT > BATCH_BYTES_MAX) {
      this.#full = true;
      return 1;
    }
    const length = this.#texts.write(json, start);
    writeLength(length, this.#texts, this.#textBytes);
    this.#textBytes = start + length;
    this.#textCount += 1;
    return (this.#textCount << 1) | 1;
  }

  #beginRow(requestId: string, at: number, kind: number): void {
    this.#usedBefore = this.#used;
    this.#textBytesBefore = this.#textBytes;
    this.#textCountBefore = this.#textCount;
    const id = this.#used + LENGTH_BYTES;
    writeId(requestId, this.#rows, id);
    this.#rows[id + ID_BYTES] = kind;
    this.#used = id + ID_BYTES + 1;
    this.number(at - readIdTime(this.#rows, id));
  }

  #writeColumns(caller: Caller, ending: Ending): void {
    this.text(caller.tenantId);
    this.text(caller.keyId);
    this.number(ending.status);
    this.text(ending.code);
    this.text(ending.wouldRefuse);
  }

  #endRow(requestId: string, { code, wouldRefuse }: Ending): boolean {
    if (this.#full || HEAD.end + this.#textBytes + this.#used > BATCH_BYTES_MAX) {
      this.#dropRow();
      return false;
    }
    const length = this.#used - this.#usedBefore - LENGTH_BYTES;
    writeLength(length, this.#rows, this.#usedBefore);
    if (this.#rowCount === 0 || requestId < this.#leastId) this.#leastId = requestId;
    if (requestId > this.#greatestId) this.#greatestId = requestId;
    this.#rowCount += 1;
    if (code !== '') this.#refused += 1;
    if (wouldRefuse !== undefined) this.#observed += 1;
    return true;
  }

  #dropRow(): void {
    this.#used = this.#usedBefore;
    this.#textBytes = this.#textBytesBefore;
    this.#textCount = this.#textCountBefore;
    this.#full = true;
    if (this.#rowCount === 0) this.#clear();
  }

  #clear(): void {
    this.#byText.clear();
    this.#byJson.clear();
    this.#used = 0;
    this.#textBytes = 0;
    this.#textCount = 0;
    this.#rowCount = 0;
    this.#refused = 0;
    this.#observed = 0;
    this.#leastId = '';
    this.#greatestId = '';
    this.#full = false;
  }

  /** `value`: of 31 bits at most. */
  #writeValue(value: number): void {
    const rows = this.#rows;
    let at = this.#used;
    let rest = value;
    while (rest > 127) {
      rows[at] = (rest & 127) | 128;
      rest >>>= 7;
      at += 1;
    }
    rows[at] = rest;
    this.#used = at + 1;
  }

  /** The low 28 bits as four digits, then the rest, which is a small number. */
  #writeLarge(value: number): void {
    const rows = this.#rows;
    const at = this.#used;
    const high = Math.floor(value / LOW_SIZE);
    const low = value - high * LOW_SIZE;
    rows[at] = (low & 127) | 128;
    rows[at + 1] = ((low >>> 7) & 127) | 128;
    rows[at + 2] = ((low >>> 14) & 127) | 128;
    rows[at + 3] = (low >>> 21) | 128;
    this.#used = at + 4;
    this.#writeValue(high);
  }
}

import { joinRecord } from '../domain/facts-record.ts';
import {
  BATCH_FORM,
  FACTS_AS_TEXT,
  HEAD,
  ID_BYTES,
  LENGTH_BYTES,
  readId,
  readIdTime,
  readLength,
} from './request-rows-layout.ts';
import { StoreError } from './store-error.ts';
import type { RequestRow } from './store.ts';

/** What a store keeps beside a batch, so that it need not read it to know whether it has to. */
export interface BatchHead {
  readonly rows: number;
  /** Rows with a code, and with one they would have been refused with. */
  readonly refused: number;
  readonly observed: number;
  readonly leastId: string;
  readonly greatestId: string;
}

/** Which rows: ids from `least` on and below `before`, and of those what is named. Empty = whatever. */
export interface RowFilter {
  readonly least: string;
  readonly before: string;
  readonly tenantId: string;
  readonly keyId: string;
  readonly codes: readonly string[] | undefined;
  /** Only rows that would have been refused; `codes` are then those. */
  readonly observed: boolean;
}

/** A row that is not read yet. */
export interface FoundRow {
  readonly requestId: string;
  readonly batch: BatchRows;
  readonly at: number;
}

/** Throws StoreError `invalid_argument` for bytes that are no batch. */
export function readHead(bytes: Uint8Array): BatchHead {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (source.length < HEAD.end || source[HEAD.form] !== BATCH_FORM) {
    throw new StoreError('invalid_argument', `${source.length} bytes are no batch of log rows`);
  }
  return {
    rows: source.readUInt32BE(HEAD.rows),
    refused: source.readUInt32BE(HEAD.refused),
    observed: source.readUInt32BE(HEAD.observed),
    leastId: readId(source, HEAD.leastId),
    greatestId: readId(source, HEAD.greatestId),
  };
}

/** The rows of a batch, read one by one: in the order their requests ended. */
export class BatchRows {
  /** Of the batches that were written, the how manieth. */
  readonly seq: number;
  readonly #source: Buffer;
  readonly #texts: readonly string[];
  readonly #start: number;
  /** Where the next value stands. */
  #at = 0;

  constructor(bytes: Uint8Array, seq = 0) {
    readHead(bytes);
    this.seq = seq;
    this.#source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#texts = readTexts(this.#source);
    this.#start = HEAD.end + this.#source.readUInt32BE(HEAD.textBytes);
  }

  find(requestId: string): RequestRow | undefined {
    const id = Buffer.from(requestId.slice('req_'.length), 'hex');
    for (let at = this.#start; at < this.#source.length; at = this.#after(at)) {
      const start = at + LENGTH_BYTES;
      if (this.#source.compare(id, 0, ID_BYTES, start, start + ID_BYTES) === 0)
        return this.read(at);
    }
    return undefined;
  }

  all(): RequestRow[] {
    const rows: RequestRow[] = [];
    for (let at = this.#start; at < this.#source.length; at = this.#after(at)) {
      rows.push(this.read(at));
    }
    return rows;
  }

  select(filter: RowFilter): FoundRow[] {
    const found: FoundRow[] = [];
    const wanted = this.#wantedValues(filter);
    if (wanted === undefined) return found;
    for (let at = this.#start; at < this.#source.length; at = this.#after(at)) {
      if (!this.#matches(at, wanted)) continue;
      const requestId = readId(this.#source, at + LENGTH_BYTES);
      if (requestId >= filter.least && requestId < filter.before) {
        found.push({ requestId, batch: this, at });
      }
    }
    return found;
  }

  /** The row at a place of this batch. */
  read(at: number): RequestRow {
    const id = at + LENGTH_BYTES;
    const end = this.#after(at);
    this.#at = id + ID_BYTES + 1;
    const requestId = readId(this.#source, id);
    const time = readIdTime(this.#source, id) + (JSON.parse(this.#nextJson()) as number);
    const tenantId = this.#nextText();
    this.#nextJson();
    const status = JSON.parse(this.#nextJson()) as number;
    const code = this.#nextText();
    const wouldRefuse = JSON.parse(this.#nextJson()) as string | null;
    const values: string[] = [];
    while (this.#at < end) values.push(this.#nextJson());
    const facts =
      this.#source[id + ID_BYTES] === FACTS_AS_TEXT
        ? (JSON.parse(values[0] ?? '""') as string)
        : joinRecord(requestId, time, values);
    const row = { requestId, at: time, tenantId, status, code, facts };
    return wouldRefuse === null ? row : { ...row, wouldRefuse };
  }

  #after(at: number): number {
    return at + LENGTH_BYTES + readLength(this.#source, at);
  }

  /** Columns are compared as the values that stand for them. Undefined = no row of this batch can match. */
  #wantedValues({ tenantId, keyId, codes, observed }: RowFilter): Wanted | undefined {
    const tenant = tenantId === '' ? undefined : this.#valueOf(tenantId);
    const key = keyId === '' ? undefined : this.#valueOf(keyId);
    const wantedCodes = codes && new Set(codes.map((code) => this.#valueOf(code)));
    wantedCodes?.delete(UNKNOWN);
    if (tenant === UNKNOWN || key === UNKNOWN || wantedCodes?.size === 0) return undefined;
    return { tenant, key, codes: wantedCodes, observed };
  }

  #matches(at: number, wanted: Wanted): boolean {
    this.#at = at + LENGTH_BYTES + ID_BYTES + 1;
    this.#nextValue();
    const tenant = this.#nextValue();
    const key = this.#nextValue();
    this.#nextValue();
    const code = this.#nextValue();
    const wouldRefuse = this.#nextValue();
    if (wanted.tenant !== undefined && tenant !== wanted.tenant) return false;
    if (wanted.key !== undefined && key !== wanted.key) return false;
    if (wanted.observed && wouldRefuse === NULL) return false;
    return wanted.codes?.has(wanted.observed ? wouldRefuse : code) ?? true;
  }

  /** The value that stands for a text. */
  #valueOf(text: string): number {
    const index = this.#texts.indexOf(JSON.stringify(text));
    return index < 0 ? UNKNOWN : 2 * (index + 1) + 1;
  }

  #nextText(): string {
    return JSON.parse(this.#nextJson()) as string;
  }

  #nextJson(): string {
    const value = this.#nextValue();
    if (value % 2 === 0) return `${value / 2}`;
    return value === NULL ? 'null' : (this.#texts[(value - 1) / 2 - 1] ?? 'null');
  }

  #nextValue(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const digit = this.#source[this.#at] ?? 0;
      this.#at += 1;
      value += (digit & 127) * scale;
      if (digit < 128) return value;
      scale *= 128;
    }
  }
}

interface Wanted {
  readonly tenant: number | undefined;
  readonly key: number | undefined;
  readonly codes: ReadonlySet<number> | undefined;
  readonly observed: boolean;
}

const NULL = 1;
/** No value is this. */
const UNKNOWN = -1;

function readTexts(source: Buffer): string[] {
  const texts: string[] = [];
  let at: number = HEAD.end;
  for (let left = source.readUInt32BE(HEAD.texts); left > 0; left -= 1) {
    const start = at + LENGTH_BYTES;
    at = start + readLength(source, at);
    texts.push(source.toString('utf8', start, at));
  }
  return texts;
}

import { closeSync, fdatasync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';

import { crc32 } from './crc32.ts';

/** Frame: u32 length of the payload, u32 CRC-32 of the payload, payload. Little endian. */
const FRAME_HEADER_BYTES = 8;
const PAYLOAD_BYTES_MAX = 65_536;

/** Where a record is put together. Numbers are written by the view: a method of Buffer takes twenty times as long. */
export interface Frame {
  readonly bytes: Buffer;
  /** Of the same bytes. */
  readonly view: DataView;
}

/** An append-only file of checksummed records. One writer; what is torn or damaged is recognised by its checksum. */
export class RecordLog {
  readonly #descriptor: number;
  readonly #frame = createFrame();
  #bytes = 0;
  #syncs = 0;
  #closing = false;
  /** The file ends in a part of a record that could not be taken back. */
  #torn = false;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'ax', 0o600);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Appends one record with a single write. `fill` writes the payload at `offset` and returns its length, not 0. Throws on I/O
   * errors, as on a full disk; what was written of the record is taken back, so that later ones can be read.
   */
  append(fill: (frame: Frame, offset: number) => number): void {
    const { bytes, view } = this.#frame;
    const length = fill(this.#frame, FRAME_HEADER_BYTES);
    const total = FRAME_HEADER_BYTES + length;
    view.setUint32(0, length, true);
    view.setUint32(4, crc32(bytes, FRAME_HEADER_BYTES, total), true);
    this.#mend();
    this.#torn = true;
    try {
      if (writeSync(this.#descriptor, bytes, 0, total) !== total)
        throw new Error('short write to the journal');
    } catch (error) {
      this.#mend();
      throw error;
    }
    this.#torn = false;
    this.#bytes += total;
  }

  /**
   * Resolves once every record appended before this call is on disk; the event loop goes on meanwhile. Rejects when the
   * disk does not take them: what a later call says proves nothing about these.
   */
  sync(): Promise<void> {
    this.#syncs += 1;
    return new Promise((resolve, reject) => {
      fdatasync(this.#descriptor, (error) => {
        this.#syncs -= 1;
        if (this.#closing && this.#syncs === 0) closeSync(this.#descriptor);
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  /** A sync under way still ends: its number must not be another file's by then. */
  close(): void {
    this.#closing = true;
    if (this.#syncs === 0) closeSync(this.#descriptor);
  }

  /** A torn record would hide every later one. Throws while it cannot be taken back: then none may be appended. */
  #mend(): void {
    if (!this.#torn) return;
    ftruncateSync(this.#descriptor, this.#bytes);
    this.#torn = false;
  }
}

function createFrame(): Frame {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES + PAYLOAD_BYTES_MAX);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

export interface RecordsRead {
  /** The whole ones, in order. */
  readonly records: readonly Buffer[];
  /** Bytes of the file that are in none: a torn tail, or damage, which costs no more than the records it is in. */
  readonly damagedBytes: number;
}

export function readRecords(path: string): RecordsRead {
  const file = readFileSync(path);
  const records: Buffer[] = [];
  let offset = 0;
  let wholeBytes = 0;
  while (offset + FRAME_HEADER_BYTES < file.length) {
    const record = recordAt(file, offset);
    if (record === undefined) {
      offset += 1;
      continue;
    }
    records.push(record);
    offset += FRAME_HEADER_BYTES + record.length;
    wholeBytes += FRAME_HEADER_BYTES + record.length;
  }
  return { records, damagedBytes: file.length - wholeBytes };
}

/** None is empty: a loss of power may leave zeros, and those are the frame of an empty one. */
function recordAt(file: Buffer, offset: number): Buffer | undefined {
  const length = file.readUInt32LE(offset);
  const start = offset + FRAME_HEADER_BYTES;
  if (length === 0 || length > PAYLOAD_BYTES_MAX || start + length > file.length) return undefined;
  if (file.readUInt32LE(offset + 4) !== crc32(file, start, start + length)) return undefined;
  return file.subarray(start, start + length);
}

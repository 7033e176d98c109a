import { readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { type Frame, readRecords, RecordLog } from '../platform/record-log.ts';
import type { Overrun } from '../stores/store.ts';
import { keepAsEvidence } from './evidence.ts';

/** CHARGE: a whole answer. PROGRESS: a stream so far, cumulative. DONE: a stream's final amounts. */
export type GroupKind = 'charge' | 'progress' | 'done';

/** One charge decision: every account it touches, in one record, so that replay sees all of it or nothing. */
export interface JournalGroup {
  readonly seq: number;
  readonly kind: GroupKind;
  readonly requestId: string;
  readonly charges: readonly { readonly index: number; readonly amount: number }[];
  readonly overruns: readonly Overrun[];
}

const KINDS: readonly GroupKind[] = ['charge', 'progress', 'done'];
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
/** In place of a count: four bytes with the count follow, because one byte cannot say it. */
const LONG_COUNT = 255;
const INDEX_MAX = 0xff_ff_ff_ff;

interface Segment {
  readonly number: number;
  readonly path: string;
  lastSeq: number;
  /** Streams that began in this segment and are still open: their PROGRESS may be needed. */
  openStreams: number;
}

/**
 * The charge journal of one process incarnation (DESIGN 5). A record is written in the same synchronous
 * section that writes the first byte of the answer: what was served is in it, whatever happens next.
 */
export class Journal {
  readonly #directory: string;
  readonly #owner: string;
  readonly #segments: Segment[] = [];
  readonly #segmentBytesMax: number;
  #log: RecordLog;
  /** Segments that are full, with records that may not be on disk yet. */
  #unsynced: RecordLog[] = [];
  /** The directory names the newest segment, also after a loss of power. */
  #isNamed = false;
  #keepsOnDisk = false;
  #isRetired = false;
  #syncing: Promise<void> = Promise.resolve();
  #seq = 0;

  constructor(directory: string, owner: string, segmentBytesMax = SEGMENT_BYTES_MAX) {
    this.#directory = directory;
    this.#owner = owner;
    this.#segmentBytesMax = segmentBytesMax;
    this.#log = this.#openSegment();
  }

  get seq(): number {
    return this.#seq;
  }

  /** Somebody has asked for records to be on disk: what is settled elsewhere has to be there before. */
  get keepsOnDisk(): boolean {
    return this.#keepsOnDisk;
  }

  /** A number that no record has: it tells one settlement from another. */
  skip(): number {
    this.#seq += 1;
    return this.#seq;
  }

  /** Appends one group. Throws when the file cannot be written: then nothing may be served. */
  append(group: Omit<JournalGroup, 'seq'>): void {
    if (this.#log.bytes > this.#segmentBytesMax) this.#log = this.#openSegment();
    const seq = this.#seq + 1;
    this.#log.append((frame, offset) => encodeGroup(frame, offset, group, seq));
    this.#seq = seq;
    this.#current().lastSeq = seq;
  }

  /**
   * Resolves once every group appended before this call is on disk, and its file is found after a loss of power. When
   * the disk has failed once, every later call rejects too: the kernel forgets what it could not write (fsync(2)).
   */
  sync(): Promise<void> {
    this.#keepsOnDisk = true;
    this.#syncing = this.#syncing.then(() => this.#syncNow());
    return this.#syncing;
  }

  async #syncNow(): Promise<void> {
    if (this.#isRetired) return;
    const full = this.#unsynced;
    this.#unsynced = [];
    const wasNamed = this.#isNamed;
    this.#isNamed = true;
    try {
      await Promise.all([
        this.#log.sync(),
        ...full.map((log) => log.sync()),
        ...(wasNamed ? [] : [syncDirectory(this.#directory)]),
      ]);
    } finally {
      for (const log of full) log.close();
    }
  }

  /** A stream's first PROGRESS: returns the segment number to give back to `closeStream`. */
  openStream(): number {
    const segment = this.#current();
    segment.openStreams += 1;
    return segment.number;
  }

  closeStream(segmentNumber: number): void {
    const segment = this.#segments.find((each) => each.number === segmentNumber);
    if (segment !== undefined) segment.openStreams -= 1;
  }

  /** Puts the oldest segments that hold nothing the store does not have with the evidence. */
  trim(settledSeq: number): void {
    for (;;) {
      const oldest = this.#segments[0];
      if (oldest === undefined || this.#segments.length === 1) return;
      if (oldest.lastSeq > settledSeq || oldest.openStreams > 0) return;
      keepAsEvidence(oldest.path);
      this.#segments.shift();
    }
  }

  /** The end of a clean shutdown: everything is settled. */
  retire(): void {
    this.#isRetired = true;
    for (const log of [...this.#unsynced, this.#log]) log.close();
    retireJournal(this.#directory, this.#owner);
  }

  #current(): Segment {
    const segment = this.#segments.at(-1);
    if (segment === undefined) throw new Error('journal has no segment');
    return segment;
  }

  #openSegment(): RecordLog {
    const number = (this.#segments.at(-1)?.number ?? 0) + 1;
    const path = join(this.#directory, `${this.#owner}.${String(number).padStart(6, '0')}.journal`);
    if (this.#segments.length > 0) this.#leave(this.#log);
    this.#isNamed = false;
    this.#segments.push({ number, path, lastSeq: this.#seq, openStreams: 0 });
    return new RecordLog(path);
  }

  /** Nobody waits for its records: it is closed. Else the next sync is of it too. */
  #leave(full: RecordLog): void {
    if (this.#keepsOnDisk) this.#unsynced.push(full);
    else full.close();
  }
}

/** A new file is only found after a loss of power when its directory is on disk too (fsync(2)). */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Every whole group that a process left behind, in order, and how many bytes of its journal are in none. */
export function readJournal(
  directory: string,
  owner: string,
): { readonly groups: readonly JournalGroup[]; readonly damagedBytes: number } {
  const files = journalFiles(directory, owner).map(readRecords);
  return {
    groups: files.flatMap(({ records }) => records.map(decodeGroup)),
    damagedBytes: files.reduce((sum, file) => sum + file.damagedBytes, 0),
  };
}

/** Of a process whose journal says nothing any more that the store does not have. */
export function retireJournal(directory: string, owner: string): void {
  for (const path of journalFiles(directory, owner)) keepAsEvidence(path);
}

/** The segments of one process, oldest first. */
export function journalFiles(directory: string, owner: string): readonly string[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith(`${owner}.`) && name.endsWith('.journal'))
    .toSorted()
    .map((name) => join(directory, name));
}

function encodeGroup(
  frame: Frame,
  start: number,
  group: Omit<JournalGroup, 'seq'>,
  seq: number,
): number {
  const { view } = frame;
  view.setUint8(start, KINDS.indexOf(group.kind));
  view.setFloat64(start + 1, seq, true);
  let offset = writeText(frame, start + 9, group.requestId);
  offset = writeCount(frame, offset, group.charges.length);
  for (const { index, amount } of group.charges) {
    assertIndex(index);
    view.setUint32(offset, index, true);
    view.setFloat64(offset + 4, amount, true);
    offset += 12;
  }
  offset = writeCount(frame, offset, group.overruns.length);
  for (const overrun of group.overruns) {
    offset = writeText(frame, offset, overrun.tenantId);
    offset = writeText(frame, offset, overrun.unit);
    view.setFloat64(offset, overrun.amount, true);
    offset += 8;
  }
  return offset - start;
}

/** A view would write a larger one as that of another lease. */
function assertIndex(index: number): void {
  if (index > INDEX_MAX) throw new RangeError(`lease ${index} cannot be written down`);
}

function decodeGroup(record: Buffer): JournalGroup {
  const reader = new Reader(record);
  const kind = KINDS[reader.byte()] ?? 'charge';
  const seq = reader.number();
  const requestId = reader.text();
  const charges = Array.from({ length: reader.count() }, () => ({
    index: reader.index(),
    amount: reader.number(),
  }));
  const overruns = Array.from({ length: reader.count() }, () => ({
    requestId,
    tenantId: reader.text(),
    unit: reader.text(),
    amount: reader.number(),
  }));
  return { seq, kind, requestId, charges, overruns };
}

function writeCount({ view }: Frame, offset: number, count: number): number {
  view.setUint8(offset, Math.min(count, LONG_COUNT));
  if (count < LONG_COUNT) return offset + 1;
  view.setUint32(offset + 1, count, true);
  return offset + 5;
}

function writeText({ bytes, view }: Frame, offset: number, text: string): number {
  const written = bytes.write(text, offset + 1, Math.min(text.length, 255), 'latin1');
  view.setUint8(offset, written);
  return offset + 1 + written;
}

class Reader {
  readonly #record: Buffer;
  #offset = 0;

  constructor(record: Buffer) {
    this.#record = record;
  }

  byte(): number {
    return this.#record.readUInt8(this.#advance(1));
  }

  count(): number {
    const count = this.byte();
    return count === LONG_COUNT ? this.index() : count;
  }

  index(): number {
    return this.#record.readUInt32LE(this.#advance(4));
  }

  number(): number {
    return this.#record.readDoubleLE(this.#advance(8));
  }

  text(): string {
    const length = this.byte();
    const start = this.#advance(length);
    return this.#record.toString('latin1', start, start + length);
  }

  #advance(bytes: number): number {
    const start = this.#offset;
    this.#offset += bytes;
    return start;
  }
}

import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';

import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { readRecords, RecordLog } from './record-log.ts';

const PAYLOAD_BYTES_MAX = 65_536;
const FRAME_HEADER_BYTES = 8;

let directory: string;
let files = 0;
beforeEach(() => {
  directory = temporaryDirectory('records');
});

function nextPath(): string {
  files += 1;
  return join(directory, `${files}.log`);
}

function write(path: string, payloads: readonly Uint8Array[]): number {
  const log = new RecordLog(path);
  for (const payload of payloads) {
    log.append(({ bytes }, offset) => {
      bytes.set(payload, offset);
      return payload.length;
    });
  }
  log.close();
  return log.bytes;
}

const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 8 });

describe('RecordLog', () => {
  it('gives back what was appended, in order, and knows its size', () => {
    fc.assert(
      fc.property(payloads, (list) => {
        const path = nextPath();
        const bytes = write(path, list);
        expect(readRecords(path).records).toEqual(list.map((payload) => Buffer.from(payload)));
        expect(readFileSync(path)).toHaveLength(bytes);
      }),
    );
  });

  it('a file cut at any byte gives the whole records before the cut and nothing else', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), (list, cut) => {
        const path = nextPath();
        const length = cut % (write(path, list) + 1);
        truncateSync(path, length);
        let end = 0;
        const whole = list.filter(
          (payload) => (end += FRAME_HEADER_BYTES + payload.length) <= length,
        );
        expect(readRecords(path).records).toEqual(whole.map((payload) => Buffer.from(payload)));
      }),
    );
  });

  it('a changed byte costs its record and no other: nothing damaged is ever given back', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), fc.integer({ min: 1, max: 255 }), (list, at, change) => {
        const path = nextPath();
        const length = write(path, list);
        if (length === 0) return;
        const file = readFileSync(path);
        file[at % length] = (file[at % length] ?? 0) ^ change;
        writeFileSync(path, file);
        let end = 0;
        const damaged = list.findIndex(
          (payload) => (end += FRAME_HEADER_BYTES + payload.length) > at % length,
        );
        const rest = list.toSpliced(damaged, 1).map((payload) => Buffer.from(payload));
        const damagedBytes = FRAME_HEADER_BYTES + (list[damaged]?.length ?? 0);
        expect(readRecords(path)).toEqual({ records: rest, damagedBytes });
      }),
    );
  });

  it('zeros, as a loss of power leaves them, are no record, at the end and in the middle', () => {
    const path = nextPath();
    write(path, [Buffer.from('one')]);
    appendFileSync(path, Buffer.alloc(4096));
    expect(readRecords(path)).toEqual({ records: [Buffer.from('one')], damagedBytes: 4096 });
    appendFileSync(path, readFileSync(path).subarray(0, FRAME_HEADER_BYTES + 3));
    expect(readRecords(path)).toEqual({
      records: [Buffer.from('one'), Buffer.from('one')],
      damagedBytes: 4096,
    });
  });

  it('bound: a payload of 65,536 bytes fits, one byte more cannot be written', () => {
    const path = nextPath();
    const log = new RecordLog(path);
    log.append(
      ({ bytes }, offset) => bytes.fill(1, offset, offset + PAYLOAD_BYTES_MAX) && PAYLOAD_BYTES_MAX,
    );
    expect(() =>
      log.append(({ view }, offset) => {
        view.setUint8(offset + PAYLOAD_BYTES_MAX, 1);
        return PAYLOAD_BYTES_MAX + 1;
      }),
    ).toThrow(RangeError);
    log.close();
    expect(readRecords(path).records.map(({ length }) => length)).toEqual([PAYLOAD_BYTES_MAX]);
  });

  it('bound: a length beyond the largest payload is damage, not a request for memory', () => {
    const path = nextPath();
    write(path, [Buffer.from('one')]);
    const frame = Buffer.alloc(FRAME_HEADER_BYTES + PAYLOAD_BYTES_MAX + 1);
    frame.writeUInt32LE(PAYLOAD_BYTES_MAX + 1, 0);
    appendFileSync(path, frame);
    expect(readRecords(path).records).toEqual([Buffer.from('one')]);
  });

  it('never writes into a file that is there', () => {
    const path = nextPath();
    write(path, []);
    expect(() => new RecordLog(path)).toThrow('EEXIST');
  });

  it('says so when the file cannot be written', () => {
    const log = new RecordLog(nextPath());
    log.close();
    expect(() => log.append(() => 1)).toThrow('EBADF');
    expect(log.bytes).toBe(0);
  });
});

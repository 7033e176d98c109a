import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Journal, type JournalGroup, readJournal } from './journal.ts';
import { replayJournal } from './replay.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tollkeeper-journal-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const charge: Omit<JournalGroup, 'seq'> = {
  kind: 'charge',
  requestId: 'req_0192f7c0a1b27c3d8e4f5a6b7c8d9e0f',
  charges: [
    { index: 1, amount: 1 },
    { index: 7, amount: Number.MAX_SAFE_INTEGER },
  ],
  overruns: [
    {
      requestId: 'req_0192f7c0a1b27c3d8e4f5a6b7c8d9e0f',
      tenantId: 'ten_1',
      unit: 'USD',
      amount: 30,
    },
  ],
};

describe('Journal', () => {
  it('gives back what was appended, in order and numbered from 1', () => {
    const journal = new Journal(directory, 'own_1');
    journal.append(charge);
    journal.append({ ...charge, kind: 'done', charges: [], overruns: [] });
    expect(readJournal(directory, 'own_1').groups).toEqual([
      { ...charge, seq: 1 },
      { ...charge, kind: 'done', charges: [], overruns: [], seq: 2 },
    ]);
  });

  it.each([254, 255, 256, 1000])('a group of %i charges is read as it was written', (count) => {
    const charges = Array.from({ length: count }, (_, index) => ({ index, amount: index * 3 }));
    new Journal(directory, 'own_1').append({ ...charge, charges });
    expect(readJournal(directory, 'own_1').groups).toEqual([{ ...charge, charges, seq: 1 }]);
  });

  it('a lease whose number does not fit is not written as another, and what follows is', () => {
    const journal = new Journal(directory, 'own_1');
    const last = { ...charge, charges: [{ index: 2 ** 32 - 1, amount: 1 }] };
    const beyond = { ...charge, charges: [{ index: 2 ** 32, amount: 1 }] };
    expect(() => journal.append(beyond)).toThrow(RangeError);
    journal.append(last);
    expect(readJournal(directory, 'own_1').groups).toEqual([{ ...last, seq: 1 }]);
  });

  it('ignores a torn group at every length of its tail: replay sees all of it or nothing', () => {
    const journal = new Journal(directory, 'own_1');
    journal.append(charge);
    const whole = fileBytes();
    journal.append(charge);
    const both = fileBytes();
    for (let length = both - 1; length >= whole; length -= 1) {
      truncateSync(filePath(), length);
      expect(readJournal(directory, 'own_1').groups.map((group) => group.seq)).toEqual([1]);
    }
  });

  it('stops at a damaged group instead of guessing', () => {
    const journal = new Journal(directory, 'own_1');
    journal.append(charge);
    appendFileSync(filePath(), Buffer.alloc(40, 0x41));
    expect(readJournal(directory, 'own_1').groups).toHaveLength(1);
  });

  it('bound: a full segment is followed by another, and settled segments become evidence', () => {
    const journal = new Journal(directory, 'own_1', 300);
    for (let i = 0; i < 10; i += 1) journal.append(charge);
    const segments = segmentsHere();
    expect(segments.length).toBeGreaterThan(2);
    expect(readJournal(directory, 'own_1').groups.map((group) => group.seq)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
    journal.trim(10);
    expect(segmentsHere()).toEqual(segments.slice(-1));
    expect(readdirSync(join(directory, 'evidence')).toSorted()).toEqual(segments.slice(0, -1));
    journal.retire();
    expect(segmentsHere()).toEqual([]);
    expect(readJournal(join(directory, 'evidence'), 'own_1').groups).toHaveLength(10);
  });

  it('keeps a settled segment while a stream that began in it is open: its PROGRESS may be needed', () => {
    const journal = new Journal(directory, 'own_1', 300);
    journal.append({ ...charge, kind: 'progress' });
    const segment = journal.openStream();
    for (let i = 0; i < 10; i += 1) journal.append(charge);
    journal.trim(11);
    expect(readJournal(directory, 'own_1').groups[0]).toMatchObject({ kind: 'progress', seq: 1 });
    journal.closeStream(segment);
    journal.trim(11);
    expect(segmentsHere()).toHaveLength(1);
  });

  function segmentsHere(): readonly string[] {
    const names = readdirSync(directory).filter((name) => name.endsWith('.journal'));
    return names.toSorted();
  }
  function filePath(): string {
    return join(directory, readdirSync(directory)[0] ?? '');
  }
  function fileBytes(): number {
    return readFileSync(filePath()).length;
  }
});

describe('replayJournal', () => {
  const group = (
    seq: number,
    kind: JournalGroup['kind'],
    requestId: string,
    amount: number,
  ): JournalGroup => ({
    seq,
    kind,
    requestId,
    charges: amount === 0 ? [] : [{ index: 1, amount }],
    overruns: [],
  });

  const owedBy = (groups: readonly JournalGroup[], lastSeq: number): number => {
    const { leases, unended = [] } = replayJournal(groups, lastSeq);
    return [...leases, ...unended].reduce((sum, { charged }) => sum + charged, 0);
  };

  it.each([
    ['a charge after the last settlement counts', [group(5, 'charge', 'a', 10)], 4, 10],
    ['a charge that is settled does not', [group(5, 'charge', 'a', 10)], 5, 0],
    [
      'a stream without DONE is charged at its last PROGRESS',
      [group(1, 'progress', 'a', 3), group(2, 'progress', 'a', 8)],
      0,
      8,
    ],
    [
      'whatever was settled meanwhile: open streams are never part of a settlement',
      [group(1, 'progress', 'a', 8), group(2, 'charge', 'b', 5)],
      2,
      8,
    ],
    [
      'a stream with DONE is charged at DONE, though it is less',
      [group(1, 'progress', 'a', 8), group(2, 'done', 'a', 6)],
      1,
      6,
    ],
    [
      'a settled DONE leaves nothing',
      [group(1, 'progress', 'a', 8), group(2, 'done', 'a', 6)],
      2,
      0,
    ],
    [
      'a stream that came to nothing is not charged',
      [group(1, 'progress', 'a', 8), group(2, 'done', 'a', 0)],
      0,
      0,
    ],
  ])('%s', (_title, groups, lastSeq, expected) => {
    expect(owedBy(groups, lastSeq)).toBe(expected);
  });

  it('a stream whose end may be settled is told apart from what is not', () => {
    const groups = [group(1, 'progress', 'a', 8), group(3, 'progress', 'b', 5)];
    expect(replayJournal(groups, 2)).toEqual({
      seq: 3,
      leases: [{ index: 1, charged: 5 }],
      unended: [{ index: 1, charged: 8 }],
      overruns: [],
    });
  });

  it('owes the same whenever it died: settled so far + replay = all charges and last progress', () => {
    const event = fc.record({
      request: fc.integer({ min: 0, max: 5 }),
      amount: fc.integer({ min: 1, max: 100 }),
      kind: fc.constantFrom('charge', 'progress', 'done'),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), fc.nat(40), (events, cut) => {
        const groups = events.map((each, i) =>
          group(
            i + 1,
            each.kind as JournalGroup['kind'],
            `${each.kind === 'charge' ? 'c' : 's'}${each.request}`,
            each.amount,
          ),
        );
        const settledSeq = Math.min(cut, groups.length);
        const settled = groups.slice(0, settledSeq).filter((each) => each.kind !== 'progress');
        const open = new Map<string, number>();
        let owed = 0;
        for (const each of groups) {
          const amount = each.charges[0]?.amount ?? 0;
          if (each.kind === 'progress') open.set(each.requestId, amount);
          else {
            open.delete(each.requestId);
            owed += amount;
          }
        }
        for (const amount of open.values()) owed += amount;
        const settledAmount = settled.reduce(
          (sum, each) => sum + (each.charges[0]?.amount ?? 0),
          0,
        );
        expect(settledAmount + owedBy(groups, settledSeq)).toBe(owed);
      }),
    );
  });
});

describe('on disk', () => {
  it('a sync is of every segment written so far, also of those that are full, and of none that is closed', async () => {
    const journal = new Journal(directory, 'own_1', 200);
    const syncs = [journal.sync()];
    for (let each = 0; each < 20; each += 1) {
      journal.append(charge);
      syncs.push(journal.sync());
    }
    expect(journal.keepsOnDisk).toBe(true);
    await Promise.all(syncs);
    expect(readdirSync(directory).length).toBeGreaterThan(5);
    expect(readJournal(directory, 'own_1').groups).toHaveLength(20);
    const last = journal.sync();
    journal.retire();
    await last;
    expect(readJournal(directory, 'own_1').groups).toEqual([]);
  });

  it('a disk that has failed once is never believed again', async () => {
    const journal = new Journal(directory, 'own_1');
    rmSync(directory, { recursive: true });
    await expect(journal.sync()).rejects.toThrow('ENOENT');
    mkdirSync(directory);
    await expect(journal.sync()).rejects.toThrow('ENOENT');
  });

  it('a number that no record has tells settlements apart, and a replay does not miss it', () => {
    const journal = new Journal(directory, 'own_1');
    journal.append(charge);
    expect([journal.skip(), journal.seq]).toEqual([2, 2]);
    journal.append(charge);
    expect(readJournal(directory, 'own_1').groups.map(({ seq }) => seq)).toEqual([1, 3]);
  });
});

import { expect, it } from 'vitest';

import { createId, isId, readRequestId, requestId, requestTime, writeRequestId } from './ids.ts';

const NOW = 1_795_000_000_000;

it('GW-22: a request id is req_ and a UUIDv7, and tells its time', () => {
  const id = requestId(NOW);
  expect(id).toMatch(/^req_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  expect(requestTime(id)).toBe(NOW);
});

it('ids increase and never repeat, also when the clock stands still or goes back', () => {
  const ids: string[] = [];
  for (let index = 0; index < 20_000; index += 1) ids.push(createId('req', NOW - index));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.toSorted()).toEqual(ids);
});

it('a full counter borrows the next millisecond: 4,096 ids fit into one', () => {
  const start = NOW + 10_000;
  const times = Array.from({ length: 4097 }, () => requestTime(requestId(start)));
  expect(times.slice(0, 4096).every((time) => time === start)).toBe(true);
  expect(times[4096]).toBe(start + 1);
});

it('the 62 random bits use every bit', () => {
  let or = 0n;
  let and = (1n << 62n) - 1n;
  for (let index = 0; index < 2_000; index += 1) {
    const tail = BigInt(`0x${requestId(NOW).slice(20)}`) & ((1n << 62n) - 1n);
    or |= tail;
    and &= tail;
  }
  expect(or).toBe((1n << 62n) - 1n);
  expect(and).toBe(0n);
});

it('the binary form is 16 bytes and goes both ways', () => {
  const id = requestId(NOW);
  const record = Buffer.alloc(24, 0xff);
  writeRequestId(id, record, 4);
  expect(readRequestId(record, 4)).toBe(id);
  expect(record.readUInt32LE(0)).toBe(0xffffffff);
  expect(record.readUInt32LE(20)).toBe(0xffffffff);
});

it.each(['', 'req_', 'req_zz', 'req_019a', `req_${'z'.repeat(32)}`])(
  'writeRequestId refuses %j instead of writing half an id',
  (id) => {
    expect(() => writeRequestId(id, Buffer.alloc(16), 0)).toThrow('not a request id');
  },
);

it.each([
  ['another prefix', createId('ten', NOW)],
  ['too short', 'req_019a'],
  ['not hex', `req_${'g'.repeat(32)}`],
  ['not version 7', `req_${'0'.repeat(32)}`],
  ['upper case', requestId(NOW).toUpperCase()],
  ['a path', 'req_../../../../../../etc/passwd0000'],
])('isId refuses %s', (_title, value) => {
  expect(isId('req', value)).toBe(false);
  expect(requestTime(value)).toBeUndefined();
});

it.each(['req', 'ten', 'key', 'grt'] as const)('prefix %s', (prefix) => {
  expect(isId(prefix, createId(prefix, NOW))).toBe(true);
});

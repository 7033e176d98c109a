import fc from 'fast-check';
import { expect, it } from 'vitest';

import { findTimeZone, validateTimeZone } from './time-zone.ts';

it.each([
  'UTC',
  'Etc/UTC',
  'Europe/Berlin',
  'Asia/Kolkata',
  'Asia/Calcutta',
  'America/Argentina/Buenos_Aires',
  'Etc/GMT+5',
])('QUOTA-02: %s is a time zone', (name) => {
  expect(validateTimeZone(name)).toEqual({ kind: 'ok', timeZone: name });
});

it.each([
  ['Europe/Berln', 'Europe/Berlin'],
  ['Berlin', 'Europe/Berlin'],
  ['new york', 'America/New_York'],
  ['America/NewYork!', 'America/New_York'],
  ['Asia/Kolkatta', 'Asia/Kolkata'],
  ['Europe/Kyyiv', 'Europe/Kyiv'],
  ['UCT+', 'UTC'],
])('QUOTA-02: %s is a mistake for %s', (name, nearest) => {
  expect(validateTimeZone(name)).toEqual({
    kind: 'wrong',
    message: `"${name}" is not a time zone. Did you mean "${nearest}"?`,
  });
});

it.each(['', '+05:30', '-08:00', 'Middle-earth/Hobbiton', '\0', '../../etc/passwd', '__proto__'])(
  'QUOTA-02: %j is refused with what to write instead',
  (name) => {
    expect(validateTimeZone(name)).toEqual({
      kind: 'wrong',
      message: `${JSON.stringify(name)} is not a time zone. Write an IANA name such as "Europe/Berlin" or "UTC"`,
    });
  },
);

it('a long name is answered in bounds', () => {
  const verdict = validateTimeZone('x'.repeat(100_000));
  expect(verdict.kind === 'wrong' && verdict.message.length).toBeLessThan(200);
});

it('whatever is written, what is suggested instead is right', () => {
  const suggestionFor = (name: string): string => {
    const verdict = validateTimeZone(name);
    return verdict.kind === 'ok'
      ? 'UTC'
      : (/Did you mean "(.*)"/.exec(verdict.message)?.[1] ?? 'UTC');
  };
  const words = fc.oneof(fc.string(), fc.constantFrom('Berlin', 'asia/', 'US/Pacific-New', 'gmt '));
  fc.assert(
    fc.property(words, (name) => {
      expect(validateTimeZone(suggestionFor(name)).kind).toBe('ok');
    }),
  );
});

it('UTC and names unknown to this build need no table', () => {
  expect(findTimeZone('UTC')).toBeUndefined();
  expect(findTimeZone('No/Such_Zone')).toBeUndefined();
});

it.each([
  ['Asia/Kathmandu', '2026-01-01T00:00Z', '05:45'],
  ['America/New_York', '2026-03-08T06:59:59.999Z', '-05:00'],
  ['America/New_York', '2026-03-08T07:00:00Z', '-04:00'],
  ['Australia/Lord_Howe', '2026-01-01T00:00Z', '11:00'],
  ['Australia/Lord_Howe', '2026-07-01T00:00Z', '10:30'],
  ['Africa/Monrovia', '1971-06-01T00:00Z', '-00:44:30'],
  ['Etc/UTC', '2026-01-01T00:00Z', '00:00'],
])('the clock of %s at %s is %s from UTC', (name, instant, offset) => {
  const [, sign, hours, minutes, seconds = ''] = /^(-?)(\d+):(\d+)(?::(\d+))?$/.exec(offset) ?? [];
  const length = Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000;
  expect(findTimeZone(name)?.offsetAt(Date.parse(instant))).toBe(sign === '-' ? -length : length);
});

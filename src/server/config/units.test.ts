import { bigInt, check, constantFrom, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDecimal } from '../../domain/money.ts';
import { costOf } from '../../domain/pricing.ts';
import {
  parseAllowance,
  parseByteSize,
  parseDuration,
  parseQuantity,
  parseRate,
  parseTimeSpan,
} from './human-units.ts';
import type { Parsed } from './human-units.ts';
import { parseAddOnPrice, parseAmount, parseMonthlyPrice, parseUnitPrice } from './money-text.ts';
import type { PricedUnit } from './money-text.ts';
import { freePrice } from './schema/price-schema.ts';

function valueOf<T>(parsed: Parsed<T>): T | string {
  return parsed.kind === 'ok' ? parsed.value : parsed.problem;
}

describe('human units', () => {
  test.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['2 m', 120_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ])('the duration %s', (text, milliseconds) => {
    expect(valueOf(parseDuration(text))).toBe(milliseconds);
  });

  test.each(['', '10', 's', '-1s', '1.5s', '1y', '10S', '25d'])('no duration: %j', (text) => {
    expect(parseDuration(text).kind).toBe('wrong');
  });

  test.each([
    ['25d', 2_160_000_000],
    ['9000h', 32_400_000_000],
    ['104249991374ms', 'wrong'],
    ['9999999999d', 'wrong'],
    ['1.5h', 'wrong'],
  ])('the span %s, which no timer has to wait for', (text, milliseconds) => {
    const span = parseTimeSpan(text);
    expect(span.kind === 'ok' ? span.value : span.kind).toBe(milliseconds);
  });

  test.each([
    ['512B', 512],
    ['1KB', 1000],
    ['1kB', 1000],
    ['1KiB', 1024],
    ['1MB', 1_000_000],
    ['10 MiB', 10_485_760],
    ['1GB', 1_000_000_000],
    ['0B', 0],
  ])('the size %s', (text, bytes) => {
    expect(valueOf(parseByteSize(text))).toBe(bytes);
  });

  test.each(['1', 'MB', '1mb', '1.5MB', '9007199254740993B', '99999TB'])('no size: %j', (text) => {
    expect(parseByteSize(text).kind).toBe('wrong');
  });

  test.each([
    ['1000', 1000n],
    ['10_000', 10_000n],
    ['10,000', 10_000n],
    ['50k', 50_000n],
    ['50K', 50_000n],
    ['1M', 1_000_000n],
    ['2 B', 2_000_000_000n],
  ])('the quantity %s', (text, quantity) => {
    expect(parseQuantity(text)).toBe(quantity);
  });

  test.each(['', '1,00', '1.5M', '-1', '1G', '1e6', '10,0000'])('no quantity: %j', (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  test('an allowance is at least 1 and at most what a number holds exactly', () => {
    expect(valueOf(parseAllowance('9007199254740991'))).toBe(Number.MAX_SAFE_INTEGER);
    expect(parseAllowance('9007199254740992').kind).toBe('wrong');
    expect(parseAllowance('0').kind).toBe('wrong');
  });

  test.each([
    ['60/min', { count: 60, per: 'minute', burst: undefined }],
    ['60 / minute burst 10', { count: 60, per: 'minute', burst: 10 }],
    ['5/s', { count: 5, per: 'second', burst: undefined }],
    ['1000/hour', { count: 1000, per: 'hour', burst: undefined }],
    ['1/day', { count: 1, per: 'day', burst: undefined }],
  ])('the rate %s (QUOTA-07)', (text, rate) => {
    expect(valueOf(parseRate(text))).toEqual(rate);
  });

  test.each(['60', '60/month', 'x/min', '60/min burst', '60/min burst -1'])(
    'no rate: %j',
    (text) => {
      expect(parseRate(text).kind).toBe('wrong');
    },
  );
});

describe('money', () => {
  test.each([
    ['5.00 USD', 5_000_000_000n],
    ['0.000000001 USD', 1n],
    ['0.0000000010000000 USD', 1n],
    ['9000000 USD', 9_000_000_000_000_000n],
    ['1USD', 1_000_000_000n],
  ])('the amount %s in nano', (text, nano) => {
    expect(valueOf(parseAmount(text, 'USD'))).toBe(nano);
  });

  test.each([
    '5.00',
    '$5',
    '5 usd',
    '-5 USD',
    '5,00 USD',
    '1e3 USD',
    'USD 5',
    '5 EUR',
    '9000000.01 USD',
  ])('no amount: %j', (text) => {
    expect(parseAmount(text, 'USD').kind).toBe('wrong');
  });

  test.each([
    ['free', 0n],
    ['0 USD', 0n],
    ['49.00 USD / month', 49_000_000_000n],
    ['49 USD/mo', 49_000_000_000n],
  ])('the price of a plan %s', (text, nano) => {
    expect(valueOf(parseMonthlyPrice(text, 'USD'))).toBe(nano);
  });

  test.each([
    ['5.00 USD', { priceNano: 5_000_000_000n, interval: 'once' }],
    ['5.00 USD / month', { priceNano: 5_000_000_000n, interval: 'month' }],
  ])('the price of an add-on %s', (text, price) => {
    expect(valueOf(parseAddOnPrice(text, 'USD'))).toEqual(price);
  });

  test.each<[string, PricedUnit, bigint]>([
    ['0.50 USD / 1M tokens', 'token', 500_000n],
    ['0.50 USD/1M tokens', 'token', 500_000n],
    ['0.50 USD / 1,000,000 tokens', 'token', 500_000n],
    ['0.0000015 USD / token', 'token', 1_500_000n],
    ['2 USD / 1k tokens', 'token', 2_000_000_000n],
    ['0.001 USD / request', 'request', 1_000_000_000n],
    ['0.001 USD', 'request', 1_000_000_000n],
    ['1 USD / 1k requests', 'request', 1_000_000_000n],
    ['0.01 USD / 1GB', 'byte', 10n],
    ['0.01 USD / 10 MB', 'byte', 1000n],
    ['1 USD / GB', 'byte', 1000n],
    ['0.000000000001 USD / byte', 'byte', 1n],
    ['free', 'token', 0n],
    ['0 USD', 'token', 0n],
    ['0.00 USD', 'byte', 0n],
    ['0.01 USD', 'operation', 10_000_000_000n],
    ['0.01 USD / unit', 'unit', 10_000_000_000n],
    ['1 USD / 1k units', 'unit', 1_000_000_000n],
    ['0.36 USD / hour', 'millisecond', 100_000n],
    ['0.009 USD / 90s', 'millisecond', 100_000n],
  ])('the price %s in pico per %s', (text, unit, pico) => {
    expect(valueOf(parseUnitPrice(text, unit, 'USD'))).toBe(pico);
  });

  test.each<[string, PricedUnit]>([
    ['0.50 USD', 'token'],
    ['0.50 USD / 1M', 'token'],
    ['0.50 USD / 0 tokens', 'token'],
    ['0.50 USD / 1M requests', 'token'],
    ['0.50 USD / 1M tokens / day', 'token'],
    ['1 USD / 1GiB', 'byte'],
    ['1 USD', 'millisecond'],
    ['1 USD / 0s', 'millisecond'],
    ['1 USD / month', 'millisecond'],
    ['1 USD / 1k tokens', 'unit'],
    ['1 USD / 3 requests', 'request'],
    ['9000001 USD / request', 'request'],
    ['/ request', 'request'],
  ])('no price: %j per %s', (text, unit) => {
    expect(parseUnitPrice(text, unit, 'USD').kind).toBe('wrong');
  });

  test('1 million tokens at 0.0000015 USD cost 1.50 USD exactly (BILL-06)', () => {
    const perInputToken = valueOf(parseUnitPrice('0.0000015 USD / token', 'token', 'USD'));
    expect(typeof perInputToken).toBe('bigint');
    const price = { ...freePrice('USD'), perInputToken: BigInt(perInputToken) };
    const usage = {
      inputTokens: 1_000_000,
      cachedInputTokens: 0,
      outputTokens: 0,
      bytesIn: 0,
      bytesOut: 0,
    };
    expect(costOf(price, { ...usage, estimated: false })).toBe(1_500_000_000n);
  });

  test('a price is read back exactly, or refused: never rounded', () => {
    check(
      property(
        bigInt(0n, 10n ** 15n),
        constantFrom(1n, 10n, 1000n, 1_000_000n),
        (pico, divisor) => {
          const text = `${formatDecimal(pico, 12)} USD / ${divisor} tokens`;
          const parsed = parseUnitPrice(text, 'token', 'USD');
          expect(parsed.kind).toBe(pico % divisor === 0n ? 'ok' : 'wrong');
          expect(parsed.kind === 'wrong' || parsed.value * divisor === pico).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});

import { z } from 'zod';
import type { Price } from '../../../domain/pricing.ts';
import { parseAmount, parseMonthlyPrice, parseUnitPrice } from '../money-text.ts';
import type { PricedUnit } from '../money-text.ts';
import { textAs } from './parts.ts';

/** Nano. */
export function amount(asset: string) {
  return textAs((text) => parseAmount(text, asset));
}

/** Nano a month. */
export function monthlyPrice(asset: string) {
  return textAs((text) => parseMonthlyPrice(text, asset));
}

/** Pico per unit. */
function unitPrice(unit: PricedUnit, asset: string) {
  return textAs((text) => parseUnitPrice(text, unit, asset));
}

export function freePrice(asset: string): Price {
  return {
    asset,
    perRequest: 0n,
    perInputToken: 0n,
    perCachedInputToken: 0n,
    perOutputToken: 0n,
    perByteIn: 0n,
    perByteOut: 0n,
  };
}

export function modelPrice(asset: string) {
  const members = z.strictObject({
    input: unitPrice('token', asset).describe('"0.50 USD / 1M tokens"'),
    cached_input: unitPrice('token', asset)
      .optional()
      .describe('Input the provider read from its cache; default: the price of input.'),
    output: unitPrice('token', asset).describe('"1.50 USD / 1M tokens"; "free" for embeddings.'),
    request: unitPrice('request', asset).optional().describe('Added to each call.'),
  });
  return z
    .union([z.literal('free'), members], {
      error: 'expected "free" or { input: "0.50 USD / 1M tokens", output: "1.50 USD / 1M tokens" }',
    })
    .describe('What callers pay, per token and per call.')
    .transform((written): Price => {
      const free = freePrice(asset);
      if (written === 'free') return free;
      return {
        ...free,
        perRequest: written.request ?? 0n,
        perInputToken: written.input,
        perCachedInputToken: written.cached_input ?? written.input,
        perOutputToken: written.output,
      };
    });
}

export function routePrice(asset: string) {
  const members = z.strictObject({
    request: unitPrice('request', asset).optional().describe('"0.001 USD / request"'),
    byte_in: unitPrice('byte', asset).optional().describe('"0.01 USD / 1GB" of request body.'),
    byte_out: unitPrice('byte', asset).optional().describe('"0.09 USD / 1GB" of answer body.'),
  });
  return z
    .union([unitPrice('request', asset), members], {
      error: `expected "free", a price such as "0.001 ${asset} / request", or { request, byte_in, byte_out }`,
    })
    .describe('What one call costs; default: nothing.')
    .transform((written): Price => {
      const free = freePrice(asset);
      if (typeof written === 'bigint') return { ...free, perRequest: written };
      return {
        ...free,
        perRequest: written.request ?? 0n,
        perByteIn: written.byte_in ?? 0n,
        perByteOut: written.byte_out ?? 0n,
      };
    });
}

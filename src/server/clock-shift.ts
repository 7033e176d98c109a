import { parseDuration } from './config/human-units.ts';

export type ClockShift =
  | { readonly kind: 'ok'; readonly shiftMs: number }
  | { readonly kind: 'wrong'; readonly message: string };

/**
 * TOLLKEEPER_CLOCK moves the product's clock in `dev` and tests: `+36h` and `-10m` shift it, an ISO time
 * sets it. Refused in production, where a moved clock would move money (DESIGN 12).
 */
export function readClockShift(
  text: string | undefined,
  allowed: boolean,
  now: number,
): ClockShift {
  if (text === undefined || text === '') return { kind: 'ok', shiftMs: 0 };
  if (!allowed)
    return {
      kind: 'wrong',
      message: 'TOLLKEEPER_CLOCK works with `tollkeeper dev` only: unset it',
    };
  const sign = text.startsWith('-') ? -1 : 1;
  const duration = /^[+-]/.test(text) ? parseDuration(text.slice(1)) : undefined;
  if (duration?.kind === 'ok') return { kind: 'ok', shiftMs: sign * duration.value };
  const at = duration === undefined ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    return {
      kind: 'wrong',
      message: `TOLLKEEPER_CLOCK is ${text}: write +36h, -10m or an ISO time such as 2026-12-01T00:00:00Z`,
    };
  return { kind: 'ok', shiftMs: at - now };
}

import type { IncomingHttpHeaders } from 'node:http';

/** Request headers by which a test makes the echo model behave as some other model would. */
export interface EchoKnobs {
  /** `x-echo-delay-ms`: pause before each chunk of a stream, or before a whole answer. */
  readonly delayMs: number;
  /** `x-echo-tokens`: answer with exactly this many one-token words, whatever was asked. */
  readonly tokens: number | undefined;
  /** `x-echo-omit-usage`: say nothing of usage, as some servers do. */
  readonly omitUsage: boolean;
  /** `x-echo-status`: answer with this error status. */
  readonly status: number | undefined;
}

const DELAY_MS_MAX = 60_000;
const TOKENS_MAX = 100_000;

/** The knobs, or the header that is wrong. */
export function readKnobs(headers: IncomingHttpHeaders): EchoKnobs | { readonly wrong: string } {
  const delayMs = readWhole(headers['x-echo-delay-ms'], 0, DELAY_MS_MAX);
  const tokens = readWhole(headers['x-echo-tokens'], 0, TOKENS_MAX);
  const status = readWhole(headers['x-echo-status'], 400, 599);
  if (delayMs === 'wrong') return { wrong: `x-echo-delay-ms must be 0 to ${DELAY_MS_MAX}` };
  if (tokens === 'wrong') return { wrong: `x-echo-tokens must be 0 to ${TOKENS_MAX}` };
  if (status === 'wrong') return { wrong: 'x-echo-status must be 400 to 599' };
  const omitUsage = headers['x-echo-omit-usage'] !== undefined;
  return { delayMs: delayMs ?? 0, tokens, omitUsage, status };
}

function readWhole(
  value: string | string[] | undefined,
  min: number,
  max: number,
): number | 'wrong' | undefined {
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : -1;
  return number >= min && number <= max ? number : 'wrong';
}

import { parseArgs } from 'node:util';

import { QUICK_VARIANTS, type Variant, VARIANTS } from './subject.ts';
import type { HttpTransport } from '../src/server/config/loaded-config.ts';

export interface BenchOptions {
  readonly rounds: number;
  /** Length of one run of one variant; before the first round each variant runs `warmUpSeconds` unmeasured. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** One JSON object on stdout instead of the table. */
  readonly json: boolean;
  /** Whether docs/benchmarks.md is written. */
  readonly write: boolean;
  readonly variants: readonly Variant[];
  /** What speaks HTTP in bare forwarding and in the gateways (`server.http`). */
  readonly http: HttpTransport;
  /** Directory for V8 CPU profiles of the gateways. Profiling costs time: such numbers are never written. */
  readonly profile: string | undefined;
}

export const USAGE = `Usage: npm run bench -- [options]

  --quick          under a minute: 3 rounds of 3 s of nginx, bare forwarding and the gateway with and without
                   store work; docs/benchmarks.md stays as it is
  --json           one JSON object on stdout (with npm: npm run bench --silent -- --json)
  --rounds N       runs of each variant (default 5)
  --seconds N      length of a run (default 8)
  --http WHAT      sockets or node (server.http) in bare forwarding and in the gateways (default sockets)
  --write          write docs/benchmarks.md although the run is not a full one
  --profile DIR    write V8 CPU profiles of the gateways there; the numbers then include the profiler`;

const FULL = { rounds: 5, seconds: 8, warmUpSeconds: 5, variants: VARIANTS };
const QUICK = { rounds: 3, seconds: 3, warmUpSeconds: 2, variants: QUICK_VARIANTS };
const ROUNDS_MAX = 100;
const SECONDS_MAX = 300;

/** Throws with a message that names the flag and what it takes. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      http: { type: 'string', default: 'sockets' },
      profile: { type: 'string' },
    },
  });
  const preset = values.quick ? QUICK : FULL;
  const seconds = readNumber('--seconds', values.seconds, SECONDS_MAX);
  const rounds = readNumber('--rounds', values.rounds, ROUNDS_MAX);
  if (values.write && values.profile !== undefined) {
    throw new Error(
      '--write cannot stand beside --profile: the numbers would include the profiler',
    );
  }
  const http = readHttp(values.http);
  const isFull =
    !values.quick &&
    http === 'sockets' &&
    rounds === undefined &&
    seconds === undefined &&
    values.profile === undefined;
  return {
    rounds: rounds ?? preset.rounds,
    seconds: seconds ?? preset.seconds,
    warmUpSeconds: seconds ?? preset.warmUpSeconds,
    json: values.json,
    variants: preset.variants,
    http,
    write: values.write || isFull,
    profile: values.profile,
  };
}

function readHttp(text: string): HttpTransport {
  if (text === 'sockets' || text === 'node') return text;
  throw new Error(`--http must be sockets or node, got "${text}"`);
}

function readNumber(flag: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`${flag} must be a whole number from 1 to ${max}, got "${text}"`);
}

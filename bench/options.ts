import { parseArgs } from 'node:util';

import type { HttpTransport } from '../src/server/config/loaded-config.ts';
import type { Rounds } from './measure.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { QUICK_VARIANTS, type Variant, VARIANTS } from './subject.ts';

export interface BenchOptions extends Rounds {
  /** One JSON object on stdout instead of the table. */
  readonly json: boolean;
  /** Whether docs/benchmarks.md is written. */
  readonly write: boolean;
  /** The page is written from the numbers there are, and nothing is measured. */
  readonly render: boolean;
  /** Of the first table; none when other scenarios were asked for. */
  readonly variants: readonly Variant[];
  readonly scenarios: readonly ScenarioRun[];
  /** What speaks HTTP in bare forwarding and in the gateways (`server.http`). */
  readonly http: HttpTransport;
  /** Directory for V8 CPU profiles of the gateways. Profiling costs time: such numbers are never written. */
  readonly profile: string | undefined;
}

export interface ScenarioRun {
  readonly scenario: Scenario;
  readonly length: Rounds;
  /** Of the soak. */
  readonly requests: number;
}

export const FIRST_TABLE = 'main';

const SHORT = SCENARIOS.filter(({ short }) => short !== undefined).map(({ name }) => name);

export const USAGE = `Usage: npm run bench -- [options]

  (none)           the first table and the short forms of ${SHORT.join(', ')}:
                   writes docs/benchmarks.md, 14 minutes
  --scenario NAME  one of them at full length, and its section alone is written; may be repeated:
                   ${[FIRST_TABLE, ...SCENARIOS.map(({ name }) => name)].join(', ')}
  --quick          under a minute: 3 rounds of 3 s of nginx, bare forwarding and the gateway with and without
                   store work; docs/benchmarks.md stays as it is
  --json           one JSON object on stdout (with npm: npm run bench --silent -- --json)
  --rounds N       runs of each variant (default 10)
  --seconds N      length of a run (default 4)
  --requests N     of the soak (default 1000000)
  --http WHAT      sockets or node (server.http) in bare forwarding and in the gateways (default sockets)
  --write          write docs/benchmarks.md although lengths were changed
  --no-write       leave docs/benchmarks.md as it is
  --render         measure nothing: write docs/benchmarks.md from docs/benchmarks.json again
  --profile DIR    write V8 CPU profiles of the gateways there; the numbers then include the profiler`;

/** Short turns: what is compared has run within the same minute. */
const LENGTH: Rounds = { rounds: 10, seconds: 4, warmUpSeconds: 5 };
const FULL = { ...LENGTH, variants: VARIANTS };
const QUICK = { rounds: 3, seconds: 3, warmUpSeconds: 2, variants: QUICK_VARIANTS };
const ROUNDS_MAX = 100;
const SECONDS_MAX = 300;
const REQUESTS = 1_000_000;
const REQUESTS_MAX = 1_000_000_000;

/** Throws with a message that names the flag and what it takes. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      'no-write': { type: 'boolean', default: false },
      render: { type: 'boolean', default: false },
      scenario: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      requests: { type: 'string' },
      http: { type: 'string', default: 'sockets' },
      profile: { type: 'string' },
    },
  });
  const { profile, quick, scenario: names } = values;
  refusePairs(values);
  const seconds = readNumber('--seconds', values.seconds, SECONDS_MAX);
  const rounds = readNumber('--rounds', values.rounds, ROUNDS_MAX);
  const requests = readNumber('--requests', values.requests, REQUESTS_MAX);
  const http = readHttp(values.http);
  const given = {
    ...(rounds === undefined ? {} : { rounds }),
    ...(seconds === undefined ? {} : { seconds, warmUpSeconds: seconds }),
  };
  const { variants, ...length } = { ...(quick ? QUICK : FULL), ...given };
  const isFull =
    !quick && http === 'sockets' && Object.keys(given).length === 0 && profile === undefined;
  return {
    ...length,
    json: values.json,
    render: values.render,
    variants: names === undefined || names.includes(FIRST_TABLE) ? variants : [],
    scenarios: quick
      ? []
      : chooseScenarios(names).map(({ scenario, own }) => ({
          scenario,
          length: { ...LENGTH, ...own, ...given },
          requests: requests ?? REQUESTS,
        })),
    http,
    write: (values.write || isFull) && !values['no-write'],
    profile,
  };
}

interface Chosen {
  readonly scenario: Scenario;
  readonly own: Partial<Rounds>;
}

function chooseScenarios(names: readonly string[] | undefined): readonly Chosen[] {
  if (names === undefined) {
    return SCENARIOS.flatMap((scenario) =>
      scenario.short === undefined ? [] : [{ scenario, own: scenario.short }],
    );
  }
  const known = [FIRST_TABLE, ...SCENARIOS.map(({ name }) => name)];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new Error(`--scenario must be one of ${known.join(', ')}, got "${unknown}"`);
  }
  return SCENARIOS.filter(({ name }) => names.includes(name)).map((scenario) => ({
    scenario,
    own: scenario.full,
  }));
}

function refusePairs(values: {
  readonly quick: boolean;
  readonly write: boolean;
  readonly 'no-write': boolean;
  readonly profile?: string | undefined;
  readonly scenario?: readonly string[] | undefined;
}): void {
  if (values.write && values.profile !== undefined) {
    throw new Error(
      '--write cannot stand beside --profile: the numbers would include the profiler',
    );
  }
  if (values.write && values['no-write']) {
    throw new Error('--write cannot stand beside --no-write');
  }
  if (values.quick && values.scenario !== undefined) {
    throw new Error('--quick cannot stand beside --scenario: it is a part of the first table');
  }
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

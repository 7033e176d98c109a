import type { Cores } from './machine.ts';
import type { Rounds, Sample, Tell } from './measure.ts';
import type { GatewaySetup } from './start-pinned-gateway.ts';
import { type Measured, medianOf, round } from './summarise.ts';

/** Numbers of one thing that was measured: names as in `--json`, titles and digits in `render-scenario.ts`. */
export interface Row {
  readonly name: string;
  readonly numbers: Readonly<Partial<Record<NumberName, number>>>;
}

export type NumberName = keyof typeof NUMBERS;

/** Every number that a table of a scenario can show, in the order of its columns. */
export const NUMBERS = {
  req_per_s: { title: 'req/s', digits: 0 },
  cpu_us_per_request: { title: 'CPU us/req', digits: 1 },
  cpu_us_per_event: { title: 'CPU us/event', digits: 2 },
  mb_per_s: { title: 'MB/s', digits: 0 },
  p50_ms: { title: 'p50 ms', digits: 2 },
  p99_ms: { title: 'p99 ms', digits: 2 },
  first_p50_ms: { title: 'first event p50 ms', digits: 2 },
  first_p99_ms: { title: 'first event p99 ms', digits: 2 },
  start_ms: { title: 'ms until ready', digits: 0 },
  rss_mb: { title: 'MB', digits: 0 },
  mb_per_million: { title: 'MB per million', digits: 2 },
  requests: { title: 'requests', digits: 0 },
  open_files: { title: 'open files', digits: 0 },
  reserved: { title: 'reserved', digits: 0 },
} as const;

/** A sentence about the rows, and, where the project promises something, whether it is kept. */
export interface Finding {
  readonly text: string;
  readonly met?: boolean;
}

export interface ScenarioSetting extends Rounds {
  readonly cores: Cores;
  readonly gateway: Omit<GatewaySetup, 'upstreamOrigin'>;
  readonly tell: Tell;
  /** Of the soak. */
  readonly requests: number;
  /** What is started is stopped at the end, last first, whatever happens. */
  readonly keep: <Kept extends { stop(): Promise<unknown> }>(kept: Kept) => Kept;
}

/** One section of docs/benchmarks.md, measured by itself. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Markdown: what is measured, and how. */
  readonly about: string;
  /** Of the runs in `npm run bench`; absent = only when it is asked for. */
  readonly short?: Partial<Rounds>;
  /** Of the runs in `--scenario NAME`; what it leaves out it has no use for. */
  readonly full: Partial<Rounds>;
  run(setting: ScenarioSetting): Promise<readonly Row[]>;
  conclude(rows: readonly Row[]): readonly Finding[];
}

/** The row all tables have: medians over the runs of one subject. */
export function summariseRow(samples: readonly Sample[], name: string): Row {
  const own = (member: Measured, digits: number): number =>
    round(medianOf(samples, name, member), digits);
  return {
    name,
    numbers: {
      req_per_s: own('requestsPerSecond', 0),
      cpu_us_per_request: own('cpuMicrosecondsPerRequest', 1),
      p50_ms: own('p50Ms', 2),
      p99_ms: own('p99Ms', 2),
      rss_mb: own('residentMb', 0),
    },
  };
}

export function readNumber(rows: readonly Row[], name: string, number: NumberName): number {
  const value = rows.find((row) => row.name === name)?.numbers[number];
  if (value === undefined) throw new Error(`no ${number} of "${name}" was measured`);
  return value;
}

/**
 * How one row does beside another: the lower of the ratios by requests a second and by CPU a request, as in the first
 * table. 1 = as fast.
 */
export function compareRows(rows: readonly Row[], name: string, base: string): number {
  const rate = readNumber(rows, name, 'req_per_s') / readNumber(rows, base, 'req_per_s');
  const cpu =
    readNumber(rows, base, 'cpu_us_per_request') / readNumber(rows, name, 'cpu_us_per_request');
  return Math.min(rate, cpu);
}

/** Share below which a row counts as slower than the one it must equal: "within 10 %". */
const EQUAL_LEAST = 0.9;

export function findEqual(rows: readonly Row[], name: string, base: string): Finding {
  const ratio = compareRows(rows, name, base);
  return {
    text: `${name}: ${ratio.toFixed(2)} of ${base} (wanted: ${EQUAL_LEAST} or more)`,
    met: ratio >= EQUAL_LEAST,
  };
}

import type { Sample } from './measure.ts';
import { type Variant, VARIANTS } from './subject.ts';

/** Medians over the rounds of one variant; the names are those of `--json`. */
export interface VariantResult {
  readonly req_per_s: number;
  readonly cpu_us_per_request: number;
  readonly supervisor_cpu_us_per_request: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly rss_mb: number;
  /** Part of a run in which the gateway's core worked for it: well below 1, the machine was busy with something else. */
  readonly core_busy: number;
  /** Requests a second over those of nginx. */
  readonly ratio_to_nginx_by_rate: number;
  /** CPU a request of nginx over this one's: the same where both had the core to themselves. */
  readonly ratio_to_nginx_by_cpu: number;
  /** The lower of the two: then neither busy neighbours nor a core that waits can flatter it. */
  readonly ratio_to_nginx: number;
}

export interface BenchResult {
  /** With everything on. */
  readonly ratio_to_nginx: number;
  /** CPU a request: everything on minus bare forwarding on the same transport, in the same round, as below. */
  readonly added_cpu_us: number;
  /** The part of it that goes when nothing touches the store. */
  readonly store_cpu_us: number;
  /** CPU a request: ten limits minus one; absent from a quick run. */
  readonly nine_more_limits_cpu_us?: number;
  /** Refusals a second over forwarded requests a second, everything on; absent from a quick run. */
  readonly refused_to_forwarded?: number;
  readonly variants: Measurements;
}

/** All of them, or those of a quick run. */
export type Measurements = Readonly<
  Record<'nginx' | 'bare' | 'everything' | 'no-store', VariantResult>
> &
  Readonly<Partial<Record<Variant, VariantResult>>>;

export function summarise(samples: readonly Sample[]): BenchResult {
  const measured = VARIANTS.filter((variant) => samples.some((each) => each.variant === variant));
  const entries = measured.map((variant) => [variant, summariseVariant(samples, variant)]);
  const variants = Object.fromEntries(entries) as unknown as Measurements;
  const cpuAbove = (variant: Variant, base: Variant): number =>
    round(
      medianOfPairs(samples, [variant, base], CPU, (own, other) => own - other),
      1,
    );
  return {
    ratio_to_nginx: variants.everything.ratio_to_nginx,
    added_cpu_us: cpuAbove('everything', 'bare'),
    store_cpu_us: cpuAbove('everything', 'no-store'),
    ...(variants.refused === undefined
      ? {}
      : {
          nine_more_limits_cpu_us: cpuAbove('ten-limits', 'one-limit'),
          refused_to_forwarded: round(
            medianOfPairs(samples, ['refused', 'everything'], RATE, divide),
            2,
          ),
        }),
    variants,
  };
}

function summariseVariant(samples: readonly Sample[], variant: Variant): VariantResult {
  const own = (member: Measured): number => medianOf(samples, variant, member);
  const byRate = round(medianOfPairs(samples, [variant, 'nginx'], RATE, divide), 3);
  const byCpu = round(medianOfPairs(samples, ['nginx', variant], CPU, divide), 3);
  return {
    req_per_s: round(own('requestsPerSecond'), 0),
    cpu_us_per_request: round(own('cpuMicrosecondsPerRequest'), 1),
    supervisor_cpu_us_per_request: round(own('supervisorMicrosecondsPerRequest'), 2),
    p50_ms: round(own('p50Ms'), 2),
    p99_ms: round(own('p99Ms'), 2),
    rss_mb: round(own('residentMb'), 0),
    core_busy: round(own('coreBusy'), 2),
    ratio_to_nginx_by_rate: byRate,
    ratio_to_nginx_by_cpu: byCpu,
    ratio_to_nginx: Math.min(byRate, byCpu),
  };
}

export type Measured = Exclude<keyof Sample, 'variant' | 'requests'>;

const RATE: Measured = 'requestsPerSecond';
const CPU: Measured = 'cpuMicrosecondsPerRequest';

/**
 * Two variants of one round ran within a minute of each other: compared round by round, what the machine does in other
 * minutes falls out.
 */
function medianOfPairs(
  samples: readonly Sample[],
  [left, right]: readonly [Variant, Variant],
  member: Measured,
  compare: (left: number, right: number) => number,
): number {
  const read = (variant: Variant): readonly number[] =>
    samples.filter((sample) => sample.variant === variant).map((sample) => sample[member]);
  const others = read(right);
  return median(read(left).map((value, round) => compare(value, others[round] ?? Number.NaN)));
}

function divide(left: number, right: number): number {
  return left / right;
}

export function medianOf(samples: readonly Sample[], variant: string, member: Measured): number {
  const own = samples.filter((sample) => sample.variant === variant);
  if (own.length === 0) throw new Error(`no run of ${variant}`);
  return median(own.map((sample) => sample[member]));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  const lower = sorted[Math.ceil(middle) - 1];
  if (upper === undefined || lower === undefined) throw new Error('no value, no median');
  return (upper + lower) / 2;
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/**
 * Counters, gauges and histograms in typed arrays (an add costs nanoseconds), with bounded labels, rendered as
 * Prometheus text (exposition format 0.0.4). A process takes a `snapshot`, which is plain JSON and may cross IPC;
 * `mergeSnapshots` adds those of several processes up.
 */
export interface FamilyOptions {
  /** Snake case with the unit last: `tollkeeper_request_duration_seconds`, counters end in `_total`. */
  readonly name: string;
  readonly help: string;
  /** In the order in which `child` takes their values. */
  readonly labels?: readonly string[];
  /** Most label combinations; a further one counts under `other` in every label (OBS-17). */
  readonly seriesMax?: number;
}
export interface GaugeOptions extends FamilyOptions {
  /** How several processes' values become one. Default: sum. */
  readonly merge?: GaugeMerge;
}
export interface HistogramOptions extends FamilyOptions {
  /** Upper bounds, ascending; +Inf is added. */
  readonly buckets: readonly number[];
}
export type GaugeMerge = 'sum' | 'max' | 'min';

export interface Counter {
  /** Adds a number that is not negative; default 1. */
  add(amount?: number): void;
}
export interface Gauge {
  set(value: number): void;
}
export interface Histogram {
  observe(value: number): void;
}
/** Children are made on first use and kept. Keep the child where the labels are constant: then nothing is looked up. */
export interface Family<Child> {
  child(...labelValues: readonly string[]): Child;
}

export interface MetricSnapshot {
  readonly families: readonly FamilySnapshot[];
}
interface FamilySnapshot {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly seriesMax: number;
  readonly merge: GaugeMerge;
  /** Histograms only. */
  readonly buckets: readonly number[];
  readonly series: readonly Series[];
}
interface Series {
  readonly labels: readonly string[];
  /** One number; for a histogram the count of each bucket (not cumulative), of +Inf, and the sum. */
  readonly values: readonly number[];
}

/** The label value that stands for everything beyond the bound. */
export const OTHER = 'other';
export const LATENCY_BUCKETS_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
];
const SERIES_MAX = 256;
const LABEL_LENGTH_MAX = 128;
const NAME = /^[a-z][a-z0-9_]{0,127}$/;
/** Cannot stand in a label value: values are cut at control characters. */
const SEPARATOR = '\u0000';

export class MetricRegistry {
  readonly #families = new Map<string, AnyFamily>();

  counter(options: FamilyOptions): Family<Counter> {
    if (!options.name.endsWith('_total'))
      throw new Error(`counter ${options.name} must end in _total`);
    const shape = { ...shapeOf(options), type: 'counter' as const };
    return this.#register(new MetricFamily(shape, 1, (values) => new CounterCell(values)));
  }

  gauge(options: GaugeOptions): Family<Gauge> {
    const shape = { ...shapeOf(options), type: 'gauge' as const, merge: options.merge ?? 'sum' };
    return this.#register(new MetricFamily(shape, 1, (values) => new GaugeCell(values)));
  }

  histogram(options: HistogramOptions): Family<Histogram> {
    const buckets = [...options.buckets];
    if (buckets.some((bound, index) => index > 0 && bound <= (buckets[index - 1] ?? bound))) {
      throw new Error(`buckets of ${options.name} must ascend`);
    }
    const shape = { ...shapeOf(options), type: 'histogram' as const, buckets };
    const bounds = Float64Array.from(buckets);
    return this.#register(
      new MetricFamily(shape, buckets.length + 2, (values) => new HistogramCell(values, bounds)),
    );
  }

  /** Everything counted so far, as plain JSON. */
  snapshot(): MetricSnapshot {
    return { families: Array.from(this.#families.values(), (family) => family.snapshot()) };
  }

  #register<Child>(family: MetricFamily<Child>): Family<Child> {
    if (this.#families.has(family.name)) throw new Error(`metric ${family.name} exists already`);
    this.#families.set(family.name, family);
    return family;
  }
}

/** Sums counters and histograms; gauges as their family says. Families and series keep their first order. */
export function mergeSnapshots(snapshots: readonly MetricSnapshot[]): MetricSnapshot {
  const merged = new Map<string, { family: FamilySnapshot; series: Map<string, Series> }>();
  for (const family of snapshots.flatMap((snapshot) => snapshot.families)) {
    const entry = merged.get(family.name) ?? { family, series: new Map<string, Series>() };
    merged.set(family.name, entry);
    for (const series of family.series) addSeries(entry.family, entry.series, series);
  }
  const families = Array.from(merged.values(), ({ family, series }) => ({
    ...family,
    series: [...series.values()],
  }));
  return { families };
}

/**
 * What must outlive a process: its counts. A supervisor merges the last snapshot of a worker that ended into the
 * sum, so that totals never go down; the gauges of a dead process are no longer true.
 */
export function withoutGauges(snapshot: MetricSnapshot): MetricSnapshot {
  return { families: snapshot.families.filter((family) => family.type !== 'gauge') };
}

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function renderMetrics(snapshot: MetricSnapshot): string {
  const lines: string[] = [];
  for (const family of snapshot.families) {
    lines.push(`# HELP ${family.name} ${escapeHelp(family.help)}`);
    lines.push(`# TYPE ${family.name} ${family.type}`);
    for (const series of family.series) renderSeries(lines, family, series);
  }
  return `${lines.join('\n')}\n`;
}

// ---- inside ------------------------------------------------------------------------------------

type Shape = Omit<FamilySnapshot, 'series'>;
type AnyFamily = { snapshot(): FamilySnapshot };

class CounterCell implements Counter {
  readonly #values: Float64Array;
  constructor(values: Float64Array) {
    this.#values = values;
  }
  add(amount = 1): void {
    if (amount > 0) this.#values[0] = (this.#values[0] ?? 0) + amount;
  }
}

class GaugeCell implements Gauge {
  readonly #values: Float64Array;
  constructor(values: Float64Array) {
    this.#values = values;
  }
  set(value: number): void {
    this.#values[0] = value;
  }
}

class HistogramCell implements Histogram {
  readonly #values: Float64Array;
  readonly #bounds: Float64Array;
  constructor(values: Float64Array, bounds: Float64Array) {
    this.#values = values;
    this.#bounds = bounds;
  }
  observe(value: number): void {
    if (!Number.isFinite(value)) return;
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] ?? 0)) bucket += 1;
    this.#values[bucket] = (this.#values[bucket] ?? 0) + 1;
    const sum = this.#bounds.length + 1;
    this.#values[sum] = (this.#values[sum] ?? 0) + value;
  }
}

class MetricFamily<Child> implements Family<Child> {
  readonly #shape: Shape;
  readonly #width: number;
  readonly #make: (values: Float64Array) => Child;
  readonly #cells = new Map<
    string,
    { labels: readonly string[]; values: Float64Array; child: Child }
  >();

  constructor(shape: Shape, width: number, make: (values: Float64Array) => Child) {
    this.#shape = shape;
    this.#width = width;
    this.#make = make;
    // A family without labels has its one series from the start: a zero is news, an absence is a question.
    if (shape.labels.length === 0) this.child();
  }

  get name(): string {
    return this.#shape.name;
  }

  child(...labelValues: readonly string[]): Child {
    const known = this.#cells.get(labelValues.join(SEPARATOR));
    return known === undefined ? this.#create(labelValues) : known.child;
  }

  snapshot(): FamilySnapshot {
    const series = Array.from(this.#cells.values(), ({ labels, values }) => ({
      labels,
      values: Array.from(values),
    }));
    return { ...this.#shape, series };
  }

  #create(labelValues: readonly string[]): Child {
    const { name, labels } = this.#shape;
    if (labelValues.length !== labels.length) {
      throw new Error(
        `metric ${name} takes ${labels.length} label values, not ${labelValues.length}`,
      );
    }
    const clean = boundedLabels(this.#shape, this.#cells, labelValues.map(cleanLabel));
    const key = clean.join(SEPARATOR);
    const existing = this.#cells.get(key);
    if (existing !== undefined) return existing.child;
    const values = new Float64Array(this.#width);
    const child = this.#make(values);
    this.#cells.set(key, { labels: clean, values, child });
    return child;
  }
}

function shapeOf(options: FamilyOptions): Omit<Shape, 'type'> {
  const labels = [...(options.labels ?? [])];
  for (const name of [options.name, ...labels]) {
    if (!NAME.test(name)) throw new Error(`not a metric or label name: ${name}`);
  }
  const seriesMax = options.seriesMax ?? SERIES_MAX;
  return { name: options.name, help: options.help, labels, seriesMax, merge: 'sum', buckets: [] };
}

/** The labels themselves, or `other` in each once the family is full. The series `other` comes on top of the bound. */
function boundedLabels(
  shape: Shape,
  cells: ReadonlyMap<string, unknown>,
  labels: readonly string[],
): readonly string[] {
  const full = cells.size >= shape.seriesMax && !cells.has(labels.join(SEPARATOR));
  return full ? labels.map(() => OTHER) : labels;
}

/** Invalid surrogates and control characters would break the scrape; a very long value is cut. */
function cleanLabel(value: string): string {
  // oxlint-disable-next-line no-control-regex -- these are the characters to replace
  return value.slice(0, LABEL_LENGTH_MAX).replace(/[\u0000-\u001f\u007f]|\p{Surrogate}/gu, '_');
}

function addSeries(family: FamilySnapshot, into: Map<string, Series>, series: Series): void {
  const labels = boundedLabels(family, into, series.labels);
  const key = labels.join(SEPARATOR);
  const before = into.get(key);
  if (before === undefined) {
    into.set(key, { labels, values: series.values });
    return;
  }
  if (before.values.length !== series.values.length) {
    throw new Error(`metric ${family.name} has other buckets in another process`);
  }
  const combine = COMBINE[family.merge];
  const values = before.values.map((value, index) => combine(value, series.values[index] ?? 0));
  into.set(key, { labels, values });
}

const COMBINE: Record<GaugeMerge, (left: number, right: number) => number> = {
  sum: (left, right) => left + right,
  max: Math.max,
  min: Math.min,
};

function renderSeries(lines: string[], family: FamilySnapshot, series: Series): void {
  const labels = family.labels.map(
    (name, index) => `${name}="${escapeLabel(series.labels[index] ?? '')}"`,
  );
  if (family.type !== 'histogram') {
    lines.push(`${family.name}${braces(labels)} ${formatNumber(series.values[0] ?? 0)}`);
    return;
  }
  let count = 0;
  for (const [index, bound] of [...family.buckets, Infinity].entries()) {
    count += series.values[index] ?? 0;
    const bucket = braces([...labels, `le="${formatNumber(bound)}"`]);
    lines.push(`${family.name}_bucket${bucket} ${count}`);
  }
  lines.push(`${family.name}_sum${braces(labels)} ${formatNumber(series.values.at(-1) ?? 0)}`);
  lines.push(`${family.name}_count${braces(labels)} ${count}`);
}

function braces(labels: readonly string[]): string {
  return labels.length === 0 ? '' : `{${labels.join(',')}}`;
}

function formatNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}

function escapeHelp(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

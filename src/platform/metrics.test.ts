import fc from 'fast-check';
import { expect, it } from 'vitest';

import { MetricRegistry, mergeSnapshots, OTHER, renderMetrics, withoutGauges } from './metrics.ts';

function registry() {
  const metrics = new MetricRegistry();
  return {
    metrics,
    requests: metrics.counter({
      name: 'requests_total',
      help: 'Requests.',
      labels: ['route', 'code'],
    }),
    memory: metrics.gauge({ name: 'memory_bytes', help: 'Memory.' }),
    healthy: metrics.gauge({ name: 'healthy', help: 'Healthy.', labels: ['target'], merge: 'min' }),
    duration: metrics.histogram({ name: 'duration_seconds', help: 'Time.', buckets: [0.1, 1] }),
  };
}

it('OBS-17: renders the Prometheus text format', () => {
  const { metrics, requests, memory, duration } = registry();
  requests.child('chat', '200').add();
  requests.child('chat', '200').add(2);
  requests.child('a"b\\c', '402').add();
  memory.child().set(1.5);
  for (const value of [0.05, 0.1, 0.5, 7]) duration.child().observe(value);
  expect(renderMetrics(metrics.snapshot())).toBe(
    `# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{route="chat",code="200"} 3
requests_total{route="a\\"b\\\\c",code="402"} 1
# HELP memory_bytes Memory.
# TYPE memory_bytes gauge
memory_bytes 1.5
# HELP healthy Healthy.
# TYPE healthy gauge
# HELP duration_seconds Time.
# TYPE duration_seconds histogram
duration_seconds_bucket{le="0.1"} 2
duration_seconds_bucket{le="1"} 3
duration_seconds_bucket{le="+Inf"} 4
duration_seconds_sum 7.65
duration_seconds_count 4
`,
  );
});

it('OBS-17: labels are bounded: beyond seriesMax everything counts under other', () => {
  const metrics = new MetricRegistry();
  const family = metrics.counter({ name: 'x_total', help: 'X.', labels: ['id'], seriesMax: 3 });
  for (let index = 0; index < 1_000; index += 1) family.child(`id-${index}`).add();
  family.child('id-0').add();
  expect(metrics.snapshot().families[0]?.series).toEqual([
    { labels: ['id-0'], values: [2] },
    { labels: ['id-1'], values: [1] },
    { labels: ['id-2'], values: [1] },
    { labels: [OTHER], values: [997] },
  ]);
});

it('OBS-17: the bound holds for the merged whole too', () => {
  const snapshots = Array.from({ length: 20 }, (_, index) => {
    const metrics = new MetricRegistry();
    metrics
      .counter({ name: 'x_total', help: 'X.', labels: ['id'], seriesMax: 3 })
      .child(`id-${index}`)
      .add();
    return metrics.snapshot();
  });
  const merged = mergeSnapshots(snapshots).families[0]?.series;
  expect(merged).toHaveLength(4);
  expect(merged?.at(-1)).toEqual({ labels: [OTHER], values: [17] });
});

it('a label value is cut and cleaned, so that nobody writes lines into the scrape', () => {
  const { metrics, requests } = registry();
  requests.child('a\n# HELP evil', '\ud800').add();
  requests.child('x'.repeat(10_000), '200').add();
  const text = renderMetrics(metrics.snapshot());
  expect(text).toContain('route="a_# HELP evil",code="_"');
  expect(text.length).toBeLessThan(1_000);
});

it('merging sums counters and histograms, and gauges as they say', () => {
  const [left, right] = [registry(), registry()];
  for (const [index, one] of [left, right].entries()) {
    one.requests.child('chat', '200').add(index + 1);
    one.memory.child().set(100);
    one.healthy.child('a').set(index);
    one.duration.child().observe(index + 0.5);
  }
  right.requests.child('chat', '402').add(5);
  const merged: unknown = JSON.parse(
    JSON.stringify(mergeSnapshots([left.metrics.snapshot(), right.metrics.snapshot()])),
  );
  expect(merged).toMatchObject({
    families: [
      {
        name: 'requests_total',
        series: [
          { labels: ['chat', '200'], values: [3] },
          { labels: ['chat', '402'], values: [5] },
        ],
      },
      { name: 'memory_bytes', series: [{ values: [200] }] },
      { name: 'healthy', series: [{ labels: ['a'], values: [0] }] },
      { name: 'duration_seconds', series: [{ values: [0, 1, 1, 2] }] },
    ],
  });
});

it('a merge is the same in any order and grouping', () => {
  const adds = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 99 })));
  fc.assert(
    fc.property(adds, adds, adds, (...parts) => {
      const [a, b, c] = parts.map((part) => {
        const { metrics, requests } = registry();
        for (const [route, amount] of part) requests.child(route, '200').add(amount);
        return metrics.snapshot();
      });
      if (a === undefined || b === undefined || c === undefined) throw new Error('three parts');
      const sorted = (text: string) => text.split('\n').toSorted();
      const whole = sorted(renderMetrics(mergeSnapshots([a, b, c])));
      expect(sorted(renderMetrics(mergeSnapshots([mergeSnapshots([c, a]), b])))).toEqual(whole);
    }),
  );
});

it('the counts of a process that ended are kept, its gauges are not', () => {
  const { metrics, requests, memory } = registry();
  requests.child('chat', '200').add();
  memory.child().set(5);
  const kept = withoutGauges(metrics.snapshot()).families.map((family) => family.name);
  expect(kept).toEqual(['requests_total', 'duration_seconds']);
});

it('nothing makes a counter go down or a histogram NaN', () => {
  const { metrics, requests, duration } = registry();
  const child = requests.child('chat', '200');
  for (const amount of [1, -1, Number.NaN]) child.add(amount);
  for (const value of [Number.NaN, Infinity]) duration.child().observe(value);
  expect(renderMetrics(metrics.snapshot())).toContain(
    'requests_total{route="chat",code="200"} 1\n',
  );
  expect(renderMetrics(metrics.snapshot())).toContain('duration_seconds_sum 0\n');
});

it.each([
  [
    'a counter without _total',
    'must end in _total',
    () => registry().metrics.counter({ name: 'x', help: '' }),
  ],
  [
    'a bad name',
    'not a metric or label name: X y',
    () => registry().metrics.gauge({ name: 'X y', help: '' }),
  ],
  [
    'a bad label',
    'not a metric or label name: a-b',
    () => registry().metrics.gauge({ name: 'x', help: '', labels: ['a-b'] }),
  ],
  [
    'the same name twice',
    'exists already',
    () => registry().metrics.gauge({ name: 'healthy', help: '' }),
  ],
  [
    'falling buckets',
    'must ascend',
    () => registry().metrics.histogram({ name: 'x', help: '', buckets: [2, 1] }),
  ],
  ['too few label values', 'takes 2 label values', () => registry().requests.child('chat')],
  [
    'other buckets in another process',
    'has other buckets',
    () => {
      const other = new MetricRegistry();
      other.histogram({ name: 'duration_seconds', help: '', buckets: [1] });
      mergeSnapshots([registry().metrics.snapshot(), other.snapshot()]);
    },
  ],
])('refuses %s', (_title, message, act) => {
  expect(act).toThrow(message);
});

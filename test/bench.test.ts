// @needs nginx wrk
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { describeMachine } from '../bench/machine.ts';
import { parseOptions } from '../bench/options.ts';
import type { Report } from '../bench/render-report.ts';
import type { Sample } from '../bench/measure.ts';
import { readBooks } from '../bench/read-books.ts';
import { renderPage } from '../bench/render-page.ts';
import { readResults, type Results, type ScenarioResult } from '../bench/results-file.ts';
import { readNumber } from '../bench/scenario.ts';
import { SCENARIOS } from '../bench/scenarios/all.ts';
import { slopeOf } from '../bench/scenarios/soak.ts';
import { seedStore } from '../bench/seed-store.ts';
import { sha256Hex } from '../src/platform/sha256.ts';
import { openSqliteStore } from '../src/stores/sqlite/sqlite-store.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { ANSWER_BODY, REQUEST_BODY, requestHeaders } from '../bench/workload.ts';
import { type Variant, VARIANTS } from '../bench/subject.ts';
import { summarise } from '../bench/summarise.ts';

const root = resolve(import.meta.dirname, '..');

const runBench = (...args: readonly string[]) =>
  spawnSync(process.execPath, ['--import', './tools/typescript.mjs', 'bench/main.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
  });

function reportOf(...args: readonly string[]): string {
  const { status, stdout, stderr } = runBench('--json', ...args);
  if (status !== 0) throw new Error(`the bench ended with ${status}: ${stderr}`);
  return stdout;
}

it('PERF-05: the bench runs every variant, charges every answer, and prints one JSON object', () => {
  const page = readDocument('benchmarks.md');
  const length = ['--rounds', '1', '--seconds', '1'];
  const stdout = reportOf('--scenario', 'main', ...length);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  const report = JSON.parse(stdout) as Report;
  expect(Object.keys(report.variants)).toEqual([...VARIANTS]);
  for (const variant of VARIANTS) {
    const { supervisor_cpu_us_per_request: beside, ...numbers } = report.variants[variant] ?? {};
    expect(Object.keys(numbers)).toHaveLength(9);
    for (const number of Object.values(numbers)) expect(number).toBeGreaterThan(0);
    expect(beside).toBeGreaterThanOrEqual(0);
  }
  expect(report.variants.nginx.ratio_to_nginx).toBe(1);
  expect(report.ratio_to_nginx).toBe(report.variants.everything.ratio_to_nginx);
  expect(report.added_cpu_us).toEqual(expect.any(Number));
  expect(readDocument('benchmarks.md')).toBe(page);
  expect(readdirSync(root).filter((name) => name.startsWith('dist.bench'))).toEqual([]);
});

it('PERF-01, PERF-03: scenarios run by themselves: a rate that is kept, and a mix that leaves nothing behind', () => {
  const asked = ['--scenario', 'latency', '--scenario', 'soak', '--requests', '2000'];
  const length = ['--rounds', '1', '--seconds', '1'];
  const stdout = reportOf(...asked, ...length);
  const { scenarios } = JSON.parse(stdout) as Pick<Results, 'scenarios'>;
  expect(Object.keys(scenarios)).toEqual(['latency', 'soak']);
  const rowsOf = (name: string) => scenarios[name]?.rows ?? [];
  const rates = rowsOf('latency').map(({ numbers }) => numbers.req_per_s);
  expect(new Set(rates.slice(0, 3)).size).toBe(1);
  expect(rates[0]).toBeGreaterThan(0);
  expect(rowsOf('soak').at(-1)).toMatchObject({ name: 'stopped', numbers: { reserved: 0 } });
  expect(readNumber(rowsOf('soak'), 'stopped', 'requests')).toBeGreaterThanOrEqual(2000);
});

it.each([
  ['--rounds', '0', '--rounds must be a whole number from 1 to 100, got "0"'],
  ['--seconds', 'long', '--seconds must be a whole number from 1 to 300, got "long"'],
  ['--http', 'h2', '--http must be sockets or node, got "h2"'],
  ['--profile=x', '--write', '--write cannot stand beside --profile'],
  ['--write', '--no-write', '--write cannot stand beside --no-write'],
  ['--scenario', 'speed', '--scenario must be one of main, portkey, '],
  ['--quick', '--scenario=keys', '--quick cannot stand beside --scenario'],
  ['--requests', '0', '--requests must be a whole number from 1 to 1000000000, got "0"'],
])('refuses %s %s and says what it takes', (first, second, message) => {
  expect(() => parseOptions([first, second])).toThrow(message);
});

it('tells on stderr what is wrong, and how it is used', () => {
  const { status, stdout, stderr } = runBench('--rounds', '0');
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain('error: --rounds must be a whole number');
  expect(stderr).toContain('Usage: npm run bench');
});

it.each([
  ['a full run', [], true],
  ['--quick', ['--quick'], false],
  ['--quick --write', ['--quick', '--write'], true],
  ['fewer rounds', ['--rounds', '1'], false],
  ['a profiled run', ['--profile', 'x'], false],
  ['one scenario', ['--scenario', 'soak', '--requests', '5'], true],
  ['one that shall not', ['--scenario', 'keys', '--no-write'], false],
])('writes docs/benchmarks.md or not: %s', (_what, args, write) => {
  expect(parseOptions(args)).toMatchObject({ write });
});

it('asks what docs/benchmarks.md says it asks', () => {
  expect(Buffer.byteLength(REQUEST_BODY)).toBe(305);
  expect(Buffer.byteLength(ANSWER_BODY)).toBe(583);
  expect(Object.keys(requestHeaders('key'))).toHaveLength(14);
});

it('quotes medians, and what is added is everything on minus bare forwarding', () => {
  const samples = VARIANTS.flatMap((variant) => [3, 1, 2].map((size) => sample(variant, size)));
  const result = summarise(samples);
  expect(result.variants.bare).toMatchObject({ cpu_us_per_request: 40, req_per_s: 2000 });
  expect(result).toMatchObject({ added_cpu_us: 20, store_cpu_us: 10, ratio_to_nginx: 0.333 });
  expect(result).toMatchObject({ nine_more_limits_cpu_us: 8, refused_to_forwarded: 1 });
  expect(result.variants.everything).toMatchObject({
    ratio_to_nginx_by_rate: 1,
    ratio_to_nginx_by_cpu: 0.333,
    ratio_to_nginx: 0.333,
  });
  const even = summarise(VARIANTS.flatMap((variant) => [sample(variant, 1), sample(variant, 2)]));
  expect(even.variants.nginx.cpu_us_per_request).toBe(15);
});

/** CPU of a middle-sized sample: nginx 20, bare 40, everything 60, no-store 50. */
function sample(variant: Variant, size: number): Sample {
  const cpu = {
    nginx: 10,
    bare: 20,
    everything: 30,
    'no-store': 25,
    'one-limit': 28,
    'ten-limits': 32,
    'journal-fsync': 35,
    'commit-before-serve': 40,
    refused: 15,
  }[variant];
  return {
    variant,
    requests: 1,
    requestsPerSecond: size * 1000,
    cpuMicrosecondsPerRequest: cpu * size,
    supervisorMicrosecondsPerRequest: 0,
    coreBusy: 1,
    p50Ms: size,
    p99Ms: size,
    residentMb: size,
  };
}

it('runs what belongs beside the first table in its short form, one at full length when asked, and none in a quick run', () => {
  const named = (args: readonly string[]) =>
    parseOptions(args).scenarios.map(({ scenario }) => scenario.name);
  expect(named([])).toEqual(
    SCENARIOS.filter(({ short }) => short !== undefined).map(({ name }) => name),
  );
  expect(named([])).not.toContain('soak');
  expect(named(['--quick'])).toEqual([]);
  expect(parseOptions(['--scenario', 'keys'])).toMatchObject({
    variants: [],
    scenarios: [{ length: { rounds: 10, seconds: 4 }, requests: 1_000_000 }],
  });
  expect(parseOptions(['--scenario', 'main'])).toMatchObject({ variants: VARIANTS, scenarios: [] });
});

it('docs/benchmarks.md is what its numbers say, and no section is lost when another is measured', () => {
  const results = readResults(resolve(root, 'docs/benchmarks.json'));
  const page = renderPage(results, SCENARIOS);
  // After a change of the page's text: npm run bench -- --render
  expect(readDocument('benchmarks.md')).toBe(page);
  const scenarios = { ...results.scenarios, keys: fakeKeys(0.9) };
  const grown = renderPage({ ...results, scenarios }, SCENARIOS);
  expect(grown).toContain('## 1 to 100,000 keys');
  expect(grown).toContain(
    '100,000 keys of one tenant: 0.90 of 1 key (wanted: 0.9 or more): **met**',
  );
  for (const title of page.match(/^## .*$/gm) ?? []) expect(grown).toContain(title);
  const slower = renderPage({ ...results, scenarios: { keys: fakeKeys(0.8) } }, SCENARIOS);
  expect(slower).toContain('0.80 of 1 key (wanted: 0.9 or more): **missed**');
});

/** Everybody as fast as the one key, but by CPU. */
function fakeKeys(ratio: number): ScenarioResult {
  const names = ['1,000 keys of one tenant', '100,000 keys of one tenant'];
  const others = [...names, '100,000 keys of 1,000 tenants'];
  const first = 'first call of each of 100,000 keys of one tenant';
  const row = (name: string, cpu: number) => ({
    name,
    numbers: { req_per_s: 1000, cpu_us_per_request: cpu },
  });
  return {
    ...{ date: '2026-01-01', machine: describeMachine(), rounds: 1, seconds: 1 },
    rows: [row('1 key', 90), ...others.map((name) => row(name, 90 / ratio)), row(first, 200)],
  };
}

it('seeds a store whose keys a gateway finds, dealt out to tenants with credit', async () => {
  const directory = temporaryDirectory('seeded');
  const size = { tenants: 3, keys: 7, planId: 'bench', creditNano: 500n };
  const keys = await seedStore(directory, size);
  expect(new Set(keys).size).toBe(7);
  const store = await openSqliteStore({ directory });
  onTestFinished(() => store.close());
  const found = await Promise.all(keys.map((key) => store.findKey(sha256Hex(key))));
  expect(found.map((each) => each?.tenant.id)).toEqual(
    [0, 1, 2, 0, 1, 2, 0].map((index) => `ten_bench_${index}`),
  );
  expect(await store.accounts('ten_bench_2', Date.now(), 0)).toMatchObject([{ allowance: 500n }]);
  expect(readBooks(directory)).toEqual({ requestsSpent: 0, reserved: 0, slotsReserved: 0 });
  expect(await store.audit()).toEqual([]);
});

it('draws the line of least squares through samples of memory', () => {
  const points = [0, 1, 2, 3].map((each) => ({
    requests: each * 1e6,
    mb: 100 + 2 * each + (each % 2 === 0 ? 0.5 : -0.5),
  }));
  expect(slopeOf(points) * 1e6).toBeCloseTo(1.8);
  expect(slopeOf(points.slice(0, 1))).toBe(0);
});

function readDocument(name: string): string {
  return readFileSync(resolve(root, 'docs', name), 'utf8');
}

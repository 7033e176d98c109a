// @needs nginx wrk
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { expect, it } from 'vitest';

import { parseOptions } from '../bench/options.ts';
import type { Report } from '../bench/render-report.ts';
import type { Sample } from '../bench/measure.ts';
import { ANSWER_BODY, REQUEST_BODY, requestHeaders } from '../bench/workload.ts';
import { type Variant, VARIANTS } from '../bench/subject.ts';
import { summarise } from '../bench/summarise.ts';

const root = resolve(import.meta.dirname, '..');

const runBench = (...args: readonly string[]) =>
  spawnSync(process.execPath, ['--import', './tools/typescript.mjs', 'bench/main.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
  });

it('PERF-05: the bench runs every variant, charges every answer, and prints one JSON object', () => {
  const page = readPage();
  const { status, stdout, stderr } = runBench('--json', '--rounds', '1', '--seconds', '1');
  expect({ status, stderr }).toMatchObject({ status: 0 });
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
  expect(readPage()).toBe(page);
  expect(readdirSync(root).filter((name) => name.startsWith('dist.bench'))).toEqual([]);
});

it.each([
  ['--rounds', '0', '--rounds must be a whole number from 1 to 100, got "0"'],
  ['--seconds', 'long', '--seconds must be a whole number from 1 to 300, got "long"'],
  ['--http', 'h2', '--http must be sockets or node, got "h2"'],
  ['--profile=x', '--write', '--write cannot stand beside --profile'],
])('refuses %s %s and says what it takes', (first, second, message) => {
  const { status, stdout, stderr } = runBench(first, second);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr).toContain('Usage: npm run bench');
});

it.each([
  ['a full run', [], true],
  ['--quick', ['--quick'], false],
  ['--quick --write', ['--quick', '--write'], true],
  ['fewer rounds', ['--rounds', '1'], false],
  ['a profiled run', ['--profile', 'x'], false],
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

function readPage(): string | undefined {
  try {
    return readFileSync(resolve(root, 'docs/benchmarks.md'), 'utf8');
  } catch {
    return undefined; // Nobody has run the whole bench yet.
  }
}

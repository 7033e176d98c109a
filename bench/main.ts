import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { CONNECTIONS } from './drive-load.ts';
import { chooseCores, describeMachine } from './machine.ts';
import { measure } from './measure.ts';
import { type BenchOptions, parseOptions, USAGE } from './options.ts';
import { pinToCore } from './process-usage.ts';
import { renderMarkdown, renderText, type Report } from './render-report.ts';
import { startBare } from './start-bare-subject.ts';
import {
  startEverything,
  startLimits,
  startNoStore,
  startRefused,
} from './start-gateway-subjects.ts';
import { startProxy, startUpstream } from './start-nginx-subjects.ts';
import type { Subject, Variant } from './subject.ts';
import { summarise } from './summarise.ts';

/** `npm run bench`: nginx, bare forwarding and Tollkeeper under the same load, in one run. */
const PAGE = resolve(import.meta.dirname, '../docs/benchmarks.md');

const running: { stop(): Promise<unknown> }[] = [];

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void stopAll().finally(() => process.exit(1));
  });
}
try {
  const options = parseOptions(process.argv.slice(2));
  const report = await run(options);
  if (options.write) writeFileSync(PAGE, renderMarkdown(report, options));
  console.log(options.json ? JSON.stringify(report) : renderText(report));
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 1;
} finally {
  await stopAll();
}

async function run(options: BenchOptions): Promise<Report> {
  const cores = chooseCores();
  // wrk and the upstream inherit this core; each gateway moves to the other one.
  pinToCore(process.pid, cores.load);
  const subjects = await startSubjects(cores.gateway, options);
  const samples = await measure(subjects, options, (text) => console.error(text));
  return {
    ...summarise(samples),
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    rounds: options.rounds,
    seconds: options.seconds,
    connections: CONNECTIONS,
  };
}

async function startSubjects(
  core: number,
  { http, profile, variants }: BenchOptions,
): Promise<readonly Subject[]> {
  const upstream = await startUpstream();
  running.push(upstream);
  const setup = { upstreamOrigin: upstream.origin, core, http, profile };
  const starters: Readonly<Record<Variant, () => Promise<Subject>>> = {
    nginx: () => startProxy(upstream, core),
    bare: () => startBare(setup),
    everything: () => startEverything(setup),
    'no-store': () => startNoStore(setup),
    'one-limit': () => startLimits(setup, 'one-limit'),
    'ten-limits': () => startLimits(setup, 'ten-limits'),
    'journal-fsync': () => startEverything(setup, 'journal-fsync'),
    'commit-before-serve': () => startEverything(setup, 'commit-before-serve'),
    refused: () => startRefused(setup),
  };
  const subjects: Subject[] = [];
  for (const variant of variants) {
    const subject = await starters[variant]();
    running.push(subject);
    subjects.push(subject);
  }
  return subjects;
}

/** Newest first: the upstream outlives those who call it. */
async function stopAll(): Promise<void> {
  for (let subject = running.pop(); subject !== undefined; subject = running.pop()) {
    await subject.stop();
  }
}

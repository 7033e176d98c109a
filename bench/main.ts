import { resolve } from 'node:path';
import { writeFileSync } from 'node:fs';

import { CONNECTIONS } from './drive-load.ts';
import { chooseCores, describeMachine } from './machine.ts';
import { measure } from './measure.ts';
import { type BenchOptions, parseOptions, type ScenarioRun, USAGE } from './options.ts';
import { pinToCore } from './process-usage.ts';
import { renderPage } from './render-page.ts';
import { renderText, type Report } from './render-report.ts';
import { renderScenarioText } from './render-scenario.ts';
import { readResults, type ScenarioResult, writeResults } from './results-file.ts';
import type { ScenarioSetting } from './scenario.ts';
import { SCENARIOS } from './scenarios/all.ts';
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

/** `npm run bench`: nginx, bare forwarding and Tollkeeper under the same load, in one run, and one scenario after the other. */
const PAGE = resolve(import.meta.dirname, '../docs/benchmarks.md');
const RESULTS = resolve(import.meta.dirname, '../docs/benchmarks.json');

const running: { stop(): Promise<unknown> }[] = [];
const tell = (text: string): void => console.error(text);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void stopAll().finally(() => process.exit(1));
  });
}
try {
  await run(parseOptions(process.argv.slice(2)));
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 1;
} finally {
  await stopAll();
}

async function run(options: BenchOptions): Promise<void> {
  if (options.render) {
    write(undefined, {});
    return;
  }
  const cores = chooseCores();
  // wrk and the upstream inherit this core; each gateway moves to the other one.
  pinToCore(process.pid, cores.load);
  const main = options.variants.length === 0 ? undefined : await runFirst(options, cores.gateway);
  if (main !== undefined && !options.json) console.log(renderText(main));
  const measured: Record<string, ScenarioResult> = {};
  for (const each of options.scenarios) {
    const result = await runScenario(each, {
      ...{ ...each.length, requests: each.requests, cores, tell },
      gateway: { core: cores.gateway, http: options.http, profile: options.profile },
      keep: (kept) => {
        running.push(kept);
        return kept;
      },
    });
    measured[each.scenario.name] = result;
    if (!options.json) console.log(`\n${renderScenarioText(each.scenario, result)}`);
  }
  if (options.json) console.log(JSON.stringify({ ...main, scenarios: measured }));
  if (options.write) write(main, measured);
}

async function runFirst(options: BenchOptions, core: number): Promise<Report> {
  try {
    const subjects = await startSubjects(core, options);
    const samples = await measure(subjects, options, tell);
    return {
      ...summarise(samples),
      date: today(),
      machine: describeMachine(),
      rounds: options.rounds,
      seconds: options.seconds,
      warm_up_seconds: options.warmUpSeconds,
      http: options.http,
      connections: CONNECTIONS,
    };
  } finally {
    await stopAll();
  }
}

async function runScenario(
  { scenario, length }: ScenarioRun,
  setting: ScenarioSetting,
): Promise<ScenarioResult> {
  tell(`\nscenario ${scenario.name}`);
  const startedAt = performance.now();
  try {
    const rows = await scenario.run(setting);
    const { rounds, seconds } = length;
    return { date: today(), machine: describeMachine(), rounds, seconds, rows };
  } finally {
    await stopAll();
    tell(`scenario ${scenario.name} took ${Math.round((performance.now() - startedAt) / 1000)} s`);
  }
}

function write(main: Report | undefined, measured: Readonly<Record<string, ScenarioResult>>): void {
  const before = readResults(RESULTS);
  const results = {
    ...before,
    ...(main === undefined ? {} : { main }),
    scenarios: { ...before.scenarios, ...measured },
  };
  writeResults(RESULTS, results);
  writeFileSync(PAGE, renderPage(results, SCENARIOS));
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
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

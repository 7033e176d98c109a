import { setTimeout as sleep } from 'node:timers/promises';

import type { BenchOptions } from './options.ts';
import { driveLoad } from './drive-load.ts';
import { readCpuSeconds, readResidentMb } from './process-usage.ts';
import type { Subject, Variant } from './subject.ts';
import { ANSWER_BODY, REQUEST_BODY, requestHeaders } from './workload.ts';

/** One run of one variant. */
export interface Sample {
  readonly variant: Variant;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly cpuMicrosecondsPerRequest: number;
  readonly supervisorMicrosecondsPerRequest: number;
  /** Part of the run the gateway's core worked for this variant: well under 1, something else was the limit. */
  readonly coreBusy: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly residentMb: number;
}

/** What an answer leaves behind (settlement, log) is part of its cost: CPU time is read when that is done too. */
const TAIL_MS = 300;

/** Warms every variant up, then runs them in turn, round after round, so that a noisy minute touches all of them. */
export async function measure(
  subjects: readonly Subject[],
  options: BenchOptions,
  tell: (text: string) => void,
): Promise<readonly Sample[]> {
  const served = new Map<Variant, number>();
  const count = (variant: Variant, requests: number): void => {
    served.set(variant, (served.get(variant) ?? 0) + requests);
  };
  for (const subject of subjects) {
    tell(`warm-up: ${subject.variant}, process ${subject.pid}`);
    await checkAnswer(subject);
    count(subject.variant, (await driveLoad(subject.target, options.warmUpSeconds)).requests);
  }
  const samples: Sample[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const subject of subjects) {
      const others = subjects.filter((other) => other !== subject);
      const sample = await whileResting(others, () => takeSample(subject, options.seconds));
      tell(`round ${round}/${options.rounds}: ${describeSample(sample)}`);
      samples.push(sample);
      count(subject.variant, sample.requests);
    }
  }
  for (const subject of subjects) await subject.verify(served.get(subject.variant) ?? 0);
  return samples;
}

/** wrk counts answers of 400 and above, not what they say: one answer is read whole beforehand. */
async function checkAnswer(subject: Subject): Promise<void> {
  const { status, body } = await askOnce(subject);
  if (status !== 200 || body !== ANSWER_BODY) throw unexpected(subject, status, body);
  if (subject.target.refused !== true) return;
  const second = await askOnce(subject);
  if (second.status !== 402) throw unexpected(subject, second.status, second.body);
}

async function askOnce({ target }: Subject): Promise<{ status: number; body: string }> {
  const answer = await fetch(target.url, {
    method: 'POST',
    headers: requestHeaders(target.key),
    body: REQUEST_BODY,
  });
  return { status: answer.status, body: await answer.text() };
}

function unexpected({ variant }: Subject, status: number, body: string): Error {
  return new Error(`${variant} answered ${status}: ${body.slice(0, 2000)}`);
}

/** The others stand still meanwhile: even without a request they look after their books, on the same core. */
async function whileResting<Result>(
  others: readonly Subject[],
  run: () => Promise<Result>,
): Promise<Result> {
  const pids = others.flatMap(({ pid, supervisorPid }) =>
    supervisorPid === undefined ? [pid] : [pid, supervisorPid],
  );
  try {
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    return await run();
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  }
}

async function takeSample(subject: Subject, seconds: number): Promise<Sample> {
  const { variant, pid, supervisorPid } = subject;
  const before = readCpuSeconds(pid);
  const supervisorBefore = supervisorPid === undefined ? 0 : readCpuSeconds(supervisorPid);
  const load = await driveLoad(subject.target, seconds);
  await sleep(TAIL_MS);
  const cpuSeconds = readCpuSeconds(pid) - before;
  const supervisorSeconds =
    supervisorPid === undefined ? 0 : readCpuSeconds(supervisorPid) - supervisorBefore;
  return {
    variant,
    requests: load.requests,
    requestsPerSecond: load.requests / load.seconds,
    cpuMicrosecondsPerRequest: (cpuSeconds * 1e6) / load.requests,
    supervisorMicrosecondsPerRequest: (supervisorSeconds * 1e6) / load.requests,
    coreBusy: cpuSeconds / load.seconds,
    p50Ms: load.p50Ms,
    p99Ms: load.p99Ms,
    residentMb: readResidentMb(pid),
  };
}

function describeSample(sample: Sample): string {
  const rate = Math.round(sample.requestsPerSecond);
  const cpu = sample.cpuMicrosecondsPerRequest.toFixed(1);
  return `${sample.variant} ${rate} req/s, ${cpu} us of CPU, core ${Math.round(sample.coreBusy * 100)} % busy`;
}

import { setTimeout as sleep } from 'node:timers/promises';

import { driveLoad, type Load } from './drive-load.ts';
import { readCpuSeconds, readResidentMb } from './process-usage.ts';
import type { Subject } from './subject.ts';
import { requestHeaders } from './workload.ts';

/** One run of one subject. */
export interface Sample {
  readonly variant: string;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly cpuMicrosecondsPerRequest: number;
  readonly supervisorMicrosecondsPerRequest: number;
  /** Part of the run the gateway's core worked for this subject: well under 1, something else was the limit. */
  readonly coreBusy: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the largest process. */
  readonly residentMb: number;
}

export interface Rounds {
  readonly rounds: number;
  /** Length of one run of one subject; before the first round each runs `warmUpSeconds` unmeasured. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Unmeasured requests at the beginning of each run: what rested has the leases of its tenants to fetch again. */
  readonly leadInRequests?: number;
}

export type Drive = (subject: Subject, seconds: number) => Promise<Load>;
export type Tell = (text: string) => void;

/** What an answer leaves behind (settlement, log) is part of its cost: CPU time is read when that is done too. */
const TAIL_MS = 300;

const driveAtFullSpeed: Drive = ({ target }, seconds) => driveLoad(target, { seconds });

/**
 * Warms every subject up, then runs them in turn, round after round, so that a noisy minute touches all of them. At the
 * end their books are looked at. `served`: what each has answered before.
 */
export async function measure(
  subjects: readonly Subject[],
  length: Rounds,
  tell: Tell,
  { drive = driveAtFullSpeed, served = new Map<string, number>() } = {},
): Promise<readonly Sample[]> {
  const count = (variant: string, requests: number): void => {
    served.set(variant, (served.get(variant) ?? 0) + requests);
  };
  for (const subject of subjects) {
    tell(`warm-up: ${subject.variant}, process ${subject.pids.join(', ')}`);
    await checkAnswers(subject);
    count(subject.variant, (await drive(subject, length.warmUpSeconds)).requests);
  }
  const samples: Sample[] = [];
  for (let round = 1; round <= length.rounds; round += 1) {
    for (const subject of subjects) {
      const sample = await whileResting(subjects, subject, async () => {
        for (let left = length.leadInRequests ?? 0; left > 0;) {
          const { requests } = await drive(subject, 1);
          count(subject.variant, requests);
          left -= requests;
        }
        return takeSample(subject, () => drive(subject, length.seconds));
      });
      tell(`round ${round}/${length.rounds}: ${describeSample(sample)}`);
      samples.push(sample);
      count(subject.variant, sample.requests);
    }
  }
  for (const subject of subjects) await subject.verify(served.get(subject.variant) ?? 0);
  return samples;
}

/** wrk counts answers of 400 and above, not what they say: one answer of each call is read whole beforehand. */
async function checkAnswers(subject: Subject): Promise<void> {
  const { target } = subject;
  for (const [index] of target.calls.entries()) {
    const { status, body } = await askOnce(subject, index);
    if (status !== 200 || body !== target.calls[index]?.answer) {
      throw unexpected(subject, status, body);
    }
  }
  if (target.refused !== 1) return;
  const second = await askOnce(subject, 0);
  if (second.status !== 402) throw unexpected(subject, second.status, second.body);
}

async function askOnce(
  { target }: Subject,
  index: number,
): Promise<{ status: number; body: string }> {
  const call = target.calls[index];
  const answer = await fetch(target.origin + (call?.path ?? ''), {
    method: call?.method ?? 'GET',
    headers: requestHeaders(call?.key ?? target.keys?.[0] ?? target.key, call?.headers),
    ...(call?.method === 'POST' ? { body: call.body } : {}),
  });
  return { status: answer.status, body: await answer.text() };
}

function unexpected({ variant }: Subject, status: number, body: string): Error {
  return new Error(`${variant} answered ${status}: ${body.slice(0, 2000)}`);
}

/** The others stand still meanwhile: even without a request they look after their books, on the same core. */
export async function whileResting<Result>(
  subjects: readonly Subject[],
  running: Subject,
  run: () => Promise<Result>,
): Promise<Result> {
  const resting = subjects.filter((other) => other !== running);
  const pids = resting.flatMap(({ pids: serving, supervisorPid }) =>
    supervisorPid === undefined ? serving : [...serving, supervisorPid],
  );
  try {
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    return await run();
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  }
}

export async function takeSample(subject: Subject, drive: () => Promise<Load>): Promise<Sample> {
  const { variant, pids, supervisorPid } = subject;
  const beside = supervisorPid === undefined ? [] : [supervisorPid];
  const before = sumCpuSeconds(pids);
  const supervisorBefore = sumCpuSeconds(beside);
  const load = await drive();
  await sleep(TAIL_MS);
  const cpuSeconds = sumCpuSeconds(pids) - before;
  const supervisorSeconds = sumCpuSeconds(beside) - supervisorBefore;
  return {
    variant,
    requests: load.requests,
    requestsPerSecond: load.requests / load.seconds,
    cpuMicrosecondsPerRequest: (cpuSeconds * 1e6) / load.requests,
    supervisorMicrosecondsPerRequest: (supervisorSeconds * 1e6) / load.requests,
    coreBusy: cpuSeconds / load.seconds,
    p50Ms: load.p50Ms,
    p99Ms: load.p99Ms,
    residentMb: Math.max(...pids.map(readResidentMb)),
  };
}

function sumCpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + readCpuSeconds(pid), 0);
}

function describeSample(sample: Sample): string {
  const rate = Math.round(sample.requestsPerSecond);
  const cpu = sample.cpuMicrosecondsPerRequest.toFixed(1);
  return `${sample.variant} ${rate} req/s, ${cpu} us of CPU, core ${Math.round(sample.coreBusy * 100)} % busy`;
}

import { setTimeout as sleep } from 'node:timers/promises';

import type { TargetOptions } from './options.ts';
import type { TargetReport } from './report.ts';
import { seededRandom } from './seeded-random.ts';
import { ServedRecord } from './served-record.ts';
import { Traffic } from './traffic.ts';

/** Whoever has served so many times the budget does not refuse any more. */
const HOPELESS = 2;
const POLL_MS = 100;

/** Drives a gateway that is running already, until it refuses a single unit to every caller, or never will. */
export async function runTarget(options: TargetOptions): Promise<Omit<TargetReport, 'seconds'>> {
  const record = new ServedRecord();
  const traffic = new Traffic({
    clients: [{ id: options.key, key: options.key, record, leaves: true }],
    callersEach: options.callers,
    urls: [options.url],
    model: options.model,
    random: seededRandom(options.seed),
    // Gateways disagree on the status of a budget that is used up: 400, 402, 403 and 429 are all in use.
    isRefusal: (status) => status >= 400 && status < 500,
    budget: options.budget,
    lost: () => 0,
    mayCall: () => true,
  });
  const deadline = performance.now() + options.secondsMost * 1000;
  traffic.start();
  let soldOut = false;
  const selling = traffic.sellOut().then(() => {
    soldOut = true;
  });
  while (!soldOut && performance.now() < deadline && record.units < HOPELESS * options.budget) {
    // oxlint-disable-next-line no-await-in-loop -- waits for a condition, bounded
    await Promise.race([selling, sleep(POLL_MS)]);
  }
  const refusedAll = soldOut;
  await traffic.stop();
  record.close();
  return {
    target: options.url,
    seed: options.seed,
    budget_units: options.budget,
    requests: record.calls,
    streamed: record.streams,
    left: record.left.length,
    refused: record.countOf((status) => status >= 400 && status < 500),
    unavailable: record.countOf((status) => status >= 500),
    no_answer: record.countOf((status) => status === 0),
    served_answers: record.answers,
    served_units: record.units,
    overspent: Math.max(0, record.units - options.budget),
    sold_out: refusedAll,
    served_uncharged: null,
    charged_unserved: null,
    kills: null,
    invariants_broken: null,
  };
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { GatewayUnderFire } from '../../chaos/gateway-under-fire.ts';
import { seededRandom, shuffle } from '../../chaos/seeded-random.ts';
import { ServedRecord } from '../../chaos/served-record.ts';
import { startEchoModel } from '../../src/server/demo/echo-model.ts';
import type { Store } from '../../src/stores/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { renderUnitsConfig } from '../support/units-config.ts';
import { waitFor } from '../support/wait-for.ts';

const CALLERS = 128;
const IN_FLIGHT_LEAST = 64;
const UNITS_MOST = 20;
const NANO_PER_UNIT = 1000;

export interface CrashPlan {
  /** What is killed, and how often; in an order of luck. */
  readonly kills: readonly ('worker' | 'supervisor' | 'tree' | 'everything')[];
  /** What `everything` takes along: the store ends as at a loss of power, and is started again. */
  readonly restartStore?: () => Promise<void>;
  readonly requestsLeast: number;
  /** The `store` of the configuration. */
  readonly store: string;
  /** Another connection to it; `data`: the directory of the gateway. */
  readonly openStore: (data: string) => Promise<Store>;
}

/** Kills processes of a gateway of two workers under load, the last time all of them, and tells what became of the money. */
export async function playCrash(plan: CrashPlan) {
  const { kills, requestsLeast, store: settings, openStore } = plan;
  const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
  console.log(`CRASH_SEED=${seed}`);
  const random = seededRandom(seed);
  const model = await startEchoModel({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => model.close());
  const data = temporaryDirectory('crash');
  const file = join(data, 'tollkeeper.yaml');
  const terms = { credit: '1000.00', settings: `store: ${settings}\nretry_storm_per_minute: 0` };
  writeFileSync(file, renderUnitsConfig(model.origin, terms));
  const under = await GatewayUnderFire.create({ data, config: file, workers: 2 });
  onTestFinished(() => under.destroy());
  await under.start();
  const { key } = under.gateway;
  const record = new ServedRecord();
  let firing = true;
  const caller = async (): Promise<void> => {
    while (firing) {
      const units = 1 + Math.floor(random() * UNITS_MOST);
      const served = await record.call({
        url: under.chatUrl,
        key,
        model: 'units',
        units,
        stream: random() < 0.36,
        headers: { 'x-echo-tokens': String(units) },
      });
      if (served.status === 0) await pause(20);
    }
  };
  const callers = Array.from({ length: CALLERS }, caller);

  const inFlight: number[] = [];
  const perKill = requestsLeast / kills.length;
  for (const [index, kind] of shuffle(kills, random).entries()) {
    await waitFor(() => record.answers >= perKill * (index + random()), {
      timeoutMs: 120_000,
      what: 'answers between two kills',
    });
    await waitFor(() => record.inFlight >= IN_FLIGHT_LEAST, {
      timeoutMs: 20_000,
      what: 'enough calls in flight',
    });
    inFlight.push(record.inFlight);
    if (kind === 'worker') {
      under.killWorker(Math.floor(random() * 2));
      await under.learnWorkers();
    } else if (kind === 'supervisor') await under.killSupervisor();
    else if (kind === 'tree') await under.killTree();
    else {
      under.killWhole();
      await plan.restartStore?.();
      await under.start();
    }
  }
  await waitFor(() => record.answers >= requestsLeast, {
    timeoutMs: 120_000,
    what: 'all answers',
  });
  firing = false;
  await Promise.all(callers);
  record.close();

  await under.killTree();
  const store = await openStore(data);
  const reservedBack = await waitFor(
    async () =>
      (await store.accounts(await tenantOf(store), Date.now(), 0)).every(
        (account) => account.reserved === 0n,
      ),
    { timeoutMs: 5000, what: 'all reserved money back within 5 s of the restart' },
  );
  const accounts = await store.accounts(await tenantOf(store), Date.now(), 0);
  const violations = await store.audit();
  await store.close();
  await under.stop();

  const balance = accounts.find((account) => account.spec.kind === 'balance');
  const quota = accounts.find((account) => account.spec.kind === 'quota');
  const chargedUnits = Number(balance?.spent ?? 0n) / NANO_PER_UNIT;
  const chargedAnswers = Number(quota?.spent ?? 0n);
  const table = {
    calls: record.calls,
    streamed: record.streams,
    kills: kills.length + 1,
    killed_processes: under.killedProcesses,
    in_flight_least: Math.min(...inFlight),
    served_answers: record.answers,
    charged_answers: chargedAnswers,
    served_units: record.units,
    charged_units: chargedUnits,
    refused: record.countOf((status) => status === 402),
    no_answer: record.countOf((status) => status === 0),
  };
  console.log(table);
  return { reservedBack, violations, ...table };
}

/** Which of the promises of DESIGN 5 were broken. */
export function findFaults(outcome: Awaited<ReturnType<typeof playCrash>>): readonly string[] {
  const { charged_units, served_units, charged_answers, served_answers, killed_processes } =
    outcome;
  const promises: readonly (readonly [string, boolean])[] = [
    ['I10: all reserved money is back', outcome.reservedBack],
    [`the books are right: ${JSON.stringify(outcome.violations)}`, outcome.violations.length === 0],
    ['calls were in flight at every kill', outcome.in_flight_least >= IN_FLIGHT_LEAST],
    ['nobody is refused who has money', outcome.refused === 0],
    ['I5: no unit is served uncharged', charged_units >= served_units],
    ['I5: no answer is served uncharged', charged_answers >= served_answers],
    [
      'I5: at most one answer a killed process is charged and not served',
      charged_answers - served_answers <= killed_processes,
    ],
    ['I5: and its units at most', charged_units - served_units <= killed_processes * UNITS_MOST],
  ];
  return promises.flatMap(([promise, isKept]) => (isKept ? [] : [promise]));
}

async function tenantOf(store: {
  tenants(cursor: string, limit: number): Promise<readonly { id: string }[]>;
}): Promise<string> {
  return (await store.tenants('', 1))[0]?.id ?? '';
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

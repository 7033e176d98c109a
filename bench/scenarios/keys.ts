import { driveLoad } from '../drive-load.ts';
import { measure } from '../measure.ts';
import { readCpuSeconds, readResidentMb } from '../process-usage.ts';
import {
  findEqual,
  readNumber,
  type Row,
  type Scenario,
  type ScenarioSetting,
  summariseRow,
} from '../scenario.ts';
import { startUpstream } from '../start-nginx-subjects.ts';
import { type Crowd, startSeeded } from '../start-seeded-subject.ts';
import type { Subject } from '../subject.ts';
import { round } from '../summarise.ts';

const CROWDS: Readonly<Record<string, Crowd>> = {
  '1 key': { tenants: 1, keys: 1 },
  '1,000 keys of one tenant': { tenants: 1, keys: 1000 },
  '100,000 keys of one tenant': { tenants: 1, keys: 100_000 },
  '100,000 keys of 1,000 tenants': { tenants: 1000, keys: 100_000 },
};
const FIRST_CALLS = 'first call of each of ';
/** Each tenant of the largest crowd more than once. */
export const LEAD_IN_REQUESTS = 3000;
/** Below this the first calls are over before a second is. */
const KEYS_LEAST = 100_000;

export const keys: Scenario = {
  name: 'keys',
  title: '1 to 100,000 keys',
  about: `Everything on, as in the first table; each call is made with the next key. Warm: every key has been used before the
first run. "First call of each" is a run in which every key is used for the first time since the gateway started, so that
each call asks the store who that is.`,
  short: { rounds: 6, seconds: 2, warmUpSeconds: 2 },
  full: { rounds: 10, seconds: 4, warmUpSeconds: 3 },
  async run(setting) {
    const upstream = setting.keep(await startUpstream());
    const start = { ...setting.gateway, upstreamOrigin: upstream.origin };
    const subjects: Subject[] = [];
    const firstRows: Row[] = [];
    const served = new Map<string, number>();
    for (const [name, crowd] of Object.entries(CROWDS)) {
      const subject = setting.keep(await startSeeded(start, name, crowd));
      subjects.push(subject);
      if (crowd.keys < KEYS_LEAST) continue;
      const first = await makeFirstCalls(subject, setting);
      firstRows.push(first.row);
      served.set(name, first.requests);
    }
    const samples = await measure(
      subjects,
      { ...setting, leadInRequests: LEAD_IN_REQUESTS },
      setting.tell,
      {
        served,
      },
    );
    return [...subjects.map(({ variant }) => summariseRow(samples, variant)), ...firstRows];
  },
  conclude: (rows) => [
    ...Object.keys(CROWDS)
      .slice(1)
      .map((name) => findEqual(rows, name, '1 key')),
    {
      text: `a first call costs ${(
        readNumber(rows, `${FIRST_CALLS}100,000 keys of one tenant`, 'cpu_us_per_request') -
        readNumber(rows, '100,000 keys of one tenant', 'cpu_us_per_request')
      ).toFixed(1)} us of CPU more than a later one of the same tenant`,
    },
  ],
};

/** Runs of a second until every key has been used; the last of them goes round to the first ones again. */
export async function makeFirstCalls(
  { variant, target, pids }: Subject,
  { tell }: Pick<ScenarioSetting, 'tell'>,
): Promise<{ readonly row: Row; readonly requests: number }> {
  const count = target.keys?.length ?? 0;
  const [pid = 0] = pids;
  const cpuBefore = readCpuSeconds(pid);
  let [requests, seconds, p50Ms, p99Ms] = [0, 0, 0, 0];
  while (requests < count) {
    const load = await driveLoad(target, { seconds: 1, keysSkipped: requests });
    if (requests === 0) [p50Ms, p99Ms] = [load.p50Ms, load.p99Ms];
    requests += load.requests;
    seconds += load.seconds;
  }
  const row = {
    name: `${FIRST_CALLS}${variant}`,
    numbers: {
      req_per_s: round(requests / seconds, 0),
      cpu_us_per_request: round(((readCpuSeconds(pid) - cpuBefore) * 1e6) / requests, 1),
      p50_ms: round(p50Ms, 2),
      p99_ms: round(p99Ms, 2),
      rss_mb: round(readResidentMb(pid), 0),
    },
  };
  tell(`${row.name}: ${JSON.stringify(row.numbers)}`);
  return { row, requests };
}

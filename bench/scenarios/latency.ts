import { driveLoad } from '../drive-load.ts';
import { drivePaced } from '../drive-paced.ts';
import type { PacedReport } from '../paced-load-process.ts';
import { type Row, type Scenario, readNumber } from '../scenario.ts';
import { startCharged } from '../start-gateway-subjects.ts';
import { startProxy, startUpstream } from '../start-nginx-subjects.ts';
import { median, round } from '../summarise.ts';
import { whileResting } from '../measure.ts';
import { CHAT_CALL } from '../workload.ts';

const DIRECT = 'direct';
const NGINX = 'nginx';
const OWN = 'Tollkeeper';
/** What the first second of each run took, which is not counted in the other rows. */
const BEGINNING = 'Tollkeeper, first second';
/** Row of the differences, each within one round. */
const ADDED = 'Tollkeeper minus direct';
/** Issue "Part 3" show 5. */
const ADDED_MS_MOST = 1;
const FULL_SPEED_SECONDS = 3;
const LEAD_IN_SECONDS = 1;

export const latency: Scenario = {
  name: 'latency',
  title: 'Latency at half load',
  about: `The call of the first table at a constant rate: half of what Tollkeeper, with everything on, just served at full speed.
64 connections; each latency counts from the moment its request was due. Direct, through nginx and through Tollkeeper in
turn, medians of the rounds and of the differences within a round. The first second of a run stands by itself: all
connections are opened at once, those to the upstream too, and what rested for some seconds fetches its leases anew.`,
  short: { rounds: 5, seconds: 3, warmUpSeconds: 2 },
  full: { rounds: 5, seconds: 8, warmUpSeconds: 3 },
  async run(setting) {
    const { gateway, rounds, seconds, tell } = setting;
    const upstream = setting.keep(await startUpstream());
    const proxy = setting.keep(await startProxy(upstream, gateway.core, { variant: NGINX }));
    const own = setting.keep(
      await startCharged({ ...gateway, upstreamOrigin: upstream.origin }, OWN),
    );
    await driveLoad(own.target, { seconds: setting.warmUpSeconds });
    const full = await driveLoad(own.target, { seconds: FULL_SPEED_SECONDS });
    const perSecond = Math.round(full.requests / full.seconds / 2);
    const direct = { origin: upstream.origin, calls: [CHAT_CALL], key: 'none' };
    const pace = { perSecond, seconds, leadInSeconds: LEAD_IN_SECONDS };
    const found: Found[] = [];
    for (let each = 1; each <= rounds; each += 1) {
      const first = await drivePaced(direct, pace);
      const subjects = [proxy, own];
      const [second, third] = [
        await whileResting(subjects, proxy, () => drivePaced(proxy.target, pace)),
        await whileResting(subjects, own, () => drivePaced(own.target, pace)),
      ];
      tell(
        `round ${each}/${rounds}, ${perSecond} req/s: p99 direct ${first.p99Ms.toFixed(2)}, nginx ${second.p99Ms.toFixed(2)}, Tollkeeper ${third.p99Ms.toFixed(2)} ms`,
      );
      found.push({ [DIRECT]: first, [NGINX]: second, [OWN]: third });
    }
    return summariseRounds(found, perSecond);
  },
  conclude: (rows) => {
    const addedMs = readNumber(rows, ADDED, 'p99_ms');
    return [
      {
        text: `p99 through Tollkeeper is ${addedMs.toFixed(2)} ms above p99 direct (aimed at: under ${ADDED_MS_MOST} ms)`,
        met: addedMs < ADDED_MS_MOST,
      },
    ];
  },
};

type Found = Readonly<Record<typeof DIRECT | typeof NGINX | typeof OWN, PacedReport>>;

function summariseRounds(found: readonly Found[], perSecond: number): readonly Row[] {
  const over = (read: (each: Found) => number): number => round(median(found.map(read)), 2);
  const rows = ([DIRECT, NGINX, OWN] as const).map((name) => ({
    name,
    numbers: {
      req_per_s: perSecond,
      p50_ms: over((each) => each[name].p50Ms),
      p99_ms: over((each) => each[name].p99Ms),
    },
  }));
  const p50_ms = over((each) => each[OWN].p50Ms - each[DIRECT].p50Ms);
  const p99_ms = over((each) => each[OWN].p99Ms - each[DIRECT].p99Ms);
  const beginning = {
    p50_ms: over((each) => each[OWN].leadInP50Ms),
    p99_ms: over((each) => each[OWN].leadInP99Ms),
  };
  return [
    ...rows,
    { name: ADDED, numbers: { p50_ms, p99_ms } },
    { name: BEGINNING, numbers: beginning },
  ];
}

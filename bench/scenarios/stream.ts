import { drivePaced } from '../drive-paced.ts';
import type { LoadTarget } from '../drive-load.ts';
import { measure } from '../measure.ts';
import {
  type Finding,
  readNumber,
  type Row,
  type Scenario,
  type ScenarioSetting,
  summariseRow,
} from '../scenario.ts';
import { startCharged } from '../start-gateway-subjects.ts';
import { startProxy } from '../start-nginx-subjects.ts';
import { startStreamUpstream } from '../start-stream-upstream.ts';
import { STREAM_CALL, STREAM_EVENTS, STREAM_INTERVAL_MS } from '../stream-workload.ts';
import { median, round } from '../summarise.ts';

const DIRECT = 'direct';
const NGINX = 'nginx';
const OWN = 'Tollkeeper';
/** Streams a second at which the first event is timed. */
const PER_SECOND = 100;
/** DESIGN: streaming adds under 1 ms to the first byte. */
const ADDED_MS_MOST = 1;

export const stream: Scenario = {
  name: 'stream',
  title: 'Streams',
  about: `The call of the first table, streamed: ${STREAM_EVENTS.length} server-sent events, the first at once and the others ${STREAM_INTERVAL_MS} ms apart, each in a
chunk of its own; 64 streams at a time. Tollkeeper journals the progress ahead of each event. The first event is timed at
${PER_SECOND} streams a second, from the moment its request was due.`,
  full: { rounds: 5, seconds: 8, warmUpSeconds: 3 },
  async run(setting) {
    const upstream = setting.keep(await startStreamUpstream());
    const { gateway } = setting;
    const proxy = await startProxy(upstream, gateway.core, {
      ...{ variant: NGINX, call: STREAM_CALL, directives: 'proxy_buffering off;' },
    });
    setting.keep(proxy);
    const start = { ...gateway, upstreamOrigin: upstream.origin };
    const own = setting.keep(await startCharged(start, OWN, {}, STREAM_CALL));
    const samples = await measure([proxy, own], setting, setting.tell);
    const firsts = await timeFirstEvents(setting, {
      [DIRECT]: { origin: upstream.origin, calls: [STREAM_CALL], key: 'none' },
      [NGINX]: proxy.target,
      [OWN]: own.target,
    });
    return firsts.map(({ name, numbers }) =>
      name === DIRECT ? { name, numbers } : withEvents(summariseRow(samples, name), numbers),
    );
  },
  conclude: (rows): readonly Finding[] => {
    const addedMs = (number: 'first_p50_ms' | 'first_p99_ms'): number =>
      readNumber(rows, OWN, number) - readNumber(rows, DIRECT, number);
    return [
      {
        text: `the first event comes ${addedMs('first_p50_ms').toFixed(2)} ms later than from the upstream itself (median; wanted: under ${ADDED_MS_MOST} ms)`,
        met: addedMs('first_p50_ms') < ADDED_MS_MOST,
      },
      { text: `at the 99th percentile ${addedMs('first_p99_ms').toFixed(2)} ms later` },
    ];
  },
};

function withEvents({ name, numbers }: Row, firsts: Row['numbers']): Row {
  const { p50_ms: _whole, p99_ms: _wholeToo, ...rest } = numbers;
  const perEvent = (rest.cpu_us_per_request ?? 0) / STREAM_EVENTS.length;
  return { name, numbers: { ...rest, cpu_us_per_event: round(perEvent, 2), ...firsts } };
}

/** In turn, round after round; medians. */
async function timeFirstEvents(
  { rounds, seconds, tell }: ScenarioSetting,
  targets: Readonly<Record<string, LoadTarget>>,
): Promise<readonly Row[]> {
  const found = new Map<string, { readonly p50: number[]; readonly p99: number[] }>();
  for (let each = 1; each <= rounds; each += 1) {
    for (const [name, target] of Object.entries(targets)) {
      const report = await drivePaced(target, { perSecond: PER_SECOND, seconds });
      tell(`first events ${each}/${rounds}: ${name} ${report.firstP50Ms.toFixed(2)} ms`);
      const own = found.get(name) ?? { p50: [], p99: [] };
      own.p50.push(report.firstP50Ms);
      own.p99.push(report.firstP99Ms);
      found.set(name, own);
    }
  }
  return [...found].map(([name, { p50, p99 }]) => ({
    name,
    numbers: { first_p50_ms: round(median(p50), 2), first_p99_ms: round(median(p99), 2) },
  }));
}

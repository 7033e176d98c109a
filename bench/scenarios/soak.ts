import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { journalDirectory } from '../../src/server/data-directory.ts';
import { AbortingCallers } from '../abort-calls.ts';
import { CONNECTIONS, driveLoad, type LoadTarget } from '../drive-load.ts';
import { splitAtKey } from '../load-script.ts';
import { readCpuSeconds, readResidentMb } from '../process-usage.ts';
import { readBooks } from '../read-books.ts';
import {
  type Finding,
  readNumber,
  type Row,
  type Scenario,
  type ScenarioSetting,
} from '../scenario.ts';
import { seedStore } from '../seed-store.ts';
import { verifyLedger } from '../start-gateway-subjects.ts';
import { startUpstream } from '../start-nginx-subjects.ts';
import { MODEL_TERMS, type PinnedGateway, startPinnedGateway } from '../start-pinned-gateway.ts';
import { startStreamUpstream } from '../start-stream-upstream.ts';
import { STREAM_CALL, STREAM_EVENTS } from '../stream-workload.ts';
import { median, round } from '../summarise.ts';
import { makeDirectory, removeDirectory } from '../../test/support/temporary-directory.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { ANSWER_BODY, type Call, CHAT_CALL, MODEL } from '../workload.ts';

const LIMITS =
  'limits: [{ requests: 1000M, per: month }, { tokens: 1000000M, per: month }, { concurrent_requests: 1000 }]';
const SAMPLE_EVERY = 100_000;
const ABORTED_PER_SECOND = 50;
const TENANTS = 1000;
const CREDIT_NANO = 10_000_000_000_000n;
/** Lines of the table. */
const LINES = 10;
/** The slope is that of what comes after this part of the run. */
const WARM_PART = 0.2;
const SLOPE_MB_MOST = 1;
const QUIET_TIMEOUT_MS = 30_000;
const SLOPE = 'last 80 %, slope';
const IDLE = 'idle, after the last';
const STOPPED = 'stopped';
const FIRST = 'idle, after the first stretch';
const STRETCH_SECONDS_FIRST = 3;
const STRETCH_SECONDS_MOST = 60;
/** The upstreams announce that they close connections nobody uses after 3 s; the gateway then does so before. */
const KEPT = 'keepalive_timeout 75s 3s;';
const KEPT_CONNECTION_MS = 4000;

export const soak: Scenario = {
  name: 'soak',
  title: 'Millions of mixed requests',
  about: `One worker, everything on, ${TENANTS.toLocaleString('en-US')} tenants of one key each, their plan with two limits and one of concurrent requests. Of 20
requests 12 are the call of the first table, 3 the same streamed, 2 forwarded to an API, 2 of a tenant without money (402)
and 1 with a key that does not exist (401); beside them ${ABORTED_PER_SECOND} callers a second leave in the middle of a stream or of their own
request. New connections after every ${SAMPLE_EVERY.toLocaleString('en-US')} requests, when memory and open files of the worker are read. The slope is that
of the line through all samples of the last 80 %.`,
  full: {},
  async run(setting) {
    const place = await startSoak(setting);
    const cpuBefore = readCpuSeconds(place.pid);
    const stretch = await serve(place, setting, { from: 0, upTo: 1 });
    const first = await rest(place, requestsOf(stretch), FIRST);
    const more = await serve(place, setting, {
      from: requestsOf(stretch),
      upTo: setting.requests,
    });
    const samples = [...stretch, ...more];
    const requests = requestsOf(samples);
    const cpuSeconds = readCpuSeconds(place.pid) - cpuBefore;
    const idle = await rest(place, requests, IDLE);
    await verifyLedger(place.started);
    await place.started.gateway.stop();
    const stopped = readEnd(place.data, requests);
    return [first, ...thin(samples), ...summarise(samples, cpuSeconds / requests), idle, stopped];
  },
  conclude: (rows): readonly Finding[] => {
    const slope = readNumber(rows, SLOPE, 'mb_per_million');
    const left = readNumber(rows, IDLE, 'open_files') - readNumber(rows, FIRST, 'open_files');
    const reserved = readNumber(rows, STOPPED, 'reserved');
    return [
      {
        text: `memory grows by ${slope.toFixed(2)} MB per million requests (wanted: under ${SLOPE_MB_MOST})`,
        met: slope < SLOPE_MB_MOST,
      },
      {
        text: `${left} more files are open after the last request than after the first stretch`,
        met: left <= 0,
      },
      {
        text: `${reserved} units of all accounts are reserved when it has stopped, holds and slots`,
        met: reserved === 0,
      },
    ];
  },
};

interface Place {
  readonly started: PinnedGateway;
  readonly data: string;
  readonly target: LoadTarget;
  readonly callers: () => AbortingCallers;
  readonly pid: number;
}

/** One stretch at least, none longer than what is left, and a sample after each. */
async function serve(
  { target, callers, pid }: Place,
  { keep, tell }: ScenarioSetting,
  { from, upTo }: { readonly from: number; readonly upTo: number },
): Promise<readonly Row[]> {
  const leaving = keep(callers());
  const samples: Row[] = [];
  let [requests, seconds] = [from, STRETCH_SECONDS_FIRST];
  while (requests < upTo) {
    const load = await driveLoad(target, { seconds, keysSkipped: requests });
    requests += load.requests;
    const perSecond = load.requests / load.seconds;
    const next = Math.round(Math.min(SAMPLE_EVERY, upTo - requests) / perSecond);
    seconds = Math.max(1, Math.min(STRETCH_SECONDS_MOST, next));
    const sample = readSample(pid, requests, `after ${requests.toLocaleString('en-US')}`);
    samples.push(sample);
    tell(`${sample.name}: ${JSON.stringify(sample.numbers)}, ${Math.round(perSecond)} req/s`);
  }
  await leaving.stop();
  return samples;
}

function requestsOf(samples: readonly Row[]): number {
  return samples.at(-1)?.numbers.requests ?? 0;
}

/** Waits until no call runs and the connections to the upstream have been closed, which are kept for a while. */
async function rest({ data, pid }: Place, requests: number, name: string): Promise<Row> {
  await waitFor(() => readBooks(data).slotsReserved === 0, {
    timeoutMs: QUIET_TIMEOUT_MS,
    what: 'every slot to be free',
  });
  await sleep(KEPT_CONNECTION_MS);
  return readSample(pid, requests, name);
}

async function startSoak({ keep, gateway }: ScenarioSetting): Promise<Place> {
  const upstream = keep(await startUpstream([KEPT, renderStreamLocation()]));
  const slow = keep(await startStreamUpstream());
  const data = makeDirectory('soak');
  keep({ stop: async () => removeDirectory(data) });
  const crowd = { tenants: TENANTS, keys: TENANTS };
  const keys = await seedStore(data, { ...crowd, planId: 'bench', creditNano: CREDIT_NANO });
  const [poor = ''] = await seedStore(data, {
    ...{ tenants: 1, keys: 1, planId: 'poor', creditNano: 0n },
  });
  const started = await startPinnedGateway(
    { ...gateway, upstreamOrigin: upstream.origin },
    {
      ...{ requests: 'all', data },
      plan: LIMITS,
      providers: [
        `streams: { base_url: '${upstream.origin}/stream/v1' }`,
        `slow: { base_url: '${slow.origin}/v1' }`,
      ],
      models: ['streams', 'slow'].map((name) => `${name}: { provider: ${name}, ${MODEL_TERMS} }`),
      apis: [
        'llm: { type: llm }',
        'own:',
        '  upstream: own',
        '  routes: [{ name: items, path: /items, methods: [GET], price: 0.0001 USD / request }]',
      ],
      plans: ['poor: { title: Poor, price: free }'],
      more: ['upstreams:', `  own: { url: '${upstream.origin}' }`],
    },
  );
  keep(started.gateway);
  const target: LoadTarget = {
    ...started.subject.target,
    ...{ keys, calls: mix(poor), refused: 3 / 20 },
  };
  const aborted = splitAtKey(target.origin, withModel(STREAM_CALL, 'slow')).join(keys[0] ?? '');
  const callers = () => new AbortingCallers(target.origin, aborted, ABORTED_PER_SECOND);
  return { started, data, target, callers, pid: started.subject.pids[0] ?? 0 };
}

const EVENTS_PER_PIECE = 10;

/** The events of a whole stream at once: how they come one by one is what the aborting callers see. */
function renderStreamLocation(): string {
  const pieces: string[] = [];
  for (let from = 0; from < STREAM_EVENTS.length; from += EVENTS_PER_PIECE) {
    pieces.push(STREAM_EVENTS.slice(from, from + EVENTS_PER_PIECE).join(''));
  }
  // A parameter of nginx has at most 4096 bytes.
  return `location /stream/ {
    types { }
    default_type text/event-stream;
    ${pieces.map((piece, index) => `set $piece${index} '${piece}';`).join('\n')}
    return 200 "${pieces.map((_, index) => `$piece${index}`).join('')}";
  }`;
}

function withModel(call: Call, model: string): Call {
  return { ...call, body: call.body.replace(`"${MODEL}"`, `"${model}"`) };
}

function mix(poor: string): readonly Call[] {
  const items = { method: 'GET', path: '/items', body: '', answer: ANSWER_BODY } as const;
  const streamed = withModel(STREAM_CALL, 'streams');
  const unknown = { ...CHAT_CALL, key: 'tk_live_nobody' };
  const unpaid = { ...CHAT_CALL, key: poor };
  const five = [CHAT_CALL, streamed, CHAT_CALL, CHAT_CALL];
  return [
    ...[...five, items, ...five, unpaid],
    ...[...five, items, CHAT_CALL, CHAT_CALL, unpaid, unknown, CHAT_CALL],
  ];
}

function readSample(pid: number, requests: number, name: string): Row {
  const numbers = {
    requests,
    rss_mb: round(readResidentMb(pid), 1),
    open_files: readdirSync(`/proc/${pid}/fd`).length,
  };
  return { name, numbers };
}

/** A line every tenth part, and the first. */
function thin(samples: readonly Row[]): readonly Row[] {
  const every = Math.max(1, Math.floor((samples.length - 1) / LINES));
  return samples.filter((_, index) => index % every === 0);
}

function summarise(samples: readonly Row[], cpuSeconds: number): readonly Row[] {
  const points = samples.map(({ numbers: { requests = 0, rss_mb: mb = 0 } }) => ({ requests, mb }));
  const end = points.at(-1)?.requests ?? 0;
  const warm = points.filter(({ requests }) => requests >= end * WARM_PART);
  const middle = median(warm.map(({ mb }) => mb));
  return [
    { name: SLOPE, numbers: { mb_per_million: round(slopeOf(warm) * 1e6, 2) } },
    {
      name: 'last 80 %, median',
      numbers: { rss_mb: round(middle, 1), cpu_us_per_request: round(cpuSeconds * 1e6, 1) },
    },
  ];
}

/** Of the line of least squares, in MB a request. */
export function slopeOf(
  points: readonly { readonly requests: number; readonly mb: number }[],
): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(({ requests }) => requests)), mean(points.map(({ mb }) => mb))];
  const across = points.reduce((sum, { requests, mb }) => sum + (requests - x) * (mb - y), 0);
  const along = points.reduce((sum, { requests }) => sum + (requests - x) ** 2, 0);
  return along === 0 ? 0 : across / along;
}

/** Of 20 requests 17 are served, and none for nothing. The seconds at the end of a stretch are not counted by wrk. */
function readEnd(data: string, requests: number): Row {
  const { requestsSpent, reserved } = readBooks(data);
  const served = Math.floor((requests * 17) / 20) - CONNECTIONS;
  if (requestsSpent < served) {
    throw new Error(`${served} requests were served and ${requestsSpent} counted`);
  }
  const owners = readdirSync(journalDirectory(data)).filter((each) => each.endsWith('.lock'));
  if (owners.length > 0) throw new Error(`owners did not end in order: ${owners.join(', ')}`);
  return { name: STOPPED, numbers: { requests, reserved } };
}

import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { GatewayUnderFire } from '../chaos/gateway-under-fire.ts';
import type { ProblemDocument } from '../src/contract/problem-document.ts';
import { GatewayCaller, tally } from './support/gateway-caller.ts';
import {
  type CountedUpstream,
  startCountedUpstream,
  type Task,
} from './support/start-counted-upstream.ts';
import { makeDirectory, removeDirectory } from './support/temporary-directory.ts';
import { waitFor } from './support/wait-for.ts';

/** Issue "Part 2" show 4, second half. */
const ABORTED = 1000;
const KILLS = 10;
const CALLERS = 32;
/** What the plan allows at the same time. */
const SLOTS = { team: 12, each_key: 6, each_user: 3, uploads: 2 } as const;
const KEYS = 3;
const USERS = 6;
const UPLOAD_BYTES = 400_000;
/** Longer than any call takes. */
const SILENT_MS = 10_000;

let upstream: CountedUpstream;
let data: string;
let fire: GatewayUnderFire;
let caller: GatewayCaller;
let keys: readonly string[];

beforeAll(async () => {
  upstream = await startCountedUpstream();
  data = makeDirectory('slots');
  const config = join(data, 'tollkeeper.yaml');
  writeFileSync(config, renderConfig());
  fire = await GatewayUnderFire.create({ data, config, workers: 2 });
  await fire.start();
  caller = new GatewayCaller(fire.gateway);
  const tenantId = await caller.tenantId();
  const others = Array.from({ length: KEYS - 1 }, () =>
    caller.admin<{ key: string }>('/admin/keys', { tenant_id: tenantId }),
  );
  keys = [fire.gateway.key, ...(await Promise.all(others)).map(({ key }) => key)];
}, 60_000);

afterAll(async () => {
  caller.close();
  await fire.stop();
  fire.destroy();
  await upstream.close();
  removeDirectory(data);
});

function renderConfig(): string {
  return `
version: 1
retry_storm_per_minute: 0
upstreams:
  own: { url: "${upstream.origin}" }
providers:
  own: { base_url: "${upstream.origin}/v1" }
models:
  m:
    provider: own
    context_window: 32768
    max_output_tokens: 64
    price: { input: 1.00 USD / 1M tokens, output: 2.00 USD / 1M tokens }
apis:
  llm: { type: llm, end_user_header: x-customer }
  own:
    upstream: own
    end_user_header: x-customer
    routes:
      - { name: work, path: /work, price: 0.001 USD / request }
      - { name: upload, path: /upload, price: 0.001 USD / request }
      - { name: hasty, path: /hasty, price: 0.001 USD / request, timeouts: { headers: 50ms } }
plans:
  lab:
    title: Lab
    price: 9.00 USD / month
    limits:
      - { id: team, concurrent_requests: ${SLOTS.team} }
      - { id: each_key, scope: key, concurrent_requests: ${SLOTS.each_key} }
      - { id: each_user, scope: end_user, class: protective, concurrent_requests: ${SLOTS.each_user} }
      - { id: uploads, scope: route, only: { routes: [own.upload] }, class: protective, concurrent_requests: ${SLOTS.uploads} }
      - { id: sent, bytes_out: 1 GB, per: month }
demo: { customer: { plan: lab }, credit: 1000.00 USD }
`;
}

type Path = '/work' | '/upload' | '/hasty' | '/v1/chat/completions';

interface Call {
  readonly path: Path;
  /** Which of the keys and end users. */
  readonly key: number;
  readonly user: number;
  readonly stream: boolean;
  /** Absent = until the upstream is told to end all. */
  readonly afterMs?: number;
  readonly breaks?: boolean;
  /** When the caller leaves; absent = it stays. */
  readonly leaves?: 'at once' | 'when it is there' | 'in the answer' | 'in its body';
}

interface Served {
  /** 0 = no answer at all. */
  readonly status: number;
  readonly complete: boolean;
  readonly left: boolean;
  /** The connection stayed open, and nothing came: that must not be. */
  readonly silent: boolean;
  readonly text: string;
}

/** One call over a connection of its own, until it is answered, broken, or left. */
function callOnce(call: Call): Promise<Served> {
  const task = taskOf(call);
  const { body, bodyBytes } = bodyOf(call);
  return new Promise((resolve) => {
    const seen = { status: 0, complete: false, left: false, silent: false, text: '' };
    const finish = (): void => resolve(seen);
    const outgoing = httpRequest(
      {
        agent: false,
        host: '127.0.0.1',
        port: fire.port,
        path: call.path,
        method: 'POST',
        timeout: SILENT_MS,
        headers: {
          authorization: `Bearer ${keys[call.key]}`,
          'content-type': 'application/json',
          'content-length': bodyBytes,
          'x-customer': `user-${call.user}`,
          'x-task': JSON.stringify(task),
        },
      },
      (answer) => {
        seen.status = answer.statusCode ?? 0;
        answer.setEncoding('utf8').on('data', (text: string) => {
          seen.text += text;
          if (call.leaves === 'in the answer' && seen.status === 200) leave();
        });
        answer.on('end', () => {
          seen.complete = answer.complete;
          finish();
        });
        answer.on('error', finish);
      },
    );
    const leave = (): void => {
      seen.left = true;
      outgoing.destroy();
    };
    outgoing.on('timeout', () => {
      seen.silent = true;
      outgoing.destroy();
    });
    outgoing.on('error', finish).on('close', finish);
    if (body.length === bodyBytes) outgoing.end(body);
    else outgoing.write(body);
    if (call.leaves === 'at once')
      outgoing.once('socket', (socket) =>
        socket.once('connect', () => setTimeout(leave, call.user)),
      );
    if (call.leaves === 'when it is there' || call.leaves === 'in its body') {
      void arrival(task.id, outgoing).then((isThere) => isThere && leave());
    }
  });
}

async function arrival(id: string, outgoing: { readonly destroyed: boolean }): Promise<boolean> {
  while (!outgoing.destroyed) {
    if (upstream.has(id)) return true;
    // oxlint-disable-next-line no-await-in-loop -- it is looked at again and again
    await pause(1);
  }
  return false;
}

function taskOf({ path, key, user, stream, afterMs, breaks }: Call): Task {
  const places = path === '/upload' ? ['uploads'] : [];
  return {
    id: randomUUID(),
    counted: ['team', `each_key ${key}`, `each_user ${user}`, ...places],
    stream,
    ...(afterMs === undefined ? {} : { afterMs }),
    ...(breaks === undefined ? {} : { breaks }),
  };
}

function bodyOf({ path, stream, leaves }: Call): { body: string; bodyBytes: number } {
  if (path !== '/v1/chat/completions') {
    const bodyBytes = path === '/upload' ? UPLOAD_BYTES : 100;
    return { body: 'x'.repeat(leaves === 'in its body' ? bodyBytes / 2 : bodyBytes), bodyBytes };
  }
  const messages = [{ role: 'user', content: 'x' }];
  const body = JSON.stringify({ model: 'm', max_tokens: 64, stream, messages });
  return { body, bodyBytes: body.length };
}

function codeOf(served: Served): string {
  if (served.left) return 'left';
  if (served.silent) return 'silent';
  if (served.status === 0) return 'broken';
  if (served.status < 400) return served.complete ? 'served' : 'cut';
  const { code } = JSON.parse(served.text) as ProblemDocument;
  return `${served.status} ${code}`;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Every refusal that a call of this test may get. A disk that is slow today answers 503, which takes nothing. */
const REFUSALS = new Set([
  '402 CONCURRENCY_LIMIT_EXCEEDED',
  '429 CONCURRENCY_LIMITED',
  '503 BILLING_UNAVAILABLE',
]);

type Ending = Pick<Call, 'path' | 'stream' | 'afterMs' | 'breaks' | 'leaves'>;

/** The ways a call ends early, each with what its caller sees of it. */
const ENDINGS: Readonly<
  Record<string, { readonly seen: readonly string[]; readonly of: readonly Ending[] }>
> = {
  'before it is admitted': {
    seen: ['left'],
    of: [
      { path: '/work', stream: false, leaves: 'at once' },
      { path: '/v1/chat/completions', stream: false, leaves: 'at once' },
    ],
  },
  'before its answer': {
    seen: ['left'],
    of: [
      { path: '/work', stream: false, leaves: 'when it is there' },
      { path: '/v1/chat/completions', stream: false, leaves: 'when it is there' },
    ],
  },
  'in the middle of a stream': {
    seen: ['left'],
    of: [
      { path: '/work', stream: true, leaves: 'in the answer' },
      { path: '/v1/chat/completions', stream: true, leaves: 'in the answer' },
    ],
  },
  'in its own body': {
    seen: ['left'],
    of: [{ path: '/upload', stream: false, leaves: 'in its body' }],
  },
  'because the upstream is silent': {
    seen: ['504 UPSTREAM_TIMEOUT'],
    of: [{ path: '/hasty', stream: false }],
  },
  'because the upstream breaks': {
    seen: ['broken', 'cut', '502 UPSTREAM_FAILED'],
    of: [
      { path: '/work', stream: true, afterMs: 20, breaks: true },
      { path: '/v1/chat/completions', stream: true, afterMs: 20, breaks: true },
      { path: '/work', stream: false, afterMs: 5, breaks: true },
    ],
  },
};

/** Tries until as many calls as asked for have ended in this way; what else they were answered. */
async function endEarly(name: string, count: number): Promise<Readonly<Record<string, number>>> {
  const { seen, of } = ENDINGS[name] ?? { seen: [], of: [] };
  const results: string[] = [];
  let [begun, ended] = [0, 0];
  const one = async (): Promise<void> => {
    while (ended < count) {
      begun += 1;
      const ending = of[begun % of.length];
      if (ending === undefined) return;
      // oxlint-disable-next-line no-await-in-loop -- one caller makes one call at a time
      const result = codeOf(await callOnce({ ...ending, key: begun % KEYS, user: begun % USERS }));
      results.push(result);
      if (seen.includes(result)) ended += 1;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, one));
  const others = results.filter((result) => !seen.includes(result) && !REFUSALS.has(result));
  expect(tally(others)).toEqual({});
  return tally(results);
}

interface LimitView {
  readonly id: string;
  readonly unit: string;
  readonly limit: number;
  readonly used: number;
  readonly held: number;
  readonly remaining: number;
}

/** Slots of every limit as each key is shown them, and as the operator is. */
async function readSlots(): Promise<readonly LimitView[]> {
  const tenantId = await caller.tenantId();
  const views = await Promise.all([
    ...keys.map((key) => caller.usage(key)),
    caller.admin(`/admin/tenants/${tenantId}`),
  ]);
  return views
    .flatMap((view) => (view as { limits: readonly LimitView[] }).limits)
    .filter(({ unit }) => unit === 'concurrent_requests');
}

/** All slots of all limits are free again, and all books agree. */
async function checkAllFree(): Promise<void> {
  expect(upstream.running()).toEqual([]);
  const started = performance.now();
  const slots = await waitFor(
    async () => {
      const read = await readSlots();
      return read.every(({ held }) => held === 0) && read;
    },
    { timeoutMs: 10_000, what: 'every slot to be free' },
  );
  console.log({ freeAfterMs: Math.round(performance.now() - started), accounts: slots.length });
  // Each key sees the team's, its own, all users' and the route's; the operator sees those of all keys.
  expect(slots.length).toBeGreaterThanOrEqual((KEYS + 1) * Object.keys(SLOTS).length);
  for (const { id, limit, used, remaining } of slots) {
    const most = SLOTS[id as keyof typeof SLOTS];
    expect({ id, limit, used, remaining }).toEqual({ id, limit: most, used: 0, remaining: most });
  }
  expect(await caller.audit()).toEqual([]);
}

/** What was ever served more often at the same time than there are slots, as the upstream counted. */
function mostAbove(): Readonly<Record<string, number>> {
  const names = [
    'team',
    ...Array.from({ length: KEYS }, (_, key) => `each_key ${key}`),
    ...Array.from({ length: USERS }, (_, user) => `each_user ${user}`),
    'uploads',
  ];
  const most = names.map((name) => [name, upstream.mostOf(name)] as const);
  console.log({ calls: upstream.calls, most: Object.fromEntries(most) });
  return Object.fromEntries(
    most.filter(([name, seen]) => seen > SLOTS[name.split(' ')[0] as keyof typeof SLOTS]),
  );
}

interface Crowd {
  readonly limit: keyof typeof SLOTS;
  readonly refusal: string;
  readonly call: (index: number) => Pick<Call, 'path' | 'key' | 'user'>;
}

/** Calls that only one limit stops. */
const CROWDS: readonly Crowd[] = [
  {
    limit: 'team',
    refusal: '402 CONCURRENCY_LIMIT_EXCEEDED',
    call: (index) => ({ path: '/work', key: index % KEYS, user: 100 + index }),
  },
  {
    limit: 'each_key',
    refusal: '402 CONCURRENCY_LIMIT_EXCEEDED',
    call: (index) => ({ path: '/v1/chat/completions', key: 1, user: 100 + index }),
  },
  {
    limit: 'each_user',
    refusal: '429 CONCURRENCY_LIMITED',
    call: (index) => ({ path: '/work', key: index % KEYS, user: 100 }),
  },
  {
    limit: 'uploads',
    refusal: '429 CONCURRENCY_LIMITED',
    call: (index) => ({ path: '/upload', key: index % KEYS, user: 100 + index }),
  },
];

/** As many as there are slots are served at once, and not one more; as they end, the next ones are. */
async function checkUsable({ limit, refusal, call }: Crowd): Promise<void> {
  const slots = SLOTS[limit];
  const results: string[] = [];
  const calls = Array.from({ length: slots + 3 }, async (_, index) => {
    const wish = { ...call(index), stream: index % 2 === 0 };
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- it is told to try again
      const result = codeOf(await callOnce(wish));
      if (result !== '503 BILLING_UNAVAILABLE') return results.push(result);
    }
  });
  await waitFor(() => upstream.running().length + results.length === slots + 3, {
    timeoutMs: 10_000,
    what: `${slots} to be served and 3 to be refused`,
  });
  expect({ limit, ...tally(results) }).toEqual({ limit, [refusal]: 3 });
  const [view] = (await readSlots()).filter(({ id, held }) => id === limit && held > 0);
  expect(view).toMatchObject({ held: slots, used: 0, remaining: 0 });
  upstream.endAll();
  await Promise.all(calls);
  expect({ limit, ...tally(results) }).toEqual({ limit, served: slots, [refusal]: 3 });
}

describe('show 4: slots return to zero (QUOTA-10, QUOTA-11)', () => {
  it(`after ${ABORTED} aborted calls`, async () => {
    const names = Object.keys(ENDINGS);
    for (const name of names) {
      // oxlint-disable-next-line no-await-in-loop -- slots that stay taken are to be those of one way
      const results = await endEarly(name, Math.ceil(ABORTED / names.length));
      console.log({ [name]: results });
      // oxlint-disable-next-line no-await-in-loop -- slots that stay taken are to be those of one way
      await waitFor(() => upstream.running().length === 0, {
        timeoutMs: 10_000,
        what: `the upstream to be rid of calls that ended ${name}`,
      });
    }
    await checkAllFree();
    expect(mostAbove()).toEqual({});
  }, 120_000);

  it.each(CROWDS)('and $limit can be used to its number', checkUsable, 30_000);

  it(`after ${KILLS} workers were killed with calls in flight`, async () => {
    let firing = true;
    const results: string[] = [];
    const one = async (_: unknown, index: number): Promise<void> => {
      for (let turn = index; firing; turn += CALLERS) {
        const stream = turn % 2 === 0;
        const path = turn % 4 < 2 ? '/work' : '/v1/chat/completions';
        const [key, user] = [turn % KEYS, turn % USERS];
        // oxlint-disable-next-line no-await-in-loop -- one caller makes one call at a time
        const result = codeOf(
          await callOnce({ path, stream, key, user, afterMs: 20 + (turn % 80) }),
        );
        results.push(result);
        // oxlint-disable-next-line no-await-in-loop -- one caller makes one call at a time
        if (result !== 'served') await pause(10);
      }
    };
    const callers = Array.from({ length: CALLERS }, one);
    const inFlight: { streams: number; whole: number }[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await waitFor(() => countRunning().streams > 1 && countRunning().whole > 1, {
        timeoutMs: 20_000,
        what: 'streams and whole answers in flight',
      });
      inFlight.push(countRunning());
      // The one that has served longest: one that dies young is replaced after a pause.
      fire.killWorker(0);
      // oxlint-disable-next-line no-await-in-loop -- the next to be killed is one of those that serve now
      await fire.learnWorkers();
    }
    firing = false;
    await Promise.all(callers);
    const counts = tally(results);
    console.log({ inFlight, ...counts });
    // What a kill breaks is broken off, before the answer or in it.
    const others = Object.keys(counts).filter(
      (result) => !['served', 'broken', 'cut'].includes(result) && !REFUSALS.has(result),
    );
    expect(others).toEqual([]);
    expect((counts['broken'] ?? 0) + (counts['cut'] ?? 0)).toBeGreaterThanOrEqual(KILLS);
    await waitFor(() => upstream.running().length === 0, { timeoutMs: 10_000, what: 'no call' });
    await checkAllFree();
    expect(mostAbove()).toEqual({});
  }, 120_000);

  it.each(CROWDS)('and $limit can still be used to its number', checkUsable, 30_000);

  it('and all is as it was', async () => {
    await checkAllFree();
    expect(mostAbove()).toEqual({});
  }, 30_000);
});

function countRunning(): { streams: number; whole: number } {
  const running = upstream.running();
  const streams = running.filter(({ stream }) => stream).length;
  return { streams, whole: running.length - streams };
}

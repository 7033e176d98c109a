import { setTimeout as sleep } from 'node:timers/promises';

import { expect, it, onTestFinished } from 'vitest';

import { problemOf } from './support/gateway-caller.ts';
import { type Lab, startLab } from './support/start-lab.ts';
import { makeDirectory, removeDirectory } from './support/temporary-directory.ts';
import { transfer } from './support/transfer.ts';

/** Thirteen gateways one after the other, on a machine that may be slow. */
const TIMEOUT_MS = 300_000;
/** Of each limit of requests here. */
const ALLOWANCE = 2;
/** More than any gateway takes to start, and less than the shortest window. */
const BEFORE_MS = 90_000;

const ROUTES = ['day', 'month'].map(
  (name) => `{ name: ${name}, path: /${name}, rewrite: { pattern: "^.*$", with: "/status" } }`,
);
const LIMITS = ['day', 'month']
  .map((name) => `{ requests: ${ALLOWANCE}, per: ${name}, only: { routes: [own.${name}] } }`)
  .join(', ');

/** A gateway at another time of the same tenant's life: `at` is an ISO time. Ends with the task. */
async function visit<Result>(
  data: string,
  at: string,
  task: (lab: Lab) => Promise<Result>,
): Promise<Result> {
  const plan = [`limits: [${LIMITS}]`];
  const lab = await startLab({ credit: '1.00', plan, routes: ROUTES, clock: at, data, workers: 1 });
  const result = await task(lab);
  await lab.gateway.stop();
  return result;
}

async function moveTo(lab: Lab, timeZone: string): Promise<void> {
  await lab.caller.admin(
    `/admin/tenants/${await lab.caller.tenantId()}`,
    { time_zone: timeZone },
    'PATCH',
  );
}

/** Calls until it is refused: how often it was served, and when it will be again. */
async function exhaust(lab: Lab, path: string): Promise<[served: number, resetsAt: string]> {
  for (let served = 0; served <= ALLOWANCE; served += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one call after the other
    const answer = await lab.caller.call({ path });
    if (answer.status === 200) continue;
    const { code, retry } = problemOf(answer);
    expect([code, retry.kind]).toEqual(['REQUEST_QUOTA_EXCEEDED', 'after_reset']);
    return [served, retry.resets_at?.replace(':00.000Z', 'Z') ?? ''];
  }
  throw new Error(`${path} was served more than ${ALLOWANCE} times`);
}

function makeData(): string {
  const data = makeDirectory('data');
  onTestFinished(() => removeDirectory(data));
  return data;
}

interface Boundary {
  readonly what: string;
  /** When a local day ends. */
  readonly at: string;
  /** When the next one ends. */
  readonly nextDay: string;
  /** Served of the month's allowance just before and just after, and when that month ends. */
  readonly month: readonly [before: [number, string], after: [number, string]];
}

/** In New York, in the order of time. */
const BOUNDARIES: readonly Boundary[] = [
  {
    what: 'a February of 28 days',
    at: '2026-03-01T05:00Z',
    nextDay: '2026-03-02T05:00Z',
    month: [
      [ALLOWANCE, '2026-03-01T05:00Z'],
      [ALLOWANCE, '2026-04-01T04:00Z'],
    ],
  },
  {
    what: 'a day of 23 hours',
    at: '2026-03-09T04:00Z',
    nextDay: '2026-03-10T04:00Z',
    month: [
      [0, '2026-04-01T04:00Z'],
      [0, '2026-04-01T04:00Z'],
    ],
  },
  {
    what: 'a month of 31 days less an hour',
    at: '2026-04-01T04:00Z',
    nextDay: '2026-04-02T04:00Z',
    month: [
      [0, '2026-04-01T04:00Z'],
      [ALLOWANCE, '2026-05-01T04:00Z'],
    ],
  },
  {
    what: 'a month of 30 days',
    at: '2026-05-01T04:00Z',
    nextDay: '2026-05-02T04:00Z',
    month: [
      [0, '2026-05-01T04:00Z'],
      [ALLOWANCE, '2026-06-01T04:00Z'],
    ],
  },
  {
    what: 'a day of 25 hours',
    at: '2026-11-02T05:00Z',
    nextDay: '2026-11-03T05:00Z',
    month: [
      [ALLOWANCE, '2026-12-01T05:00Z'],
      [0, '2026-12-01T05:00Z'],
    ],
  },
  {
    what: 'a February of 29 days',
    at: '2028-03-01T05:00Z',
    nextDay: '2028-03-02T05:00Z',
    month: [
      [ALLOWANCE, '2028-03-01T05:00Z'],
      [ALLOWANCE, '2028-04-01T04:00Z'],
    ],
  },
];

it(
  "show 5, QUOTA-02: quotas end at the tenant's midnight, over months of 28 to 31 days and both changes of the clock",
  async () => {
    const data = makeData();
    await visit(data, '2026-02-01T12:00:00Z', (lab) => moveTo(lab, 'America/New_York'));
    for (const { what, at, nextDay, month } of BOUNDARIES) {
      const shortlyBefore = new Date(Date.parse(at) - BEFORE_MS).toISOString();
      // oxlint-disable-next-line no-await-in-loop -- one life, in its order
      const before = await visit(data, shortlyBefore, async (lab) => ({
        day: await exhaust(lab, '/day'),
        month: await exhaust(lab, '/month'),
      }));
      expect({ what, ...before }).toEqual({ what, day: [ALLOWANCE, at], month: month[0] });
      // oxlint-disable-next-line no-await-in-loop -- as above
      const after = await visit(data, at, async (lab) => ({
        day: await exhaust(lab, '/day'),
        month: await exhaust(lab, '/month'),
        audit: await lab.caller.audit(),
      }));
      expect({ what, ...after }).toEqual({
        what,
        day: [ALLOWANCE, nextDay],
        month: month[1],
        audit: [],
      });
    }
  },
  TIMEOUT_MS,
);

it('QUOTA-02: a tenant that changes its zone keeps what is used of the month, and the month ends by the new clock', async () => {
  const data = makeData();
  await visit(data, '2026-11-15T12:00:00Z', async (lab) => {
    expect((await lab.caller.call({ path: '/month' })).status).toBe(200);
    await moveTo(lab, 'America/New_York');
  });
  // December in UTC, November in New York: the second and last call.
  await visit(data, '2026-12-01T02:00:00Z', async (lab) => {
    expect(await exhaust(lab, '/month')).toEqual([1, '2026-12-01T05:00Z']);
    // In Berlin it is December already; back in New York nothing is granted again.
    await moveTo(lab, 'Europe/Berlin');
    expect(await exhaust(lab, '/month')).toEqual([ALLOWANCE, '2026-12-31T23:00Z']);
    await moveTo(lab, 'America/New_York');
    expect(await exhaust(lab, '/month')).toEqual([0, '2026-12-01T05:00Z']);
  });
  await visit(data, '2026-12-01T05:00:00Z', async (lab) => {
    expect(await exhaust(lab, '/month')).toEqual([0, '2027-01-01T05:00Z']);
    expect(await lab.caller.audit()).toEqual([]);
  });
});

const TOKEN_WINDOWS = ['hour', 'day', 'week', 'month'] as const;
const STREAMED_TOKENS = 40;
const PAUSE_MS = 250;
/** The stream begins so long before the boundary, and takes more than three times that. */
const STREAM_LEAD_MS = 3000;
/** How long a gateway may take to start; the next is tried on a machine that is slower. */
const START_LEADS_MS = [12_000, 40_000, 90_000];
/** Of the stream: its answer and one token of the question. */
const USED_TOKENS = STREAMED_TOKENS + 1;

interface UsedByWindow {
  readonly used: Readonly<Record<string, number>>;
  readonly held: Readonly<Record<string, number>>;
}

async function readTokens(lab: Lab): Promise<UsedByWindow> {
  const { limits } = await lab.caller.usage();
  const read = (member: 'used' | 'held') =>
    Object.fromEntries(
      TOKEN_WINDOWS.map((window) => [
        window,
        Number(limits.find(({ id }) => id === `tokens_per_${window}`)?.[member]),
      ]),
    );
  return { used: read('used'), held: read('held') };
}

/** A gateway in New York that has been started in time to begin a stream before `boundary` (epoch ms). */
async function startShortlyBefore(
  boundary: number,
): Promise<{ readonly lab: Lab; readonly untilMs: () => number }> {
  const limits = TOKEN_WINDOWS.map((window) => `{ tokens: 10k, per: ${window} }`);
  for (const leadMs of START_LEADS_MS) {
    const clock = new Date(boundary - leadMs).toISOString();
    const plan = [`limits: [${limits.join(', ')}]`];
    // oxlint-disable-next-line no-await-in-loop -- another only when this one came too late
    const lab = await startLab({ credit: '1.00', plan, clock });
    // oxlint-disable-next-line no-await-in-loop -- as above
    await moveTo(lab, 'America/New_York');
    // oxlint-disable-next-line no-await-in-loop -- as above
    const shiftMs = (await readClock(lab)) - Date.now();
    const untilMs = (): number => boundary - shiftMs - Date.now();
    if (untilMs() > STREAM_LEAD_MS) return { lab, untilMs };
    // oxlint-disable-next-line no-await-in-loop -- as above
    await lab.gateway.stop();
  }
  throw new Error('no gateway started in time');
}

/** What time it is in the gateway. */
async function readClock(lab: Lab): Promise<number> {
  const { text } = await lab.caller.call({ path: '/v1/usage' });
  return Date.parse((JSON.parse(text) as { as_of: string }).as_of);
}

it.each([
  {
    what: 'the end of a day and of a month',
    boundary: '2026-11-01T04:00:00Z',
    ended: ['hour', 'day', 'month'],
    accounts: ['2026-11-01T03', '2026-10-31', '2026-W44', '2026-10'],
  },
  {
    // 01:59:59 becomes 01:00:00: another hour of the same day.
    what: 'the hour that comes twice',
    boundary: '2026-11-01T06:00:00Z',
    ended: ['hour'],
    accounts: ['2026-11-01T05', '2026-11-01', '2026-W44', '2026-11'],
  },
])(
  'show 5: a stream that spans $what in New York counts where it began, and nowhere else',
  async ({ boundary, ended, accounts }) => {
    const { lab, untilMs } = await startShortlyBefore(Date.parse(boundary));
    await sleep(untilMs() - STREAM_LEAD_MS);
    const streaming = transfer({
      url: `${lab.gateway.gateway}/v1/chat/completions`,
      headers: {
        authorization: `Bearer ${lab.gateway.key}`,
        'x-echo-tokens': String(STREAMED_TOKENS),
        'x-echo-delay-ms': String(PAUSE_MS),
      },
      text: JSON.stringify({
        model: 'm',
        stream: true,
        max_tokens: STREAMED_TOKENS,
        messages: [{ role: 'user', content: 'x' }],
      }),
    });
    await sleep(untilMs() + 1000);
    const meanwhile = await readTokens(lab);
    const stream = await streaming;
    expect(stream).toMatchObject({ status: 200, complete: true });
    expect(untilMs()).toBeLessThan(0);

    const isOver = (window: string): boolean => ended.includes(window);
    for (const window of TOKEN_WINDOWS) {
      expect([window, (meanwhile.held[window] ?? 0) > 0]).toEqual([window, !isOver(window)]);
    }
    const { used } = await readTokens(lab);
    expect(used).toEqual(
      Object.fromEntries(TOKEN_WINDOWS.map((window) => [window, isOver(window) ? 0 : USED_TOKENS])),
    );
    // The hold was in the accounts of the windows that it began in.
    const facts = await lab.caller.facts(stream);
    const windows = facts.limits
      .filter(({ kind }) => kind === 'quota')
      .map(({ accountId, label }) =>
        accountId.slice(accountId.indexOf(`${label?.id}:`) + `${label?.id}:`.length),
      );
    expect(windows.toSorted()).toEqual(accounts.toSorted());

    const next = await lab.caller.chat({ tokens: 3, maxTokens: 3 });
    expect(next.status).toBe(200);
    expect((await readTokens(lab)).used).toEqual(
      Object.fromEntries(
        TOKEN_WINDOWS.map((window) => [window, isOver(window) ? 4 : USED_TOKENS + 4]),
      ),
    );
    expect(await lab.caller.audit()).toEqual([]);
  },
  TIMEOUT_MS,
);

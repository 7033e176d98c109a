import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { LimitFact } from '../src/domain/facts.ts';
import { startEchoModel } from '../src/server/demo/echo-model.ts';
import type { DemoServer } from '../src/server/demo/demo-server.ts';
import { openSqliteStore } from '../src/stores/sqlite/sqlite-store.ts';
import type { AccountBalance } from '../src/stores/store.ts';
import { createCustomer, type Customer } from './support/customers.ts';
import {
  type CallAnswer,
  type GatewayCaller,
  problemOf,
  runParallel,
  tally,
} from './support/gateway-caller.ts';
import type { Gateway } from './support/start-gateway.ts';
import { type MidMonth, renderPlan, startMidMonth } from './support/start-mid-month.ts';
import { startWorkshop, type Workshop } from './support/start-workshop.ts';
import { waitFor } from './support/wait-for.ts';

/** Issue "Part 2" show 4. */
const CALLERS = 200;
const CALLS = 400;

const REQUEST = 'x'.repeat(300);
const ANSWER_BYTES = 700;
const UNITS = 3;
const DELAY_MS = 10;
const NANO = 1_000_000;

/** One of ten limits of a plan: as the file says it when it is loose, and with an amount that is soon used up. */
interface Kit {
  readonly id: string;
  readonly loose: string;
  readonly tight: string;
  readonly code: string;
  /** Used when nothing more fits; undefined = slots: nothing of them is ever used. */
  readonly used?: number;
  /** Answered in full; undefined = how many is not fixed. */
  readonly served?: number;
  /** Most calls that may run together. */
  readonly atOnce?: number;
}

const kit = (
  id: string,
  members: string,
  [unit, loose, tight]: readonly [string, string, string],
  expected: Pick<Kit, 'code' | 'used' | 'served' | 'atOnce'>,
): Kit => ({
  id,
  loose: `{ id: ${id}, ${members}, ${unit}: ${loose} }`,
  tight: `{ id: ${id}, ${members}, ${unit}: ${tight} }`,
  ...expected,
});

/** What a call of `/work` takes: one request of 302 bytes (JSON), an answer of 700, 3 units, 0.001 USD. */
const BODY_BYTES = REQUEST.length + 2;
const WORK_KITS: readonly Kit[] = [
  kit('calls', 'per: month, scope: tenant', ['requests', '1M', '70'], {
    code: 'REQUEST_QUOTA_EXCEEDED',
    used: 70,
    served: 70,
  }),
  kit('sent', 'per: day, scope: key', ['bytes_in', '1 GB', `${70 * BODY_BYTES + 1}`], {
    code: 'DATA_QUOTA_EXCEEDED',
    used: 70 * BODY_BYTES,
    served: 70,
  }),
  kit(
    'kept',
    'per: lifetime, scope: operation',
    ['storage_bytes', '1 GB', `${71 * BODY_BYTES - 1}`],
    {
      code: 'STORAGE_QUOTA_EXCEEDED',
      used: 70 * BODY_BYTES,
      served: 70,
    },
  ),
  // How long an answer is nobody knows before it comes: what is left is sent, to the byte.
  kit('got', 'per: week, scope: route', ['bytes_out', '1 GB', `${60 * ANSWER_BYTES + 11}`], {
    code: 'DATA_QUOTA_EXCEEDED',
    used: 60 * ANSWER_BYTES + 11,
  }),
  kit('moved', 'per: year, scope: app', ['bytes', '1 GB', `${60 * (ANSWER_BYTES + BODY_BYTES)}`], {
    code: 'DATA_QUOTA_EXCEEDED',
  }),
  kit(
    'units',
    'per: billing_cycle, scope: end_user',
    ['compute_units', '1M', `${70 * UNITS + 1}`],
    {
      code: 'COMPUTE_UNITS_EXHAUSTED',
      used: 69 * UNITS + UNITS,
      served: 70,
    },
  ),
  kit('time', 'per: hour, scope: tenant', ['compute_time', '10h', '900ms'], {
    code: 'COMPUTE_UNITS_EXHAUSTED',
    used: 900,
  }),
  kit(
    'works',
    'per: minute, scope: operation, only: { operations: [work] }',
    ['operations', '1M', '70'],
    {
      code: 'OPERATION_LIMIT_REACHED',
      used: 70,
      served: 70,
    },
  ),
  kit('money', 'per: month, scope: key', ['spend', '1000 USD', '0.0705 USD'], {
    code: 'SPENDING_LIMIT_REACHED',
    used: 70 * NANO,
    served: 70,
  }),
  kit('slots', 'scope: key', ['concurrent_requests', '1000', '7'], {
    code: 'CONCURRENCY_LIMIT_EXCEEDED',
    atOnce: 7,
  }),
];

/** What a chat takes: 1 token of input, 10 of output, and bytes. */
const OUTPUT_TOKENS = 10;
const CHAT_KITS: readonly Kit[] = [
  kit('calls', 'per: hour, scope: model', ['requests', '1M', '70'], {
    code: 'REQUEST_QUOTA_EXCEEDED',
    used: 70,
    served: 70,
  }),
  kit('tokens', 'per: month, scope: key', ['tokens', '1000M', '1500'], {
    code: 'TOKEN_QUOTA_EXCEEDED',
  }),
  kit('read', 'per: day, scope: end_user', ['input_tokens', '1000M', '500'], {
    code: 'TOKEN_QUOTA_EXCEEDED',
  }),
  kit('written', 'per: year, scope: app', ['output_tokens', '1000M', `${70 * OUTPUT_TOKENS + 9}`], {
    code: 'TOKEN_QUOTA_EXCEEDED',
    used: 70 * OUTPUT_TOKENS,
    served: 70,
  }),
  kit('moved', 'per: week, scope: tenant', ['bytes', '1 GB', '40 kB'], {
    code: 'DATA_QUOTA_EXCEEDED',
  }),
  kit('money', 'per: lifetime, scope: tenant', ['spend', '1000 USD', '0.0015 USD'], {
    code: 'SPENDING_LIMIT_REACHED',
  }),
  kit('named', 'per: minute, scope: operation', ['operations', '1M', '70'], {
    code: 'OPERATION_LIMIT_REACHED',
    used: 70,
    served: 70,
  }),
  kit('routed', 'per: billing_cycle, scope: route', ['requests', '1M', '70'], {
    code: 'REQUEST_QUOTA_EXCEEDED',
    used: 70,
    served: 70,
  }),
  kit('shield', 'per: day, scope: tenant, class: protective', ['requests', '1M', '70'], {
    code: 'RATE_LIMITED',
    used: 70,
    served: 70,
  }),
  kit('slots', 'scope: key', ['concurrent_requests', '1000', '7'], {
    code: 'CONCURRENCY_LIMIT_EXCEEDED',
    atOnce: 7,
  }),
];

let workshop: Workshop;
let model: DemoServer;
let lab: MidMonth;
let gateway: Gateway;
let caller: GatewayCaller;

beforeAll(async () => {
  workshop = await startWorkshop();
  model = await startEchoModel({ host: '127.0.0.1', port: 0 });
  lab = await startMidMonth(renderConfig(), CALLERS);
  ({ gateway, caller } = lab);
}, 60_000);

afterAll(async () => {
  await lab.close();
  await Promise.all([workshop.close(), model.close()]);
});

function renderConfig(): string {
  const plansOf = (prefix: string, kits: readonly Kit[]) =>
    kits.map((tight) => {
      const limits = kits.map((each) => (each === tight ? each.tight : each.loose));
      return renderPlan(`${prefix}-${tight.id}`, limits);
    });
  return `
version: 1
retry_storm_per_minute: 0
upstreams:
  shop: { url: "${workshop.origin}" }
providers:
  echo: { base_url: "${model.origin}/v1" }
models:
  m:
    provider: echo
    upstream_model: echo-1
    context_window: 32768
    max_output_tokens: 64
    price: { input: 1.00 USD / 1M tokens, output: 2.00 USD / 1M tokens }
apis:
  llm: { type: llm, end_user_header: x-customer }
  shop:
    upstream: shop
    routes:
      - name: work
        path: /work
        price: 0.001 USD / request
        operation: work
        end_user_header: x-customer
        compute: { units: ${UNITS}, used_header: x-compute-units }
        timeouts: { headers: 2s }
plans:
${[...plansOf('work', WORK_KITS), ...plansOf('chat', CHAT_KITS)].join('\n')}
demo: { customer: { plan: work-calls }, credit: 1.00 USD }
`;
}

interface Outcome {
  /** Undefined = the answer was cut. */
  readonly answers: readonly (CallAnswer | undefined)[];
  readonly accounts: readonly AccountBalance[];
}

/** Calls of 200 callers until nothing is served any more, and the books then. */
async function exhaust(
  plan: string,
  call: (customer: Customer) => Promise<CallAnswer>,
): Promise<Outcome> {
  const customer = await createCustomer(caller, { plan, credit: '100.00' });
  const answers: (CallAnswer | undefined)[] = [];
  for (let round = 0; round < 6; round += 1) {
    answers.push(
      ...(await runParallel(CALLS, CALLERS, () => call(customer).catch(() => undefined))),
    );
    const last = await call(customer).catch(() => undefined);
    answers.push(last);
    if (last !== undefined && last.status >= 400 && !isTransient(last)) break;
  }
  return { answers, accounts: await booksOf(customer.tenantId) };
}

/** Open holds have what is left: a moment later it may fit. */
function isTransient(answer: CallAnswer): boolean {
  return answer.status !== 429 && problemOf(answer).retry.kind === 'transient';
}

/** Every account of the tenant, of all windows, once nothing is held any more. */
async function booksOf(tenantId: string): Promise<readonly AccountBalance[]> {
  const store = await openSqliteStore({ directory: gateway.data });
  try {
    return await waitFor(
      async () => {
        const accounts = await store.accounts(tenantId, 0, 0);
        return accounts.every(({ reserved }) => reserved === 0n) && accounts;
      },
      { timeoutMs: 15_000, what: 'nothing to be held any more' },
    );
  } finally {
    await store.close();
  }
}

function statusesOf(answers: readonly (CallAnswer | undefined)[]) {
  return tally(
    answers.map((answer) => {
      if (answer === undefined) return 'cut';
      if (answer.status === 200) return 200;
      const { status, code } = problemOf(answer);
      return `${status} ${code}${isTransient(answer) ? ' transient' : ''}`;
    }),
  );
}

/** The limit as refusals for good were decided on it. The log has them a moment later. */
async function readRefusal({ id }: Kit, { answers }: Outcome): Promise<LimitFact> {
  const refused = answers.filter((answer) => answer !== undefined && answer.status >= 400);
  const final = refused.filter((answer) => answer !== undefined && !isTransient(answer)).slice(-5);
  const { limits } = await waitFor(
    () => Promise.any(final.map((answer) => caller.facts(answer as CallAnswer))).catch(() => false),
    { timeoutMs: 15_000, what: 'a refusal for good in the log' },
  );
  expect(limits.filter(({ kind }) => kind === 'quota')).toHaveLength(10);
  const limit = limits.find(({ label }) => label?.id === id);
  if (limit === undefined) throw new Error(`${id} is not among the limits`);
  return limit;
}

/** What holds of any limit: never above what is allowed, nothing refused that would have fit, and all of it in the books. */
async function checkBoundary(tight: Kit, outcome: Outcome) {
  const statuses = statusesOf(outcome.answers);
  const { need } = await readRefusal(tight, outcome);
  const windows = outcome.accounts
    .filter(({ spec }) => spec.limit?.id === tight.id)
    .map(({ allowance, spent }) => ({ allowed: Number(allowance), used: Number(spent) }));
  console.log({ limit: tight.id, needed: need, windows, ...statuses });
  const complete = statuses[200] ?? 0;
  const served = complete + (statuses['cut'] ?? 0);
  // Its code, and no other refusal at all.
  const refusals = Object.keys(statuses).filter((status) => status !== '200' && status !== 'cut');
  expect(refusals.map((status) => status.split(' ')[1])).toEqual(refusals.map(() => tight.code));
  for (const { allowed, used } of windows) expect(used).toBeLessThanOrEqual(allowed);
  const [only] = windows;
  // The window of a minute may end meanwhile: then what was used is in several.
  if (only !== undefined && windows.length === 1) checkOnly(tight, { ...only, complete, need });
  // QUOTA-13: a refusal takes nothing of any account; each has just what was served.
  const calls = outcome.accounts.filter(({ spec }) => spec.unit === 'operations');
  expect(Number(calls.reduce((sum, { spent }) => sum + spent, 0n))).toBe(served);
  return { served };
}

function checkOnly(
  { used, served, atOnce }: Kit,
  found: { allowed: number; used: number; complete: number; need: number },
): void {
  expect(found.used).toBe(used ?? found.used);
  expect(found.complete).toBe(served ?? found.complete);
  // Of slots nothing is ever used.
  expect(atOnce === undefined ? found.allowed - found.used : 0).toBeLessThan(found.need);
}

const work = ({ key }: Customer): Promise<CallAnswer> =>
  caller.callPatiently({
    path: '/work',
    key,
    body: REQUEST,
    headers: {
      'x-customer': 'someone',
      'x-work': JSON.stringify({ bytes: ANSWER_BYTES, units: UNITS, delayMs: DELAY_MS }),
    },
  });

const chat = ({ key }: Customer): Promise<CallAnswer> =>
  caller.callPatiently({
    path: '/v1/chat/completions',
    key,
    body: { model: 'm', max_tokens: OUTPUT_TOKENS, messages: [{ role: 'user', content: 'x' }] },
    headers: { 'x-customer': 'someone', 'x-echo-tokens': String(OUTPUT_TOKENS) },
  });

describe('show 4: ten limits on one key, 2 workers, 200 parallel callers', () => {
  it.each(WORK_KITS)(
    'a proxied route, exact at $id',
    async (each) => {
      workshop.forget();
      const { served } = await checkBoundary(each, await exhaust(`work-${each.id}`, work));
      // GW-05: a refusal reaches no upstream.
      expect(workshop.calls).toBe(served);
      expect(workshop.mostRunning).toBeLessThanOrEqual(each.atOnce ?? CALLERS);
    },
    120_000,
  );

  it.each(CHAT_KITS)(
    'a chat, exact at $id',
    async (each) => {
      const before = model.requestCount;
      const { served } = await checkBoundary(each, await exhaust(`chat-${each.id}`, chat));
      expect(model.requestCount - before).toBe(served);
    },
    120_000,
  );

  it('the books are sound', async () => {
    expect(await caller.audit()).toEqual([]);
  });
});

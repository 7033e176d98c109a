import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createCustomer, type Customer } from './support/customers.ts';
import { type Call, GatewayCaller, problemOf, tally } from './support/gateway-caller.ts';
import { startGateway, type Gateway } from './support/start-gateway.ts';
import { makeDirectory, removeDirectory } from './support/temporary-directory.ts';
import { waitFor } from './support/wait-for.ts';

const CONFIG = `
version: 1
retry_storm_per_minute: 0
upstreams:
  demo: { url: "builtin:demo" }
providers:
  echo: { base_url: "builtin:echo" }
models:
  m: { provider: echo, upstream_model: echo-1, context_window: 4096, max_output_tokens: 64,
       price: { input: 1.00 USD / 1M tokens, output: 2.00 USD / 1M tokens } }
  large: { provider: echo, upstream_model: echo-1, context_window: 4096, max_output_tokens: 64,
       price: { input: 1.00 USD / 1M tokens, output: 2.00 USD / 1M tokens } }
apis:
  llm: { type: llm }
  demo:
    upstream: demo
    routes:
      - { name: status, path: /status, methods: [GET], price: 0.001 USD / request }
      - { name: reports, path_prefix: /lookup, feature: reports, price: 0.001 USD / request }
      - { name: enrich, path: /enrich, methods: [POST], price: 0.002 USD / request, operation: enrich }
plans:
  base:
    title: Base
    price: 9.00 USD / month
    models: [m]
    limits:
      - { requests: 16, per: hour }
      - { requests: 60, per: day }
      - { operations: 5, per: day, scope: operation, only: { operations: [enrich] } }
      - { tokens: 150, per: day }
      - { spend: 0.005 USD, per: hour, scope: key, only: { operations: [enrich] } }
    context: [{ up_to: 60, price: 1.0 }]
  max: { title: Max, price: 99.00 USD / month, features: [reports] }
demo: { customer: { plan: max }, credit: 1.00 USD }
`;
/** A day, in steps of six hours: each starts the gateway again, later, on the same books. */
const HOURS = [0, 6, 12, 18];
const CALLS_A_STEP = 120;

const asked: fc.Arbitrary<Call> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ path: '/status' }) },
  { weight: 1, arbitrary: fc.constant({ path: '/lookup/acme' }) },
  { weight: 3, arbitrary: fc.constant({ path: '/enrich', body: { name: 'acme' } }) },
  {
    weight: 3,
    arbitrary: fc
      .record({
        model: fc.constantFrom('m', 'm', 'm', 'large'),
        max_tokens: fc.integer({ min: 1, max: 20 }),
        words: fc.integer({ min: 1, max: 40 }),
      })
      .map(({ words, ...body }) => ({
        path: '/v1/chat/completions',
        body: { ...body, messages: [{ role: 'user', content: 'go '.repeat(words) }] },
      })),
  },
  { weight: 1, arbitrary: fc.constant({ path: '/nowhere' }) },
);

let data: string;
let gateway: Gateway;
let caller: GatewayCaller;
let enforced: Customer;
let observed: Customer;

async function start(hour: number): Promise<void> {
  const clock = `2026-11-15T${String(hour).padStart(2, '0')}:10:00Z`;
  const env = { TOLLKEEPER_LOG_LEVEL: 'error', TOLLKEEPER_CLOCK: clock };
  gateway = await startGateway({ config: CONFIG, data, args: ['--workers', '2'], env });
  caller = new GatewayCaller(gateway);
}

async function stop(): Promise<void> {
  caller.close();
  await gateway.stop();
}

beforeAll(async () => {
  data = makeDirectory('observe');
  await start(HOURS[0] ?? 0);
  enforced = await createCustomer(caller, { plan: 'base', credit: '0.045' });
  observed = await createCustomer(caller, { plan: 'base', credit: '0.045' });
  await caller.admin(`/admin/tenants/${observed.tenantId}`, { enforcement: 'observe' }, 'PATCH');
});
afterAll(async () => {
  await stop();
  removeDirectory(data);
});

/** The code of the refusal, and under observation of the one that would have been; undefined = served. */
async function refusalOf(call: Call, { key }: Customer): Promise<string | undefined> {
  const answer = await caller.call({ ...call, key });
  const would = answer.headers['x-tollkeeper-would-refuse'];
  if (would !== undefined) return `${answer.status} ${String(would)}`;
  return answer.status === 200 ? undefined : `${answer.status} ${problemOf(answer).code}`;
}

describe('show 7, EVID-01: observe mode for a day of generated traffic', () => {
  it(
    'refuses nothing, and says call by call what enforcement refuses',
    { timeout: 180_000 },
    async () => {
      const refused: string[] = [];
      const differences: string[] = [];
      for (const [step, hour] of HOURS.entries()) {
        if (step > 0) {
          // oxlint-disable-next-line no-await-in-loop -- the day goes on in order
          await stop();
          // oxlint-disable-next-line no-await-in-loop -- as above
          await start(hour);
        }
        for (const call of fc.sample(asked, { numRuns: CALLS_A_STEP, seed: hour })) {
          // oxlint-disable-next-line no-await-in-loop -- each call changes what the next one may do
          const real = await refusalOf(call, enforced);
          // oxlint-disable-next-line no-await-in-loop -- as above
          const would = await refusalOf(call, observed);
          const isLimit = real !== undefined && !real.startsWith('404');
          if (isLimit) refused.push(real.slice(4));
          const expected = isLimit ? `200 ${real.slice(4)}` : real;
          if (would !== expected)
            differences.push(`${JSON.stringify(call)}: ${real}, observed ${would}`);
        }
      }
      expect(differences.slice(0, 5)).toEqual([]);
      expect(Object.keys(tally(refused)).toSorted()).toEqual([
        'FEATURE_NOT_IN_PLAN',
        'INSUFFICIENT_CREDITS',
        'MCP_CONTEXT_LIMIT_EXCEEDED',
        'MODEL_NOT_IN_PLAN',
        'OPERATION_LIMIT_REACHED',
        'REQUEST_QUOTA_EXCEEDED',
        'SPENDING_LIMIT_REACHED',
        'TOKEN_QUOTA_EXCEEDED',
      ]);
      // Rows of the last second may still be on their way to the log.
      await waitFor(async () => (sumOf(await readReport()) === refused.length ? true : undefined), {
        timeoutMs: 10_000,
        what: 'the log to have every row',
      });
      expect(await readReport()).toEqual(tally(refused));
    },
  );

  it('both customers used the same of everything', async () => {
    const [one, other] = [await caller.usage(enforced.key), await caller.usage(observed.key)];
    expect(other.balance).toEqual(one.balance);
    expect(other.limits).toEqual(one.limits);
  });
});

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Would-be refusals by code. */
async function readReport(): Promise<Readonly<Record<string, number>>> {
  interface Page {
    readonly data: readonly {
      readonly code: string;
      readonly tenant_id: string;
      readonly requests: number;
    }[];
    readonly next_cursor: string | null;
  }
  const counts: Record<string, number> = {};
  let cursor = '';
  do {
    // oxlint-disable-next-line no-await-in-loop -- each page says where the next begins
    const page: Page = await caller.admin<Page>(
      `/admin/reports/observe?from=2026-11-15&to=2026-11-16${cursor}`,
    );
    for (const { code, tenant_id: tenantId, requests } of page.data) {
      expect(tenantId).toBe(observed.tenantId);
      counts[code] = (counts[code] ?? 0) + requests;
    }
    cursor = page.next_cursor === null ? '' : `&cursor=${encodeURIComponent(page.next_cursor)}`;
  } while (cursor !== '');
  return counts;
}

import { readFileSync } from 'node:fs';

import type { Durability } from '../src/domain/catalog.ts';
import type { HttpTransport } from '../src/server/config/loaded-config.ts';
import { type Gateway, startGateway } from '../test/support/start-gateway.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { pinToCore } from './process-usage.ts';
import type { Subject } from './subject.ts';
import { CHAT_PATH, MODEL } from './workload.ts';

const START_TIMEOUT_MS = 20_000;
const BOOKS_TIMEOUT_MS = 15_000;

export interface GatewaySetup {
  readonly upstreamOrigin: string;
  readonly core: number;
  readonly http: HttpTransport;
  /** Directory for V8 CPU profiles, or undefined. */
  readonly profile: string | undefined;
}

/** Real key, a plan with two limits, prepaid balance, journal, request log, metrics. */
export async function startEverything(
  setup: GatewaySetup,
  durability: Durability = 'journal',
): Promise<Subject> {
  const gateway = await startPinned(setup, {
    requests: 'all',
    durability,
    plan: 'limits: [{ requests: 1000M, per: month }, { tokens: 1000000M, per: month }]',
  });
  const variant = durability === 'journal' ? 'everything' : durability;
  return { ...gateway.subject, variant, verify: (n) => verifyCharges(gateway, n) };
}

/**
 * The same call on a plan that includes every call and limits nothing, with only refusals logged: the key is
 * identified, the body understood, the answer metered, but no account is touched.
 */
export async function startNoStore(setup: GatewaySetup): Promise<Subject> {
  const gateway = await startPinned(setup, { requests: 'refusals', plan: 'usage: included' });
  return { ...gateway.subject, variant: 'no-store', verify: () => verifyNoCharge(gateway) };
}

/** What the number of limits costs: one, and ten of all units, windows and scopes. */
export async function startLimits(
  setup: GatewaySetup,
  variant: 'one-limit' | 'ten-limits',
): Promise<Subject> {
  const limits = variant === 'one-limit' ? TEN_LIMITS.slice(0, 1) : TEN_LIMITS;
  const gateway = await startPinned(setup, {
    requests: 'all',
    plan: `limits: [${limits.join(', ')}]`,
  });
  return { ...gateway.subject, variant, verify: (n) => verifyCharges(gateway, n) };
}

const TEN_LIMITS = [
  '{ requests: 1000M, per: month }',
  '{ tokens: 1000000M, per: month }',
  '{ input_tokens: 1000000M, per: day }',
  '{ output_tokens: 1000000M, per: week, scope: key }',
  '{ requests: 1000M, per: hour, scope: key }',
  '{ requests: 1000M, per: year, scope: model }',
  '{ spend: 1000000.00 USD, per: lifetime }',
  '{ requests: 1000M, per: day, scope: route }',
  '{ concurrent_requests: 1000 }',
  '{ requests: 1000M, per: minute, class: protective }',
] as const;

/** A used-up quota: every call is a 402, each with its offers, its links and its log row. */
export async function startRefused(setup: GatewaySetup): Promise<Subject> {
  const gateway = await startPinned(setup, {
    requests: 'all',
    plan: 'limits: [{ requests: 1, per: year }]',
  });
  const target = { ...gateway.subject.target, refused: true } as const;
  return {
    ...gateway.subject,
    target,
    variant: 'refused',
    verify: () => verifyOneCharge(gateway),
  };
}

interface Plan {
  readonly requests: 'all' | 'refusals';
  /** One line of the plan: its limits, or that everything is included. */
  readonly plan: string;
  /** What a charge outlives before its answer leaves; default: the process. */
  readonly durability?: Durability;
}

interface PinnedGateway {
  readonly gateway: Gateway;
  readonly subject: Omit<Subject, 'variant' | 'verify'>;
}

async function startPinned(setup: GatewaySetup, plan: Plan): Promise<PinnedGateway> {
  const gateway = await startGateway({
    config: renderConfig(setup, plan),
    args: ['--workers', '1'],
    startTimeoutMs: START_TIMEOUT_MS,
    ...(setup.profile === undefined ? {} : { env: profileTo(setup.profile) }),
  });
  try {
    const { data } = (await askAdmin(gateway, '/admin/workers')) as { data: { pid: number }[] };
    const pid = data[0]?.pid;
    if (pid === undefined || data.length !== 1) throw new Error(`${data.length} workers, not one`);
    pinToCore(gateway.pid, setup.core);
    pinToCore(pid, setup.core);
    const target = { url: gateway.gateway + CHAT_PATH, key: gateway.key };
    const stop = () => gateway.stop();
    return { gateway, subject: { target, pid, supervisorPid: gateway.pid, stop } };
  } catch (error) {
    await gateway.stop();
    throw error;
  }
}

/** `dev` makes the customer, the key and the credit: enough for every call of a run. */
function renderConfig(
  { upstreamOrigin, http }: GatewaySetup,
  { requests, plan, durability = 'journal' }: Plan,
): string {
  return `
version: 1
retry_storm_per_minute: 0
server: { http: ${http} }
log: { level: warn, requests: ${requests} }
durability: ${durability}
providers:
  upstream: { base_url: '${upstreamOrigin}/v1' }
models:
  ${MODEL}:
    provider: upstream
    context_window: 8192
    max_output_tokens: 1024
    price:
      request: 0.0001 USD
      input: 0.50 USD / 1M tokens
      output: 1.50 USD / 1M tokens
apis:
  llm: { type: llm }
plans:
  bench:
    title: Bench
    price: 9.00 USD / month
    ${plan}
demo:
  customer: { name: Bench, plan: bench }
  credit: 1000000.00 USD
`;
}

function profileTo(directory: string): Readonly<Record<string, string>> {
  const preload = new URL('./profile-thread.mjs', import.meta.url).href;
  return { NODE_OPTIONS: `--import ${preload}`, TOLLKEEPER_BENCH_PROFILE: directory };
}

async function askAdmin(gateway: Gateway, path: string): Promise<unknown> {
  const token = readFileSync(gateway.admin_token_file, 'utf8').trim();
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(gateway.admin + path, { headers });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

interface TenantView {
  readonly id: string;
  readonly balance: { readonly settled: string };
  readonly limits: readonly { readonly unit: string; readonly used: string }[];
}

async function readTenant(gateway: Gateway): Promise<TenantView> {
  const { data } = (await askAdmin(gateway, '/admin/tenants')) as { data: { id: string }[] };
  return (await askAdmin(gateway, `/admin/tenants/${data[0]?.id}`)) as TenantView;
}

/** Speed that forgot to charge would be no speed: every answer is in the books, and the books are sound. */
async function verifyCharges({ gateway }: PinnedGateway, requests: number): Promise<void> {
  await waitFor(
    async () => {
      const { limits } = await readTenant(gateway);
      return Number(limits.find(({ unit }) => unit === 'requests')?.used) >= requests;
    },
    { timeoutMs: BOOKS_TIMEOUT_MS, what: `${requests} charged requests in the books` },
  );
  const audit = (await askAdmin(gateway, '/admin/ledger/audit')) as { ok: boolean };
  if (!audit.ok) throw new Error(`the ledger is not sound: ${JSON.stringify(audit)}`);
}

async function verifyOneCharge({ gateway }: PinnedGateway): Promise<void> {
  const { limits } = await readTenant(gateway);
  const used = Number(limits.find(({ unit }) => unit === 'requests')?.used);
  if (used !== 1) throw new Error(`${used} requests were counted, not the one that was served`);
}

async function verifyNoCharge({ gateway }: PinnedGateway): Promise<void> {
  const { balance, limits } = await readTenant(gateway);
  if (limits.length === 0 && Number(balance.settled) === 1_000_000) return;
  throw new Error(`accounts were touched: ${JSON.stringify({ balance, limits })}`);
}

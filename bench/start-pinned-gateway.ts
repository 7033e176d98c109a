import { readFileSync } from 'node:fs';

import type { HttpTransport } from '../src/server/config/loaded-config.ts';
import { type Gateway, startGateway } from '../test/support/start-gateway.ts';
import { pinToCore } from './process-usage.ts';
import type { Subject } from './subject.ts';
import { CHAT_CALL, MODEL } from './workload.ts';

const START_TIMEOUT_MS = 60_000;

/** What every model of a bench costs and takes, as members of a YAML flow mapping. */
export const MODEL_TERMS =
  'context_window: 8192, max_output_tokens: 1024, price: { request: 0.0001 USD, input: 0.50 USD / 1M tokens, output: 1.50 USD / 1M tokens }';

export interface GatewaySetup {
  readonly upstreamOrigin: string;
  readonly core: number;
  readonly http: HttpTransport;
  /** Directory for V8 CPU profiles, or undefined. */
  readonly profile: string | undefined;
}

export interface GatewayPlan {
  readonly requests: 'all' | 'refusals';
  /** One line of the plan: its limits, or that everything is included. */
  readonly plan: string;
  /** Lines below `apis:`; default: the models alone. */
  readonly apis?: readonly string[];
  /** Lines below `providers:`, `models:` and `plans:` beside those of the first table, and at the end of the file. */
  readonly providers?: readonly string[];
  readonly models?: readonly string[];
  readonly plans?: readonly string[];
  readonly more?: readonly string[];
  /** Connection string; default: files in its data directory. */
  readonly store?: string;
  /** A directory that is there already; default: a new one, removed when it stops. */
  readonly data?: string;
  readonly workers?: number;
}

export interface PinnedGateway {
  readonly gateway: Gateway;
  readonly subject: Omit<Subject, 'variant' | 'verify'>;
}

export async function startPinnedGateway(
  setup: GatewaySetup,
  plan: GatewayPlan,
  onReady: () => void = () => undefined,
): Promise<PinnedGateway> {
  const workers = plan.workers ?? 1;
  const gateway = await startGateway({
    config: renderGatewayConfig(setup, plan),
    args: ['--workers', String(workers)],
    startTimeoutMs: START_TIMEOUT_MS,
    ...(plan.data === undefined ? {} : { data: plan.data }),
    ...(setup.profile === undefined ? {} : { env: profileTo(setup.profile) }),
  });
  onReady();
  try {
    const { data } = (await askAdmin(gateway, '/admin/workers')) as { data: { pid: number }[] };
    const pids = data.map(({ pid }) => pid);
    if (pids.length !== workers) throw new Error(`${pids.length} workers, not ${workers}`);
    for (const pid of [gateway.pid, ...pids]) pinToCore(pid, setup.core);
    const target = { origin: gateway.gateway, calls: [CHAT_CALL], key: gateway.key };
    const stop = () => gateway.stop();
    return { gateway, subject: { target, pids, supervisorPid: gateway.pid, stop } };
  } catch (error) {
    await gateway.stop();
    throw error;
  }
}

/** `dev` makes the customer, the key and the credit: enough for every call of a run. */
export function renderGatewayConfig(
  { upstreamOrigin, http }: Pick<GatewaySetup, 'upstreamOrigin' | 'http'>,
  plan: GatewayPlan,
): string {
  return `
version: 1
retry_storm_per_minute: 0
server: { http: ${http} }
${plan.store === undefined ? '' : `store: ${plan.store}`}
log: { level: warn, requests: ${plan.requests} }
providers:
  upstream: { base_url: '${upstreamOrigin}/v1' }
${indent(plan.providers)}
models:
  ${MODEL}: { provider: upstream, ${MODEL_TERMS} }
${indent(plan.models)}
apis:
${indent(plan.apis ?? ['llm: { type: llm }'])}
plans:
  bench:
    title: Bench
    price: 9.00 USD / month
    ${plan.plan}
${indent(plan.plans)}
demo:
  customer: { name: Bench, plan: bench }
  credit: 1000000.00 USD
${(plan.more ?? []).join('\n')}
`;
}

function indent(lines: readonly string[] = []): string {
  return lines.map((line) => `  ${line}`).join('\n');
}

function profileTo(directory: string): Readonly<Record<string, string>> {
  const preload = new URL('./profile-thread.mjs', import.meta.url).href;
  return { NODE_OPTIONS: `--import ${preload}`, TOLLKEEPER_BENCH_PROFILE: directory };
}

export async function askAdmin(gateway: Gateway, path: string): Promise<unknown> {
  const token = readFileSync(gateway.admin_token_file, 'utf8').trim();
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(gateway.admin + path, { headers });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

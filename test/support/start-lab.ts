import { onTestFinished } from 'vitest';

import { startDemoApi } from '../../src/server/demo/demo-api.ts';
import type { DemoServer } from '../../src/server/demo/demo-server.ts';
import { startEchoModel } from '../../src/server/demo/echo-model.ts';
import { GatewayCaller } from './gateway-caller.ts';
import { type Gateway, startGateway } from './start-gateway.ts';

export interface LabOptions {
  /** What the demo customer starts with, in USD. */
  readonly credit: string;
  /** Members of its plan, after title and price, each as `name: value` in YAML. */
  readonly plan?: readonly string[];
  /** Default `9.00 USD / month`. */
  readonly planPrice?: string;
  /** Further routes of the API, each as a YAML flow mapping. */
  readonly routes?: readonly string[];
  /** Where the model `m` is asked, with its base path; default: the echo model. */
  readonly modelUrl?: string;
  /** `TOLLKEEPER_CLOCK`. */
  readonly clock?: string;
  /** Of its processes, beside what the lab sets. */
  readonly env?: Readonly<Record<string, string>>;
  /** `server` of the configuration, as a YAML flow mapping. */
  readonly server?: string;
  /** Default 2. */
  readonly workers?: number;
  /** To start again on the same data once the last gateway has stopped; the caller owns the directory. */
  readonly data?: string;
  /** Further members of the configuration, each as `name: value` in YAML. */
  readonly members?: readonly string[];
  /** Connection string of its store; default: files in its data directory. */
  readonly store?: string;
  /** Most calls of the caller that run at once. */
  readonly connectionsMax?: number;
}

export interface Lab {
  readonly api: DemoServer;
  readonly model: DemoServer;
  readonly gateway: Gateway;
  readonly caller: GatewayCaller;
}

/** Of the model `m`, in nano a token. */
export const INPUT_PRICE_NANO = 1000n;
export const OUTPUT_PRICE_NANO = 2000n;
/** Most output tokens of `m`. */
export const MODEL_TOKENS_MAX = 512;

/**
 * A gateway, of two workers unless told otherwise, in front of a demo API and an echo model that run here, where a test can count what
 * reaches them. `/status` costs 0.001 USD, the model `m` is priced by the token. Ends with the running test.
 */
export async function startLab(options: LabOptions): Promise<Lab> {
  const api = await startDemoApi({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => api.close());
  const model = await startEchoModel({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => model.close());
  const gateway = await startGateway({
    config: renderConfig(options, {
      api: api.origin,
      model: options.modelUrl ?? `${model.origin}/v1`,
    }),
    args: ['--workers', String(options.workers ?? 2)],
    ...(options.data === undefined ? {} : { data: options.data }),
    env: { TOLLKEEPER_LOG_LEVEL: 'error', TOLLKEEPER_CLOCK: options.clock, ...options.env },
  });
  onTestFinished(async () => {
    await gateway.stop();
  });
  const caller = new GatewayCaller(gateway, options.connectionsMax ?? 100);
  onTestFinished(() => caller.close());
  return { api, model, gateway, caller };
}

function renderConfig(options: LabOptions, origins: { api: string; model: string }): string {
  const plan = [`price: ${options.planPrice ?? '9.00 USD / month'}`, ...(options.plan ?? [])];
  const routes = [
    '{ name: status, path: /status, price: 0.001 USD / request }',
    ...(options.routes ?? []),
  ];
  return `
version: 1
server: ${options.server ?? '{}'}
store: ${options.store ?? 'sqlite'}
upstreams:
  own: { url: "${origins.api}" }
providers:
  echo: { base_url: "${origins.model}" }
models:
  m:
    provider: echo
    upstream_model: echo-1
    context_window: 32768
    max_output_tokens: ${MODEL_TOKENS_MAX}
    price: { input: 1.00 USD / 1M tokens, output: 2.00 USD / 1M tokens }
apis:
  llm: { type: llm }
  own:
    upstream: own
    routes:
${routes.map((route) => `      - ${route}`).join('\n')}
plans:
  lab:
    title: Lab
${plan.map((member) => `    ${member}`).join('\n')}
  bigger: { title: Bigger, price: 99.00 USD / month }
packs:
  small: { title: Small, price: 5.00 USD, credit: 5.00 USD }
demo: { customer: { plan: lab }, credit: ${options.credit} USD }
${(options.members ?? []).join('\n')}
`;
}

import { loadConfig } from '../../src/server/config/load-config.ts';
import type { Catalog } from '../../src/domain/catalog.ts';
import { GatewayCaller } from './gateway-caller.ts';
import { type LabPlaces, renderUpstreams, startLabUpstreams } from './lab-upstreams.ts';
import { startGateway, type Gateway } from './start-gateway.ts';

/** A gateway with a way into every refusal of the request path. */
export interface RefusalLab {
  readonly gateway: Gateway;
  readonly caller: GatewayCaller;
  /** What the gateway's configuration compiles to, for deciding again. */
  readonly catalog: Catalog;
  /** Requests that reached any upstream. */
  countUpstream(): number;
  close(): Promise<void>;
}

export const BODY_BYTES_MAX = 1024;
export const STORM_PER_MINUTE = 5;

export async function startRefusalLab(): Promise<RefusalLab> {
  const upstreams = await startLabUpstreams();
  const config = renderConfig(upstreams.places);
  const loaded = loadConfig({ text: config, file: 'tollkeeper.yaml' }, { env: {} });
  if (loaded.kind === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  const gateway = await startGateway({
    config,
    args: ['--workers', '2'],
    env: { TOLLKEEPER_LOG_LEVEL: 'error', TOLLKEEPER_CLOCK: '2026-11-15T12:00:00Z' },
  });
  const caller = new GatewayCaller(gateway);
  return {
    gateway,
    caller,
    catalog: loaded.config.catalog,
    countUpstream: () => upstreams.count(),
    async close() {
      caller.close();
      await gateway.stop();
      await upstreams.close();
    },
  };
}

function renderConfig(places: LabPlaces): string {
  const model = `provider: echo, upstream_model: echo-1, max_output_tokens: 64, price: { input: 1.00 USD / 1M tokens, output: 2.00 USD / 1M tokens }`;
  return `
version: 1
retry_storm_per_minute: ${STORM_PER_MINUTE}
${renderUpstreams(places)}
models:
  m: { context_window: 256, ${model} }
  big: { context_window: 4096, ${model} }
  secret: { context_window: 4096, ${model} }
apis:
  llm: { type: llm }
  own:
    upstream: own
    routes:
      - { name: status, path: /status, methods: [GET], price: 0.001 USD / request }
      - { name: enrich, path: /enrich, methods: [POST], price: 0.001 USD / request, body_max: 1KiB }
      - { name: reports, path_prefix: /lookup, feature: reports, price: 0.001 USD / request }
      - { name: vault, path: /weather, feature: vault, price: 0.001 USD / request }
      - { name: dead, path: /dead, upstream: dead, price: 0.001 USD / request }
      - { name: broken, path: /broken, upstream: broken, price: 0.001 USD / request }
      - { name: silent, path: /silent, upstream: silent, price: 0.001 USD / request, timeouts: { headers: 200ms } }
      - { name: unpaid, path: /unpaid, upstream: unpaid, price: 0.001 USD / request }
plans:
  open: { title: Open, price: 9.00 USD / month, models: [m] }
  few: { title: Few, price: 9.00 USD / month, models: [m], limits: [{ requests: 1, per: month }] }
  gratis: { title: Gratis, price: free, models: [m], limits: [{ requests: 1, per: month }] }
  wordy: { title: Wordy, price: 9.00 USD / month, models: [m], limits: [{ tokens: 20, per: day }] }
  thrifty: { title: Thrifty, price: 9.00 USD / month, models: [m], limits: [{ spend: 0.0015 USD, per: month }] }
  hasty: { title: Hasty, price: 9.00 USD / month, models: [m], rate_limits: [1/min burst 1] }
  both:
    title: Both
    price: 9.00 USD / month
    models: [m]
    limits: [{ requests: 1, per: month }]
    rate_limits: [1/min burst 1]
  bigger: { title: Bigger, price: 99.00 USD / month, models: [m, big], features: [reports] }
  private: { title: Private, price: 999.00 USD / month, features: [reports, vault], on_sale: false }
packs:
  small: { title: Small, price: 5.00 USD, credit: 5.00 USD }
demo: { customer: { plan: open }, credit: 1.00 USD }
`;
}

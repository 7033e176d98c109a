import { GatewayCaller } from './gateway-caller.ts';
import { type LabPlaces, renderUpstreams, startLabUpstreams } from './lab-upstreams.ts';
import { type Gateway, startGateway } from './start-gateway.ts';

/** A gateway on which every code of the request path can be produced in every dialect. */
export interface CodeLab {
  readonly gateway: Gateway;
  readonly caller: GatewayCaller;
  close(): Promise<void>;
}

export const STORM_AFTER = 20;
const DIALECTS = ['plain', 'openai', 'anthropic', 'gemini', 'jsonrpc'] as const;

export async function startCodeLab(): Promise<CodeLab> {
  const upstreams = await startLabUpstreams();
  const gateway = await startGateway({
    config: renderConfig(upstreams.places),
    args: ['--workers', '2'],
    env: {
      TOLLKEEPER_LOG_LEVEL: 'silent',
      TOLLKEEPER_CLOCK: '2026-11-15T12:00:00Z',
      NODE_OPTIONS: `--import ${new URL('planted-fault.mjs', import.meta.url).href}`,
    },
  });
  const caller = new GatewayCaller(gateway);
  return {
    gateway,
    caller,
    async close() {
      caller.close();
      await gateway.stop();
      await upstreams.close();
    },
  };
}

function renderConfig(places: LabPlaces): string {
  return `
version: 1
retry_storm_per_minute: ${STORM_AFTER}
${renderUpstreams(places)}
models:
${['m', 'big', 'secret'].map(renderModel).join('\n')}
apis:
${DIALECTS.map(renderApis).join('\n')}
${PLANS}
add_ons:
  seven: { title: Course 7, price: 5.00 USD, grants: { purchases: [course-7] } }
packs:
  small: { title: Small, price: 5.00 USD, credit: 5.00 USD }
demo: { customer: { plan: open }, credit: 1.00 USD }
`;
}

function renderModel(name: string): string {
  return `  ${name}: { provider: echo, upstream_model: echo-1, context_window: 256, max_output_tokens: 64,
    price: { input: 1.00 USD / 1M tokens, output: 2.00 USD / 1M tokens } }`;
}

/** The same routes for each dialect, told apart by host. */
function renderApis(dialect: string): string {
  const api = (name: string, members: string): string =>
    `  ${dialect}_${name}: { hosts: [${dialect}.test], dialect: ${dialect}, ${members} }`;
  const echo = 'rewrite: { pattern: "^.*$", with: "/echo-headers" }';
  const paid = 'price: 0.001 USD / request';
  const routes = [
    `{ name: status, path: /status, ${paid} }`,
    `{ name: only, path: /only, methods: [POST], ${echo} }`,
    `{ name: only_v1, path: /v1/only, methods: [POST], ${echo} }`,
    `{ name: only_messages, path: /v1/messages/only, methods: [POST], ${echo} }`,
    `{ name: only_beta, path: /v1beta/only, methods: [POST], ${echo} }`,
    `{ name: enrich, path: /enrich, methods: [POST], ${paid}, body_max: 16KiB }`,
    `{ name: typed, path: /typed, ${paid}, ${echo}, parameters: [{ in: query, name: size, type: integer }] }`,
    `{ name: render, path: /render, ${paid}, ${echo}, operation: render }`,
    `{ name: heavy, path: /heavy, ${paid}, ${echo}, compute: { units: 2 } }`,
    `{ name: reports, path: /reports, ${paid}, ${echo}, feature: reports }`,
    `{ name: vault, path: /vault, ${paid}, ${echo}, feature: vault }`,
    `{ name: course, path: /course, ${paid}, ${echo}, requires: [{ purchase: course-7 }] }`,
    `{ name: audit, path: /audit, ${paid}, ${echo}, role: auditor }`,
    `{ name: dead, path: /dead, upstream: dead, ${paid} }`,
    `{ name: broken, path: /broken, upstream: broken, ${paid} }`,
    `{ name: silent, path: /silent, upstream: silent, ${paid}, timeouts: { headers: 100ms } }`,
    `{ name: hang, path: /hang, upstream: silent, ${paid}, timeouts: { headers: 1m } }`,
    `{ name: unpaid, path: /unpaid, upstream: unpaid, ${paid} }`,
  ];
  const route = (path: string): string => `routes: [{ path: ${path}, ${echo} }]`;
  return [
    api('llm', 'type: llm'),
    api('own', `upstream: own, routes: [${routes.join(', ')}]`),
    api('sandbox', `upstream: own, environment: test, ${route('/sandbox')}`),
    api('closed', `upstream: own, deny_addresses: [127.0.0.0/8], ${route('/closed')}`),
    api('gone', `upstream: own, retired: { at: 2026-11-01 }, ${route('/gone')}`),
  ].join('\n');
}

const PLANS = `plans:
  open: { title: Open, price: 9.00 USD / month, models: [m], on_sale: false }
  few: { title: Few, price: 9.00 USD / month, limits: [{ requests: 1, per: month }], on_sale: false }
  gratis: { title: Gratis, price: free, limits: [{ requests: 1, per: month }], on_sale: false }
  wordy: { title: Wordy, price: 9.00 USD / month, limits: [{ tokens: 20, per: day }], on_sale: false }
  thrifty: { title: Thrifty, price: 9.00 USD / month, limits: [{ spend: 0.0015 USD, per: month }], on_sale: false }
  light: { title: Light, price: 9.00 USD / month, limits: [{ compute_units: 1, per: day }], on_sale: false }
  rare:
    title: Rare
    price: 9.00 USD / month
    limits: [{ operations: 1, per: month, only: { operations: [render] } }]
    on_sale: false
  narrow: { title: Narrow, price: 9.00 USD / month, limits: [{ bytes_in: 5, per: day }], on_sale: false }
  shelf: { title: Shelf, price: 9.00 USD / month, limits: [{ storage_bytes: 5, per: lifetime }], on_sale: false }
  single: { title: Single, price: 9.00 USD / month, limits: [{ concurrent_requests: 1 }], on_sale: false }
  guarded:
    title: Guarded
    price: 9.00 USD / month
    limits: [{ concurrent_requests: 1, class: protective }]
    on_sale: false
  agreed:
    title: Agreed
    price: 9.00 USD / month
    limits: [{ requests: 1, per: month, overage: { authorize: 0.001 USD / request } }]
    on_sale: false
  hasty: { title: Hasty, price: 9.00 USD / month, rate_limits: [1/h burst 1], on_sale: false }
  eager: { title: Eager, price: 9.00 USD / month, rate_limits: [1/h burst 1], rate_exceeded: pay, on_sale: false }
  tight: { title: Tight, price: 9.00 USD / month, context: [{ up_to: 60 }], max_file: 1KiB, on_sale: false }
  max:
    title: Max
    price: 99.00 USD / month
    models: [m, big]
    features: [reports]
    max_file: 4KiB
    rate_limits: [1000/s burst 1000]
  private: { title: Private, price: 999.00 USD / month, features: [vault], on_sale: false }`;

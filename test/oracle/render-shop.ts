import type { Allowance, Door, Extra, Pace, Shop, ShopPlan } from './shop.ts';
import { COIN, GROUP_SHAPE, SHAPES } from './street.ts';

/** Where the doors of a shop lead to. */
export interface Upstreams {
  readonly api: string;
  readonly model: string;
}

/** The text of the tollkeeper.yaml that sells what `shop` says: JSON, which YAML includes. */
export function renderShop(shop: Shop, upstreams: Upstreams): string {
  return JSON.stringify({
    version: 1,
    server: { trusted_proxies: ['127.0.0.1/32'] },
    retry_storm_per_minute: 0,
    upstreams: { main: { url: upstreams.api } },
    providers: { echo: { base_url: `${upstreams.model}/v1` } },
    models: Object.fromEntries(
      shop.models.map(({ name, window, tokenPrice }) => [
        name,
        {
          provider: 'echo',
          context_window: window,
          price: { input: 'free', output: `${money(tokenPrice * 1000)} / 1k tokens` },
        },
      ]),
    ),
    apis: renderApis(shop.doors),
    plans: Object.fromEntries(shop.plans.map((plan) => [plan.name, renderPlan(plan)])),
    add_ons: Object.fromEntries(shop.extras.map((extra) => [extra.name, renderExtra(extra)])),
    packs: Object.fromEntries(
      shop.packs.map(({ name, credit }) => [
        name,
        { title: name, price: money(credit), credit: money(credit) },
      ]),
    ),
    limits: shop.house.map(({ name, amount, bought, door = '' }) => ({
      id: name,
      compute_units: amount,
      per: 'day',
      class: bought ? 'commercial' : 'protective',
      only: { routes: [`shop.${door}`] },
    })),
    demo: { customer: { plan: 'everything' }, credit: money(0) },
  });
}

export function money(nano: number): string {
  return `${(nano / (1000 * COIN)).toFixed(9)} USD`;
}

function renderApis(doors: readonly Door[]) {
  const proxied = doors.filter(({ speaks }) => !speaks);
  const names = [...new Set(proxied.map(({ api }) => api))];
  return {
    ...Object.fromEntries(
      names.map((name) => {
        const mine = proxied.filter(({ api }) => api === name);
        const [{ nameless, watchOnly } = { nameless: undefined, watchOnly: false }] = mine;
        return [
          name,
          {
            upstream: 'main',
            end_user_header: 'x-user',
            ...(nameless === undefined ? {} : { anonymous: { requests: nameless, per: 'month' } }),
            ...(watchOnly ? { enforcement: 'observe' } : {}),
            routes: mine.map(renderDoor),
          },
        ];
      }),
    ),
    llm: {
      type: 'llm',
      end_user_header: 'x-user',
      requires: [{ feature: 'memory', when: { body: { '/persist_context': true } } }],
    },
  };
}

/** How a call raises a flag. */
const FLAGS: Readonly<Record<string, object>> = {
  render: { query: { render: true } },
  proxy: { header: { 'x-proxy': 'residential' } },
  large: { body_above: '2000B' },
};

function renderDoor(door: Door) {
  const { name, path, method, free, price, needs, role, must, compute, bodyMax } = door;
  const where = door.sellsThings ? { path_regex: `^${path}/(?<thing>[0-9]+)$` } : { path };
  return {
    name,
    ...where,
    methods: [method],
    operation: door.operation,
    degraded: door.whileUnpaid,
    ...(free ? { class: 'free' } : { price: `${money(price)} / request` }),
    ...(role === undefined ? {} : { role }),
    ...(must === undefined ? {} : { parameters: [{ in: 'query', name: must, type: 'integer' }] }),
    ...(compute === 0 ? {} : { compute: { units: compute } }),
    ...(bodyMax === undefined ? {} : { body_max: `${bodyMax}B` }),
    requires: [
      ...needs.map(({ feature, flag }) => ({
        feature,
        ...(flag === undefined ? {} : { when: FLAGS[flag] }),
      })),
      ...(door.sellsThings ? [{ purchase: 'course-{thing}' }] : []),
    ],
  };
}

function renderPlan(plan: ShopPlan) {
  const { whileUnpaid, fileMax } = plan;
  return {
    title: plan.name,
    price: plan.monthly === 0 ? 'free' : `${plan.monthly}.00 USD / month`,
    usage: plan.coversCalls ? 'included' : 'prepaid',
    on_sale: plan.forSale,
    apis: plan.apis,
    models: plan.models,
    features: plan.features,
    context: plan.contextSteps.map(({ upTo, permille }) => ({
      up_to: upTo,
      price: permille / 1000,
    })),
    ...(fileMax === undefined ? {} : { max_file: `${fileMax}B` }),
    limits: plan.allowances.map(renderAllowance),
    rate_limits: plan.paces.map(renderPace),
    grace: `${plan.graceDays}d`,
    enforcement: plan.watchOnly ? 'observe' : 'enforce',
    ...(whileUnpaid === undefined
      ? {}
      : {
          degraded: {
            read_only: whileUnpaid.readOnly,
            during_grace: whileUnpaid.duringGrace,
            withhold: whileUnpaid.resting,
            ...(whileUnpaid.contextMax === undefined
              ? {}
              : { max_context: whileUnpaid.contextMax }),
          },
        }),
  };
}

const UNITS: Readonly<Record<Allowance['counts'], string>> = {
  calls: 'requests',
  operations: 'operations',
  bytes: 'bytes_in',
  compute: 'compute_units',
  written: 'output_tokens',
  money: 'spend',
  'at once': 'concurrent_requests',
};

const SCOPES: Readonly<Record<Allowance['each'], string>> = {
  everybody: 'global',
  customer: 'tenant',
  key: 'key',
  user: 'end_user',
  model: 'model',
  door: 'route',
  operation: 'operation',
};

function renderAllowance(allowance: Allowance) {
  const { bought, soft, operation, beyond } = allowance;
  const price = `${money(beyond.price)} / request`;
  return {
    ...renderMeasure(allowance.name, allowance.amount),
    class: bought ? 'commercial' : 'protective',
    soft,
    ...(operation === undefined ? {} : { only: { operations: [operation] } }),
    ...(beyond.kind === 'bill' ? { overage: { price } } : {}),
    ...(beyond.kind === 'ask' ? { overage: { authorize: price } } : {}),
  };
}

function renderMeasure(name: string, amount: number) {
  const { counts, each, window } = SHAPES[name] ?? GROUP_SHAPE;
  return {
    id: name,
    [UNITS[counts]]: counts === 'money' ? money(amount) : amount,
    ...(window === undefined ? {} : { per: window }),
    scope: SCOPES[each],
  };
}

function renderPace({ each, per, count, burst, bought }: Pace) {
  return {
    count,
    per,
    burst,
    scope: SCOPES[each],
    class: bought ? 'commercial' : 'protective',
  };
}

function renderExtra(extra: Extra) {
  const { features, models, things, pace, contextMax, fileMax } = extra;
  return {
    title: extra.name,
    price: '5.00 USD',
    grants: {
      features,
      models,
      purchases: things,
      limits: extra.allowances.map(({ name, more }) => renderMeasure(name, more)),
      ...(pace === undefined
        ? {}
        : {
            rate_limits: [
              { count: pace.count, per: pace.per, burst: pace.burst, scope: SCOPES[pace.each] },
            ],
          }),
      ...(contextMax === undefined ? {} : { max_context: contextMax }),
      ...(fileMax === undefined ? {} : { max_file: `${fileMax}B` }),
    },
  };
}

import type { Allowance, Countable, Door, ShopModel } from './shop.ts';

/** What all generated shops have in common: doors, models and what can be counted. */

/** 0.001 of the currency, in nano: prices and credits are whole numbers of it, so that they meet exactly. */
export const COIN = 1_000_000;

const PLAIN: Door = {
  name: '',
  api: 'shop',
  method: 'GET',
  path: '',
  free: false,
  nameless: undefined,
  watchOnly: false,
  price: 0,
  needs: [],
  sellsThings: false,
  role: undefined,
  must: undefined,
  operation: '',
  compute: 0,
  bodyMax: undefined,
  whileUnpaid: 'by-method',
  speaks: false,
};

const SPECIAL: readonly (Pick<Door, 'name'> & Partial<Door>)[] = [
  { name: 'health', free: true },
  { name: 'read' },
  { name: 'write', method: 'POST', bodyMax: 6000, needs: [{ feature: 'bulk', flag: 'large' }] },
  {
    name: 'page',
    needs: [
      { feature: 'js', flag: 'render' },
      { feature: 'residential', flag: 'proxy' },
    ],
  },
  { name: 'report', needs: [{ feature: 'reports', flag: undefined }] },
  { name: 'course', sellsThings: true },
  {
    name: 'render',
    method: 'POST',
    role: 'editor',
    must: 'size',
    compute: 5,
    whileUnpaid: 'refuse',
  },
  { name: 'view', method: 'POST', whileUnpaid: 'allow' },
  { name: 'closed', compute: 2 },
  { name: 'busy', compute: 2 },
  { name: 'run', api: 'lab', compute: 3 },
  { name: 'kiosk', api: 'kiosk', nameless: 1 },
  { name: 'watched', api: 'watched', watchOnly: true },
  {
    name: 'chat',
    api: 'llm',
    method: 'POST',
    path: '/v1/chat/completions',
    operation: 'llm.chat',
    speaks: true,
    needs: [{ feature: 'memory', flag: 'remember' }],
  },
];

export const DOORS: readonly Door[] = SPECIAL.map((door) => ({
  ...PLAIN,
  path: `/${door.name}`,
  operation: door.name,
  ...door,
}));

export const MODELS: readonly ShopModel[] = [
  { name: 'tiny', window: 4000, tokenPrice: COIN / 100 },
  { name: 'large', window: 20_000, tokenPrice: COIN / 50 },
];

/**
 * Bytes of every call of a model. Its input is bounded by them, with something for each message: a cap is as much
 * above the lengths that it allows.
 */
export const CHAT_BYTES = 400;
export const LENGTHS = [100, 800, 2500, 7000, 25_000] as const;
export const LENGTH_CAPS = [700, 1500, 5000, 12_000] as const;
export const BODIES = [0, 800, 2500, 7000] as const;
export const BODY_CAPS = [1000, 4000, 100_000] as const;
/** From here on a body raises the flag `large`. */
export const LARGE = 2000;

export const APIS = ['shop', 'lab', 'kiosk', 'watched', 'llm'] as const;
export const FEATURES = ['js', 'residential', 'reports', 'bulk', 'memory'] as const;

export type Window = 'month' | 'year' | 'billing_cycle' | 'lifetime';
export interface Shape {
  readonly counts: Countable;
  readonly each: Allowance['each'];
  readonly window: Window | undefined;
  readonly operation?: string;
  /** Amounts worth trying. */
  readonly from: number;
  readonly to: number;
}

/** A name always counts the same, under every plan that has it. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  calls_month: { counts: 'calls', each: 'customer', window: 'month', from: 1, to: 4 },
  calls_key: { counts: 'calls', each: 'key', window: 'year', from: 1, to: 4 },
  calls_user: { counts: 'calls', each: 'user', window: 'month', from: 1, to: 3 },
  calls_model: { counts: 'calls', each: 'model', window: 'lifetime', from: 1, to: 3 },
  calls_door: { counts: 'calls', each: 'door', window: 'year', from: 1, to: 3 },
  renders: {
    counts: 'operations',
    each: 'customer',
    window: 'month',
    operation: 'render',
    from: 1,
    to: 3,
  },
  compute_month: { counts: 'compute', each: 'customer', window: 'month', from: 2, to: 14 },
  uploads: { counts: 'bytes', each: 'customer', window: 'billing_cycle', from: 300, to: 6000 },
  written: { counts: 'written', each: 'customer', window: 'lifetime', from: 99, to: 9000 },
  spending: { counts: 'money', each: 'customer', window: 'month', from: COIN, to: 40 * COIN },
  at_once: { counts: 'at once', each: 'customer', window: undefined, from: 1, to: 3 },
};
/** Of the whole customer, for those above: nothing else is called so. */
export const GROUP_SHAPE: Shape = {
  counts: 'calls',
  each: 'customer',
  window: 'month',
  from: 1,
  to: 4,
};

export function allowanceOf(
  name: string,
  members: Partial<Allowance> & Pick<Allowance, 'amount'>,
): Allowance {
  const { counts, each, operation } = SHAPES[name] ?? GROUP_SHAPE;
  return {
    name,
    counts,
    each,
    operation,
    door: undefined,
    bought: true,
    soft: false,
    beyond: { kind: 'stop', price: 0 },
    ...members,
  };
}

/** What the provider itself never lets through: one for sale, one that protects. A call takes more than there is. */
export const HOUSE: readonly Allowance[] = [
  { ...houseOf('closed'), bought: true },
  { ...houseOf('busy'), bought: false },
];

function houseOf(door: string): Allowance {
  const allowance = allowanceOf(`house_${door}`, { amount: 1 });
  return { ...allowance, counts: 'compute', each: 'everybody', door };
}

import fc, { type Arbitrary } from 'fast-check';

import type {
  Allowance,
  Call,
  Customer,
  Extra,
  Key,
  Pace,
  Payment,
  Shop,
  ShopPlan,
  Subscription,
  WhileUnpaid,
  World,
} from './shop.ts';
import {
  allowanceOf,
  APIS,
  BODIES,
  BODY_CAPS,
  CHAT_BYTES,
  COIN,
  DOORS,
  FEATURES,
  HOUSE,
  LARGE,
  LENGTH_CAPS,
  LENGTHS,
  MODELS,
  SHAPES,
} from './street.ts';

/** One customer of a shop, what its key called so far, and the call that is judged. */
export interface Case {
  readonly customer: Customer;
  readonly above: World['above'];
  readonly key: Key;
  /** The plan on which `before` was called; then it became the customer's. */
  readonly began: string;
  readonly before: readonly Call[];
  /** Of `before`, those that do not end before the last call was judged. */
  readonly running: number;
  readonly call: Call;
}

const MODEL_NAMES = MODELS.map(({ name }) => name);
const PLAN_NAMES = ['free', 'basic', 'pro', 'max'] as const;

/** Rather `common` than anything else. */
function mostly<T>(common: T, weight: number, ...rest: readonly Arbitrary<T>[]): Arbitrary<T> {
  return fc.oneof(
    { arbitrary: fc.constant(common), weight },
    ...rest.map((arbitrary) => ({ arbitrary, weight: 1 })),
  );
}

function most<T>(all: readonly T[]): Arbitrary<readonly T[]> {
  return fc.oneof(fc.constant(all), fc.subarray([...all]));
}

export function shops(): Arbitrary<Shop> {
  return fc
    .record({
      plans: fc.tuple(plans('free', 0), plans('basic', 10), plans('pro', 50), plans('max', 200)),
      group: groupPlans(),
      extras: fc.tuple(extras('boost'), extras('bundle'), extras('wide')),
      packs: fc.tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 20, max: 400 })),
      prices: fc.array(fc.integer({ min: 0, max: 4 }), {
        minLength: DOORS.length,
        maxLength: DOORS.length,
      }),
    })
    .map(({ plans: sold, group, extras: beside, packs: [small, big], prices }) => ({
      plans: [...sold, everything(), paced(), group],
      extras: beside,
      packs: [
        { name: 'small', credit: small * COIN },
        { name: 'big', credit: big * COIN },
      ],
      doors: DOORS.map((door, index) => ({
        ...door,
        price: door.free || door.speaks ? 0 : (prices[index] ?? 0) * COIN,
      })),
      models: MODELS,
      house: HOUSE,
    }));
}

function plans(name: string, monthly: number): Arbitrary<ShopPlan> {
  return fc
    .record({
      forSale: mostly(true, 4, fc.constant(false)),
      coversCalls: fc.boolean(),
      apis: mostly<readonly string[]>(APIS, 3, fc.subarray([...APIS])),
      models: most<string>(MODEL_NAMES),
      features: most<string>(FEATURES),
      caps: mostly<readonly number[]>([], 2, fc.subarray([...LENGTH_CAPS], { minLength: 1 })),
      permilles: fc
        .array(fc.constantFrom(0, 500, 1000), { minLength: 4, maxLength: 4 })
        .map((each) => each.toSorted((left, right) => left - right)),
      fileMax: fc.option(fc.constantFrom(...BODY_CAPS), { nil: undefined }),
      allowances: allowances(),
      paces: paces('hour'),
      whileUnpaid: fc.option(whileUnpaid(), { nil: undefined }),
      graceDays: fc.constantFrom(0, 3, 7),
      watchOnly: mostly(false, 7, fc.constant(true)),
    })
    .map(({ caps, permilles, ...rest }) => ({
      ...rest,
      name,
      monthly,
      // What goes beyond an allowance is drawn from the balance, which such a plan has not.
      allowances: rest.coversCalls ? rest.allowances.map(withoutBeyond) : rest.allowances,
      // A longer call is never cheaper: what is held for it is then its own price.
      contextSteps: caps.map((upTo, index) => ({ upTo, permille: 1000 + (permilles[index] ?? 0) })),
    }));
}

function withoutBeyond(allowance: Allowance): Allowance {
  return { ...allowance, beyond: { kind: 'stop', price: 0 } };
}

function whileUnpaid(): Arbitrary<WhileUnpaid> {
  return fc.record({
    readOnly: fc.boolean(),
    duringGrace: fc.boolean(),
    contextMax: fc.option(fc.constantFrom(...LENGTH_CAPS), { nil: undefined }),
    resting: mostly<readonly string[]>([], 2, fc.subarray([...FEATURES], { maxLength: 2 })),
  });
}

function allowances(): Arbitrary<readonly Allowance[]> {
  return fc
    .subarray(Object.keys(SHAPES), { maxLength: 4 })
    .chain((names) => fc.tuple(...names.map((name) => allowance(name))));
}

function allowance(name: string): Arbitrary<Allowance> {
  const { from = 1, to = 1, counts } = SHAPES[name] ?? {};
  return fc
    .record({
      amount: fc.integer({ min: from, max: to }),
      bought: mostly(true, 3, fc.constant(false)),
      soft: mostly(false, 9, fc.constant(true)),
      beyond: mostly<Allowance['beyond']>(
        { kind: 'stop', price: 0 },
        2,
        fc.record({
          kind: fc.constantFrom('bill' as const, 'ask' as const),
          price: fc.integer({ min: 1, max: 3 }).map((coins) => coins * COIN),
        }),
      ),
    })
    .map(({ bought, soft, beyond, amount }) =>
      allowanceOf(name, {
        amount,
        bought: bought || soft,
        soft: soft && counts !== 'at once',
        // More than one unit a call would raise the question what of it is beyond.
        ...(bought && !soft && counts === 'calls' ? { beyond } : {}),
      }),
    );
}

function paces(per: Pace['per']): Arbitrary<readonly Pace[]> {
  const pace = (each: Pace['each']): Arbitrary<readonly Pace[]> =>
    mostly<readonly Pace[]>(
      [],
      3,
      fc
        .record({
          per: fc.constant(per),
          count: fc.integer({ min: 1, max: 3 }),
          burst: fc.integer({ min: 1, max: 3 }),
          bought: fc.boolean(),
        })
        .map((members) => [{ each, ...members }]),
    );
  return fc.tuple(pace('customer'), pace('key')).map((both) => both.flat());
}

function extras(name: string): Arbitrary<Extra> {
  return fc
    .record({
      features: fc.subarray([...FEATURES], { maxLength: 2 }),
      models: fc.subarray(MODEL_NAMES, { maxLength: 1 }),
      things: mostly<readonly string[]>(
        [],
        1,
        fc.constantFrom(['course-7'], ['course-8'], ['course-*']),
      ),
      names: fc.subarray(Object.keys(SHAPES), { maxLength: 2 }),
      more: fc.integer({ min: 1, max: 4 }),
      pace: fc.option(
        fc.record({
          each: fc.constantFrom('customer' as const, 'key' as const),
          per: fc.constant('hour' as const),
          count: fc.integer({ min: 1, max: 3 }),
          burst: fc.integer({ min: 1, max: 3 }),
        }),
        { nil: undefined },
      ),
      contextMax: fc.option(fc.constantFrom(...LENGTH_CAPS), { nil: undefined }),
      fileMax: fc.option(fc.constantFrom(...BODY_CAPS), { nil: undefined }),
    })
    .map(({ names, more, features, ...rest }) => ({
      ...rest,
      name,
      // An extra that grants nothing cannot be sold.
      features: features.length === 0 ? ['js'] : features,
      allowances: names.map((each) => ({ name: each, more: more * (SHAPES[each]?.from ?? 1) })),
    }));
}

/** Has all of everything and is not for sale: on it a customer may use more than its next plan allows. */
function everything(): ShopPlan {
  return {
    name: 'everything',
    monthly: 900,
    forSale: false,
    coversCalls: true,
    apis: APIS,
    models: MODEL_NAMES,
    features: FEATURES,
    contextSteps: [],
    fileMax: undefined,
    allowances: Object.keys(SHAPES).map((name) => allowanceOf(name, { amount: 900 * COIN })),
    paces: [],
    whileUnpaid: undefined,
    graceDays: 7,
    watchOnly: false,
  };
}

/** Nobody has it: extras may add to what some plan has. */
function paced(): ShopPlan {
  const pace = { per: 'hour', count: 1, burst: 1, bought: true } as const;
  return {
    ...everything(),
    name: 'paced',
    paces: [
      { each: 'customer', ...pace },
      { each: 'key', ...pace },
    ],
  };
}

/** Of organisations: nothing but what holds for all below them, by names of its own. */
function groupPlans(): Arbitrary<ShopPlan> {
  return fc
    .record({ amount: fc.integer({ min: 1, max: 4 }), paces: paces('day') })
    .map(({ amount, paces: daily }) => ({
      ...everything(),
      name: 'group',
      allowances: [allowanceOf('group_calls', { amount })],
      paces: daily,
    }));
}

export function cases(): Arbitrary<Case> {
  return fc
    .record({
      customer: customers(),
      belongs: mostly<'alone' | 'pool' | 'group'>('alone', 4, fc.constantFrom('pool', 'group')),
      key: keys(),
      budget: budgets(),
      beganElsewhere: mostly(false, 2, fc.constant(true)),
      before: mostly<readonly Call[]>([], 1, fc.array(calls(), { maxLength: 4 })),
      repeats: fc.integer({ min: 0, max: 3 }),
      running: mostly(0, 8, fc.integer({ min: 1, max: 2 })),
      call: calls(),
      credential: mostly<Call['credential']>(
        'good',
        20,
        fc.constantFrom('none', 'unknown', 'revoked', 'expired'),
      ),
      oddity: mostly<'none' | 'nowhere' | 'method'>(
        'none',
        25,
        fc.constantFrom('nowhere', 'method'),
      ),
    })
    .map(({ customer, belongs, key, beganElsewhere, before, repeats, running, ...probe }) => {
      const { budget, call, credential, oddity } = probe;
      const history = [...before, ...Array.from({ length: repeats }, () => call)];
      const pooled = belongs === 'pool';
      return {
        customer: { ...(pooled ? PLAIN_CUSTOMER : customer), budget },
        above: aboveOf(belongs, customer),
        key,
        began: beganElsewhere ? 'everything' : customer.plan,
        before: history,
        running: Math.min(running, history.length),
        call: {
          ...call,
          credential,
          door: oddity === 'nowhere' ? 'nowhere' : call.door,
          wrongMethod: oddity === 'method',
        },
      };
    });
}

const PLAIN_CUSTOMER: Customer = {
  plan: 'everything',
  credit: 0,
  subscription: 'active',
  payment: 'fine',
  account: 'active',
  extras: [],
  agreed: [],
  overage: 'never agreed',
  budget: undefined,
  watch: undefined,
};

function aboveOf(belongs: 'alone' | 'pool' | 'group', customer: Customer): World['above'] {
  if (belongs === 'alone') return undefined;
  if (belongs === 'pool') return { customer, pooled: true };
  const { budget } = customer;
  return { customer: { ...PLAIN_CUSTOMER, plan: 'group', budget }, pooled: false };
}

function customers(): Arbitrary<Customer> {
  return fc.record({
    plan: fc.constantFrom(...PLAN_NAMES),
    credit: fc.constantFrom(0, 1, 2, 3, 5, 12, 60, 900).map((coins) => coins * COIN),
    subscription: mostly<Subscription>(
      'active',
      12,
      fc.constantFrom(
        'trial',
        'trial over',
        'ended',
        'canceled, still running',
        'canceled',
        'paused',
      ),
    ),
    payment: mostly<Payment>(
      'fine',
      10,
      fc.constantFrom(
        'no method',
        'unverified method',
        'invoice overdue',
        'disputed',
        'to be confirmed',
      ),
      fc.constantFrom(1, 5, 10).map((failedDaysAgo) => ({ failedDaysAgo })),
    ),
    account: mostly<Customer['account']>(
      'active',
      20,
      fc.constantFrom('suspended', 'unverified', 'pending_approval'),
    ),
    extras: mostly<readonly string[]>(
      [],
      2,
      fc.array(fc.constantFrom('boost', 'bundle', 'wide'), { maxLength: 2 }),
    ),
    agreed: mostly<Customer['agreed']>(
      [],
      3,
      fc.uniqueArray(
        fc.record({
          allowance: fc.constantFrom('calls_month', 'calls_key', 'calls_door'),
          amount: fc.integer({ min: 1, max: 5 }),
          ended: fc.boolean(),
        }),
        { maxLength: 2, selector: (each) => each.allowance },
      ),
    ),
    overage: fc.constantFrom('never agreed', 'agreed', 'ended'),
    budget: budgets(),
    watch: mostly<Customer['watch']>(undefined, 12, fc.constantFrom('observe', 'enforce')),
  });
}

/** Of a key, its customer and the one above: together they may promise more than there is. */
function budgets(): Arbitrary<number | undefined> {
  return mostly<number | undefined>(
    undefined,
    4,
    fc.constantFrom(1, 2, 4, 10, 100).map((coins) => coins * COIN),
  );
}

function keys(): Arbitrary<Key> {
  const operations = DOORS.map(({ operation }) => operation);
  return fc.record({
    apis: mostly<readonly string[]>([], 9, fc.subarray([...APIS])),
    models: mostly<readonly string[]>([], 9, fc.subarray(MODEL_NAMES)),
    operations: mostly<readonly string[]>([], 12, fc.subarray(operations)),
    roles: mostly<readonly string[]>(['editor'], 4, fc.constant([])),
    elsewhere: mostly(false, 20, fc.constant(true)),
    contextMax: mostly<number | undefined>(undefined, 6, fc.constantFrom(...LENGTH_CAPS)),
    budget: budgets(),
    calls: mostly<number | undefined>(undefined, 6, fc.integer({ min: 1, max: 4 })),
  });
}

function calls(): Arbitrary<Call> {
  return fc
    .record({
      door: fc.oneof(
        { arbitrary: fc.constantFrom(...DOORS), weight: 2 },
        { arbitrary: fc.constantFrom(...DOORS.filter(({ speaks }) => speaks)), weight: 1 },
      ),
      flags: fc.subarray(['render', 'proxy', 'remember']),
      sized: mostly(true, 6, fc.constant(false)),
      thing: fc.constantFrom('course-7', 'course-8'),
      bytes: fc.constantFrom(...BODIES),
      model: mostly<string>(
        'tiny',
        6,
        fc.constant('large'),
        fc.constant('large'),
        fc.constant('unheard-of'),
      ),
      writes: fc.constantFrom(...LENGTHS),
      user: fc.option(fc.constantFrom('ada', 'bob'), { nil: undefined }),
    })
    .map(({ door, flags, sized, thing, bytes, model, writes, user }) => {
      const sent = door.method === 'GET' ? 0 : bytes;
      const size = door.speaks ? CHAT_BYTES : sent;
      return {
        credential: 'good' as const,
        door: door.name,
        wrongMethod: false,
        flags: [...flags, ...(sized ? ['size'] : []), ...(size > LARGE ? ['large'] : [])],
        thing: door.sellsThings ? thing : undefined,
        bytes: size,
        model: door.speaks ? model : undefined,
        writes: door.speaks ? writes : 0,
        user,
      };
    });
}

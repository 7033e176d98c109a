import type { Allowance, Call, Customer, Door, Pace, Shop, ShopPlan, World } from './shop.ts';

/**
 * What a call takes of what, by the resolutions: any number of limits hold at once (QUOTA-03), also those of the
 * customers above (DESIGN 6), of the key (KEY-02) and of the provider; what is agreed with a customer replaces a
 * number of its plan until it ends (PLAN-13), extras add to it (PLAN-10); units beyond an allowance are refused,
 * billed, or billed once that is agreed to (PLAN-11). A customer that shares a pool has no plan and no credit of
 * its own (PLAN-16).
 */
export interface Toll {
  /** What counts it. The same counter goes on under every plan. */
  readonly counter: string;
  readonly takes: number;
  readonly room: number;
  /** More of it is for sale, or it is money: 402. Else 429. */
  readonly bought: boolean;
  /** Given back when the call ends. */
  readonly lent: boolean;
}

interface Held {
  readonly allowance: Allowance;
  readonly owner: string;
}

export function payerOf({ customer, above }: World): Customer {
  return above?.pooled === true ? above.customer : customer;
}

export function planOf(shop: Shop, customer: Customer): ShopPlan {
  const plan = shop.plans.find(({ name }) => name === customer.plan);
  if (plan === undefined) throw new Error(`no plan ${customer.plan}`);
  return plan;
}

export function doorOf(shop: Shop, call: Call): Door | undefined {
  return shop.doors.find(({ name }) => name === call.door);
}

/** Everything `call` would take, whether or not there is room. */
export function listTolls(world: World, door: Door, call: Call): readonly Toll[] {
  const held = listHeld(world).filter(({ allowance }) => counts(allowance, door, call));
  const counted: Toll[] = [];
  let cost = priceOf(world, door, call);
  for (const each of held.filter(({ allowance }) => allowance.counts !== 'money')) {
    const toll = tollOf(each, { door, call, cost: 0 });
    const surcharge = surchargeOf(world, each.allowance, toll);
    if (surcharge === undefined) counted.push(toll);
    else cost += surcharge;
  }
  const money = held.filter(({ allowance }) => allowance.counts === 'money');
  return [
    ...counted,
    ...money.map((each) => tollOf(each, { door, call, cost })),
    ...listPaces(world),
    ...listPurses(world, cost),
  ];
}

/** Names of what `call` is counted by, also where what is beyond it is billed instead. */
export function listCounters(world: World, door: Door, call: Call): readonly string[] {
  const cost = priceOf(world, door, call);
  return listHeld(world)
    .filter(({ allowance }) => counts(allowance, door, call))
    .map((each) => tollOf(each, { door, call, cost }).counter);
}

export function fits({ takes, room, counter }: Toll, { books }: World): boolean {
  return takes === 0 || (books.used[counter] ?? 0) + takes <= room;
}

/** The world after a call that was served; `runs`: it has not ended. */
export function enter(world: World, tolls: readonly Toll[], runs: boolean): World {
  const used = { ...world.books.used };
  const running = { ...world.books.running };
  for (const { counter, takes, lent } of tolls) {
    if (runs) running[counter] = (running[counter] ?? 0) + takes;
    if (runs || !lent) used[counter] = (used[counter] ?? 0) + takes;
  }
  return { ...world, books: { used, running } };
}

/** What the call costs before anything beyond an allowance. A longer context has a price of its own (LLM-10). */
function priceOf(world: World, door: Door, call: Call): number {
  const plan = planOf(world.shop, payerOf(world));
  if (plan.coversCalls) return 0;
  if (!door.speaks) return door.price;
  const model = world.shop.models.find(({ name }) => name === call.model);
  const step =
    plan.contextSteps.find(({ upTo }) => call.writes <= upTo) ?? plan.contextSteps.at(-1);
  return ((model?.tokenPrice ?? 0) * call.writes * (step?.permille ?? 1000)) / 1000;
}

function listHeld({ shop, customer, above, key }: World): readonly Held[] {
  const own = (each: Customer, owner: string): readonly Held[] =>
    allowancesOf(shop, each).map((allowance) => ({ allowance, owner }));
  const ofKey: readonly Allowance[] = key.calls === undefined ? [] : [callsOfKey(key.calls)];
  return [
    ...(above?.pooled === true ? [] : own(customer, 'own')),
    ...(above === undefined ? [] : own(above.customer, 'above')),
    ...ofKey.map((allowance) => ({ allowance, owner: 'key' })),
    ...shop.house.map((allowance) => ({ allowance, owner: 'house' })),
  ];
}

function callsOfKey(amount: number): Allowance {
  return {
    name: 'own_calls',
    counts: 'calls',
    amount,
    bought: true,
    soft: false,
    each: 'key',
    operation: undefined,
    door: undefined,
    beyond: { kind: 'stop', price: 0 },
  };
}

function allowancesOf(shop: Shop, customer: Customer): readonly Allowance[] {
  return planOf(shop, customer).allowances.map((allowance) => {
    const { name } = allowance;
    const agreed = customer.agreed.find((each) => each.allowance === name && !each.ended);
    const more = extrasOf(shop, customer).flatMap(({ allowances }) =>
      allowances.filter((each) => each.name === name),
    );
    const amount = more.reduce((sum, each) => sum + each.more, agreed?.amount ?? allowance.amount);
    return { ...allowance, amount };
  });
}

export function extrasOf(shop: Shop, customer: Customer) {
  return customer.extras.flatMap((name) => shop.extras.filter((extra) => extra.name === name));
}

function counts({ each, operation, door: only }: Allowance, door: Door, call: Call): boolean {
  if (operation !== undefined && operation !== door.operation) return false;
  if (only !== undefined && only !== door.name) return false;
  // Calls that name no user are counted together: leaving out the name is no way around.
  return each === 'model' ? call.model !== undefined && door.speaks : true;
}

interface Asked {
  readonly door: Door;
  readonly call: Call;
  readonly cost: number;
}

function tollOf({ allowance, owner }: Held, asked: Asked): Toll {
  const { name, amount, bought, soft, counts: what } = allowance;
  // Counted, and warned about, and never refused.
  const room = soft ? Infinity : amount;
  const counter = `${owner}/${name}/${whichOf(allowance, asked)}`;
  return { counter, takes: takenOf(what, asked), room, bought, lent: what === 'at once' };
}

function whichOf({ each }: Allowance, { door, call }: Asked): string {
  if (each === 'user') return call.user ?? '';
  if (each === 'model') return call.model ?? '';
  if (each === 'door') return door.name;
  return each === 'operation' ? door.operation : '';
}

function takenOf(what: Allowance['counts'], { door, call, cost }: Asked): number {
  if (what === 'bytes') return call.bytes;
  if (what === 'compute') return door.compute;
  if (what === 'written') return door.speaks ? call.writes : 0;
  return what === 'money' ? cost : 1;
}

/** What is charged instead of counted when there is no room; undefined = it is counted. */
function surchargeOf(world: World, { beyond }: Allowance, toll: Toll): number | undefined {
  if (beyond.kind === 'stop' || fits(toll, world)) return undefined;
  if (beyond.kind === 'ask' && payerOf(world).overage !== 'agreed') return undefined;
  return toll.takes * beyond.price;
}

function listPaces({ shop, customer, above }: World): readonly Toll[] {
  const of = (each: Customer, owner: string): readonly Toll[] =>
    planOf(shop, each).paces.map((pace) => {
      const burst = extrasOf(shop, each).reduce((sum, extra) => sum + added(extra.pace, pace), 0);
      const name = `${pace.each === 'key' ? 'key_' : ''}rate_per_${pace.per}`;
      const counter = `${owner}/${name}/`;
      return { counter, takes: 1, room: pace.burst + burst, bought: pace.bought, lent: false };
    });
  return [
    ...(above?.pooled === true ? [] : of(customer, 'own')),
    ...(above === undefined ? [] : of(above.customer, 'above')),
  ];
}

function added(extra: Omit<Pace, 'bought'> | undefined, pace: Pace): number {
  return extra?.each === pace.each && extra.per === pace.per ? extra.burst : 0;
}

function listPurses(world: World, cost: number): readonly Toll[] {
  const purse = { takes: cost, bought: true, lent: false };
  const budgets = [
    ['key_budget', world.key.budget],
    ['own/tenant_budget/', world.customer.budget],
    ['above/tenant_budget/', world.above?.customer.budget],
  ] as const;
  return [
    { ...purse, counter: 'balance', room: payerOf(world).credit },
    ...budgets.flatMap(([counter, room]) =>
      room === undefined ? [] : [{ ...purse, counter, room }],
    ),
  ];
}

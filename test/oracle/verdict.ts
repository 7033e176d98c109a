import {
  hasEnded,
  listObstacles,
  namelessCounter,
  owes,
  type Obstacle,
  statusOf,
  type Step,
  STEPS,
} from './obstacles.ts';
import { doorOf, enter, listCounters, listTolls, payerOf, planOf, type Toll } from './tolls.ts';
import type { Call, Customer, Door, World } from './shop.ts';

/**
 * The answer to a call by the resolutions alone. 402 says that money is missing: standing, a bought limit, budget
 * or balance always (also when it resets, also when nothing is on sale), an entitlement when some purchase on sale
 * would pass that step for this same caller, else 403; a limit that protects is 429 unless a bought one is short too.
 */
export type Verdict =
  | { readonly kind: 'served' }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly step: Step;
      /** Of that step. The answer names one of them. */
      readonly obstacles: readonly string[];
    };

export interface Purchase {
  readonly kind: 'plan' | 'add_on' | 'pack';
  readonly id: string;
}

export function judge(world: World, call: Call): Verdict {
  const all = listObstacles(world, call);
  const first = all.find(({ step }) => !looksAway(world, call, step));
  if (first === undefined) return { kind: 'served' };
  const obstacles = all.filter(({ step }) => step === first.step);
  const status = statusAt(world, call, obstacles);
  return {
    kind: 'refused',
    status,
    step: first.step,
    obstacles: obstacles.map(({ name }) => name),
  };
}

/** What is only watched is recorded and let pass (EVID-01); the most specific word counts: customer, plan, API. */
function looksAway(world: World, call: Call, step: Step): boolean {
  if (step !== 'stand' && step !== 'entitle' && step !== 'reserve') return false;
  if (call.credential !== 'good') return false;
  return isWatchOnly(world, call);
}

export function isWatchOnly(world: World, call: Call): boolean {
  const { watch } = payerOf(world);
  if (watch !== undefined) return watch === 'observe';
  const plan = planOf(world.shop, payerOf(world));
  return plan.watchOnly || doorOf(world.shop, call)?.watchOnly === true;
}

function statusAt(world: World, call: Call, obstacles: readonly Obstacle[]): number {
  const [first] = obstacles;
  if (first === undefined) throw new Error('nothing is in the way');
  if (first.step === 'stand') return 402;
  if (first.step === 'entitle') return isForSale(world, call) ? 402 : 403;
  if (first.step === 'reserve') return obstacles.some(({ bought }) => bought) ? 402 : 429;
  return statusOf(first.name) ?? 500;
}

function isForSale(world: World, call: Call): boolean {
  return listPurchases(world).some((purchase) => passes(buy(world, purchase), call, 'entitle'));
}

function passes(world: World, call: Call, step: Step): boolean {
  return listObstacles(world, call).every((obstacle) => obstacle.step !== step);
}

/** Everything on sale to this caller; the same plan again once it has ended. */
export function listPurchases(world: World): readonly Purchase[] {
  const { shop } = world;
  const { plan, subscription } = payerOf(world);
  const plans = shop.plans.filter(
    ({ forSale, name }) => forSale && (name !== plan || hasEnded(subscription)),
  );
  return [
    ...plans.map(({ name }) => ({ kind: 'plan' as const, id: name })),
    ...shop.extras.map(({ name }) => ({ kind: 'add_on' as const, id: name })),
    ...shop.packs.map(({ name }) => ({ kind: 'pack' as const, id: name })),
  ];
}

/** The world after one purchase by whoever pays for this caller; a plan begins a subscription. */
export function buy(world: World, { kind, id }: Purchase): World {
  const payer = payerOf(world);
  switch (kind) {
    case 'plan':
      return withPayer(world, { ...payer, plan: id, subscription: 'active' });
    case 'add_on':
      return withPayer(world, { ...payer, extras: [...payer.extras, id] });
    case 'pack': {
      const credit = world.shop.packs.find(({ name }) => name === id)?.credit ?? 0;
      return withPayer(world, { ...payer, credit: payer.credit + credit });
    }
  }
}

function withPayer(world: World, payer: Customer): World {
  return world.above?.pooled === true
    ? { ...world, above: { ...world.above, customer: payer } }
    : { ...world, customer: payer };
}

export interface Fixes {
  /** A refusal has to offer these. */
  readonly sure: readonly Purchase[];
  /** And it may offer these. */
  readonly possible: readonly Purchase[];
}

/**
 * What a refusal has to offer: each purchase that takes `obstacle` out of the way, of an entitlement all that the
 * step asks for, and puts nothing else there. What it may offer: also one with which something refuses that is not
 * looked up for this call, as a later step, or what the caller's own plan does not count. Nothing on sale pays what
 * is owed.
 */
export function listFixes(
  world: World,
  call: Call,
  refused: { readonly step: Step; readonly obstacle: string },
): Fixes {
  const possible = listPurchases(world).filter((purchase) =>
    mayLift(world, call, { ...refused, after: buy(world, purchase) }),
  );
  return {
    possible,
    sure: possible.filter((purchase) => isSure(world, call, refused.obstacle, purchase)),
  };
}

interface Attempt {
  readonly step: Step;
  readonly obstacle: string;
  readonly after: World;
}

function mayLift(world: World, call: Call, { step, obstacle, after }: Attempt): boolean {
  if (step === 'entitle') return passes(after, call, step);
  const names = namesUpTo(asLookedUp(after, countedBy(world, call), obstacle), call, step);
  if (names.includes(obstacle)) return false;
  if (step === 'stand') return hasEnded(payerOf(world).subscription) && passes(after, call, step);
  const before = namesUpTo(world, call, step);
  return names.every((name) => before.includes(name));
}

/**
 * What is not counted now is not looked up, as if nothing were used of it; nor is how fast calls came, nor what
 * running calls may give back of anything but the obstacle.
 */
function asLookedUp(world: World, counted: ReadonlySet<string>, obstacle: string): World {
  const { used, running } = world.books;
  const known = Object.entries(used)
    .filter(([name]) => name === obstacle || (counted.has(name) && !name.includes('rate_per')))
    .map(([name, units]) => [name, name === obstacle ? units : units - (running[name] ?? 0)]);
  return { ...world, books: { used: Object.fromEntries(known), running } };
}

function isSure(world: World, call: Call, obstacle: string, purchase: Purchase): boolean {
  const after = buy(world, purchase);
  const counted = countedBy(world, call);
  const before = namesUpTo(asLookedUp(world, counted, obstacle), call, 'reserve');
  if (!namesUpTo(after, call, 'reserve').every((name) => before.includes(name))) return false;
  // How much credit there is, nobody looked up who needed none.
  if (countedBy(after, call).has('balance') && !counted.has('balance')) return false;
  // What another plan forgives to who owes is not promised.
  return purchase.kind !== 'plan' || !isBehind(world);
}

/** Whether something is owed beside the subscription. */
function isBehind(world: World): boolean {
  return owes(withPayer(world, { ...payerOf(world), subscription: 'active' })) !== undefined;
}

/** Names of what the call takes something of, or would if that were not billed. */
function countedBy(world: World, call: Call): ReadonlySet<string> {
  const door = doorOf(world.shop, call);
  if (door === undefined) return new Set();
  const taken = listTolls(world, door, call).filter(({ takes }) => takes > 0);
  return new Set([...taken.map(({ counter }) => counter), ...listCounters(world, door, call)]);
}

function namesUpTo(world: World, call: Call, step: Step): readonly string[] {
  return listObstacles(world, call)
    .filter((obstacle) => STEPS.indexOf(obstacle.step) <= STEPS.indexOf(step))
    .map(({ name }) => name);
}

/** The world after the call: what is refused, or was only let pass, took nothing. `running`: it has not ended. */
export function serve(world: World, call: Call, running: boolean): World {
  const door = doorOf(world.shop, call);
  if (door === undefined || door.free || listObstacles(world, call).length > 0) return world;
  return enter(world, tollsFor(world, door, call), running);
}

function tollsFor(world: World, door: Door, call: Call): readonly Toll[] {
  if (call.credential === 'good') return listTolls(world, door, call);
  const { nameless = 0 } = door;
  return [{ counter: namelessCounter(door), takes: 1, room: nameless, bought: true, lent: false }];
}

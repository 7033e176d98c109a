import { doorOf, extrasOf, fits, listTolls, payerOf, planOf } from './tolls.ts';
import type { Call, Door, ShopPlan, Subscription, World } from './shop.ts';

/**
 * Everything in the way of a call, in the order of GW-02 and DESIGN 2: route, credential, permission, sense,
 * standing, entitlement, limits. The first step with an obstacle decides.
 */
export interface Obstacle {
  readonly step: Step;
  /** The same obstacle has the same name in another world. */
  readonly name: string;
  /** More of it is for sale, or it is money. */
  readonly bought?: boolean;
}
export const STEPS = [
  'route',
  'identify',
  'authorise',
  'understand',
  'stand',
  'entitle',
  'reserve',
] as const;
export type Step = (typeof STEPS)[number];

/** Order of the answers: what the first step with an obstacle says, by the name of the obstacle. */
const STATUSES: Readonly<Record<string, number>> = {
  'no such door': 404,
  'wrong method': 405,
  'no credential': 401,
  'wrong credential': 401,
  'account closed': 403,
  'key may not': 403,
  'wrong role': 403,
  'no such model': 404,
  'longer than the model takes': 400,
  'parameter missing': 400,
  'body too large': 413,
};

export function statusOf(name: string): number | undefined {
  return STATUSES[name];
}

export function listObstacles(world: World, call: Call): readonly Obstacle[] {
  const door = doorOf(world.shop, call);
  if (door === undefined) return [{ step: 'route', name: 'no such door' }];
  if (call.wrongMethod) return [{ step: 'route', name: 'wrong method' }];
  const stranger = identify(world, door, call);
  if (stranger !== undefined) return stranger;
  return [
    ...authorise(world, door, call).map((name) => ({ step: 'authorise' as const, name })),
    ...understand(world, door, call).map((name) => ({ step: 'understand' as const, name })),
    ...stand(world, door, call).map((name) => ({ step: 'stand' as const, name })),
    ...entitle(world, door, call).map((name) => ({ step: 'entitle' as const, name })),
    ...reserve(world, door, call),
  ];
}

/** What there is to say before we know whose call it is; undefined = we know. */
function identify(world: World, door: Door, call: Call): readonly Obstacle[] | undefined {
  const { credential } = call;
  // Whoever asks nobody for a key looks at none.
  if (door.free) return [];
  if (credential !== 'good' && credential !== 'none') {
    return [{ step: 'identify', name: 'wrong credential' }];
  }
  if (credential === 'good') return undefined;
  if (door.nameless === undefined) return [{ step: 'identify', name: 'no credential' }];
  const used = world.books.used[namelessCounter(door)] ?? 0;
  return used < door.nameless
    ? []
    : [{ step: 'reserve', name: namelessCounter(door), bought: true }];
}

export function namelessCounter({ name }: Door): string {
  return `nameless/anonymous_${name}/`;
}

/** What no payment opens (GW-14, KEY-02, "unverified or suspended account"). */
function authorise(world: World, door: Door, call: Call): readonly string[] {
  const accounts = [world.customer, payerOf(world)].map(({ account }) => account);
  return [
    ...(accounts.some((account) => account !== 'active') ? ['account closed'] : []),
    ...(keyMay(world, door, call) ? [] : ['key may not']),
    ...(door.role === undefined || world.key.roles.includes(door.role) ? [] : ['wrong role']),
  ];
}

function keyMay({ key, shop }: World, door: Door, call: Call): boolean {
  if (key.elsewhere) return false;
  const model = shop.models.find(({ name }) => name === call.model);
  if (door.speaks && model !== undefined && !isAmong(key.models, model.name)) return false;
  return isAmong(key.apis, door.api) && isAmong(key.operations, door.operation);
}

/** A list that names nothing means all. */
function isAmong(list: readonly string[], name: string): boolean {
  return list.length === 0 || list.includes(name);
}

/** C402-16: what makes no sense is never a matter of money. LLM-10: nor what the model itself cannot take. */
function understand({ shop }: World, door: Door, call: Call): readonly string[] {
  const found: string[] = [];
  if (door.must !== undefined && !call.flags.includes(door.must)) found.push('parameter missing');
  if (door.bodyMax !== undefined && call.bytes > door.bodyMax) found.push('body too large');
  if (!door.speaks) return found;
  const model = shop.models.find(({ name }) => name === call.model);
  if (model === undefined) found.push('no such model');
  else if (call.writes > model.window) found.push('longer than the model takes');
  return found;
}

/** What is wrong with subscription or payment. Grace forgives a failed collection only, for its days. */
export function owes(world: World): string | undefined {
  const { subscription, payment } = payerOf(world);
  if (hasEnded(subscription)) return `subscription ${subscription}`;
  if (payment === 'fine') return undefined;
  if (typeof payment === 'string') return payment;
  return payment.failedDaysAgo < payerPlan(world).graceDays ? undefined : 'payment failed';
}

export function hasEnded(subscription: Subscription): boolean {
  return ENDED.has(subscription);
}

const ENDED: ReadonlySet<Subscription> = new Set(['trial over', 'ended', 'canceled', 'paused']);

/** DEG-01 to 04: those who owe are served what the plan says, else nothing; money is why not more. */
function stand(world: World, door: Door, call: Call): readonly string[] {
  const reason = owes(world);
  if (reason === undefined) return [];
  const { whileUnpaid } = payerPlan(world);
  if (whileUnpaid === undefined || door.whileUnpaid === 'refuse') return [reason];
  const reads = door.whileUnpaid === 'allow' || door.method === 'GET';
  const { readOnly, contextMax = Infinity, resting } = whileUnpaid;
  const isLess =
    (readOnly && !reads) ||
    (door.speaks && call.writes > contextMax) ||
    neededFeatures(door, call).some((feature) => resting.includes(feature));
  return isLess ? [reason] : [];
}

function neededFeatures(door: Door, call: Call): readonly string[] {
  return door.needs
    .filter(({ flag }) => flag === undefined || call.flags.includes(flag))
    .map(({ feature }) => feature);
}

/** Names of what the plan and what was bought beside it do not grant. */
function entitle(world: World, door: Door, call: Call): readonly string[] {
  const plan = payerPlan(world);
  const extras = extrasOf(world.shop, payerOf(world));
  const features = [...plan.features, ...extras.flatMap((extra) => extra.features)];
  const lacking = neededFeatures(door, call).filter((each) => !features.includes(each));
  return [
    ...(plan.apis.includes(door.api) ? [] : [`api ${door.api}`]),
    ...lacking.map((each) => `feature ${each}`),
    ...thingsMissing(world, door, call),
    ...(door.speaks ? speechMissing(world, call) : []),
    ...(call.bytes > fileMaxOf(world) ? ['file size'] : []),
  ];
}

function thingsMissing(world: World, door: Door, call: Call): readonly string[] {
  const { thing } = call;
  if (!door.sellsThings || thing === undefined) return [];
  const owned = extrasOf(world.shop, payerOf(world)).flatMap(({ things }) => things);
  return owned.includes(thing) || owned.includes('course-*') ? [] : [`thing ${thing}`];
}

/** LLM-09, LLM-12, KEY-05. */
function speechMissing(world: World, call: Call): readonly string[] {
  const plan = payerPlan(world);
  const extras = extrasOf(world.shop, payerOf(world));
  const models = [...plan.models, ...extras.flatMap((extra) => extra.models)];
  const ofPlan = plan.contextSteps.at(-1)?.upTo ?? Infinity;
  const cap = Math.max(ofPlan, ...extras.map(({ contextMax }) => contextMax ?? 0));
  return [
    ...(call.model !== undefined && models.includes(call.model) ? [] : [`model ${call.model}`]),
    ...(call.writes > cap ? ['context'] : []),
    ...(call.writes > (world.key.contextMax ?? Infinity) ? ['context of the key'] : []),
  ];
}

function fileMaxOf(world: World): number {
  const { fileMax } = payerPlan(world);
  const extras = extrasOf(world.shop, payerOf(world));
  return Math.max(fileMax ?? Infinity, ...extras.map((extra) => extra.fileMax ?? 0));
}

function reserve(world: World, door: Door, call: Call): readonly Obstacle[] {
  return listTolls(world, door, call)
    .filter((toll) => !fits(toll, world))
    .map(({ counter, bought }) => ({ step: 'reserve' as const, name: counter, bought }));
}

function payerPlan(world: World): ShopPlan {
  return planOf(world.shop, payerOf(world));
}

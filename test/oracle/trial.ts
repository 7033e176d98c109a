import { expect } from 'vitest';

import type { Case } from './cases.ts';
import type { Call, Customer, Shop, World } from './shop.ts';
import {
  buy,
  type Fixes,
  judge,
  listFixes,
  type Purchase,
  serve,
  type Verdict,
} from './verdict.ts';

/** Where a case is played: in memory, or against a running gateway. */
export interface Stage {
  enter(world: World): Promise<Actor>;
}

/** A customer and its key, as they are there. */
export interface Actor {
  call(call: Call): Promise<Reply>;
  /** A call that is not answered before `leave`, unless it is refused at once. */
  begin(call: Call): Promise<Reply>;
  /** The customer's plan and standing change. */
  become(world: World): Promise<void>;
  buy(purchase: Purchase, world: World): Promise<void>;
  /** Everything that was counted for it, in whatever form. */
  counters(): Promise<unknown>;
  leave(): Promise<void>;
}

export interface Reply {
  readonly status: number;
  /** 200 has none. */
  readonly code: string | undefined;
  /** Id of the limit that refused; `balance` for credit. */
  readonly limit: string | undefined;
  readonly options: readonly Purchase[];
}

/** What became of a case, for counting how much of everything there was. */
export interface Outcome {
  readonly status: number;
  /** Of a refusal. */
  readonly code: string | undefined;
  readonly options: number;
  /** Of them, those after which the call was served. */
  readonly opened: number;
}

/**
 * Plays a case and compares every answer with the oracle: the status, what is offered, and what becomes of the
 * same call once one of the offers was taken. Throws where they differ.
 */
export async function tryCase(stage: Stage, shop: Shop, played: Case): Promise<Outcome> {
  const { actor, world } = await play(stage, shop, played);
  try {
    const { call } = played;
    const verdict = judge(world, call);
    const before = await actor.counters();
    const reply = await actor.call(call);
    expectVerdict(reply, verdict, 'the call');
    if (verdict.kind === 'served') return { status: 200, code: undefined, options: 0, opened: 0 };
    expect(await actor.counters(), 'a refused call changed a counter').toEqual(before);
    const obstacle = obstacleOf(reply, verdict);
    const { step } = verdict;
    if (reply.status === 402 && call.credential === 'good') {
      expectOffers(reply.options, listFixes(world, call, { step, obstacle }), obstacle);
    }
    const opened = await takeEach(stage, shop, played, { world, options: reply.options, obstacle });
    return { status: reply.status, code: reply.code, options: reply.options.length, opened };
  } finally {
    await actor.leave();
  }
}

/** Each offer, by a twin in the same state who takes nothing else. Returns how many opened the way. */
async function takeEach(
  stage: Stage,
  shop: Shop,
  played: Case,
  refused: { world: World; options: readonly Purchase[]; obstacle: string },
): Promise<number> {
  let opened = 0;
  for (const option of refused.options) {
    // oxlint-disable-next-line no-await-in-loop -- one twin at a time, as one customer would try
    const { actor } = await play(stage, shop, played);
    try {
      // oxlint-disable-next-line no-await-in-loop -- as above
      await actor.buy(option, refused.world);
      // oxlint-disable-next-line no-await-in-loop -- as above
      const reply = await actor.call(played.call);
      const verdict = judge(buy(refused.world, option), played.call);
      expectVerdict(reply, verdict, `after buying ${option.id}`);
      if (verdict.kind === 'served') opened += 1;
      else
        expect(obstacleOf(reply, verdict), `after buying ${option.id}`).not.toBe(refused.obstacle);
    } finally {
      // oxlint-disable-next-line no-await-in-loop -- as above
      await actor.leave();
    }
  }
  return opened;
}

/** Up to the call that is judged. */
async function play(
  stage: Stage,
  shop: Shop,
  played: Case,
): Promise<{ actor: Actor; world: World }> {
  let world = begin(shop, played);
  const actor = await stage.enter(world);
  try {
    for (const [index, call] of played.before.entries()) {
      const verdict = judge(world, call);
      const runs = index >= played.before.length - played.running;
      // oxlint-disable-next-line no-await-in-loop -- what each call finds depends on the one before
      const reply = await (runs ? actor.begin(call) : actor.call(call));
      expectVerdict(reply, verdict, `call ${index}`);
      world = serve(world, call, runs);
    }
    world = { ...world, customer: played.customer, above: played.above };
    await actor.become(world);
    return { actor, world };
  } catch (error) {
    await actor.leave();
    throw error;
  }
}

function begin(shop: Shop, { customer, above, key, began }: Case): World {
  const early = (each: Customer): Customer => ({
    ...each,
    plan: began,
    subscription: 'active',
    payment: 'fine',
    account: 'active',
    watch: undefined,
  });
  const books = { used: {}, running: {} };
  if (above?.pooled === true) {
    return { shop, customer, above: { ...above, customer: early(above.customer) }, key, books };
  }
  return { shop, customer: early(customer), above, key, books };
}

function expectVerdict(reply: Reply, verdict: Verdict, what: string): void {
  const status = verdict.kind === 'served' ? 200 : verdict.status;
  const why = verdict.kind === 'served' ? '' : ` because of ${verdict.obstacles.join(', ')}`;
  const { code = '', limit = '' } = reply;
  const said = `${what}: the oracle says ${status}${why}, the answer ${code} ${limit}`;
  expect({ said, status: reply.status }).toEqual({ said, status });
}

/** All that lift the refusal for certain, and none that does not. */
function expectOffers(
  offers: readonly Purchase[],
  { sure, possible }: Fixes,
  obstacle: string,
): void {
  const offered = namesOf(offers);
  const missing = namesOf(sure).filter((name) => !offered.includes(name));
  const surplus = offered.filter((name) => !namesOf(possible).includes(name));
  const said = `what lifts ${obstacle}`;
  expect({ said, missing, surplus }).toEqual({ said, missing: [], surplus: [] });
}

/** Which of the oracle's obstacles the answer names; where it names no limit, the first. */
function obstacleOf({ limit, code }: Reply, verdict: Verdict & { kind: 'refused' }): string {
  const { obstacles, step } = verdict;
  if (step !== 'reserve') return obstacles[0] ?? '';
  const found = obstacles.find((name) => name === limit || name.includes(`/${limit}/`));
  expect(found, `${code} names ${limit}, none of ${obstacles.join(', ')}`).toBeDefined();
  return found ?? '';
}

function namesOf(purchases: readonly Purchase[]): readonly string[] {
  return purchases.map(({ kind, id }) => `${kind} ${id}`).toSorted();
}

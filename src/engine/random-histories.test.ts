import fc from 'fast-check';
import { expect, it } from 'vitest';

import { buildHolder, buildLimit, buildPlan } from '../../test/support/build-catalog.ts';
import { makeDirectory, removeDirectory } from '../../test/support/temporary-directory.ts';
import { type AccountSpec, accountsFor, ANY_CALL, overageAccount } from '../domain/accounts.ts';
import { isSlot } from '../domain/take.ts';
import { createClock } from '../platform/clock.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import type { AccountBalance, Overrun, Store } from '../stores/store.ts';
import type { Hold, Need } from './engine.ts';
import { LedgerEngine } from './ledger-engine.ts';

const ENGINES = 2;
const GRANT = 300;
const QUOTA = 20;
const SLOTS = 3;
/** Of compute; each one more is counted apart, as what is billed. */
const UNITS = 8;
const SEED = process.env['TOLLKEEPER_TEST_SEED'];
const clock = createClock();
const PLAN = buildPlan('p', {
  limits: [
    buildLimit(QUOTA, { window: 'lifetime' }),
    buildLimit(SLOTS, { id: 'slots', unit: 'concurrent_requests', window: 'lifetime' }),
    buildLimit(UNITS, {
      id: 'units',
      unit: 'compute_units',
      window: 'lifetime',
      overage: { kind: 'bill', unitPico: 1000n },
    }),
  ],
});

const which = fc.nat({ max: 2 });
const steps = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('reserve' as const),
      engine: fc.nat({ max: ENGINES - 1 }),
      amount: fc.integer({ min: 1, max: 60 }),
      units: fc.nat({ max: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('capture' as const),
      which,
      amount: fc.nat({ max: 80 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('progress' as const),
      which,
      amount: fc.nat({ max: 80 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('finish' as const),
      which,
      amount: fc.nat({ max: 80 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('extend' as const),
      which,
      amount: fc.nat({ max: 30 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      engine: fc.nat({ max: ENGINES - 1 }),
    }),
  },
);
type Step = typeof steps extends fc.Arbitrary<infer Value> ? Value : never;

interface OpenHold {
  readonly engine: LedgerEngine;
  readonly hold: Hold;
  /** Set aside of the balance. */
  held: number;
}

/** What is counted: of the units, those within the allowance and those beyond it. */
type Counter = 'requests' | 'slots' | 'within' | 'beyond' | 'balance';

function counterOf({ id, kind, unit }: AccountSpec): Counter {
  if (kind === 'balance') return 'balance';
  if (isSlot(unit)) return 'slots';
  if (unit === 'requests') return 'requests';
  return id.endsWith(':over') ? 'beyond' : 'within';
}

/** What a call comes to that costs `nano`: its units are known beforehand, its slot goes back. */
function amountsOf({ needs }: Hold, nano: number): number[] {
  return needs.map(({ account, amount }) => {
    const counter = counterOf(account);
    if (counter === 'balance') return nano;
    return counter === 'slots' ? 0 : amount;
  });
}

/** Two processes on one store, and what a test has seen them take. */
class World {
  readonly #store: Store;
  readonly #tenantId: string;
  readonly #engines: readonly LedgerEngine[];
  readonly #overruns: Overrun[];
  readonly #open: OpenHold[] = [];
  /** What the engines said they charged. */
  readonly #taken = { requests: 0, slots: 0, within: 0, beyond: 0, balance: 0 };
  #wanted = 0;
  readonly problems: string[] = [];

  private constructor(
    store: Store,
    tenantId: string,
    engines: readonly LedgerEngine[],
    overruns: Overrun[],
  ) {
    this.#store = store;
    this.#tenantId = tenantId;
    this.#engines = engines;
    this.#overruns = overruns;
  }

  static async create(store: Store, directory: string, name: string): Promise<World> {
    const tenantId = `ten_${name}`;
    const overruns: Overrun[] = [];
    await store.addGrant(
      {
        tenantId,
        asset: 'USD',
        amount: BigInt(GRANT),
        category: 'paid',
        priority: 50,
        effectiveAt: 0,
        expiresAt: undefined,
        source: 'test',
        idempotencyKey: tenantId,
      },
      clock.now(),
    );
    const engines: LedgerEngine[] = [];
    for (let i = 0; i < ENGINES; i += 1) {
      const events = {
        onFenced: () => undefined,
        onChanges: () => undefined,
        onError: (error: unknown) => {
          throw error;
        },
        onOverrun: (overrun: Overrun) => overruns.push(overrun),
      };
      engines.push(
        await LedgerEngine.open({
          owner: `own_${name}_${i}`,
          journalDirectory: directory,
          store,
          clock,
          events,
        }),
      );
    }
    return new World(store, tenantId, engines, overruns);
  }

  get taken(): Readonly<Record<Counter, number>> {
    return this.#taken;
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'reserve':
        return this.#reserve(step);
      case 'settle':
        return this.#engines[step.engine]?.settleNow();
      case 'progress':
        this.#at(step.which, ({ engine, hold }) =>
          engine.progress(hold, amountsOf(hold, step.amount)),
        );
        return undefined;
      case 'extend':
        this.#at(step.which, (open) => {
          const more = open.hold.needs.map(({ account }) =>
            account.kind === 'balance' ? step.amount : 0,
          );
          if (open.engine.extend(open.hold, more)) open.held += step.amount;
        });
        return undefined;
      case 'release':
        this.#at(step.which, ({ engine, hold }) => engine.release(hold));
        this.#open.splice(step.which, 1);
        return undefined;
      case 'capture':
      case 'finish':
        return this.#charge(step);
    }
  }

  /** Ends everything; what is wrong with the books then. */
  async finish(): Promise<readonly string[]> {
    for (const { engine, hold } of this.#open.splice(0)) engine.release(hold);
    await Promise.all(this.#engines.map((engine) => engine.close()));
    const accounts = await this.#store.accounts(this.#tenantId, clock.now(), 0);
    this.#compare(accounts);
    const house = this.#overruns
      .filter(({ unit }) => unit === 'USD')
      .reduce((sum, each) => sum + each.amount, 0);
    if (this.#taken.balance + house !== this.#wanted)
      this.problems.push('what was served is not what was charged and overrun');
    const violations = await this.#store.audit();
    return [
      ...this.problems,
      ...violations.map(({ invariant, detail }) => `${invariant}: ${detail}`),
    ];
  }

  #compare(accounts: readonly AccountBalance[]): void {
    for (const { spec, spent, reserved } of accounts) {
      const counter = counterOf(spec);
      const taken = this.#taken[counter];
      if (spent !== BigInt(taken))
        this.problems.push(`${counter}: ${spent} booked, ${taken} taken`);
      if (reserved !== 0n) this.problems.push(`I10 ${counter}: ${reserved} reserved`);
    }
  }

  async #reserve(step: Extract<Step, { kind: 'reserve' }>): Promise<void> {
    const engine = this.#engines[step.engine];
    if (engine === undefined) return;
    const holder = buildHolder({ tenantId: this.#tenantId, payerId: this.#tenantId });
    const accounts = accountsFor(PLAN, holder, ANY_CALL, { asset: 'USD', at: clock.now() });
    const amounts = { requests: 1, slots: 1, within: step.units, beyond: 0, balance: step.amount };
    const needs = accounts.map((account) => ({ account, amount: amounts[counterOf(account)] }));
    const hold =
      (await this.#hold(engine, needs)) ?? (await this.#hold(engine, this.#beyond(needs)));
    if (hold === undefined) return;
    this.#open.push({ engine, hold, held: step.amount });
    this.#checkHeld();
  }

  /** PLAN-11: what the allowance does not cover is counted apart. No needs = nothing lacks there. */
  #beyond(needs: readonly Need[]): readonly Need[] {
    const units = needs.find(({ account }) => counterOf(account) === 'within');
    const left = UNITS - this.#taken.within - this.#heldOf('within');
    if (units === undefined || units.amount <= left) return [];
    return [
      ...needs.map((need) => (need === units ? { ...need, amount: left } : need)),
      { account: overageAccount(units.account), amount: units.amount - left },
    ];
  }

  async #hold(engine: LedgerEngine, needs: readonly Need[]): Promise<Hold | undefined> {
    if (needs.length === 0) return undefined;
    const outcome = await engine.reserve('req_1', needs, [], AbortSignal.timeout(60));
    return outcome.kind === 'held' ? outcome.hold : undefined;
  }

  #charge(step: Extract<Step, { kind: 'capture' | 'finish' }>): void {
    this.#at(step.which, ({ engine, hold, held }) => {
      const taken = engine[step.kind](hold, amountsOf(hold, step.amount)) ?? [];
      this.#wanted += step.amount;
      for (const [i, { account }] of hold.needs.entries()) {
        const counter = counterOf(account);
        this.#taken[counter] += taken[i] ?? 0;
        if (counter === 'balance' && (taken[i] ?? 0) < Math.min(held, step.amount))
          this.problems.push('less than the hold was taken');
      }
    });
    this.#open.splice(step.which, 1);
    this.#checkHeld();
  }

  /** A limit is a limit at every moment: charged and set aside never exceed what was granted. */
  #checkHeld(): void {
    const most = { requests: QUOTA, slots: SLOTS, within: UNITS, balance: GRANT };
    for (const [name, allowed] of Object.entries(most)) {
      const counter = name as Counter;
      const [taken, held] = [this.#taken[counter], this.#heldOf(counter)];
      if (taken + held > allowed) this.problems.push(`${name} overspent: ${taken} + ${held}`);
    }
  }

  #heldOf(counter: Counter): number {
    let held = 0;
    for (const { hold } of this.#open) {
      for (const [i, { account }] of hold.needs.entries()) {
        if (counterOf(account) === counter) held += hold.amounts[i] ?? 0;
      }
    }
    return held;
  }

  #at(position: number, act: (open: OpenHold) => void): void {
    const open = this.#open[position];
    if (open !== undefined) act(open);
  }
}

it('I1 to I4, I10: no order of holds, charges, streams and releases on two processes overspends or loses a unit', async () => {
  const directory = makeDirectory('histories');
  const store = await openSqliteStore({ directory });
  let runs = 0;
  const charged = { requests: 0, slots: 0, within: 0, beyond: 0, balance: 0 };
  try {
    const checked = fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 10, maxLength: 40 }), async (history) => {
        runs += 1;
        const world = await World.create(store, directory, String(runs));
        for (const step of history) await world.take(step);
        expect(await world.finish()).toEqual([]);
        for (const [name, taken] of Object.entries(world.taken)) charged[name as Counter] += taken;
      }),
      { numRuns: 25, endOnFailure: true, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
    );
    await expect(checked).resolves.toBeUndefined();
    // Histories that charge nothing would prove nothing.
    console.log({ runs, ...charged });
    expect(charged.balance).toBeGreaterThan(runs);
    expect(charged.beyond).toBeGreaterThan(0);
    // A slot is never used up.
    expect(charged.slots).toBe(0);
  } finally {
    await store.close();
    removeDirectory(directory);
  }
}, 120_000);

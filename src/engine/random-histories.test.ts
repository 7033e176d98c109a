import fc from 'fast-check';
import { expect, it } from 'vitest';

import { buildHolder, buildLimit, buildPlan } from '../../test/support/build-catalog.ts';
import { makeDirectory, removeDirectory } from '../../test/support/temporary-directory.ts';
import { accountsFor, ANY_CALL } from '../domain/accounts.ts';
import { createClock } from '../platform/clock.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import type { AccountBalance, Overrun, Store } from '../stores/store.ts';
import type { Hold } from './engine.ts';
import { LedgerEngine } from './ledger-engine.ts';

const ENGINES = 2;
const GRANT = 300;
const QUOTA = 20;
const SEED = process.env['TOLLKEEPER_TEST_SEED'];
const clock = createClock();
const PLAN = buildPlan('p', { limits: [buildLimit(QUOTA, { window: 'lifetime' })] });

const which = fc.nat({ max: 5 });
const steps = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('reserve' as const),
      engine: fc.nat({ max: ENGINES - 1 }),
      amount: fc.integer({ min: 1, max: 60 }),
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

/** Two processes on one store, and what a test has seen them take. */
class World {
  readonly #store: Store;
  readonly #tenantId: string;
  readonly #engines: readonly LedgerEngine[];
  readonly #overruns: Overrun[];
  readonly #open: OpenHold[] = [];
  /** Requests and nano that the engines said they charged. */
  readonly #taken: [number, number] = [0, 0];
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

  get charged(): number {
    return this.#taken[1];
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'reserve':
        return this.#reserve(step);
      case 'settle':
        return this.#engines[step.engine]?.settleNow();
      case 'progress':
        this.#at(step.which, ({ engine, hold }) => engine.progress(hold, [1, step.amount]));
        return undefined;
      case 'extend':
        this.#at(step.which, (open) => {
          if (open.engine.extend(open.hold, [0, step.amount])) open.held += step.amount;
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
    this.#compare('quota', this.#taken[0], accounts);
    this.#compare('balance', this.#taken[1], accounts);
    const house = this.#overruns
      .filter(({ unit }) => unit === 'USD')
      .reduce((sum, each) => sum + each.amount, 0);
    if (this.#taken[1] + house !== this.#wanted)
      this.problems.push('what was served is not what was charged and overrun');
    const violations = await this.#store.audit();
    return [
      ...this.problems,
      ...violations.map(({ invariant, detail }) => `${invariant}: ${detail}`),
    ];
  }

  #compare(kind: 'quota' | 'balance', taken: number, accounts: readonly AccountBalance[]): void {
    const account = accounts.find(({ spec }) => spec.kind === kind);
    const { spent, reserved } = account ?? { spent: 0n, reserved: 0n };
    if (spent !== BigInt(taken)) this.problems.push(`${kind}: ${spent} booked, ${taken} taken`);
    if (reserved !== 0n) this.problems.push(`I10 ${kind}: ${reserved} reserved`);
  }

  async #reserve(step: Extract<Step, { kind: 'reserve' }>): Promise<void> {
    const engine = this.#engines[step.engine];
    const holder = buildHolder({ tenantId: this.#tenantId, payerId: this.#tenantId });
    const needs = accountsFor(PLAN, holder, ANY_CALL, {
      asset: 'USD',
      at: clock.now(),
    }).map((account) => ({
      account,
      amount: account.kind === 'quota' ? 1 : step.amount,
    }));
    const outcome = await engine?.reserve(
      `req_${step.amount}`,
      needs,
      [],
      AbortSignal.timeout(200),
    );
    if (engine === undefined || outcome?.kind !== 'held') return;
    this.#open.push({ engine, hold: outcome.hold, held: step.amount });
    this.#checkHeld();
  }

  #charge(step: Extract<Step, { kind: 'capture' | 'finish' }>): void {
    this.#at(step.which, ({ engine, hold, held }) => {
      const taken = engine[step.kind](hold, [1, step.amount]);
      this.#taken[0] += taken?.[0] ?? 0;
      this.#taken[1] += taken?.[1] ?? 0;
      this.#wanted += step.amount;
      if ((taken?.[1] ?? 0) < Math.min(held, step.amount))
        this.problems.push('less than the hold was taken');
    });
    this.#open.splice(step.which, 1);
    this.#checkHeld();
  }

  /** A limit is a limit at every moment: charged and set aside never exceed what was granted. */
  #checkHeld(): void {
    const held = this.#open.reduce((sum, each) => sum + each.held, 0);
    if (this.#taken[1] + held > GRANT)
      this.problems.push(`balance overspent: ${this.#taken[1]} + ${held}`);
    if (this.#taken[0] + this.#open.length > QUOTA) this.problems.push('quota overspent');
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
  let charged = 0;
  try {
    const checked = fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 30 }), async (history) => {
        runs += 1;
        const world = await World.create(store, directory, String(runs));
        for (const step of history) await world.take(step);
        expect(await world.finish()).toEqual([]);
        charged += world.charged;
      }),
      { numRuns: 25, endOnFailure: true, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
    );
    await expect(checked).resolves.toBeUndefined();
    // Histories that charge nothing would prove nothing.
    expect(charged).toBeGreaterThan(runs);
  } finally {
    await store.close();
    removeDirectory(directory);
  }
}, 120_000);

import assert from 'node:assert/strict';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { balanceAccount, type AccountSpec } from '../domain/accounts.ts';
import {
  acquire,
  addGrant,
  freshName,
  numbersOf,
  openOwner,
  type OpenFixture,
  quotaOf,
  sync,
  T0,
  useStore,
} from './store-fixture.conformance.ts';
import type { Store } from './store.ts';

const OWNERS = 3;
const SEED = process.env['TOLLKEEPER_TEST_SEED'];
const position = fc.nat({ max: OWNERS - 1 });
const which = fc.nat({ max: 1 });
const amount = fc.integer({ min: 1, max: 60 });

const steps = fc.oneof(
  fc.record({
    kind: fc.constant('grant' as const),
    amount,
    lifeMs: fc.option(fc.integer({ min: 1, max: 40 })),
    delayMs: fc.nat({ max: 10 }),
  }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constant('plan' as const), allowance: fc.nat({ max: 200 }) }),
  fc.record({
    kind: fc.constant('acquire' as const),
    position,
    which,
    need: amount,
    extra: fc.nat({ max: 60 }),
    repeat: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('charge' as const), position, which, amount }),
  fc.record({
    kind: fc.constant('sync' as const),
    position,
    keep: fc.nat({ max: 30 }),
    repeat: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('end' as const),
    position,
    how: fc.constantFrom('close' as const, 'reclaim' as const, 'write_off' as const),
    late: fc.boolean(),
  }),
);
type Step = typeof steps extends fc.Arbitrary<infer Value> ? Value : never;

/** Money is conserved whatever happens in whatever order (invariants I1 to I3, I9, I10). */
export function describeRandomHistories(open: OpenFixture): void {
  describe('random histories', () => {
    const database = useStore(open);
    it('I1, I2, I3, I9, I10 hold after every step of three owners', async () => {
      const history = fc.array(steps, { minLength: 5, maxLength: 40 });
      const checked = fc.assert(
        fc.asyncProperty(history, async (list) => {
          const world = await World.create(database.store);
          for (const step of list) {
            await world.take(step);
            await world.check();
          }
          await world.finish();
        }),
        { numRuns: 40, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
      );
      await expect(checked).resolves.toBeUndefined();
    }, 120_000);
  });
}

interface Slice {
  granted: number;
  charged: number;
  settled: number;
}

/** One gateway as the store sees it: what it was granted, what it charged, what of that it has said. */
class Gateway {
  readonly slices: readonly [Slice, Slice] = [
    { granted: 0, charged: 0, settled: 0 },
    { granted: 0, charged: 0, settled: 0 },
  ];
  readonly id: string;
  seq = 0;
  lastSettledSeq = 0;

  constructor(id: string) {
    this.id = id;
  }

  totals(keep: number, close = false) {
    return this.slices.flatMap((slice, index) => {
      if (slice.granted === 0) return [];
      const granted = close ? slice.charged : Math.min(slice.granted, slice.charged + keep);
      return [{ index, charged: slice.charged, granted, close, answersRecall: true }];
    });
  }
}

class World {
  readonly #store: Store;
  readonly #tenantId = freshName('tenant');
  readonly #gateways: Gateway[] = [];
  #now = T0;
  #allowance = 100;
  /** Settled per account: balance, quota. */
  readonly #spent: [number, number] = [0, 0];

  private constructor(store: Store) {
    this.#store = store;
  }

  static async create(store: Store): Promise<World> {
    const world = new World(store);
    await addGrant(store, { tenantId: world.#tenantId, amount: 100n });
    await acquire(store, await openOwner(store), { account: world.#account(1) });
    for (let count = 0; count < OWNERS; count += 1) world.#gateways.push(await world.#open());
    return world;
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'wait':
        this.#now += step.ms;
        return;
      case 'plan':
        this.#allowance = step.allowance;
        return;
      case 'grant':
        return this.#grant(step);
      case 'acquire':
        return this.#acquire(step);
      case 'charge':
        return this.#charge(step);
      case 'sync':
        return this.#sync(step);
      case 'end':
        return this.#end(step);
    }
  }

  /** The books are right, and they say what the gateways say. */
  async check(): Promise<void> {
    assert.deepEqual(await this.#store.audit(), []);
    for (const index of [0, 1] as const) {
      const [allowance, spent, reserved] = await numbersOf(
        this.#store,
        this.#account(index),
        this.#now,
      );
      const slices = this.#gateways.map((gateway) => gateway.slices[index]);
      const open = slices.reduce((sum, slice) => sum + slice.granted - slice.settled, 0);
      // The quota's first unit is in the slice that made the account exist.
      assert.equal(reserved, BigInt(open + index));
      assert.equal(spent, BigInt(this.#spent[index]));
      assert.ok(index === 1 || spent + reserved <= allowance);
    }
  }

  async finish(): Promise<void> {
    for (let index = 0; index < OWNERS; index += 1) {
      await this.#end({
        kind: 'end',
        position: index,
        how: index === 0 ? 'reclaim' : 'close',
        late: false,
      });
    }
    await this.check();
    const [, , reserved] = await numbersOf(this.#store, this.#account(0), this.#now);
    assert.equal(reserved, 0n);
  }

  async #grant(step: Extract<Step, { kind: 'grant' }>): Promise<void> {
    const effectiveAt = this.#now + step.delayMs;
    const expiresAt = step.lifeMs === null ? undefined : effectiveAt + step.lifeMs;
    const grant = { tenantId: this.#tenantId, amount: BigInt(step.amount), effectiveAt, expiresAt };
    await addGrant(this.#store, grant, this.#now);
  }

  async #acquire(step: Extract<Step, { kind: 'acquire' }>): Promise<void> {
    const gateway = this.#at(step.position);
    const slice = gateway.slices[step.which === 0 ? 0 : 1];
    const request = {
      index: step.which,
      account: this.#account(step.which),
      grantedBefore: slice.granted,
      need: step.need,
      want: step.need + step.extra,
    };
    const result = await acquire(this.#store, gateway.id, request, this.#now);
    const growth = result.granted - slice.granted;
    assert.ok(growth === 0 || (growth >= step.need && growth <= step.need + step.extra));
    slice.granted = result.granted;
    if (!step.repeat || growth === 0) return;
    const repeated = await acquire(this.#store, gateway.id, request, this.#now);
    assert.equal(repeated.granted, result.granted);
  }

  async #charge(step: Extract<Step, { kind: 'charge' }>): Promise<void> {
    const gateway = this.#at(step.position);
    const slice = gateway.slices[step.which === 0 ? 0 : 1];
    slice.charged += Math.min(step.amount, slice.granted - slice.charged);
    gateway.seq += 1;
  }

  async #sync(step: Extract<Step, { kind: 'sync' }>): Promise<void> {
    const gateway = this.#at(step.position);
    const leases = gateway.totals(step.keep);
    const batch = { leases, seq: gateway.seq, now: this.#now };
    const result = await sync(this.#store, gateway.id, batch);
    assert.deepEqual([result.fenced, result.recalls], [false, []]);
    if (step.repeat) await sync(this.#store, gateway.id, batch);
    for (const { index, granted } of leases) this.#settled(gateway, index, granted);
    gateway.lastSettledSeq = gateway.seq;
  }

  /** The gateway stops, or is killed and its journal read, or written off; another takes its place. */
  async #end(step: Extract<Step, { kind: 'end' }>): Promise<void> {
    const gateway = this.#at(step.position);
    if (step.how === 'write_off') {
      await this.#writeOff(gateway, step.late);
      this.#gateways[step.position] = await this.#open();
      return;
    }
    if (step.how === 'close') {
      const leases = gateway.totals(0, true);
      const { id: owner, seq } = gateway;
      await this.#store.closeOwner({
        owner,
        now: this.#now,
        seq,
        leases,
        overruns: [],
        changesAfter: 0,
      });
    } else {
      await this.#reclaim(gateway);
    }
    for (const [index, slice] of gateway.slices.entries())
      this.#settled(gateway, index, slice.charged);
    this.#gateways[step.position] = await this.#open();
  }

  async #reclaim(gateway: Gateway): Promise<void> {
    const leases = unsaidOf(gateway);
    const open = gateway.slices.reduce((sum, slice) => sum + slice.granted - slice.settled, 0);
    const settled = leases.reduce((sum, lease) => sum + lease.charged, 0);
    const records = { afterSeq: gateway.lastSettledSeq, seq: gateway.seq, leases, overruns: [] };
    const result = await this.#store.reclaim(gateway.id, records, this.#now);
    assert.deepEqual(result, { settled, returned: open - settled });
  }

  /** What it had charged and not said is the house's, whether its journal is read late or never. */
  async #writeOff(gateway: Gateway, late: boolean): Promise<void> {
    const order = { heardBefore: this.#now + 1, now: this.#now };
    const result = await this.#store.writeOff(gateway.id, order);
    assert.equal(result.kind, 'written_off');
    const leases = unsaidOf(gateway);
    const house = leases.reduce((sum, lease) => sum + lease.charged, 0);
    for (const slice of gateway.slices) [slice.granted, slice.charged, slice.settled] = [0, 0, 0];
    if (!late) return;
    await this.check();
    const records = { afterSeq: gateway.lastSettledSeq, seq: gateway.seq, leases, overruns: [] };
    assert.deepEqual(await this.#store.reclaim(gateway.id, records, this.#now), {
      settled: 0,
      returned: 0,
      house,
    });
  }

  #settled(gateway: Gateway, index: number, granted: number): void {
    const account = index === 0 ? 0 : 1;
    const slice = gateway.slices[account];
    this.#spent[account] += slice.charged - slice.settled;
    slice.settled = slice.charged;
    slice.granted = granted;
  }

  async #open(): Promise<Gateway> {
    return new Gateway(await openOwner(this.#store, this.#now));
  }

  #at(index: number): Gateway {
    const gateway = this.#gateways[index];
    if (gateway === undefined) throw new Error(`no gateway ${index}`);
    return gateway;
  }

  #account(index: number): AccountSpec {
    return index === 0
      ? balanceAccount(this.#tenantId, 'USD')
      : quotaOf(this.#tenantId, this.#allowance);
  }
}

/** What its journal says beyond its last settlement. */
function unsaidOf({ slices }: Gateway) {
  return slices.flatMap(({ charged, settled }, index) =>
    charged > settled ? [{ index, charged: charged - settled }] : [],
  );
}

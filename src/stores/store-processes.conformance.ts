import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { makeDirectory, removeDirectory } from '../../test/support/temporary-directory.ts';
import { balanceAccount } from '../domain/accounts.ts';
import type { Fixture } from './store-fixture.conformance.ts';
import type { Store } from './store.ts';

const ACCOUNTS_URL = new URL('../domain/accounts.ts', import.meta.url).href;
const ACCOUNT = balanceAccount('tenant', 'USD');
const KILLS = 8;

/** An empty database that other processes open with `open(options)` of the module. */
export interface ProcessFixture extends Fixture<Store> {
  readonly moduleUrl: string;
  readonly open: string;
  readonly options: Readonly<Record<string, string>>;
}

/** A gateway in small: takes slices, charges one unit at a time, settles, and says what was confirmed. */
const WRITER = `
  const [moduleUrl, open, options, owner] = process.argv.slice(2);
  const adapter = await import(moduleUrl);
  const { balanceAccount } = await import(${JSON.stringify(ACCOUNTS_URL)});
  const store = await adapter[open](JSON.parse(options));
  const account = balanceAccount('tenant', 'USD');
  await store.openOwner(owner, Date.now());
  let [granted, charged] = [0, 0];
  for (;;) {
    if (charged === granted) {
      const request = { index: 1, account, grantedBefore: granted, need: 1, want: 7 };
      const [result] = await store.acquire(owner, [request], Date.now());
      if (result.granted === granted) break;
      granted = result.granted;
    }
    charged += 1;
    const lease = { index: 1, charged, granted, close: false, answersRecall: true };
    await store.sync({ owner, now: Date.now(), seq: charged, leases: [lease], overruns: [], changesAfter: 0 });
    process.stdout.write(charged + '\\n');
  }
  const last = { index: 1, charged, granted: charged, close: true, answersRecall: true };
  await store.closeOwner({ owner, now: Date.now(), seq: charged, leases: [last], overruns: [], changesAfter: 0 });
  await store.close();
`;

interface Writer {
  readonly process: ChildProcess;
  /** The highest total the store has confirmed to it. */
  confirmed: number;
  /** Resolves when it has confirmed this many or ended. */
  reach(total: number): Promise<void>;
  readonly ended: Promise<unknown>;
}

function startWriter(directory: string, fixture: ProcessFixture, owner: string): Writer {
  const { moduleUrl, open, options } = fixture;
  const script = join(directory, 'writer.mjs');
  writeFileSync(script, WRITER);
  // The test's own loader reads TypeScript, in the writer's store thread too.
  const args = [...process.execArgv, script, moduleUrl, open, JSON.stringify(options), owner];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]);
  const writer: Writer = {
    process: child,
    confirmed: 0,
    ended,
    reach: (total) =>
      new Promise((resolve) => {
        lines.on('line', () => writer.confirmed >= total && resolve());
        void ended.then(() => resolve());
      }),
  };
  lines.on('line', (line) => {
    writer.confirmed = Number(line);
  });
  return writer;
}

/** What a store promises processes that share it, and those that look at what a killed one left. */
export function describeProcesses(name: string, openFixture: () => Promise<ProcessFixture>): void {
  describe(`several processes on ${name}`, () => {
    describeRaces(openFixture);
  });
}

function describeRaces(openFixture: () => Promise<ProcessFixture>): void {
  let directory: string;
  let fixture: ProcessFixture;
  beforeEach(async () => {
    directory = makeDirectory('processes');
    fixture = await openFixture();
  });
  afterEach(async () => {
    await fixture.dispose();
    removeDirectory(directory);
  });

  async function openFunded(amount: bigint): Promise<Store> {
    const store = await fixture.connect();
    await store.addGrant(
      {
        tenantId: 'tenant',
        asset: 'USD',
        amount,
        category: 'paid',
        priority: 50,
        effectiveAt: 0,
        expiresAt: undefined,
        source: 'test',
        idempotencyKey: 'first',
      },
      Date.now(),
    );
    return store;
  }

  it('eight that open an empty database at once all find the schema there', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => fixture.connect()));
    expect(await Promise.all(stores.map((store) => store.liveOwners()))).toEqual(
      stores.map(() => []),
    );
    await Promise.all(stores.map((store) => store.close()));
  });

  it('BILL-01: processes that race for a balance spend it to the unit', async () => {
    const store = await openFunded(600n);
    const writers = ['a', 'b', 'c'].map((owner) => startWriter(directory, fixture, owner));
    await Promise.all(writers.map((writer) => writer.ended));
    expect(writers.map((writer) => writer.process.exitCode)).toEqual([0, 0, 0]);
    expect(writers.reduce((sum, writer) => sum + writer.confirmed, 0)).toBe(600);
    const [account] = await store.accounts('tenant', Date.now(), 0);
    expect(account).toMatchObject({ allowance: 600n, spent: 600n, reserved: 0n });
    expect(await store.audit()).toEqual([]);
    await store.close();
  }, 60_000);

  it(`kill -9 of ${KILLS} writers loses nothing that was confirmed, and all of the rest comes back`, async () => {
    const store = await openFunded(1_000_000n);
    let spent = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const owner = `writer-${kill}`;
      const writer = startWriter(directory, fixture, owner);
      // oxlint-disable-next-line no-await-in-loop -- one writer after the other is killed
      await writer.reach(10 + kill * 7);
      writer.process.kill('SIGKILL');
      // oxlint-disable-next-line no-await-in-loop -- one writer after the other is killed
      await writer.ended;
      // oxlint-disable-next-line no-await-in-loop -- one writer after the other is killed
      spent += await reclaimKilled(store, owner, writer.confirmed);
    }
    const [account] = await store.accounts('tenant', Date.now(), 0);
    expect(account).toEqual({
      spec: ACCOUNT,
      allowance: 1_000_000n,
      spent: BigInt(spent),
      reserved: 0n,
    });
    expect(await store.audit()).toEqual([]);
    await store.close();
  }, 60_000);
}

/** Returns what the dead writer had settled: what it was told of, or the one settlement more that it was not. */
async function reclaimKilled(store: Store, owner: string, confirmed: number): Promise<number> {
  const settled = (await store.lastSettled(owner)) ?? -1;
  if (settled !== confirmed && settled !== confirmed + 1) {
    throw new Error(`${owner} was confirmed ${confirmed}, the store has ${settled}`);
  }
  const records = { afterSeq: settled, seq: settled, leases: [], overruns: [] };
  await store.reclaim(owner, records, Date.now());
  return settled;
}

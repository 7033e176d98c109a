import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { GROUP_MAX } from '../src/engine/securing.ts';
import type { Store, Violation } from '../src/stores/store.ts';
import { makeDirectory, removeDirectory } from '../test/support/temporary-directory.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { type Books, findLeftBehind, findUndecided, LiveAudit, readBooks } from './books.ts';
import { compare } from './compare.ts';
import { createCustomer, type Customer, MODEL, renderConfig } from './customer.ts';
import { Faults, planFaults } from './faults.ts';
import { GatewayUnderFire } from './gateway-under-fire.ts';
import { judge } from './judge.ts';
import type { ChaosOptions } from './options.ts';
import { Outage } from './outage.ts';
import type { ChaosReport } from './report.ts';
import { seededRandom } from './seeded-random.ts';
import type { ServedRecord } from './served-record.ts';
import { createStore } from './stores.ts';
import type { StoreUnderFire } from './store-under-fire.ts';
import { Traffic, UNITS_MOST } from './traffic.ts';
import { startUnitsModel, type UnitsModel } from './units-model.ts';

/** Of the budget: the rest is sold in peace, so that the end is reached whatever the faults cost. */
const FIRE_SHARE = 0.85;
/** Sold before the store goes away for long. */
const WARM_SHARE = 0.2;
const PROGRESS_MS = 5000;
const END_WAIT_MS = 5000;
const RESERVED_WAIT_MS = 30_000;

/** Everything one run has started; `stop` ends all of it, whenever it is called. */
export class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #talk: (text: string) => void;
  readonly #directory = makeDirectory('chaos');
  readonly #gateways: GatewayUnderFire[] = [];
  #store: StoreUnderFire | undefined;
  #model: UnitsModel | undefined;
  #books: Store | undefined;
  #customer: Customer | undefined;
  #progress: NodeJS.Timeout | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: ChaosOptions, talk: (text: string) => void) {
    this.#options = options;
    this.#talk = talk;
  }

  /** Rejects when the run could not be carried out; what it found wrong is in the report. */
  async run(): Promise<Omit<ChaosReport, 'seconds'>> {
    const random = seededRandom(this.#options.seed);
    const plan = planFaults(this.#options, random);
    const model = await startUnitsModel(0);
    this.#model = model;
    const store = createStore(this.#options.store, this.#makeDataDirectory());
    this.#store = store;
    await store.start();
    const first = await this.#startGateways(store, model.origin);
    const customer = await createCustomer(first, this.#options);
    this.#customer = customer;
    const books = await store.open();
    this.#books = books;
    const audit = new LiveAudit(books, customer.tenantId);
    const faults = new Faults({
      gateways: this.#gateways,
      store,
      plan,
      unitsUnderFire: Math.floor(this.#options.units * FIRE_SHARE),
      inFlightLeast: this.#options.inFlightLeast,
      random,
      traffic: () => traffic,
      talk: this.#talk,
    });
    const outage = this.#planOutage(store, () => traffic.unitsServed);
    const traffic: Traffic = new Traffic({
      clients: customer.clients,
      callersEach: this.#options.callersEach,
      urls: this.#gateways.map(({ chatUrl }) => chatUrl),
      model: MODEL,
      random,
      isRefusal: (status) => status === 402,
      budget: this.#options.units,
      lost: () => this.#unservedMost(faults) * UNITS_MOST,
      mayCall: () => faults.mayCall(),
      onOutcome: (...heard) => outage?.note(...heard),
    });
    audit.start();
    traffic.start();
    this.#progress = setInterval(() => this.#talk(traffic.describe()), PROGRESS_MS);
    await faults.run();
    await outage?.run();
    this.#talk('the faults are over: selling what is left');
    await traffic.sellOut();
    // After an outage nobody is killed: what was reserved has to come back from those who lived through it.
    if (outage === undefined) await this.#restartAll();
    const reservedBackMs = await this.#waitForReserved(books, customer.tenantId);
    traffic.takeRefusals();
    traffic.start();
    await traffic.sellOut();
    this.#talk('the money is gone: stopping the gateways');
    await Promise.all(this.#gateways.map((gateway) => gateway.stop()));
    await audit.stop();
    const refusals = traffic.takeRefusals();
    return this.#report({
      store,
      faults,
      outage,
      traffic,
      audit,
      books: await readBooks(books, customer.tenantId),
      decided: refusals.length,
      afterwards: [
        ...(await findUndecided(books, refusals)),
        ...(await findLeftBehind(
          books,
          this.#gateways.map(({ data }) => data),
        )),
      ],
      reservedBackMs,
      sentFor: (callId) => model.sentFor(callId),
    });
  }

  /** Ends every process it started, at once, and removes what they wrote. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** The part of `stop` that waits for nothing. */
  kill(): void {
    for (const gateway of this.#gateways) gateway.destroy();
    this.#store?.kill();
  }

  async #stop(): Promise<void> {
    clearInterval(this.#progress);
    this.kill();
    for (const { record } of this.#customer?.clients ?? []) record.close();
    await this.#model?.close();
    await this.#books?.close();
    const ended = Promise.all(this.#gateways.map((gateway) => gateway.ended()));
    // Whoever still ends might make the directory anew.
    await Promise.race([ended, sleep(END_WAIT_MS, undefined, { ref: false })]);
    await this.#store?.stop();
    removeDirectory(this.#directory);
  }

  #makeDataDirectory(): string {
    const data = join(this.#directory, 'data');
    mkdirSync(data);
    return data;
  }

  /** The first alone, because it makes the tables; with it up, the others only join. */
  async #startGateways(store: StoreUnderFire, modelOrigin: string): Promise<GatewayUnderFire> {
    const config = join(this.#directory, 'tollkeeper.yaml');
    writeFileSync(config, renderConfig(store.settings, modelOrigin, this.#options.durability));
    for (let each = 0; each < this.#options.gateways; each += 1) {
      const { workers } = this.#options;
      const setting = { data: store.dataDirectory(each), config, workers };
      // oxlint-disable-next-line no-await-in-loop -- each takes a port that was free a moment ago
      this.#gateways.push(await GatewayUnderFire.create(setting));
    }
    const [first, ...others] = this.#gateways;
    if (first === undefined) throw new Error('there is no gateway to start');
    await first.start();
    await Promise.all(others.map((gateway) => gateway.start()));
    return first;
  }

  #planOutage(store: StoreUnderFire, unitsServed: () => number): Outage | undefined {
    const { outageSeconds, gateways, units } = this.#options;
    if (outageSeconds === undefined) return undefined;
    const lengthMs = outageSeconds * 1000;
    const afterUnits = Math.floor(units * WARM_SHARE);
    return new Outage({ store, gateways, lengthMs, afterUnits, unitsServed, talk: this.#talk });
  }

  /** Every process of every gateway at once, as when a machine goes down. */
  async #restartAll(): Promise<void> {
    this.#talk('killing every process at once');
    await Promise.all(this.#gateways.map((gateway) => gateway.killTree()));
  }

  /** Milliseconds until nothing was reserved any more; undefined = it did not come back. */
  async #waitForReserved(books: Store, tenantId: string): Promise<number | undefined> {
    const startedAt = performance.now();
    const isBack = async (): Promise<boolean> => (await readBooks(books, tenantId)).reserved === 0;
    try {
      await waitFor(isBack, { timeoutMs: RESERVED_WAIT_MS, what: 'what was reserved' });
      return Math.round(performance.now() - startedAt);
    } catch {
      return undefined;
    }
  }

  /** Answers that may be charged and not served by now. */
  #unservedMost(faults: Faults): number {
    const { durability, gateways, workers } = this.#options;
    const killed = this.#sum((gateway) => gateway.killedWorkers);
    if (durability === 'journal') return killed;
    // When the store ends in the middle of a commit, the answers that waited for it may have been charged.
    const interrupted =
      durability === 'journal-fsync' ? 0 : faults.storeRestarts * gateways * workers;
    return (killed + interrupted) * GROUP_MAX;
  }

  #sum(read: (gateway: GatewayUnderFire) => number): number {
    return this.#gateways.reduce((total, gateway) => total + read(gateway), 0);
  }

  #report(found: {
    readonly store: StoreUnderFire;
    readonly faults: Faults;
    readonly outage: Outage | undefined;
    readonly traffic: Traffic;
    readonly audit: LiveAudit;
    readonly books: Books;
    readonly decided: number;
    readonly afterwards: readonly Violation[];
    readonly reservedBackMs: number | undefined;
    readonly sentFor: (callId: string) => number;
  }): Omit<ChaosReport, 'seconds'> {
    const { faults, traffic, audit, books, decided, afterwards, reservedBackMs } = found;
    const clients = this.#customer?.clients ?? [];
    const compared = compare(clients, books, found.sentFor);
    const total = (read: (record: ServedRecord) => number): number =>
      clients.reduce((whole, { record }) => whole + read(record), 0);
    const unservedMost = this.#unservedMost(faults);
    const violations = [...audit.violations, ...afterwards];
    const invariants = judge({
      ...compared,
      violations,
      audits: audit.samples,
      decided,
      spentUnits: books.spent,
      keyUnits: compared.chargedUnits,
      unservedMost,
      reservedBackMs,
      reservedAtEnd: books.reserved,
    });
    return {
      seed: this.#options.seed,
      store: found.store.title,
      durability: this.#options.durability,
      gateways: this.#options.gateways,
      workers: this.#options.workers,
      budget_units: this.#options.units,
      requests: total((record) => record.calls),
      streamed: total((record) => record.streams),
      left: total((record) => record.left.length),
      refused: total((record) => record.countOf((status) => status === 402)),
      refused_early: traffic.falseRefusals,
      unavailable: total((record) => record.countOf((status) => status >= 500)),
      no_answer: total((record) => record.countOf((status) => status === 0)),
      unexpected: total((record) => record.countOf(isUnexpected)),
      kills: faults.kills,
      killed_processes: this.#sum((gateway) => gateway.killedProcesses),
      pauses: faults.pauses,
      store_restarts: faults.storeRestarts,
      outage: found.outage?.report() ?? null,
      in_flight_least: leastOf(faults.inFlight),
      served_answers: compared.servedAnswers,
      served_units: compared.servedUnits,
      charged_answers: compared.chargedAnswers,
      charged_units: books.spent,
      overspent: Math.max(0, compared.servedUnits - this.#options.units),
      served_uncharged: compared.unchargedUnits,
      charged_unserved: compared.unservedAnswers,
      charged_unserved_most: unservedMost,
      charged_unserved_units: compared.unservedUnits,
      unsold_units: books.granted - books.spent,
      reserved_back_ms: reservedBackMs ?? null,
      audits: audit.samples,
      invariants_broken: invariants.filter(({ state }) => state === 'broken').length,
      invariants,
      violations,
    };
  }
}

/** What no call under fire may be told: money, a gateway that is away, and nothing else. */
function isUnexpected(status: number): boolean {
  return status !== 0 && status !== 200 && status !== 402 && status < 500;
}

function leastOf(numbers: readonly number[]): number | null {
  return numbers.length === 0 ? null : Math.min(...numbers);
}

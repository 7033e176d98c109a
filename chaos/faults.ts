import { waitFor } from '../test/support/wait-for.ts';
import type { GatewayUnderFire } from './gateway-under-fire.ts';
import { pick, type Random, shuffle } from './seeded-random.ts';
import type { StoreUnderFire } from './store-under-fire.ts';

/** What befalls one gateway, or the store. `ms`: how long a process stands still, or the store is away. */
export type Fault =
  | { readonly kind: 'kill'; readonly what: 'worker' | 'supervisor' | 'tree' }
  | { readonly kind: 'pause'; readonly what: 'worker' | 'supervisor'; readonly ms: number }
  | { readonly kind: 'restart-store'; readonly ms: number };

export interface FaultCounts {
  readonly kills: number;
  readonly pauses: number;
  readonly storeRestarts: number;
}

/** Of eight kills: six of a worker, one of a supervisor (its workers live on for a while), one of a whole gateway. */
const KILLED = [
  'worker',
  'worker',
  'supervisor',
  'worker',
  'worker',
  'tree',
  'worker',
  'worker',
] as const;
/** Of three pauses. */
const PAUSED = ['worker', 'supervisor', 'worker'] as const;
const PAUSE_LEAST_MS = 200;
const PAUSE_MOST_MS = 3000;
const OUTAGE_MS = 1000;

/** In an order that the seed decides. */
export function planFaults(counts: FaultCounts, random: Random): readonly Fault[] {
  const kills = Array.from({ length: counts.kills }, (_, each): Fault => ({
    kind: 'kill',
    what: KILLED[each % KILLED.length] ?? 'worker',
  }));
  const pauses = Array.from({ length: counts.pauses }, (_, each): Fault => ({
    kind: 'pause',
    what: PAUSED[each % PAUSED.length] ?? 'worker',
    ms: PAUSE_LEAST_MS + Math.floor(random() * (PAUSE_MOST_MS - PAUSE_LEAST_MS)),
  }));
  const restarts = Array.from({ length: counts.storeRestarts }, (): Fault => ({
    kind: 'restart-store',
    ms: OUTAGE_MS,
  }));
  return shuffle([...kills, ...pauses, ...restarts], random);
}

export interface FaultSetting {
  readonly gateways: readonly GatewayUnderFire[];
  readonly store: StoreUnderFire;
  readonly plan: readonly Fault[];
  /** The faults are spread over so many served units. */
  readonly unitsUnderFire: number;
  /** At a gateway that is to be hit. */
  readonly inFlightLeast: number;
  readonly random: Random;
  readonly traffic: () => {
    readonly unitsServed: number;
    inFlightAt(gateway: number): number;
  };
  readonly talk: (text: string) => void;
}

const DUE_TIMEOUT_MS = 120_000;
const LANE_TIMEOUT_MS = 120_000;
const IN_FLIGHT_TIMEOUT_MS = 30_000;

/** Carries a plan out: one fault at a time at each gateway, several gateways at once. */
export class Faults {
  kills = 0;
  pauses = 0;
  storeRestarts = 0;
  /** At each kill, the calls under way at the gateway that was hit. */
  readonly inFlight: number[] = [];
  readonly #setting: FaultSetting;
  /** Whether something goes on at each gateway. */
  readonly #busy: boolean[];
  #begun = 0;
  #isStoreAway = false;
  /** Kills that wait for enough calls. */
  #awaiting = 0;
  #failure: Error | undefined;

  constructor(setting: FaultSetting) {
    this.#setting = setting;
    this.#busy = setting.gateways.map(() => false);
  }

  /**
   * Callers are not to sell everything while the faults lag behind; but they go on whenever a gateway is free for
   * the next fault, or a fault waits for calls to be under way.
   */
  mayCall(): boolean {
    const { plan, traffic, unitsUnderFire } = this.#setting;
    if (this.#begun >= plan.length || this.#awaiting > 0 || this.#busy.includes(false)) return true;
    return traffic().unitsServed < this.#dueAt(this.#begun + 2, unitsUnderFire);
  }

  /** Resolves when every fault is over and every gateway serves again; rejects when one does not come back. */
  async run(): Promise<void> {
    const { plan, random, unitsUnderFire, traffic } = this.#setting;
    for (const [index, fault] of plan.entries()) {
      const due = this.#dueAt(index + random(), unitsUnderFire);
      // oxlint-disable-next-line no-await-in-loop -- a fault comes when so much was sold since the one before
      await this.#wait(() => traffic().unitsServed >= due, DUE_TIMEOUT_MS, 'units between faults');
      // oxlint-disable-next-line no-await-in-loop -- a fault needs a gateway that is whole again
      await this.#wait(() => this.#busy.includes(false), LANE_TIMEOUT_MS, 'a whole gateway');
      if (fault.kind === 'restart-store') {
        // oxlint-disable-next-line no-await-in-loop -- there is one store: it is away once at a time
        await this.#wait(() => !this.#isStoreAway, LANE_TIMEOUT_MS, 'the store to be back');
      }
      const free = [...this.#busy.keys()].filter((lane) => this.#busy[lane] === false);
      const lane = pick(free, random);
      this.#begin(lane, fault);
    }
    await this.#wait(() => !this.#busy.includes(true), LANE_TIMEOUT_MS, 'the last faults');
  }

  #dueAt(index: number, units: number): number {
    return (index / this.#setting.plan.length) * units;
  }

  async #wait(condition: () => boolean, timeoutMs: number, what: string): Promise<void> {
    await waitFor(() => this.#failure !== undefined || condition(), { timeoutMs, what });
    if (this.#failure !== undefined) throw this.#failure;
  }

  #begin(lane: number, fault: Fault): void {
    this.#begun += 1;
    this.#setting.talk(
      `${this.#begun}/${this.#setting.plan.length} ${describe(fault)} at gateway ${lane}`,
    );
    this.#busy[lane] = true;
    void this.#inflict(lane, fault)
      .catch((error: unknown) => {
        this.#failure ??= error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        this.#busy[lane] = false;
      });
  }

  async #inflict(lane: number, fault: Fault): Promise<void> {
    const { gateways, store, random } = this.#setting;
    const gateway = gateways[lane];
    if (gateway === undefined) throw new Error(`there is no gateway ${lane}`);
    const which = Math.floor(random() * 1000);
    switch (fault.kind) {
      case 'kill':
        return this.#kill(lane, gateway, { what: fault.what, which });
      case 'pause':
        this.pauses += 1;
        return fault.what === 'worker'
          ? gateway.pauseWorker(which, fault.ms)
          : gateway.pauseSupervisor(fault.ms);
      case 'restart-store':
        this.storeRestarts += 1;
        this.#isStoreAway = true;
        return store
          .restart(fault.ms, () =>
            store.embedded ? this.#kill(lane, gateway, { what: 'tree', which }) : Promise.resolve(),
          )
          .finally(() => {
            this.#isStoreAway = false;
          });
    }
  }

  async #kill(
    lane: number,
    gateway: GatewayUnderFire,
    { what, which }: { readonly what: 'worker' | 'supervisor' | 'tree'; readonly which: number },
  ): Promise<void> {
    this.#awaiting += 1;
    await this.#wait(
      () => this.#setting.traffic().inFlightAt(lane) >= this.#setting.inFlightLeast,
      IN_FLIGHT_TIMEOUT_MS,
      'enough calls in flight',
    ).finally(() => {
      this.#awaiting -= 1;
    });
    this.kills += 1;
    this.inFlight.push(this.#setting.traffic().inFlightAt(lane));
    if (what === 'worker') {
      gateway.killWorker(which);
      await gateway.learnWorkers();
    } else if (what === 'supervisor') await gateway.killSupervisor();
    else await gateway.killTree();
  }
}

function describe(fault: Fault): string {
  if (fault.kind === 'restart-store') return 'store restart';
  const length = fault.kind === 'pause' ? ` for ${fault.ms} ms` : '';
  return `${fault.kind} ${fault.what}${length}`;
}

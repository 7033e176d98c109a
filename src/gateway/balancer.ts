import type { HealthCheck, Target, Upstream } from '../domain/catalog.ts';
import type { Clock } from '../platform/clock.ts';

/** Where a target is reached. */
export interface TargetAddress {
  /** `http://host:port`. */
  readonly origin: string;
  /** Put in front of the path; empty or `/v1`, no slash at its end. */
  readonly basePath: string;
  /** For the Host header. */
  readonly host: string;
}
export interface TargetHealth {
  readonly target: Target;
  readonly healthy: boolean;
}
export interface UpstreamPoolOptions {
  readonly upstream: Upstream;
  readonly clock: Clock;
  /** For the log: once per change. */
  readonly onHealthChange?: (target: Target, healthy: boolean) => void;
}

const BACK_OFF_MIN_MS = 1_000;
const BACK_OFF_MAX_MS = 30_000;

/**
 * The targets of one upstream (GW-06): smooth weighted round robin over those that are up. A target goes
 * down after `unhealthyAfter` failures in a row, of calls or of probes. With probes it comes back after
 * `healthyAfter` good ones; without, one call at a time tries it after a back-off that doubles from 1 s to 30 s.
 * A lone target is not marked by failed calls: there is nothing better to pick.
 */
export class UpstreamPool {
  readonly upstream: Upstream;
  readonly #clock: Clock;
  readonly #onHealthChange: UpstreamPoolOptions['onHealthChange'];
  readonly #states: readonly TargetState[];
  readonly #byTarget = new Map<Target, TargetState>();

  constructor(options: UpstreamPoolOptions) {
    this.upstream = options.upstream;
    this.#clock = options.clock;
    this.#onHealthChange = options.onHealthChange;
    this.#states = options.upstream.targets.map((target) => new TargetState(target));
    for (const state of this.#states) this.#byTarget.set(state.target, state);
  }

  /** The next target, or undefined when none is up. `tried`: what has just failed for this very call. */
  pick(tried: Target | undefined): Target | undefined {
    const now = this.#clock.monotonicMs();
    let total = 0;
    let best: TargetState | undefined;
    for (const state of this.#states) {
      const { target } = state;
      if (target === tried || target.weight <= 0 || !this.#isEligible(state, now)) continue;
      // nginx's smooth weighted round robin: a, a, b, a for 3:1 rather than a, a, a, b.
      total += target.weight;
      state.current += target.weight;
      if (best === undefined || state.current > best.current) best = state;
    }
    if (best === undefined) return undefined;
    best.current -= total;
    // The others keep away from a target on trial until this call has told how it went.
    if (!best.healthy) best.retryAtMs = now + best.backOffMs;
    return best.target;
  }

  address(target: Target): TargetAddress {
    return this.#stateOf(target).address;
  }

  /** The target answered, whatever the status: it is reachable. */
  reportSuccess(target: Target): void {
    const state = this.#stateOf(target);
    state.failures = 0;
    if (!state.healthy && !this.#probed) this.#setHealthy(state, true);
  }

  /** It refused the connection, broke it, or kept silent for too long. */
  reportFailure(target: Target): void {
    if (this.#states.length > 1) this.#countFailure(this.#stateOf(target));
  }

  /** What the active probe of a target found. */
  reportProbe(target: Target, ok: boolean): void {
    const state = this.#stateOf(target);
    if (!ok) {
      this.#countFailure(state);
      return;
    }
    state.failures = 0;
    state.goodProbes += 1;
    if (!state.healthy && state.goodProbes >= this.#health.healthyAfter)
      this.#setHealthy(state, true);
  }

  readHealth(): TargetHealth[] {
    return this.#states.map(({ target, healthy }) => ({ target, healthy }));
  }

  get #health(): HealthCheck {
    return this.upstream.health;
  }

  get #probed(): boolean {
    return this.#health.path !== undefined;
  }

  #isEligible(state: TargetState, now: number): boolean {
    return state.healthy || (!this.#probed && now >= state.retryAtMs);
  }

  #countFailure(state: TargetState): void {
    state.failures += 1;
    state.goodProbes = 0;
    if (state.healthy) {
      if (state.failures >= this.#health.unhealthyAfter) this.#setHealthy(state, false);
      return;
    }
    state.backOffMs = Math.min(state.backOffMs * 2, BACK_OFF_MAX_MS);
    state.retryAtMs = this.#clock.monotonicMs() + state.backOffMs;
  }

  #setHealthy(state: TargetState, healthy: boolean): void {
    state.healthy = healthy;
    state.failures = 0;
    state.goodProbes = 0;
    state.current = 0;
    state.backOffMs = BACK_OFF_MIN_MS;
    state.retryAtMs = this.#clock.monotonicMs() + BACK_OFF_MIN_MS;
    this.#onHealthChange?.(state.target, healthy);
  }

  #stateOf(target: Target): TargetState {
    const state = this.#byTarget.get(target);
    if (state === undefined) throw new Error(`${target.url} is no target of ${this.upstream.id}`);
    return state;
  }
}

class TargetState {
  readonly target: Target;
  readonly address: TargetAddress;
  healthy = true;
  /** The running weight of smooth round robin. */
  current = 0;
  /** In a row. */
  failures = 0;
  goodProbes = 0;
  backOffMs = BACK_OFF_MIN_MS;
  retryAtMs = 0;

  constructor(target: Target) {
    const url = new URL(target.url);
    this.target = target;
    this.address = {
      origin: url.origin,
      basePath: url.pathname.replace(/\/+$/, ''),
      host: url.host,
    };
  }
}

import type { Facts } from '../../domain/facts.ts';
import {
  LATENCY_BUCKETS_SECONDS,
  type MetricRegistry,
  type Counter,
  type Family,
  type Histogram,
} from '../../platform/metrics.ts';

const NANO_PER_WHOLE = 1_000_000_000;
const ROUTES_MAX = 500;
const MODELS_MAX = 500;

/** What the data plane counts (OBS-17). Never a customer or key as a label. */
export class GatewayMetrics {
  readonly #requests: Family<Counter>;
  readonly #served: Counter;
  readonly #refusals: Family<Counter>;
  readonly #observed: Family<Counter>;
  readonly #tokens: Family<Counter>;
  readonly #charged: Counter;
  readonly #overrun: Counter;
  readonly #duration: Family<Histogram>;

  /** `worker` names this process: only the operator's own numbers of processes become labels. */
  constructor(registry: MetricRegistry, worker: string) {
    this.#requests = registry.counter({
      name: 'tollkeeper_requests_total',
      help: 'Requests by route and status of the answer.',
      labels: ['route', 'status'],
      seriesMax: ROUTES_MAX,
    });
    this.#served = registry
      .counter({
        name: 'tollkeeper_worker_requests_total',
        help: 'Requests by the worker that answered, of the workers that run.',
        labels: ['worker'],
      })
      .child(worker);
    this.#refusals = registry.counter({
      name: 'tollkeeper_refusals_total',
      help: 'Answers of the gateway itself, by code.',
      labels: ['code'],
    });
    this.#observed = registry.counter({
      name: 'tollkeeper_would_refuse_total',
      help: 'Answers that only observation let pass, by the code they would have been refused with.',
      labels: ['code'],
    });
    this.#tokens = registry.counter({
      name: 'tollkeeper_tokens_total',
      help: 'Tokens metered, by direction and model.',
      labels: ['direction', 'model'],
      seriesMax: MODELS_MAX,
    });
    this.#charged = registry
      .counter({
        name: 'tollkeeper_charged_total',
        help: 'Charged to balances, in whole units of the asset.',
      })
      .child();
    this.#overrun = registry
      .counter({
        name: 'tollkeeper_overrun_total',
        help: 'Cost above holds that the house paid, in whole units of the asset.',
      })
      .child();
    this.#duration = registry.histogram({
      name: 'tollkeeper_request_duration_seconds',
      help: 'From the request to the end of its answer.',
      labels: ['route'],
      seriesMax: ROUTES_MAX,
      buckets: LATENCY_BUCKETS_SECONDS,
    });
  }

  count(facts: Facts): void {
    const { outcome } = facts;
    if (outcome === undefined) return;
    const route = facts.route?.routeId ?? '';
    this.#requests.child(route, String(outcome.status)).add();
    this.#served.add();
    this.#duration.child(route).observe(outcome.durationMs / 1000);
    if (outcome.code !== '') this.#refusals.child(outcome.code).add();
    if (outcome.wouldRefuse !== undefined) this.#observed.child(outcome.wouldRefuse).add();
    if (outcome.costNano > 0) this.#charged.add(outcome.costNano / NANO_PER_WHOLE);
    if (outcome.overrunNano > 0) this.#overrun.add(outcome.overrunNano / NANO_PER_WHOLE);
    if (outcome.model !== undefined && outcome.inputTokens > 0) {
      this.#tokens.child('input', outcome.model).add(outcome.inputTokens);
      this.#tokens.child('output', outcome.model).add(outcome.outputTokens);
    }
  }
}

import type { Facts, OutcomeFact } from '../../domain/facts.ts';
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

/** What every request of one route is counted in, found without making up the labels again. */
interface RouteCells {
  readonly byStatus: Map<number, Counter>;
  readonly duration: Histogram;
}

/** Of one model. */
interface TokenCells {
  readonly input: Counter;
  readonly output: Counter;
}

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
  readonly #routes = new Map<string, RouteCells>();
  readonly #models = new Map<string, TokenCells>();

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
    const routeId = facts.route?.routeId ?? '';
    const route = this.#routes.get(routeId) ?? this.#addRoute(routeId);
    (route.byStatus.get(outcome.status) ?? this.#addStatus(routeId, route, outcome.status)).add();
    this.#served.add();
    route.duration.observe(outcome.durationMs / 1000);
    if (outcome.code !== '') this.#refusals.child(outcome.code).add();
    if (outcome.wouldRefuse !== undefined) this.#observed.child(outcome.wouldRefuse).add();
    if (outcome.costNano > 0) this.#charged.add(outcome.costNano / NANO_PER_WHOLE);
    if (outcome.overrunNano > 0) this.#overrun.add(outcome.overrunNano / NANO_PER_WHOLE);
    this.#countTokens(outcome);
  }

  #countTokens({ model, inputTokens, outputTokens }: OutcomeFact): void {
    if (model === undefined || inputTokens <= 0) return;
    const cells = this.#models.get(model) ?? this.#addModel(model);
    cells.input.add(inputTokens);
    cells.output.add(outputTokens);
  }

  #addRoute(routeId: string): RouteCells {
    const cells = { byStatus: new Map(), duration: this.#duration.child(routeId) };
    // Configurations come and go: beyond the bound of the family there is one series for all of them.
    if (this.#routes.size < ROUTES_MAX) this.#routes.set(routeId, cells);
    return cells;
  }

  #addStatus(routeId: string, { byStatus }: RouteCells, status: number): Counter {
    const counter = this.#requests.child(routeId, String(status));
    byStatus.set(status, counter);
    return counter;
  }

  #addModel(model: string): TokenCells {
    const cells = {
      input: this.#tokens.child('input', model),
      output: this.#tokens.child('output', model),
    };
    if (this.#models.size < MODELS_MAX) this.#models.set(model, cells);
    return cells;
  }
}

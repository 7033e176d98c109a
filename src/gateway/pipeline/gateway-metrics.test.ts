import { beforeEach, describe, expect, it } from 'vitest';

import { buildFacts } from '../../../test/support/build-catalog.ts';
import type { Facts, OutcomeFact } from '../../domain/facts.ts';
import { MetricRegistry } from '../../platform/metrics.ts';
import { GatewayMetrics } from './gateway-metrics.ts';

const SERVED: OutcomeFact = {
  status: 200,
  code: '',
  durationMs: 20,
  model: 'echo',
  target: undefined,
  upstreamStatus: 200,
  ending: 'complete',
  holdNano: 9,
  costNano: 2_500_000_000,
  overrunNano: 500_000_000,
  inputTokens: 10,
  cachedInputTokens: 4,
  outputTokens: 3,
  bytesIn: 1,
  bytesOut: 2,
  estimated: false,
  clampedOutputTokens: undefined,
};

let registry: MetricRegistry;
let metrics: GatewayMetrics;
beforeEach(() => {
  registry = new MetricRegistry();
  metrics = new GatewayMetrics(registry, '1');
});

function count(outcome: Partial<OutcomeFact>, routeId = 'chat'): void {
  const route = {
    apiId: 'llm',
    routeId,
    operation: routeId,
    kind: 'chat',
    dialect: 'openai',
    endpointClass: 'metered',
  } as const;
  const facts: Facts = buildFacts({ route, outcome: { ...SERVED, ...outcome } });
  metrics.count(facts);
}

/** Label values and numbers of a family. */
function seriesOf(name: string): readonly (readonly [string, readonly number[]])[] {
  const family = registry.snapshot().families.find((each) => each.name === name);
  return (family?.series ?? []).map(({ labels, values }) => [labels.join(' '), values]);
}

describe('GatewayMetrics (OBS-17)', () => {
  it('counts an answer, its money in whole units and its tokens by direction', () => {
    count({});
    count({});
    expect(seriesOf('tollkeeper_requests_total')).toEqual([['chat 200', [2]]]);
    expect(seriesOf('tollkeeper_worker_requests_total')).toEqual([['1', [2]]]);
    expect(seriesOf('tollkeeper_charged_total')).toEqual([['', [5]]]);
    expect(seriesOf('tollkeeper_overrun_total')).toEqual([['', [1]]]);
    expect(seriesOf('tollkeeper_tokens_total')).toEqual([
      ['input echo', [20]],
      ['output echo', [6]],
    ]);
    expect(seriesOf('tollkeeper_refusals_total')).toEqual([]);
    const [, values = []] = seriesOf('tollkeeper_request_duration_seconds')[0] ?? [];
    expect(values.at(-1)).toBeCloseTo(0.04);
  });

  it('counts a refusal by its code, without money or tokens', () => {
    count({
      status: 402,
      code: 'INSUFFICIENT_CREDITS',
      costNano: 0,
      overrunNano: 0,
      inputTokens: 0,
    });
    expect(seriesOf('tollkeeper_refusals_total')).toEqual([['INSUFFICIENT_CREDITS', [1]]]);
    expect(seriesOf('tollkeeper_charged_total')).toEqual([['', [0]]]);
    expect(seriesOf('tollkeeper_tokens_total')).toEqual([]);
  });

  it('EVID-01: counts what only observation let pass, and no refusal', () => {
    count({ wouldRefuse: 'REQUEST_QUOTA_EXCEEDED' });
    expect(seriesOf('tollkeeper_would_refuse_total')).toEqual([['REQUEST_QUOTA_EXCEEDED', [1]]]);
    expect(seriesOf('tollkeeper_refusals_total')).toEqual([]);
  });

  it('a request that never reached a route counts all the same; one without an outcome does not', () => {
    metrics.count(buildFacts({ outcome: { ...SERVED, status: 404, model: undefined } }));
    metrics.count(buildFacts());
    expect(seriesOf('tollkeeper_requests_total')).toEqual([[' 404', [1]]]);
    expect(seriesOf('tollkeeper_tokens_total')).toEqual([]);
  });

  it('bound: routes and models beyond 500 series count together as other', () => {
    for (let i = 0; i < 600; i += 1) count({ model: `m${i}` }, `route${i}`);
    for (const [name, requests] of [
      ['tollkeeper_requests_total', 600],
      ['tollkeeper_tokens_total', 600 * 13],
    ] as const) {
      const series = seriesOf(name);
      expect(series.length).toBeLessThanOrEqual(501);
      expect(series.at(-1)?.[0]).toBe('other other');
      expect(series.reduce((sum, [, [value = 0]]) => sum + value, 0)).toBe(requests);
    }
  });
});

import { describe, expect, it } from 'vitest';

import type { HealthCheck, Target, Upstream } from '../domain/catalog.ts';
import { UpstreamPool } from './balancer.ts';

const PASSIVE: HealthCheck = {
  path: undefined,
  intervalMs: 1_000,
  timeoutMs: 500,
  unhealthyAfter: 2,
  healthyAfter: 2,
};

function build(weights: readonly number[], health: Partial<HealthCheck> = {}) {
  const targets = weights.map((weight, index) => ({
    url: `http://10.0.0.${index}:80/v1/`,
    weight,
  }));
  const upstream: Upstream = {
    id: 'up',
    targets,
    health: { ...PASSIVE, ...health },
    credentials: [],
  };
  let nowMs = 0;
  const changes: string[] = [];
  const pool = new UpstreamPool({
    upstream,
    clock: { now: () => nowMs, monotonicMs: () => nowMs },
    onHealthChange: (target, healthy) =>
      changes.push(`${targets.indexOf(target)} ${healthy ? 'up' : 'down'}`),
  });
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  const pick = (tried?: Target): number => {
    const target = pool.pick(tried);
    return target === undefined ? -1 : targets.indexOf(target);
  };
  const target = (index: number): Target => targets[index] ?? { url: '', weight: 0 };
  return { pool, pick, pass, target, changes };
}

describe('weights (GW-06)', () => {
  it('3:1 gives 75/25 within 5 % over 1,000, and in turns rather than in runs', () => {
    const { pick } = build([3, 1]);
    const picks = Array.from({ length: 1_000 }, () => pick());
    const share = picks.filter((index) => index === 0).length / picks.length;
    expect(share).toBeGreaterThanOrEqual(0.7125);
    expect(share).toBeLessThanOrEqual(0.7875);
    expect(picks.slice(0, 8)).toEqual([0, 0, 1, 0, 0, 0, 1, 0]);
  });

  it('never picks a target of weight 0, nor the one just tried', () => {
    const { pick, target } = build([1, 0, 1]);
    expect(new Set(Array.from({ length: 20 }, () => pick()))).toEqual(new Set([0, 2]));
    expect(new Set(Array.from({ length: 20 }, () => pick(target(0))))).toEqual(new Set([2]));
    const lone = build([1]);
    expect(lone.pick(lone.target(0))).toBe(-1);
  });

  it('says where a target is reached', () => {
    const { pool, target } = build([1]);
    expect(pool.address(target(0))).toEqual({
      origin: 'http://10.0.0.0',
      basePath: '/v1',
      host: '10.0.0.0',
    });
  });
});

describe('targets that fail calls, without probes', () => {
  it('go down after unhealthyAfter failures in a row, counted anew after a success', () => {
    const { pool, pick, target, changes } = build([1, 1]);
    pool.reportFailure(target(0));
    pool.reportSuccess(target(0));
    pool.reportFailure(target(0));
    expect(changes).toEqual([]);
    pool.reportFailure(target(0));
    expect(changes).toEqual(['0 down']);
    expect(new Set(Array.from({ length: 10 }, () => pick()))).toEqual(new Set([1]));
  });

  it('are tried again by one call at a time, after a back-off that doubles up to 30 s', () => {
    const { pool, pick, pass, target, changes } = build([1, 1]);
    for (const index of [0, 0, 1, 1]) pool.reportFailure(target(index));
    expect(pick()).toBe(-1);
    let backOffMs = 1_000;
    for (let attempt = 0; attempt < 8; attempt += 1) {
      pass(backOffMs - 1);
      expect(pick()).toBe(-1);
      pass(1);
      expect(new Set([pick(), pick()])).toEqual(new Set([0, 1]));
      expect(pick()).toBe(-1);
      pool.reportFailure(target(0));
      pool.reportFailure(target(1));
      backOffMs = Math.min(backOffMs * 2, 30_000);
    }
    pass(30_000);
    const tried = pick();
    pool.reportSuccess(target(tried));
    expect(changes).toEqual(['0 down', '1 down', `${tried} up`]);
    expect(pick(target(1 - tried))).toBe(tried);
  });

  it('are not marked when there is only one: nothing better could be picked', () => {
    const { pool, pick, target } = build([1]);
    for (let failure = 0; failure < 10; failure += 1) pool.reportFailure(target(0));
    expect(pick()).toBe(0);
  });
});

describe('targets with probes', () => {
  it('come back after healthyAfter good probes, not by time', () => {
    const { pool, pick, pass, target, changes } = build([1, 1], { path: '/healthz' });
    pool.reportFailure(target(0));
    pool.reportFailure(target(0));
    pass(3_600_000);
    expect(new Set(Array.from({ length: 10 }, () => pick()))).toEqual(new Set([1]));
    pool.reportProbe(target(0), true);
    pool.reportProbe(target(0), false);
    pool.reportProbe(target(0), true);
    expect(pool.readHealth().map(({ healthy }) => healthy)).toEqual([false, true]);
    pool.reportProbe(target(0), true);
    expect(changes).toEqual(['0 down', '0 up']);
    expect(pick()).not.toBe(-1);
  });

  it('go down by probes alone, a lone target too, and then nothing is picked', () => {
    const { pool, pick, target } = build([1], { path: '/healthz' });
    pool.reportProbe(target(0), false);
    expect(pick()).toBe(0);
    pool.reportProbe(target(0), false);
    expect(pick()).toBe(-1);
  });
});

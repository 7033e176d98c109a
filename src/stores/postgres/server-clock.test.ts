import { describe, expect, it } from 'vitest';

import { ServerClock } from './server-clock.ts';

const MINUTE_MS = 60_000;
const BEGINNING = 1_793_700_000_000;

/** A server whose clock is ahead of ours by `aheadMs`, this machine's time, and how often the server was asked. */
function startClock(aheadMs: number) {
  const world = {
    aheadMs,
    asked: 0,
    connectsFor: [] as number[],
    answersAfterMs: 0,
    passedMs: 0,
    setByMs: 0,
  };
  const now = (): number => BEGINNING + world.passedMs + world.setByMs;
  const server = {
    query: async <Row>() => {
      world.asked += 1;
      world.passedMs += world.connectsFor.shift() ?? 0;
      const row = { now: BEGINNING + world.passedMs + world.answersAfterMs / 2 + world.aheadMs };
      world.passedMs += world.answersAfterMs;
      return [row] as unknown as readonly Row[];
    },
  };
  const clock = new ServerClock(server, { now, monotonicMs: () => world.passedMs });
  return { world, clock };
}

describe('the clock of the server', () => {
  it.each([
    [0, 0],
    [200, 0],
    [-200, 0],
    [5 * MINUTE_MS, 5 * MINUTE_MS],
    [-5 * MINUTE_MS, -5 * MINUTE_MS],
  ])('ahead by %d ms, it counts as %d', async (aheadMs, counted) => {
    const { clock } = startClock(aheadMs);
    expect(await clock.aheadMs()).toBe(counted);
  });

  it('is asked once for all who want to know, and again after half a minute', async () => {
    const { world, clock } = startClock(5 * MINUTE_MS);
    await Promise.all([clock.aheadMs(), clock.aheadMs()]);
    world.passedMs += 29_000;
    await clock.aheadMs();
    expect(world.asked).toBe(1);
    world.aheadMs = 0;
    world.passedMs += 2000;
    expect(await clock.aheadMs()).toBe(0);
    expect(world.asked).toBe(2);
  });

  it('is asked at once when somebody sets the clock of this machine', async () => {
    const { world, clock } = startClock(0);
    expect(await clock.aheadMs()).toBe(0);
    world.setByMs = 60 * MINUTE_MS;
    expect(await clock.aheadMs()).toBe(-60 * MINUTE_MS);
    world.setByMs = 0;
    expect(await clock.aheadMs()).toBe(0);
  });

  it('an answer that took long changes nothing it may be wrong about', async () => {
    const { world, clock } = startClock(1500);
    world.answersAfterMs = 4000;
    expect(await clock.aheadMs()).toBe(0);
  });

  it('the wait for a connection is no difference of clocks', async () => {
    const { world, clock } = startClock(10 * MINUTE_MS);
    world.connectsFor = [6000];
    expect(await clock.aheadMs()).toBe(10 * MINUTE_MS);
    expect(world.asked).toBe(2);
  });

  it('of answers that are all slow the quickest counts, and a second later they are asked for again', async () => {
    const { world, clock } = startClock(10 * MINUTE_MS);
    world.connectsFor = [6000, 2000, 4000];
    expect(await clock.aheadMs()).toBe(10 * MINUTE_MS + 1000);
    expect(world.asked).toBe(3);
    world.passedMs += 900;
    await clock.aheadMs();
    expect(world.asked).toBe(3);
    world.passedMs += 200;
    expect(await clock.aheadMs()).toBe(10 * MINUTE_MS);
    expect(world.asked).toBe(4);
  });

  it('while the server does not answer, whoever asks is told', async () => {
    const clock = new ServerClock({ query: () => Promise.reject(new Error('away')) });
    await expect(clock.aheadMs()).rejects.toThrow('away');
    await expect(clock.aheadMs()).rejects.toThrow('away');
  });
});

import { describe, expect, it } from 'vitest';

import { type GatewayCaller, nanoOf, problemOf } from './support/gateway-caller.ts';
import { INPUT_PRICE_NANO, OUTPUT_PRICE_NANO, startLab } from './support/start-lab.ts';

describe('output bounds', () => {
  it('DESIGN 5: a call without an output bound is clamped to what the balance affords, and is told so', async () => {
    const { caller } = await startLab({ credit: '0.0005' });
    const answer = await caller.chat({ tokens: 500 });
    expect(answer.status).toBe(200);
    const clamp = Number(answer.headers['x-tollkeeper-max-tokens']);
    const { usage, choices } = JSON.parse(answer.text) as {
      usage: { completion_tokens: number };
      choices: { finish_reason: string }[];
    };
    console.log({ clamp, cost: answer.headers['x-tollkeeper-cost'] });
    expect(clamp).toBeGreaterThan(100);
    // The upstream was given the bound, and obeyed it.
    expect(usage.completion_tokens).toBe(clamp);
    expect(choices[0]?.finish_reason).toBe('length');
    const cost = INPUT_PRICE_NANO + BigInt(clamp) * OUTPUT_PRICE_NANO;
    expect(nanoOf(String(answer.headers['x-tollkeeper-cost']))).toBe(cost);
    const { clampedOutputTokens } = (await caller.facts(answer)).outcome ?? {};
    expect(clampedOutputTokens).toBe(clamp);
  });

  it("DESIGN 5, C402-06: a caller's own bound that does not fit is refused with the one that would, and that one is served", async () => {
    const { caller, model } = await startLab({ credit: '0.0005' });
    const refused = await caller.chat({ tokens: 500, maxTokens: 500 });
    expect(refused.status).toBe(402);
    const { code, message, details } = problemOf(refused);
    const affordable = details.affordable_max_tokens ?? 0;
    console.log({ affordable, message });
    expect(code).toBe('INSUFFICIENT_CREDITS');
    expect(affordable).toBeGreaterThan(100);
    expect(model.requestCount).toBe(0);
    expect((await caller.chat({ tokens: 500, maxTokens: affordable })).status).toBe(200);
  });
});

describe('every limit is refused by its own code, reaches no upstream, and is named', () => {
  it('QUOTA-03, QUOTA-06: tokens of the plan: TOKEN_QUOTA_EXCEEDED', async () => {
    const { caller, model } = await startLab({
      credit: '1.00',
      plan: ['limits: [{ tokens: 1000, per: day }]'],
      clock: '2026-11-15T12:00:00Z',
    });
    // 1 of input and 300 of output, twice; then the hold of a third does not fit.
    for (let call = 0; call < 2; call += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await caller.chat({ tokens: 300, maxTokens: 300 })).status).toBe(200);
    }
    const refused = await caller.chat({ tokens: 300, maxTokens: 300 });
    expect(problemOf(refused)).toMatchObject({
      status: 402,
      code: 'TOKEN_QUOTA_EXCEEDED',
      retry: { kind: 'after_reset', resets_at: '2026-11-16T00:00:00.000Z' },
      details: {
        exceeded_limit_type: 'tokens_per_day',
        scope: 'tenant',
        current_usage: 602,
        allowed_usage: 1000,
        remaining: 398,
      },
    });
    expect(model.requestCount).toBe(2);
    expect((await caller.usage()).limits).toMatchObject([{ used: 602, held: 0, remaining: 398 }]);
  });

  it('QUOTA-03: spend of the plan: SPENDING_LIMIT_REACHED of the tenant', async () => {
    const { caller, api } = await startLab({
      credit: '1.00',
      plan: ['limits: [{ spend: 0.005 USD, per: lifetime }]'],
    });
    expect(await countServed(caller, undefined, 7)).toBe(5);
    expect(problemOf(await caller.call({ path: '/status' }))).toMatchObject({
      status: 402,
      code: 'SPENDING_LIMIT_REACHED',
      details: { scope: 'tenant', current_usage: '0.0050 USD', allowed_usage: '0.0050 USD' },
    });
    expect(api.requestCount).toBe(5);
    expect(nanoOf((await caller.usage()).balance.settled)).toBe(995_000_000n);
  });

  it("QUOTA-03: a key's budget: SPENDING_LIMIT_REACHED with scope key; the tenant's other key goes on", async () => {
    const { caller } = await startLab({ credit: '1.00' });
    const { key } = await caller.admin<{ key: string }>('/admin/keys', {
      tenant_id: await caller.tenantId(),
      budget: '0.003',
    });
    expect(await countServed(caller, key, 5)).toBe(3);
    expect(problemOf(await caller.call({ path: '/status', key }))).toMatchObject({
      status: 402,
      code: 'SPENDING_LIMIT_REACHED',
      details: { scope: 'key', current_usage: '0.0030 USD', allowed_usage: '0.0030 USD' },
    });
    expect(await countServed(caller, undefined, 5)).toBe(5);
    expect(nanoOf((await caller.usage()).balance.settled)).toBe(992_000_000n);
  });

  it('PLAN-03: requests of a plan of price 0: FREE_TIER_EXHAUSTED, with the plans that help; a bigger plan serves the next call', async () => {
    const { caller } = await startLab({
      credit: '1.00',
      planPrice: 'free',
      plan: ['limits: [{ requests: 4, per: lifetime }]'],
    });
    expect(await countServed(caller, undefined, 6)).toBe(4);
    const { code, action, details } = problemOf(await caller.call({ path: '/status' }));
    expect({ code, action }).toEqual({ code: 'FREE_TIER_EXHAUSTED', action: 'upgrade_plan' });
    expect(details.upgrade_options).toMatchObject([{ kind: 'plan', id: 'bigger' }]);
    await caller.admin(`/admin/tenants/${await caller.tenantId()}`, { plan: 'bigger' }, 'PATCH');
    expect((await caller.call({ path: '/status' })).status).toBe(200);
  });
});

/** How many of `count` calls, one after the other, are served; the first refusal ends the service. */
async function countServed(
  caller: GatewayCaller,
  key: string | undefined,
  count: number,
): Promise<number> {
  const statuses: number[] = [];
  for (let call = 0; call < count; call += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { status } = await caller.call({
      path: '/status',
      ...(key === undefined ? {} : { key }),
    });
    statuses.push(status);
  }
  const served = statuses.filter((status) => status === 200).length;
  expect(statuses.slice(served).every((status) => status === 402)).toBe(true);
  return served;
}

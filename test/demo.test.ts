import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Call, GatewayCaller, problemOf } from './support/gateway-caller.ts';
import { type Gateway, startGateway } from './support/start-gateway.ts';

let gateway: Gateway;
let caller: GatewayCaller;

beforeAll(async () => {
  gateway = await startGateway();
  caller = new GatewayCaller(gateway);
});
afterAll(async () => {
  caller.close();
  await gateway.stop();
});

/** Status, code, and what would help: `plan developer`. */
async function ask(call: Call): Promise<readonly unknown[]> {
  const answer = await caller.call(call);
  if (answer.status < 400) return [answer.status];
  const { code, details } = problemOf(answer);
  return [answer.status, code, ...(details.upgrade_options ?? []).map(describeOption)];
}

function describeOption({ kind, id }: { readonly kind: string; readonly id: string }): string {
  return `${kind} ${id}`;
}

describe('what a new user can see of the plan Free in `tollkeeper dev`', () => {
  it('a feature that is asked for in the query is in the bigger plans (GW-19)', async () => {
    const path = '/demo/lookup/acme-7';
    expect(await ask({ path })).toEqual([200]);
    expect(await ask({ path: `${path}?details=full` })).toEqual([
      402,
      'FEATURE_NOT_IN_PLAN',
      'plan developer',
      'plan business',
      'plan enterprise',
    ]);
  });

  it('a report is sold by itself; one that is not for sale is forbidden (PLAN-05)', async () => {
    expect(await ask({ path: '/demo/report/2026' })).toEqual([
      402,
      'PURCHASE_REQUIRED',
      'add_on report-2026',
    ]);
    expect((await ask({ path: '/demo/report/2025' }))[0]).toBe(403);
  });

  it('a long prompt needs a bigger context window (LLM-09)', async () => {
    const words = (count: number): Call => ({
      path: '/v1/chat/completions',
      body: {
        model: 'echo',
        max_tokens: 1,
        messages: [{ role: 'user', content: 'a '.repeat(count) }],
      },
    });
    expect(await ask(words(100))).toEqual([200]);
    expect(await ask(words(10_000))).toEqual([
      402,
      'MCP_CONTEXT_LIMIT_EXCEEDED',
      'plan developer',
      'plan business',
      'plan enterprise',
    ]);
  });

  it('the third slow call at a time is one too many (QUOTA-10)', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => ask({ path: '/demo/slow' })));
    expect(answers.toSorted(([left], [right]) => Number(left) - Number(right))).toEqual([
      [200],
      [200],
      [402, 'CONCURRENCY_LIMIT_EXCEEDED', 'plan developer', 'plan business', 'plan enterprise'],
    ]);
    expect(await ask({ path: '/demo/slow' })).toEqual([200]);
  });
});

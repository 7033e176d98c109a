import { afterAll, beforeAll, expect, it } from 'vitest';

import {
  agree,
  type BudgetTree,
  plantBudgetTree,
  PRICE,
  priceOf,
  spendEverywhere,
} from './support/budget-tree.ts';
import { checkProblem } from './support/check-problem.ts';
import {
  type CallAnswer,
  type GatewayCaller,
  problemOf,
  runParallel,
  tally,
} from './support/gateway-caller.ts';
import { renderPlan } from './support/start-mid-month.ts';
import { type Shop, startShop } from './support/start-shop.ts';

const CALLERS = 200;
/** Calls that a budget of 50.00 is enough for, and one of 30.00. */
const [ROOT_CALLS, PART_CALLS] = [200, 120];

let shop: Shop;
let caller: GatewayCaller;

beforeAll(async () => {
  const rest = `
${renderPlan('own', ['{ requests: 1M, per: month }'])}
packs:
  small: { title: Small, price: 5.00 USD, credit: 5.00 USD }
demo: { customer: { plan: own }, credit: 1.00 USD }
`;
  shop = await startShop({ work: `price: ${PRICE}`, rest, connectionsMax: CALLERS });
  ({ caller } = shop);
}, 60_000);

afterAll(() => shop.close());

const work = (key: string): Promise<CallAnswer> => caller.callPatiently({ path: '/work', key });
const [organisation, app] = [
  ({ organisation: found }: BudgetTree) => found,
  ({ apps }: BudgetTree) => apps[0] ?? { tenantId: '', keyId: '', key: '' },
];

/** Calls one after the other until one is refused; how many were served. */
async function callUntilRefused(key: string): Promise<{ served: number; refused: CallAnswer }> {
  for (let served = 0; ; served += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each call shows whether there is another
    const answer = await work(key);
    if (answer.status !== 200) return { served, refused: answer };
  }
}

it('DEL-04, TEN-03: 30 + 30 of 50 is spent to the cent by 200 callers at once on two workers, and neither part passes its own', async () => {
  const tree = await plantBudgetTree(caller, 'own');
  shop.workshop.forget();
  const { outcomes, refused, spentNano } = await spendEverywhere([caller], tree, '/work');
  console.log({ outcomes, workers: await caller.workerCounts() });
  const served = outcomes.map((each) => each['served'] ?? 0);
  expect(served.reduce((sum, each) => sum + each)).toBe(ROOT_CALLS);
  for (const each of served) expect(each).toBeLessThanOrEqual(PART_CALLS);
  expect(spentNano).toEqual(served.map(priceOf));
  expect(shop.workshop.calls).toBe(ROOT_CALLS);
  expect(tally(refused.map((each) => problemOf(each).code))).toEqual({
    SPENDING_LIMIT_REACHED: 2 * CALLERS - ROOT_CALLS,
  });
  const { limits } = await caller.usage(app(tree).key);
  expect(limits.filter(({ id }) => id === 'tenant_budget')).toMatchObject([
    { from: 'tenant', limit: '30.00', held: '0.00' },
    { from: 'ancestor', limit: '50.00', used: '50.00', held: '0.00', remaining: '0.00' },
  ]);
  expect(await caller.audit()).toEqual([]);
}, 60_000);

it('BILL-05, QUOTA-03: the answer names whose budget it is, and who can raise it', async () => {
  const tree = await plantBudgetTree(caller, 'own');
  const { key } = app(tree);
  await agree(caller, organisation(tree), { budget: '0.50' });
  const above = await callUntilRefused(key);
  expect(above.served).toBe(2);
  const problem = checkProblem(above.refused, 'SPENDING_LIMIT_REACHED');
  expect(problem).toMatchObject({
    action: 'contact_admin',
    retry: { kind: 'never_until_action' },
    details: {
      limit_id: 'tenant_budget',
      scope: 'tenant',
      from: 'ancestor',
      current_usage: '0.5000 USD',
      allowed_usage: '0.5000 USD',
      upgrade_options: [],
    },
  });
  expect(problem.message).toContain(
    'The organisation above this account has spent 0.5000 USD of a limit of 0.5000 USD in total, and this call could cost up to 0.2500 USD. Ask the organisation above this account to raise it, then retry: http',
  );
  await agree(caller, organisation(tree), { budget: null });
  await agree(caller, app(tree), { budget: '0.75', budget_per: 'month' });
  expect((await callUntilRefused(key)).served).toBe(3);
  const own = checkProblem((await callUntilRefused(key)).refused, 'SPENDING_LIMIT_REACHED');
  expect(own).toMatchObject({
    action: 'raise_spending_limit',
    retry: { kind: 'after_reset', resets_at: '2026-12-01T00:00:00.000Z' },
    details: { limit_id: 'tenant_budget', scope: 'tenant', window: 'month' },
  });
  expect(own.details).not.toHaveProperty('from');
  await agree(caller, app(tree), { budget: null });
  await caller.admin(
    `/admin/keys/${app(tree).keyId}`,
    { budget: '0.25', budget_per: 'day' },
    'PATCH',
  );
  expect(await callUntilRefused(key)).toMatchObject({ served: 1 });
  expect(problemOf(await work(key))).toMatchObject({
    retry: { kind: 'after_reset', resets_at: '2026-11-19T00:00:00.000Z' },
    details: { limit_id: 'key_budget', scope: 'key', window: 'day' },
  });
});

it('BILL-05, QUOTA-12: a budget that is changed is in force on every worker when the change answers, and keeps what is used', async () => {
  const tree = await plantBudgetTree(caller, 'own');
  const all = async (): Promise<Readonly<Record<string, number>>> => {
    const answers = await runParallel(40, 20, (index) => work(tree.apps[index % 2]?.key ?? ''));
    return tally(answers.map(({ status }) => status));
  };
  expect(await all()).toEqual({ 200: 40 });
  await agree(caller, organisation(tree), { budget: '10.00' });
  expect(await all()).toEqual({ 402: 40 });
  await agree(caller, organisation(tree), { budget: '15.00' });
  expect(await all()).toEqual({ 200: 20, 402: 20 });
  await agree(caller, organisation(tree), { budget: '2.00' });
  expect(await all()).toEqual({ 402: 40 });
  const shown = await caller.admin<{ limits: readonly object[] }>(
    `/admin/tenants/${organisation(tree).tenantId}`,
  );
  expect(shown).toMatchObject({ budget: '2.00 USD', budget_per: 'lifetime' });
  expect(shown.limits).toContainEqual(
    expect.objectContaining({
      id: 'tenant_budget',
      limit: '2.00',
      used: '15.00',
      remaining: '0.00',
    }),
  );
  await agree(caller, organisation(tree), { budget: null });
  expect(await all()).toEqual({ 200: 40 });
});

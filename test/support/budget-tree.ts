import { createCustomer, type Customer } from './customers.ts';
import {
  type CallAnswer,
  type GatewayCaller,
  nanoOf,
  problemOf,
  runParallel,
  tally,
} from './gateway-caller.ts';

/** DEL-04: the number of its row. What the parts may spend is more than the whole. */
export const ROOT = '50.00 USD';
export const PART = '30.00 USD';
export const PRICE = '0.25 USD / request';
const PRICE_NANO = nanoOf('0.25');
const PARTS = 2;
const CALLERS = 200;
const CALLS = 400;

export interface BudgetTree {
  readonly organisation: Customer;
  /** One key each. */
  readonly apps: readonly Customer[];
}

/** Two apps that may spend 30 each below an organisation that may spend 50; every one has money of its own. */
export async function plantBudgetTree(caller: GatewayCaller, plan: string): Promise<BudgetTree> {
  const organisation = await createCustomer(caller, { plan, credit: '100.00' });
  await agree(caller, organisation, { budget: ROOT });
  const apps = await Promise.all(
    Array.from({ length: PARTS }, async () => {
      const app = await createCustomer(caller, { plan, credit: '100.00' });
      await agree(caller, app, { parent_id: organisation.tenantId, budget: PART });
      return app;
    }),
  );
  return { organisation, apps };
}

export function agree(
  caller: GatewayCaller,
  { tenantId }: Customer,
  terms: object,
): Promise<unknown> {
  return caller.admin(`/admin/tenants/${tenantId}`, terms, 'PATCH');
}

export interface Spending {
  /** By app. */
  readonly outcomes: readonly Readonly<Record<string, number>>[];
  readonly refused: readonly CallAnswer[];
  /** What left the balances, in nano. */
  readonly spentNano: readonly bigint[];
}

/** 200 callers at once, over all gateways and both apps in turn, until each has called twice. */
export async function spendEverywhere(
  callers: readonly GatewayCaller[],
  { apps }: BudgetTree,
  path: string,
): Promise<Spending> {
  const answers = await runParallel(CALLS, CALLERS, (index) =>
    at(callers, index).callPatiently({
      path,
      key: at(apps, Math.floor(index / callers.length)).key,
    }),
  );
  const ofApp = (app: Customer): CallAnswer[] =>
    answers.filter((_, index) => at(apps, Math.floor(index / callers.length)) === app);
  const outcomes = apps.map((app) =>
    tally(ofApp(app).map((each) => (each.status === 200 ? 'served' : problemOf(each).code))),
  );
  const usages = await Promise.all(apps.map(({ key }) => at(callers, 0).usage(key)));
  return {
    outcomes,
    refused: answers.filter(({ status }) => status !== 200),
    spentNano: usages.map(({ balance }) => nanoOf('100.00') - nanoOf(balance.settled)),
  };
}

/** Of a whole number of calls. */
export function priceOf(calls: number): bigint {
  return BigInt(calls) * PRICE_NANO;
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index % items.length];
  if (item === undefined) throw new Error('there is none');
  return item;
}

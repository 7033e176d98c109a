import type { PeriodName } from '../contract/phrases/phrasebook.ts';
import type { Calendar } from './window.ts';

/** Ids that no other limit may have: the account would be the budget's. */
export const KEY_BUDGET = 'key_budget';
export const TENANT_BUDGET = 'tenant_budget';

/**
 * One node of a tree of budgets, as it stands above a call: the most that may be spent below it in a window,
 * whatever plans and balances allow (BILL-05). A call is held in every node above it, all or none, so that no tree
 * spends more than its root, however much its parts promise together (DEL-04, TEN-03).
 */
export interface BudgetNode {
  /** `key_budget`, `tenant_budget`: what kind of node it is. */
  readonly id: typeof KEY_BUDGET | typeof TENANT_BUDGET;
  /** Whose spend is counted; the account is named by it. */
  readonly ownerId: string;
  /** Whose account it is. */
  readonly tenantId: string;
  readonly from: 'key' | 'tenant' | 'ancestor';
  readonly amountNano: number;
  readonly window: PeriodName;
  readonly calendar: Calendar;
}

interface Budgeted {
  readonly id: string;
  readonly terms: { readonly budgetNano: number | undefined; readonly budgetWindow: PeriodName };
  /** Whose days its windows begin with. */
  readonly calendar: Calendar;
}
interface BudgetedKey {
  readonly id: string;
  readonly budgetNano: number | undefined;
  readonly terms: { readonly budgetWindow: PeriodName };
}

/** Of most callers. */
const NONE: readonly BudgetNode[] = [];

/** The budgets of a tenant and of all above it. `chain`: nearest first, the tenant itself at its beginning. */
export function tenantBudgets(chain: readonly Budgeted[]): readonly BudgetNode[] {
  const nodes = chain.flatMap(({ id, terms, calendar }, index): readonly BudgetNode[] => {
    const { budgetNano: amountNano, budgetWindow: window } = terms;
    if (amountNano === undefined) return NONE;
    const from = index === 0 ? 'tenant' : 'ancestor';
    return [{ id: TENANT_BUDGET, ownerId: id, tenantId: id, from, amountNano, window, calendar }];
  });
  return nodes.length === 0 ? NONE : nodes;
}

/** Those above a call with this key, nearest first: its own, and those of its tenant. */
export function withKeyBudget(
  holder: {
    readonly tenantId: string;
    readonly calendar: Calendar;
    readonly budgets: readonly BudgetNode[];
  },
  { id: ownerId, budgetNano: amountNano, terms }: BudgetedKey,
): readonly BudgetNode[] {
  const { tenantId, calendar, budgets } = holder;
  if (amountNano === undefined) return budgets;
  const window = terms.budgetWindow;
  return [
    { id: KEY_BUDGET, ownerId, tenantId, from: 'key', amountNano, window, calendar },
    ...budgets,
  ];
}

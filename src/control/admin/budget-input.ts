import { z } from 'zod';

import { PERIOD_NAMES, type PeriodName } from '../../contract/phrases/phrasebook.ts';
import { formatMoney, toSafeNumber } from '../../domain/money.ts';
import { amountSchema, clearable } from './input-values.ts';

/** A budget of a key or a tenant: `budget: "50.00 USD"`, and `budget_per: "month"` where it is for a time. */
export function budgetShape(asset: string) {
  return {
    budget: clearable(amountSchema(asset).transform(toSafeNumber)),
    budget_per: clearable(z.enum(PERIOD_NAMES)),
  };
}

type BudgetBody = z.output<z.ZodObject<ReturnType<typeof budgetShape>>>;

/** A time alone would leave open whether there is a budget at all. */
export function refineBudget(body: BudgetBody, context: z.RefinementCtx): void {
  const isAlone = 'budget' in body ? body.budget_per !== undefined : 'budget_per' in body;
  if (!isAlone || body.budget !== undefined) return;
  const message = 'is how long a budget is for: give "budget" with it, such as "50.00"';
  context.addIssue({ code: 'custom', path: ['budget_per'], message });
}

/** An amount alone leaves the time as it was; without an amount there is no time. */
export function toBudget({ budget, ...rest }: BudgetBody): {
  readonly budgetNano: number | undefined;
  readonly budgetWindow?: PeriodName;
} {
  if (budget === undefined) return { budgetNano: undefined, budgetWindow: 'lifetime' };
  if (!('budget_per' in rest)) return { budgetNano: budget };
  return { budgetNano: budget, budgetWindow: rest.budget_per ?? 'lifetime' };
}

/** The same as it is given; null where there is none. */
export function viewBudget(
  budgetNano: number | undefined,
  budgetWindow: PeriodName,
  asset: string,
): { readonly budget: string | null; readonly budget_per: PeriodName | null } {
  if (budgetNano === undefined) return { budget: null, budget_per: null };
  return { budget: formatMoney({ asset, units: BigInt(budgetNano) }), budget_per: budgetWindow };
}

import type { Command } from 'commander';

import type { AdminOptions } from './admin-client.ts';
import { clearable, collect, type OverrideBody, parseOverride } from './option-values.ts';

/** What is agreed with a customer, as options of `create` and `update`. */
export interface CustomerOptions extends AdminOptions {
  readonly name?: string;
  readonly plan?: string;
  readonly parent?: string;
  readonly pooled?: boolean;
  readonly timeZone?: string;
  readonly billingAnchor?: string;
  readonly subscription?: string;
  readonly subscriptionEnds?: string;
  readonly paymentMethod?: string;
  readonly paymentFailedAt?: string;
  readonly overdueInvoice?: readonly string[];
  readonly disputed?: boolean;
  readonly reauthorization?: boolean;
  readonly accountState?: string;
  readonly override?: readonly OverrideBody[];
  readonly overageUntil?: string;
  readonly budget?: string;
  readonly budgetPer?: string;
  readonly enforcement?: string;
}

/** Options that take a time also take `30d` from now and, as those of names do, `none`. */
export function addCustomerOptions(command: Command): Command {
  return command
    .option('--parent <id>', 'customer it belongs to: its limits hold too; none = on its own')
    .option('--pooled', 'draws on plan and balance of its parent')
    .option('--no-pooled', 'has a plan and balance of its own')
    .option('--time-zone <name>', 'where its days begin, such as Europe/Berlin')
    .option('--billing-anchor <when>', 'first day of its first billing cycle, or none')
    .option('--subscription <state>', 'trialing, active, paused or canceled')
    .option('--subscription-ends <when>', 'end of the trial or subscription, or none')
    .option('--payment-method <state>', 'not_required, valid, missing, unverified or invalid')
    .option('--payment-failed-at <when>', 'when collecting a charge first failed, or none')
    .option(
      '--overdue-invoice <id>',
      'repeatable, replaces all; none = nothing is due',
      collectText,
    )
    .option('--disputed', 'a payment is disputed')
    .option('--no-disputed', 'the dispute is over')
    .option('--reauthorization', 'a payment has to be confirmed again')
    .option('--no-reauthorization', 'it has been confirmed')
    .option('--account-state <state>', 'active, unverified, suspended or pending_approval')
    .option(
      '--override <limit=amount[@until]>',
      'another number for a limit of its plan; repeatable, replaces all; none = as the plan says',
      collect(parseOverride),
    )
    .option('--overage-until <when>', 'it agreed to pay beyond its allowance until then, or none')
    .option('--budget <amount>', 'most that it and all below it may spend, or none')
    .option('--budget-per <period>', 'that the budget is for, such as month; lifetime = for ever')
    .option('--enforcement <mode>', 'observe (only note refusals), enforce, or none = as the plan');
}

/** Members that were not given are absent: they stay as they are. */
export function customerBody(options: CustomerOptions): Readonly<Record<string, unknown>> {
  return {
    name: options.name,
    plan: options.plan,
    parent_id: clearable(options.parent),
    pooled: options.pooled,
    time_zone: options.timeZone,
    billing_anchor: clearable(options.billingAnchor),
    subscription: present({
      state: options.subscription,
      ends_at: clearable(options.subscriptionEnds),
    }),
    payment: present({
      method: options.paymentMethod,
      failed_at: clearable(options.paymentFailedAt),
      overdue_invoices: options.overdueInvoice,
      disputed: options.disputed,
      reauthorization_required: options.reauthorization,
    }),
    account_state: options.accountState,
    overrides: options.override,
    overage_authorized_until: clearable(options.overageUntil),
    budget: clearable(options.budget),
    budget_per: options.budgetPer,
    enforcement: clearable(options.enforcement),
  };
}

const collectText = collect((text) => text);

/** Undefined when nothing of it was given. */
function present(members: Readonly<Record<string, unknown>>): object | undefined {
  return Object.values(members).every((each) => each === undefined) ? undefined : members;
}

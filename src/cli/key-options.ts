import type { Command } from 'commander';

import type { AdminOptions } from './admin-client.ts';
import {
  clearable,
  collect,
  type KeyLimitBody,
  parseCount,
  parseKeyLimit,
  parseNames,
} from './option-values.ts';

/** What a key may do, as options of `create` and `update`. */
export interface KeyOptions extends AdminOptions {
  readonly name?: string;
  readonly budget?: string;
  readonly budgetPer?: string;
  readonly expires?: string;
  readonly apis?: readonly string[];
  readonly models?: readonly string[];
  readonly operations?: readonly string[];
  readonly addresses?: readonly string[];
  readonly roles?: readonly string[];
  readonly contextTokens?: string;
  readonly limit?: readonly KeyLimitBody[];
}

export function addKeyOptions(command: Command): Command {
  return command
    .option('--name <name>', 'what the key is for')
    .option('--budget <amount>', 'most the key may spend, such as 1.00, or none')
    .option('--budget-per <period>', 'that the budget is for, such as month; lifetime = for ever')
    .option('--expires <when>', 'a time from now such as 30d, or 2026-12-31T00:00:00Z, or none')
    .option('--apis <ids>', 'only these, comma-separated; all = every API', parseNames)
    .option('--models <ids>', 'only these models; all = every model of the plan', parseNames)
    .option('--operations <names>', 'only these operations of routes; all = every one', parseNames)
    .option('--addresses <networks>', 'only from there, such as 10.0.0.0/8; all', parseNames)
    .option('--roles <names>', 'roles that routes ask for; all = take all roles away', parseNames)
    .option('--context-tokens <n>', 'largest call in tokens, below the plan; none', parseCount)
    .option(
      '--limit <unit/window=amount>',
      'a limit of this key alone, such as requests/day=100; repeatable, replaces all; none',
      collect(parseKeyLimit),
    );
}

/** Members that were not given are absent: they stay as they are. */
export function keyBody(options: KeyOptions): Readonly<Record<string, unknown>> {
  const { name, apis, models, operations, addresses, roles } = options;
  const contextTokens = clearable(options.contextTokens);
  return {
    name,
    budget: clearable(options.budget),
    budget_per: options.budgetPer,
    expires_at: clearable(options.expires),
    apis,
    models,
    operations,
    addresses,
    roles,
    context_tokens_max: typeof contextTokens === 'string' ? Number(contextTokens) : contextTokens,
    limits: options.limit,
  };
}

import type { Command } from 'commander';

import type { AdminOptions } from './admin-client.ts';
import { readList } from './answer-shapes.ts';
import { describeClientCommand, runCall, showPage, textColumn } from './client-command.ts';
import type { CommandIo } from './command-outcome.ts';
import { formatFields } from './format-table.ts';
import { addOnceOption, type OnceOptions, runOnce } from './once.ts';

const COLUMNS = [
  textColumn('ID', 'id'),
  textColumn('AMOUNT', 'amount'),
  textColumn('REMAINING', 'remaining'),
  textColumn('CATEGORY', 'category'),
  textColumn('SOURCE', 'source'),
  textColumn('EXPIRES', 'expires_at'),
  textColumn('CREATED', 'created_at'),
];

interface AddOptions extends OnceOptions {
  readonly tenant: string;
  readonly amount: string;
  readonly category?: string;
  readonly expires?: string;
}

export function registerCreditCommands(program: Command, io: CommandIo): void {
  const credits = program.command('credits').description('prepaid credit of customers (grants)');
  const add = describeClientCommand(credits.command('add').description('give a customer credit'), [
    'credits add --tenant ten_0199... --amount 5.00',
    'credits add --tenant ten_0199... --amount "2.50 USD" --category promotional --expires 90d',
  ])
    .requiredOption('--tenant <id>', 'customer who gets it')
    .requiredOption('--amount <amount>', 'how much, such as 5.00 or "5.00 USD"')
    .option('--category <category>', 'paid, promotional or included (default paid)')
    .option('--expires <when>', 'a time from now such as 90d, or 2026-12-31T00:00:00Z');
  addOnceOption(add).action((options: AddOptions) => addCredit(options, io));
  describeClientCommand(
    credits.command('list').description('grants of a customer, and what is left of them'),
    ['credits list --tenant ten_0199...', 'credits list --tenant ten_0199... --json'],
  )
    .requiredOption('--tenant <id>', 'customer')
    .action((options: AdminOptions & { tenant: string }) =>
      runCall({ method: 'GET', path: grantsPath(options.tenant) }, options, io, (json) =>
        showPage(readList(json, 'data'), json, COLUMNS, io),
      ),
    );
}

function addCredit(options: AddOptions, io: CommandIo): Promise<void> {
  const { tenant, amount, category, expires } = options;
  const body = { amount, category, expires_at: expires };
  return runOnce({ method: 'POST', path: grantsPath(tenant), body }, options, io, (json) => {
    const fields = COLUMNS.map(({ title, value }) => [title.toLowerCase(), value(json)] as const);
    return { kind: 'done', json, text: formatFields(fields) };
  });
}

function grantsPath(tenant: string): readonly string[] {
  return ['admin', 'tenants', tenant, 'grants'];
}

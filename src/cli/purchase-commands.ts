import type { Command } from 'commander';

import type { AdminOptions } from './admin-client.ts';
import { readList } from './answer-shapes.ts';
import { describeClientCommand, type Done, runCall, showPage } from './client-command.ts';
import type { CommandIo } from './command-outcome.ts';
import { formatFields } from './format-table.ts';
import { addOnceOption, type OnceOptions, runOnce } from './once.ts';
import { PURCHASE_COLUMNS } from './show-customer.ts';

interface AddOptions extends OnceOptions {
  readonly tenant: string;
  readonly addOn: string;
  readonly expires?: string;
}

/** What customers bought beside their plans. */
export function registerPurchaseCommands(customers: Command, io: CommandIo): void {
  const purchases = customers
    .command('purchases')
    .description('add-ons of customers; recording one moves no money');
  const add = describeClientCommand(
    purchases.command('add').description('give a customer an add-on of the configuration'),
    [
      'customers purchases add --tenant ten_0199... --add-on burst',
      'customers purchases add --tenant ten_0199... --add-on course-7 --expires 30d --json',
    ],
  )
    .requiredOption('--tenant <id>', 'customer who gets it')
    .requiredOption('--add-on <id>', 'id of an add-on in the configuration')
    .option('--expires <when>', 'a time from now such as 90d, or 2026-12-31T00:00:00Z');
  addOnceOption(add).action((options: AddOptions) => {
    const body = { add_on: options.addOn, expires_at: options.expires };
    const path = purchasesPath(options.tenant);
    return runOnce({ method: 'POST', path, body }, options, io, showPurchase);
  });
  describeClientCommand(
    purchases.command('list').description('what a customer bought, and whether it is in force'),
    [
      'customers purchases list --tenant ten_0199...',
      'customers purchases list --tenant ten_0199... --json',
    ],
  )
    .requiredOption('--tenant <id>', 'customer')
    .action((options: AdminOptions & { tenant: string }) =>
      runCall({ method: 'GET', path: purchasesPath(options.tenant) }, options, io, (json) =>
        showPage(readList(json, 'data'), json, PURCHASE_COLUMNS, io),
      ),
    );
  describeClientCommand(
    purchases.command('end <id>').description('end a purchase now; it stays on record'),
    [
      'customers purchases end pur_0199... --tenant ten_0199...',
      'customers purchases end pur_0199... --tenant ten_0199... --json',
    ],
  )
    .requiredOption('--tenant <id>', 'customer')
    .action((id: string, options: AdminOptions & { tenant: string }) => {
      const path = [...purchasesPath(options.tenant), id];
      return runCall({ method: 'DELETE', path }, options, io, showPurchase);
    });
}

function purchasesPath(tenant: string): readonly string[] {
  return ['admin', 'tenants', tenant, 'purchases'];
}

function showPurchase(json: unknown): Done {
  const fields = PURCHASE_COLUMNS.map(
    ({ title, value }) => [title.toLowerCase(), value(json)] as const,
  );
  return { kind: 'done', json, text: formatFields(fields) };
}

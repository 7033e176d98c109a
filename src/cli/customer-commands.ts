import type { Command } from 'commander';

import type { AdminOptions } from './admin-client.ts';
import { readList, readText } from './answer-shapes.ts';
import {
  addPageOptions,
  describeClientCommand,
  runCall,
  showPage,
  textColumn,
} from './client-command.ts';
import type { ListOptions } from './client-command.ts';
import type { CommandIo } from './command-outcome.ts';
import { addCustomerOptions, customerBody, type CustomerOptions } from './customer-options.ts';
import { formatFields } from './format-table.ts';
import { registerPurchaseCommands } from './purchase-commands.ts';
import { showCustomerInFull } from './show-customer.ts';

const COLUMNS = [
  textColumn('ID', 'id'),
  textColumn('NAME', 'name'),
  textColumn('PLAN', 'plan'),
  textColumn('PARENT', 'parent_id'),
  textColumn('CREATED', 'created_at'),
];

export function registerCustomerCommands(program: Command, io: CommandIo): void {
  const customers = program.command('customers').description('customers of the gateway (tenants)');
  registerCreate(customers, io);
  registerUpdate(customers, io);
  addPageOptions(
    describeClientCommand(customers.command('list').description('list customers'), [
      'customers list',
      'customers list --parent ten_0199... --limit 200 --json',
    ]),
  )
    .option('--parent <id>', 'only those directly below this customer')
    .action(({ limit, cursor, parent, ...options }: ListOptions & { parent?: string }) => {
      const query = { parent_id: parent, limit, cursor };
      return runCall({ method: 'GET', path: ['admin', 'tenants'], query }, options, io, (json) =>
        showPage(readList(json, 'data'), json, COLUMNS, io),
      );
    });
  describeClientCommand(
    customers
      .command('show <id>')
      .description('plan, balance, limits, standing and agreements of a customer'),
    ['customers show ten_0199...', 'customers show ten_0199... --json'],
  ).action((id: string, options: AdminOptions) =>
    runCall({ method: 'GET', path: customerPath(id) }, options, io, (json) =>
      showCustomerInFull(json, io),
    ),
  );
  registerPurchaseCommands(customers, io);
}

function registerCreate(customers: Command, io: CommandIo): void {
  const create = describeClientCommand(
    customers.command('create').description('add a customer on a plan'),
    [
      'customers create --name "Acme Inc" --plan free',
      'customers create --name Research --plan business --parent ten_0199... --pooled --json',
    ],
  )
    .requiredOption('--name <name>', 'name of the customer')
    .requiredOption('--plan <plan>', 'id of a plan in the configuration');
  addCustomerOptions(create).action((options: CustomerOptions) =>
    runCall(
      { method: 'POST', path: ['admin', 'tenants'], body: customerBody(options) },
      options,
      io,
      (json) => ({
        kind: 'done',
        json,
        text: showCustomer(json),
        hint: `next: tollkeeper keys create --tenant ${readText(json, 'id') ?? 'ID'}`,
      }),
    ),
  );
}

function registerUpdate(customers: Command, io: CommandIo): void {
  const update = describeClientCommand(
    customers
      .command('update <id>')
      .alias('change')
      .description('change the plan of a customer, or what is agreed with it'),
    [
      'customers update ten_0199... --plan business --time-zone Europe/Berlin',
      'customers update ten_0199... --override requests_per_month=5000@2027-01-01 --budget 50.00 --budget-per month --json',
    ],
  )
    .option('--name <name>', 'name of the customer')
    .option('--plan <plan>', 'id of a plan in the configuration');
  addCustomerOptions(update).action((id: string, options: CustomerOptions) =>
    runCall(
      { method: 'PATCH', path: customerPath(id), body: customerBody(options) },
      options,
      io,
      (json) => ({ kind: 'done', json, text: showCustomer(json) }),
    ),
  );
}

function customerPath(id: string): readonly string[] {
  return ['admin', 'tenants', id];
}

function showCustomer(json: unknown): string {
  return formatFields(COLUMNS.map(({ title, value }) => [title.toLowerCase(), value(json)]));
}

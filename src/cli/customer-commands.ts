import type { Command } from 'commander';

import type { AdminOptions } from './admin-client.ts';
import { readList, readMember, readText } from './answer-shapes.ts';
import {
  addPageOptions,
  describeClientCommand,
  runCall,
  showPage,
  textColumn,
} from './client-command.ts';
import type { Done, ListOptions } from './client-command.ts';
import type { CommandIo } from './command-outcome.ts';
import { formatFields, formatTable } from './format-table.ts';

const COLUMNS = [
  textColumn('ID', 'id'),
  textColumn('NAME', 'name'),
  textColumn('PLAN', 'plan'),
  textColumn('CREATED', 'created_at'),
];
const LIMIT_COLUMNS = [
  textColumn('LIMIT', 'id'),
  textColumn('SCOPE', 'scope'),
  textColumn('USED', 'used'),
  textColumn('HELD', 'held'),
  textColumn('ALLOWED', 'limit'),
  textColumn('REMAINING', 'remaining'),
  textColumn('RESETS', 'resets_at'),
];

export function registerCustomerCommands(program: Command, io: CommandIo): void {
  const customers = program.command('customers').description('customers of the gateway (tenants)');
  describeClientCommand(customers.command('create').description('add a customer on a plan'), [
    'customers create --name "Acme Inc" --plan free',
    'customers create --name Acme --plan business --json',
  ])
    .requiredOption('--name <name>', 'name of the customer')
    .requiredOption('--plan <plan>', 'id of a plan in the configuration')
    .action((options: AdminOptions & { name: string; plan: string }) =>
      runCall(
        {
          method: 'POST',
          path: '/admin/tenants',
          body: { name: options.name, plan: options.plan },
        },
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
  addPageOptions(
    describeClientCommand(customers.command('list').description('list customers'), [
      'customers list',
      'customers list --limit 200 --json',
    ]),
  ).action((options: ListOptions) =>
    runCall(
      {
        method: 'GET',
        path: '/admin/tenants',
        query: { limit: options.limit, cursor: options.cursor },
      },
      options,
      io,
      (json) => showPage(readList(json, 'data'), json, COLUMNS, io),
    ),
  );
  registerOne(customers, io);
}

function registerOne(customers: Command, io: CommandIo): void {
  describeClientCommand(
    customers.command('show <id>').description('plan, balance and limits of a customer'),
    ['customers show ten_0199...', 'customers show ten_0199... --json'],
  ).action((id: string, options: AdminOptions) =>
    runCall({ method: 'GET', path: customerPath(id) }, options, io, (json) => showInFull(json, io)),
  );
  describeClientCommand(
    customers.command('change <id>').description('put a customer on another plan'),
    [
      'customers change ten_0199... --plan business',
      'customers change ten_0199... --plan free --json',
    ],
  )
    .requiredOption('--plan <plan>', 'id of a plan in the configuration')
    .action((id: string, options: AdminOptions & { plan: string }) =>
      runCall(
        { method: 'PATCH', path: customerPath(id), body: { plan: options.plan } },
        options,
        io,
        (json) => ({
          kind: 'done',
          json,
          text: showCustomer(json),
        }),
      ),
    );
}

function customerPath(id: string): string {
  return `/admin/tenants/${encodeURIComponent(id)}`;
}

function showCustomer(json: unknown): string {
  return formatFields(COLUMNS.map(({ title, value }) => [title.toLowerCase(), value(json)]));
}

function showInFull(json: unknown, io: CommandIo): Done {
  const balance = readMember(json, 'balance');
  const asset = readText(balance, 'asset') ?? '';
  const money = (member: string) => `${readText(balance, member) ?? '-'} ${asset}`;
  const fields = formatFields([
    ['id', readText(json, 'id')],
    ['name', readText(json, 'name')],
    ['plan', readText(json, 'plan')],
    ['balance', money('settled')],
    ['held', money('held')],
    ['available', money('available')],
    ['created', readText(json, 'created_at')],
  ]);
  const limits = readList(json, 'limits');
  const table = limits.length === 0 ? '' : `\n\n${formatTable(limits, LIMIT_COLUMNS, io.color)}`;
  return { kind: 'done', json, text: fields + table };
}

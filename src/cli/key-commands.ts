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
import { formatFields } from './format-table.ts';

const COLUMNS = [
  textColumn('ID', 'id'),
  textColumn('KEY', 'hint'),
  textColumn('NAME', 'name'),
  textColumn('STATE', 'state'),
  textColumn('BUDGET', 'budget'),
  textColumn('EXPIRES', 'expires_at'),
  textColumn('TENANT', 'tenant_id'),
];

interface CreateOptions extends AdminOptions {
  readonly tenant: string;
  readonly name?: string;
  readonly environment?: string;
  readonly budget?: string;
  readonly expires?: string;
}

export function registerKeyCommands(program: Command, io: CommandIo): void {
  const keys = program.command('keys').description('API keys of customers');
  registerCreate(keys, io);
  addPageOptions(
    describeClientCommand(
      keys.command('list').description('list keys; the keys themselves are never shown again'),
      ['keys list', 'keys list --tenant ten_0199... --json'],
    ),
  )
    .option('--tenant <id>', 'only keys of this customer')
    .action((options: ListOptions & { tenant?: string }) => {
      const query = { tenant_id: options.tenant, limit: options.limit, cursor: options.cursor };
      return runCall({ method: 'GET', path: '/admin/keys', query }, options, io, (json) =>
        showPage(readList(json, 'data'), json, COLUMNS, io),
      );
    });
  describeClientCommand(
    keys.command('revoke <id>').description('revoke a key: refused everywhere within a second'),
    ['keys revoke key_0199...', 'keys revoke key_0199... --json'],
  ).action((id: string, options: AdminOptions) =>
    runCall(
      { method: 'POST', path: `/admin/keys/${encodeURIComponent(id)}/revoke` },
      options,
      io,
      (json) => ({ kind: 'done', json, text: showKey(json) }),
    ),
  );
}

function registerCreate(keys: Command, io: CommandIo): void {
  describeClientCommand(keys.command('create').description('make a key; it is shown this once'), [
    'keys create --tenant ten_0199... --name ci --budget 1.00 --expires 30d',
    'keys create --tenant ten_0199... --environment test --json',
  ])
    .requiredOption('--tenant <id>', 'customer the key belongs to')
    .option('--name <name>', 'what the key is for')
    .option('--environment <live|test>', 'which prefix the key has (default live)')
    .option('--budget <amount>', 'most the key may ever spend, such as 1.00')
    .option('--expires <when>', 'a time from now such as 30d or 12h, or 2026-12-31T00:00:00Z')
    .action((options: CreateOptions) => {
      const { tenant, name, environment, budget, expires } = options;
      const body = { tenant_id: tenant, name, environment, budget, expires_at: expires };
      return runCall({ method: 'POST', path: '/admin/keys', body }, options, io, (json) => ({
        kind: 'done',
        json,
        text: `${showKey(json)}\n\n${readText(json, 'key') ?? ''}`,
        hint: 'Copy the key now: it is stored as a hash and cannot be shown again.',
      }));
    });
}

function showKey(json: unknown): string {
  return formatFields(COLUMNS.map(({ title, value }) => [title.toLowerCase(), value(json)]));
}

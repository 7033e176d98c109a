import type { Command } from 'commander';

import type { AdminOptions } from './admin-client.ts';
import { readBudget, readList, readText } from './answer-shapes.ts';
import {
  addPageOptions,
  describeClientCommand,
  type Done,
  runCall,
  showPage,
  textColumn,
} from './client-command.ts';
import type { ListOptions } from './client-command.ts';
import type { CommandIo } from './command-outcome.ts';
import { type Column, formatFields, formatTable } from './format-table.ts';
import { addKeyOptions, keyBody, type KeyOptions } from './key-options.ts';

const COLUMNS = [
  textColumn('ID', 'id'),
  textColumn('KEY', 'hint'),
  textColumn('NAME', 'name'),
  textColumn('STATE', 'state'),
  { title: 'BUDGET', value: readBudget },
  textColumn('EXPIRES', 'expires_at'),
  textColumn('TENANT', 'tenant_id'),
];
const NARROWING = [
  listColumn('apis'),
  listColumn('models'),
  listColumn('operations'),
  listColumn('addresses'),
  listColumn('roles'),
  textColumn('CONTEXT TOKENS', 'context_tokens_max'),
];
const LIMIT_COLUMNS = [
  textColumn('LIMIT', 'id'),
  textColumn('UNIT', 'unit'),
  textColumn('WINDOW', 'window'),
  textColumn('AMOUNT', 'amount'),
  textColumn('CLASS', 'class'),
];
const SHOWN_ONCE = 'Copy the key now: it is stored as a hash and cannot be shown again.';

export function registerKeyCommands(program: Command, io: CommandIo): void {
  const keys = program.command('keys').description('API keys of customers');
  registerCreate(keys, io);
  registerUpdate(keys, io);
  addPageOptions(
    describeClientCommand(
      keys.command('list').description('list keys; the keys themselves are never shown again'),
      ['keys list', 'keys list --tenant ten_0199... --json'],
    ),
  )
    .option('--tenant <id>', 'only keys of this customer')
    .action((options: ListOptions & { tenant?: string }) => {
      const query = { tenant_id: options.tenant, limit: options.limit, cursor: options.cursor };
      return runCall({ method: 'GET', path: ['admin', 'keys'], query }, options, io, (json) =>
        showPage(readList(json, 'data'), json, COLUMNS, io),
      );
    });
  registerOne(keys, io);
}

function registerCreate(keys: Command, io: CommandIo): void {
  const create = describeClientCommand(
    keys.command('create').description('make a key; it is shown this once'),
    [
      'keys create --tenant ten_0199... --name ci --budget 1.00 --expires 30d',
      'keys create --tenant ten_0199... --environment test --models echo --limit requests/day=100 --json',
    ],
  )
    .requiredOption('--tenant <id>', 'customer the key belongs to')
    .option('--environment <live|test>', 'which prefix the key has (default live)');
  addKeyOptions(create).action((options: KeyOptions & { tenant: string; environment?: string }) => {
    const { tenant, environment } = options;
    const body = { tenant_id: tenant, environment, ...keyBody(options) };
    return runCall({ method: 'POST', path: ['admin', 'keys'], body }, options, io, showSecret);
  });
}

function registerUpdate(keys: Command, io: CommandIo): void {
  const update = describeClientCommand(
    keys.command('update <id>').description('change what a key may do and spend'),
    [
      'keys update key_0199... --addresses 203.0.113.0/24 --roles reader',
      'keys update key_0199... --budget 5.00 --budget-per month --limit requests/day=100 --json',
    ],
  );
  addKeyOptions(update).action((id: string, options: KeyOptions) =>
    runCall({ method: 'PATCH', path: keyPath(id), body: keyBody(options) }, options, io, (json) =>
      showInFull(json, io),
    ),
  );
}

function registerOne(keys: Command, io: CommandIo): void {
  describeClientCommand(
    keys.command('show <id>').description('what a key may do and spend; never the key itself'),
    ['keys show key_0199...', 'keys show key_0199... --json'],
  ).action((id: string, options: AdminOptions) =>
    runCall({ method: 'GET', path: keyPath(id) }, options, io, (json) => showInFull(json, io)),
  );
  describeClientCommand(
    keys
      .command('regenerate <id>')
      .description('another secret for the same key; the old one is refused within a second'),
    ['keys regenerate key_0199...', 'keys regenerate key_0199... --json'],
  ).action((id: string, options: AdminOptions) =>
    runCall({ method: 'POST', path: [...keyPath(id), 'regenerate'] }, options, io, showSecret),
  );
  describeClientCommand(
    keys.command('revoke <id>').description('revoke a key: refused everywhere within a second'),
    ['keys revoke key_0199...', 'keys revoke key_0199... --json'],
  ).action((id: string, options: AdminOptions) =>
    runCall({ method: 'POST', path: [...keyPath(id), 'revoke'] }, options, io, (json) => ({
      kind: 'done',
      json,
      text: showKey(json),
    })),
  );
}

function keyPath(id: string): readonly string[] {
  return ['admin', 'keys', id];
}

function showKey(json: unknown): string {
  return formatFields(COLUMNS.map(({ title, value }) => [title.toLowerCase(), value(json)]));
}

function showSecret(json: unknown): Done {
  const text = `${showKey(json)}\n\n${readText(json, 'key') ?? ''}`;
  return { kind: 'done', json, text, hint: SHOWN_ONCE };
}

function showInFull(json: unknown, io: CommandIo): Done {
  const fields = [...COLUMNS, ...NARROWING].map(
    ({ title, value }) => [title.toLowerCase(), value(json)] as const,
  );
  const limits = readList(json, 'limits');
  const table = limits.length === 0 ? '' : `\n\n${formatTable(limits, LIMIT_COLUMNS, io.color)}`;
  return { kind: 'done', json, text: formatFields(fields) + table };
}

/** An empty list means everything, but no role at all. */
function listColumn(member: string): Column<unknown> {
  return {
    title: member.toUpperCase(),
    value: (row) => {
      const names = readList(row, member);
      if (names.length > 0) return names.join(', ');
      return member === 'roles' ? 'none' : 'all';
    },
  };
}

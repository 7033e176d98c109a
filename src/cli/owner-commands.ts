import type { Command } from 'commander';

import type { AdminOptions } from './admin-client.ts';
import { readList, readMember, readText } from './answer-shapes.ts';
import {
  describeClientCommand,
  type Done,
  runCall,
  showPage,
  textColumn,
} from './client-command.ts';
import type { CommandIo } from './command-outcome.ts';
import { formatFields } from './format-table.ts';
import { addOnceOption, type OnceOptions, runOnce } from './once.ts';

const COLUMNS = [
  textColumn('ID', 'id'),
  textColumn('MACHINE', 'machine'),
  textColumn('STATE', 'state'),
  textColumn('HEARD OF', 'seen_at'),
  { title: 'HOLDS', value: describeHolds },
];
const OWNER_LEASE_COLUMNS = [
  textColumn('CUSTOMER', 'tenant_id'),
  textColumn('KIND', 'kind'),
  textColumn('UNIT', 'unit'),
  textColumn('AMOUNT', 'amount'),
];

/** Gateway processes and the slices they hold. */
export function registerOwnerCommands(program: Command, io: CommandIo): void {
  const owners = program
    .command('owners')
    .description('gateway processes that hold reserved money, longest silent first');
  describeClientCommand(
    owners.command('list').description('every process, when it was heard of, and what it holds'),
    ['owners list', 'owners list --json'],
  ).action((options: AdminOptions) =>
    runCall({ method: 'GET', path: ['admin', 'owners'] }, options, io, (json) =>
      showPage(readList(json, 'data'), json, COLUMNS, io),
    ),
  );
  describeClientCommand(
    owners.command('leases <id>').description('what a process holds, by customer'),
    ['owners leases own_0199...', 'owners leases own_0199... --json'],
  ).action((id: string, options: AdminOptions) =>
    runCall({ method: 'GET', path: [...pathOf(id), 'leases'] }, options, io, (json) =>
      showPage(readList(json, 'data'), json, OWNER_LEASE_COLUMNS, io),
    ),
  );
  const writeOff = describeClientCommand(
    owners
      .command('write-off <id>')
      .description('give back what a process holds that will not return; the house pays its loss'),
    ['owners write-off own_0199...', 'owners write-off own_0199... --json'],
  );
  addOnceOption(writeOff).action((id: string, options: OnceOptions) => {
    const call = { method: 'POST', path: [...pathOf(id), 'write-off'], body: {} } as const;
    return runOnce(call, options, io, showWriteOff);
  });
}

function pathOf(id: string): readonly string[] {
  return ['admin', 'owners', id];
}

function showWriteOff(json: unknown): Done {
  const text = formatFields([
    ['id', readText(json, 'id')],
    ['written off', readText(json, 'written_off_at')],
    ['given back', describeHolds(json)],
  ]);
  return { kind: 'done', json, text };
}

/** `0.0700 USD, 10 requests`: an amount of money says its unit itself. */
function describeHolds(json: unknown): string {
  const holds = readList(json, 'holds').map((hold) => {
    const isMoney = typeof readMember(hold, 'amount') === 'string';
    const unit = isMoney ? '' : ` ${readText(hold, 'unit') ?? ''}`;
    return `${readText(hold, 'amount') ?? '?'}${unit}`;
  });
  return holds.length === 0 ? 'nothing' : holds.join(', ');
}

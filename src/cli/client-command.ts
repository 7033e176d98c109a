import type { Command } from 'commander';

import { callAdmin } from './admin-client.ts';
import type { AdminAnswer, AdminCall, AdminOptions } from './admin-client.ts';
import { readText } from './answer-shapes.ts';
import { reportOutcome } from './command-outcome.ts';
import type { CommandIo, CommandOutcome } from './command-outcome.ts';
import { formatTable } from './format-table.ts';
import type { Column } from './format-table.ts';

export type Done = Extract<CommandOutcome, { kind: 'done' }>;

/** Adds the options of every command that talks to the admin API, and two examples to its help. */
export function describeClientCommand(
  command: Command,
  examples: readonly [string, string],
): Command {
  return command
    .option('--json', 'print JSON, for scripts')
    .option(
      '--admin <url>',
      'address of the admin API (TOLLKEEPER_ADMIN, default http://127.0.0.1:4021)',
    )
    .option('--data <dir>', 'data directory of the gateway (TOLLKEEPER_DATA, default .tollkeeper)')
    .option('--token-file <file>', 'file with the admin token (default <data>/admin.token)')
    .addHelpText(
      'after',
      `\nExamples:\n${examples.map((line) => `  $ tollkeeper ${line}`).join('\n')}`,
    );
}

/** Calls the admin API once and prints what `show` makes of the answer. */
export async function runCall(
  call: AdminCall,
  options: AdminOptions,
  io: CommandIo,
  show: (json: unknown) => Done,
): Promise<void> {
  reportAnswer(await callAdmin(call, options, io), options, io, show);
}

/** Prints what `show` makes of an answer, or the failure. */
export function reportAnswer(
  answer: AdminAnswer,
  options: AdminOptions,
  io: CommandIo,
  show: (json: unknown) => Done,
): void {
  const json = options.json === true;
  if (answer.kind === 'failed') {
    reportOutcome(answer, io, json);
    return;
  }
  if (!answer.inForce)
    io.talk('note: a gateway process has not confirmed the change yet; it will within seconds');
  reportOutcome(show(answer.json), io, json);
}

export interface ListOptions extends AdminOptions {
  readonly limit?: string;
  readonly cursor?: string;
}

export function addPageOptions(command: Command): Command {
  return command
    .option('--limit <n>', 'how many at most, 1 to 200 (default 50)')
    .option('--cursor <cursor>', 'where the page before ended');
}

/** A page as a table, and how to get the next one. */
export function showPage(
  rows: readonly unknown[],
  json: unknown,
  columns: readonly Column<unknown>[],
  io: CommandIo,
): Done {
  const next = readText(json, 'next_cursor');
  const hint = next === null ? undefined : `more: repeat with --cursor ${next}`;
  return { kind: 'done', json, text: formatTable(rows, columns, io.color), hint };
}

/** A column that shows a member as it came. */
export function textColumn(title: string, member: string): Column<unknown> {
  return { title, value: (row) => readText(row, member) };
}

import type { Command } from 'commander';

import { type AdminAnswer, type AdminOptions, callAdmin } from './admin-client.ts';
import { readList, readMember, readText } from './answer-shapes.ts';
import { describeClientCommand, type Done, reportAnswer, textColumn } from './client-command.ts';
import type { CommandIo } from './command-outcome.ts';
import { formatTable } from './format-table.ts';

/** Parts of a report one command asks for: two million refusals. */
const PAGES_MAX = 100;
const PATH = ['admin', 'reports', 'observe'];
const COLUMNS = [
  textColumn('REQUESTS', 'requests'),
  textColumn('CODE', 'code'),
  textColumn('TENANT', 'tenant_id'),
  textColumn('LIMIT', 'limit'),
  textColumn('ENTITLEMENT', 'entitlement'),
];

interface ObserveOptions extends AdminOptions {
  readonly from?: string;
  readonly to?: string;
}

export function registerReportCommands(program: Command, io: CommandIo): void {
  const report = program.command('report').description('what the request log adds up to');
  describeClientCommand(
    report
      .command('observe')
      .description('what observe mode would have refused, by code, customer and limit'),
    ['report observe --from 24h', 'report observe --from 2026-11-01 --to 2026-12-01 --json'],
  )
    .option('--from <when>', 'how long ago, such as 7d, or 2026-11-01T00:00:00Z (default 24h)')
    .option('--to <when>', 'the same (default now)')
    .action(async (options: ObserveOptions) => {
      reportAnswer(await readObserved(options, io), options, io, (json) => showObserved(json, io));
    });
}

/** All parts of the report as one: `from` and `to` of the first hold for the others, so that time passes none by. */
async function readObserved(options: ObserveOptions, io: CommandIo): Promise<AdminAnswer> {
  const rows = new Map<string, Readonly<Record<string, unknown>>>();
  let { from, to } = options;
  let cursor: string | null | undefined;
  let requests = 0;
  for (let page = 0; page < PAGES_MAX && cursor !== null; page += 1) {
    const query = { from, to, cursor };
    // oxlint-disable-next-line no-await-in-loop -- each part says where the next begins
    const answer = await callAdmin({ method: 'GET', path: PATH, query }, options, io);
    if (answer.kind === 'failed') return answer;
    for (const row of readList(answer.json, 'data')) addRow(rows, row);
    requests += countOf(answer.json);
    from = readText(answer.json, 'from') ?? from;
    to = readText(answer.json, 'to') ?? to;
    cursor = readText(answer.json, 'next_cursor');
  }
  const data = [...rows.values()].toSorted((left, right) => countOf(right) - countOf(left));
  return {
    kind: 'answered',
    json: { from, to, requests, data, complete: cursor === null },
    inForce: true,
  };
}

/** Numbers of the same code, customer and limit add up. */
function addRow(rows: Map<string, Readonly<Record<string, unknown>>>, row: unknown): void {
  if (typeof row !== 'object' || row === null) return;
  const group = { ...row, requests: 0 };
  const name = JSON.stringify(group);
  const known = rows.get(name) ?? group;
  rows.set(name, { ...known, requests: countOf(known) + countOf(row) });
}

function countOf(json: unknown): number {
  const count = readMember(json, 'requests');
  return typeof count === 'number' ? count : 0;
}

function showObserved(json: unknown, io: CommandIo): Done {
  const rows = readList(json, 'data');
  const range = `${readText(json, 'from') ?? ''} to ${readText(json, 'to') ?? ''}`;
  const isComplete = readMember(json, 'complete') === true;
  const hint = isComplete ? undefined : 'only the newest part was counted: give a shorter time';
  const sum = `${countOf(json)} requests would have been refused, ${range}`;
  const text = rows.length === 0 ? sum : `${sum}\n\n${formatTable(rows, COLUMNS, io.color)}`;
  return { kind: 'done', json, text, hint };
}

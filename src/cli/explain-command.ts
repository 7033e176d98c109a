import type { Command } from 'commander';

import type { AdminOptions } from './admin-client.ts';
import { readList, readMember, readText } from './answer-shapes.ts';
import { describeClientCommand, runCall, textColumn } from './client-command.ts';
import type { CommandIo } from './command-outcome.ts';
import { cleanText, formatFields, formatTable } from './format-table.ts';

const TRACE_MARKS: Readonly<Record<string, string>> = { passed: 'ok', refused: 'NO' };
const LINE_COLUMNS = [
  textColumn('WHAT', 'what'),
  textColumn('UNITS', 'units'),
  textColumn('PRICE', 'unit_price'),
  textColumn('AMOUNT', 'amount'),
];

export function registerExplainCommand(program: Command, io: CommandIo): void {
  describeClientCommand(
    program.command('explain <request-id>').description('why a request was answered as it was'),
    ['explain req_0199...', 'explain req_0199... --json'],
  ).action((id: string, options: AdminOptions) =>
    runCall(
      { method: 'GET', path: `/admin/requests/${encodeURIComponent(id)}` },
      options,
      io,
      (json) => ({ kind: 'done', json, text: showRequest(json, io) }),
    ),
  );
}

function showRequest(json: unknown, io: CommandIo): string {
  const explanation = readMember(json, 'explanation');
  const head = formatFields([
    ['request', readText(json, 'request_id')],
    ['at', readText(json, 'at')],
    ['tenant', readText(json, 'tenant_id')],
    ['status', readText(json, 'status')],
    ['code', readText(json, 'code')],
    ['policy', readText(explanation, 'policy_version')],
  ]);
  if (typeof explanation !== 'object' || explanation === null) {
    return `${head}\n\nAnother version of the gateway wrote this row: --json shows its facts.`;
  }
  const fixes = readList(explanation, 'fixes').map(
    (fix) => `  - ${cleanText(readText(fix, 'text'))}`,
  );
  const retry = readText(readMember(explanation, 'retry'), 'text');
  return [
    cleanText(readText(explanation, 'verdict')),
    head,
    readList(explanation, 'trace').map(showStep).join('\n'),
    showMoney(readMember(explanation, 'money'), io),
    fixes.length === 0 ? '' : `What fixes it:\n${fixes.join('\n')}`,
    retry === null ? '' : cleanText(retry),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function showStep(entry: unknown): string {
  const mark = TRACE_MARKS[readText(entry, 'verdict') ?? ''] ?? '-';
  const step = readText(entry, 'step') ?? '';
  return `  ${mark.padEnd(2)}  ${step.padEnd(10)}  ${cleanText(readText(entry, 'text'))}`;
}

function showMoney(money: unknown, io: CommandIo): string {
  if (typeof money !== 'object' || money === null) return '';
  const sums = formatFields([
    ['held', readText(money, 'held')],
    ['charged', readText(money, 'charged')],
    ['released', readText(money, 'released')],
  ]);
  const lines = readList(money, 'lines');
  return lines.length === 0 ? sums : `${formatTable(lines, LINE_COLUMNS, io.color)}\n\n${sums}`;
}

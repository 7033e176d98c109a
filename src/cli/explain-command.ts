import { type Command, InvalidArgumentError } from 'commander';

import { isId } from '../platform/ids.ts';
import type { AdminOptions } from './admin-client.ts';
import { readList, readMember, readText } from './answer-shapes.ts';
import { describeClientCommand, runCall, textColumn } from './client-command.ts';
import type { CommandIo } from './command-outcome.ts';
import { cleanText, formatFields, formatTable } from './format-table.ts';

const TRACE_MARKS: Readonly<Record<string, string>> = {
  passed: 'ok',
  refused: 'NO',
  would_refuse: 'no',
};
const CHECK_MARKS: Readonly<Record<string, string>> = { ok: 'ok', problem: 'NO', unknown: '?' };
const LINE_COLUMNS = [
  textColumn('WHAT', 'what'),
  textColumn('UNITS', 'units'),
  textColumn('PRICE', 'unit_price'),
  textColumn('AMOUNT', 'amount'),
];

export function registerExplainCommand(program: Command, io: CommandIo): void {
  describeClientCommand(
    program
      .command('explain')
      .description('why a request was answered as it was')
      .argument('<request-id>', 'X-Request-Id of its answer', parseRequestId),
    ['explain req_0199...', 'explain req_0199... --json'],
  ).action((id: string, options: AdminOptions) =>
    runCall({ method: 'GET', path: ['admin', 'requests', id] }, options, io, (json) => ({
      kind: 'done',
      json,
      text: showRequest(json, io),
    })),
  );
}

function parseRequestId(text: string): string {
  if (isId('req', text)) return text;
  throw new InvalidArgumentError('One looks like req_0199...: the X-Request-Id of an answer.');
}

function showRequest(json: unknown, io: CommandIo): string {
  const explanation = readMember(json, 'explanation');
  const observed = readText(explanation, 'would_refuse');
  const head = formatFields([
    ['request', readText(json, 'request_id')],
    ['at', readText(json, 'at')],
    ['tenant', readText(json, 'tenant_id')],
    ['status', readText(json, 'status')],
    ['code', readText(json, 'code')],
    ...(observed === null ? [] : [['would refuse', observed] as const]),
    ['policy', readText(explanation, 'policy_version')],
  ]);
  if (typeof explanation !== 'object' || explanation === null) {
    return `${head}\n\nAnother version of the gateway wrote this row: --json shows its facts.`;
  }
  return [
    cleanText(readText(explanation, 'verdict')),
    head,
    readList(explanation, 'trace').map(showStep).join('\n'),
    showMoney(readMember(explanation, 'money'), io),
    showList('Counted', readList(explanation, 'counted').map(showCount)),
    showList(
      'What fixes it',
      readList(explanation, 'fixes').map((fix) => cleanText(readText(fix, 'text'))),
    ),
    showRetry(explanation),
    ...readList(explanation, 'checklist').map(showCheck),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function showList(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title}:\n${lines.map((line) => `  - ${line}`).join('\n')}`;
}

function showCount(count: unknown): string {
  return `${cleanText(readText(count, 'limit'))}: ${cleanText(readText(count, 'text'))}`;
}

function showRetry(explanation: object): string {
  const text = readText(readMember(explanation, 'retry'), 'text');
  return text === null ? '' : `Will retrying help? ${cleanText(text)}`;
}

/** One of the eight steps, with what was found. */
function showCheck(check: unknown): string {
  const title = `${readText(check, 'step')}. ${cleanText(readText(check, 'title'))}`;
  return [title, ...readList(check, 'items').map(showItem)].join('\n');
}

function showItem(item: unknown): string {
  const mark = CHECK_MARKS[readText(item, 'verdict') ?? ''] ?? '-';
  const link = readText(readMember(item, 'link'), 'href');
  const text = cleanText(readText(item, 'text'));
  return `  ${mark.padEnd(2)}  ${link === null ? text : `${text} ${cleanText(link)}`}`;
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

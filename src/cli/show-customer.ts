import { readBudget, readList, readMember, readText } from './answer-shapes.ts';
import { type Done, textColumn } from './client-command.ts';
import type { CommandIo } from './command-outcome.ts';
import { type Column, formatFields, formatTable } from './format-table.ts';

const LIMIT_COLUMNS = [
  textColumn('LIMIT', 'id'),
  textColumn('SCOPE', 'scope'),
  quantityColumn('USED', 'used'),
  quantityColumn('HELD', 'held'),
  quantityColumn('ALLOWED', 'limit'),
  quantityColumn('REMAINING', 'remaining'),
  textColumn('RESETS', 'resets_at'),
  textColumn('FROM', 'from'),
];
const OVERRIDE_COLUMNS = [
  textColumn('OVERRIDE', 'limit_id'),
  textColumn('AMOUNT', 'amount'),
  textColumn('EXPIRES', 'expires_at'),
];
export const PURCHASE_COLUMNS = [
  textColumn('PURCHASE', 'id'),
  textColumn('ADD-ON', 'add_on'),
  textColumn('BOUGHT', 'bought_at'),
  textColumn('EXPIRES', 'expires_at'),
  booleanColumn('IN FORCE', 'in_force'),
];

/** A customer for people: who, how it stands, its money, and a table of each thing there are several of. */
export function showCustomerInFull(json: unknown, io: CommandIo): Done {
  const table = (name: string, columns: readonly Column<unknown>[]): string => {
    const rows = readList(json, name);
    return rows.length === 0 ? '' : formatTable(rows, columns, io.color);
  };
  const text = [
    formatFields(fieldsOf(json)),
    table('limits', LIMIT_COLUMNS),
    table('overrides', OVERRIDE_COLUMNS),
    table('purchases', PURCHASE_COLUMNS),
  ].filter((part) => part !== '');
  return { kind: 'done', json, text: text.join('\n\n') };
}

function fieldsOf(json: unknown): readonly (readonly [string, string | null])[] {
  const balance = readMember(json, 'balance');
  const standing = readMember(json, 'standing');
  const asset = readText(balance, 'asset') ?? '';
  const money = (member: string) => `${readText(balance, member) ?? '-'} ${asset}`;
  const isPooled = readMember(json, 'pooled') === true;
  return [
    ['id', readText(json, 'id')],
    ['name', readText(json, 'name')],
    ['plan', readText(json, 'plan')],
    ['parent', readText(json, 'parent_id')],
    ['paid by', isPooled ? readText(json, 'paid_by') : 'itself'],
    ['account', readText(json, 'account_state')],
    ['subscription', readText(standing, 'subscription')],
    ['payments', readText(standing, 'payments')],
    ['refused with', readText(standing, 'code')],
    ['budget', readBudget(json)],
    ['time zone', readText(json, 'time_zone')],
    ['enforcement', readText(json, 'enforcement') ?? 'as the plan'],
    ['balance', money('settled')],
    ['held', money('held')],
    ['available', money('available')],
    ['created', readText(json, 'created_at')],
  ];
}

/** Money with its asset. */
function quantityColumn(title: string, member: string): Column<unknown> {
  return {
    title,
    value: (row) => {
      const asset = readText(row, 'asset');
      const quantity = readText(row, member);
      return asset === null || quantity === null ? quantity : `${quantity} ${asset}`;
    },
  };
}

function booleanColumn(title: string, member: string): Column<unknown> {
  return { title, value: (row) => (readMember(row, member) === true ? 'yes' : 'no') };
}

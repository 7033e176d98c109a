/** One column: its heading and what it shows of a row. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | null;
}

/** Aligned columns for people; scripts use `--json`. */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  color: boolean,
): string {
  const cells = rows.map((row) => columns.map((column) => cleanText(column.value(row))));
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...cells.map((line) => line[index]?.length ?? 0)),
  );
  const join = (line: readonly string[]) =>
    line
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  const heading = join(columns.map((column) => column.title));
  return [color ? `\u001b[1m${heading}\u001b[0m` : heading, ...cells.map(join)].join('\n');
}

/** `name  value` lines for one thing. */
export function formatFields(fields: readonly (readonly [string, string | null])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${cleanText(value)}`).join('\n');
}

/** Names come from other people: nothing in them may move the cursor, forge a line or reverse the reading order. */
export function cleanText(value: string | null): string {
  if (value === null || value === '') return '-';
  return value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu, '?');
}

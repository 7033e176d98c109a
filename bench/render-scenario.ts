import { alignTable } from './align-table.ts';
import type { ScenarioResult } from './results-file.ts';
import { type NumberName, NUMBERS, type Scenario } from './scenario.ts';

/** The section of one scenario for a terminal. */
export function renderScenarioText(scenario: Scenario, result: ScenarioResult): string {
  return [scenario.title, '', ...renderRows(result), '', ...renderFindings(scenario, result)].join(
    '\n',
  );
}

/** The same for docs/benchmarks.md, with what was measured. */
export function renderScenarioSection(scenario: Scenario, result: ScenarioResult): string {
  return `## ${scenario.title}

${scenario.about}

${renderRows(result).join('\n')}

${renderFindings(scenario, result).join('\n')}

Measured on ${result.date} by \`npm run bench -- --scenario ${scenario.name}\`${describeLength(scenario, result)}.
`;
}

function describeLength({ full }: Scenario, { rounds, seconds }: ScenarioResult): string {
  const each = full.seconds === undefined ? '' : ` of ${seconds} s`;
  return full.rounds === undefined ? '' : `, ${rounds} rounds${each}`;
}

function renderRows({ rows }: ScenarioResult): string[] {
  const names = (Object.keys(NUMBERS) as NumberName[]).filter((name) =>
    rows.some(({ numbers }) => numbers[name] !== undefined),
  );
  const body = rows.map(({ name, numbers }) => [
    name,
    ...names.map((number) => formatNumber(numbers[number], NUMBERS[number].digits)),
  ]);
  return alignTable([['', ...names.map((name) => NUMBERS[name].title)], ...body]);
}

function formatNumber(value: number | undefined, digits: number): string {
  if (value === undefined) return '';
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

function renderFindings(scenario: Scenario, { rows }: ScenarioResult): string[] {
  return scenario.conclude(rows).map(({ text, met }) => {
    const verdict = met === undefined ? '' : met ? ': **met**' : ': **missed**';
    return `- ${text}${verdict}`;
  });
}

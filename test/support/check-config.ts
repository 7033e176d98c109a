import { expect, test } from 'vitest';

import { formatProblem } from '../../src/server/config/config-problem.ts';
import { loadConfig } from '../../src/server/config/load-config.ts';
import type { LoadOptions } from '../../src/server/config/load-config.ts';
import type { LoadedConfig } from '../../src/server/config/loaded-config.ts';

/** What is wrong with a file, as `tollkeeper check` prints it. */
export function findProblems(yaml: string, options: LoadOptions = { env: {} }): readonly string[] {
  const result = loadConfig({ text: yaml, file: 'tollkeeper.yaml' }, options);
  return result.kind === 'ok' ? [] : result.problems.map(formatProblem);
}

/** A file that must be right. */
export function loadText(yaml: string, options: LoadOptions = { env: {} }): LoadedConfig {
  const result = loadConfig({ text: yaml, file: 'tollkeeper.yaml' }, options);
  if (result.kind === 'invalid') throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

export interface MistakeCase {
  readonly name: string;
  readonly yaml: string;
  readonly problems: readonly string[];
}

export function lines(...text: readonly string[]): string {
  return text.join('\n');
}

export const UPSTREAM = 'upstreams: { demo: { url: http://127.0.0.1:9000 } }';

/** A whole file around one route, which begins on line 7 at column 9. */
export function withRoute(...route: readonly string[]): string {
  return lines(
    'version: 1',
    UPSTREAM,
    'apis:',
    '  shop:',
    '    upstream: demo',
    '    routes:',
    ...route.map((line, index) => (index === 0 ? `      - ${line}` : `        ${line}`)),
  );
}

/** A whole file around one plan, whose members begin on line 4 at column 5. */
export function withPlan(...members: readonly string[]): string {
  return lines('version: 1', 'plans:', '  free:', ...members.map((line) => `    ${line}`));
}

/** Declares a test for each case, under the name of its group. */
export function testMistakes(groups: Readonly<Record<string, readonly MistakeCase[]>>): void {
  for (const [group, cases] of Object.entries(groups)) {
    test.each(cases)(`${group.toLowerCase()}: $name`, ({ yaml, problems }) => {
      expect(findProblems(yaml)).toEqual(problems);
    });
  }
}

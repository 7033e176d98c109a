import { readFileSync, writeFileSync } from 'node:fs';

import type { Machine } from './machine.ts';
import type { Report } from './render-report.ts';
import type { Row } from './scenario.ts';

/** What was measured last of each section of docs/benchmarks.md, so that one can be measured without the others. */
export interface Results {
  readonly main?: Report;
  readonly scenarios: Readonly<Record<string, ScenarioResult>>;
}

export interface ScenarioResult {
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  readonly rows: readonly Row[];
}

export function readResults(path: string): Results {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    // The first run of all writes it.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { scenarios: {} };
    }
    throw error;
  }
  return JSON.parse(text) as Results;
}

export function writeResults(path: string, results: Results): void {
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`);
}

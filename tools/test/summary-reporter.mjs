// Writes the counts that tools/test/run.mjs turns into the last line. Everything that can go wrong counts as
// failed: a test, a file that could not be collected, a suite hook, an error nobody caught.
import { writeFileSync } from 'node:fs';

/**
 * The part of vitest's TestModule that is read here.
 * @typedef {{ errors(): readonly unknown[] }} Fallible
 * @typedef {Fallible & { children: {
 *   allSuites(): Iterable<Fallible>,
 *   allTests(): Iterable<{ result(): { state: string } }>,
 * } }} ModuleResult
 * @param {readonly ModuleResult[]} modules
 * @param {readonly unknown[]} unhandledErrors
 */
export function countResults(modules, unhandledErrors) {
  const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
  for (const module of modules) {
    counts.failed += module.errors().length;
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') counts.passed += 1;
      else if (state === 'skipped') counts.skipped += 1;
      else counts.failed += 1; // `pending` too: a test that never reported is not a test that passed.
    }
  }
  return counts;
}

export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const file = process.env.TOLLKEEPER_TEST_SUMMARY;
    if (file !== undefined) {
      writeFileSync(file, JSON.stringify(countResults(modules, unhandledErrors)));
    }
  }
}

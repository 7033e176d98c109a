import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

import { collectNeeds, findTool, readNeeds, selectTestFiles, TOOLS } from './needs.mjs';
import { countResults } from './summary-reporter.mjs';

const root = resolve(import.meta.dirname, '../..');

describe('readNeeds', () => {
  it.each([
    ['one tool', '// @needs nginx\n', ['nginx']],
    ['several on one line', '// @needs nginx  chromium\n', ['nginx', 'chromium']],
    ['below a first comment', '// A test.\n// @needs wrk\n', ['wrk']],
    ['nothing declared', "import { it } from 'vitest';\n", []],
    ['too far down to be a header', `${'\n'.repeat(10)}// @needs wrk\n`, []],
  ])('%s', (_what, text, needs) => {
    expect(readNeeds('a.test.ts', text)).toEqual(needs);
  });

  it('refuses a tool nobody could provide, by name', () => {
    expect(() => readNeeds('a.test.ts', '// @needs ngnix\n')).toThrow(
      'a.test.ts needs "ngnix", which is none of nginx, wrk, chromium, redis-server, postgresql',
    );
  });
});

it('selects by part of a path, like vitest', () => {
  expect(selectTestFiles(root, ['tools/test/needs'])).toEqual(['tools/test/needs.test.ts']);
  expect(selectTestFiles(root, []).length).toBeGreaterThan(1);
});

it('every test file in the repository declares tools that exist', () => {
  const needs = collectNeeds(root, selectTestFiles(root, []));
  expect(Object.keys(TOOLS)).toEqual(expect.arrayContaining([...needs.keys()]));
});

it('finds a program on the given path only if it can be run', () => {
  expect(findTool('redis-server', '/nonexistent')).toSatisfy(
    (path: string | undefined) => path === undefined || existsSync(path),
  );
});

describe('countResults', () => {
  const module = (states: readonly string[], errors = 0, suiteErrors = 0) => ({
    errors: () => Array.from({ length: errors }),
    children: {
      allSuites: () => [{ errors: () => Array.from({ length: suiteErrors }) }],
      allTests: () => states.map((state) => ({ result: () => ({ state }) })),
    },
  });

  it.each([
    ['passed and skipped', [module(['passed', 'passed', 'skipped'])], [], [2, 0, 1]],
    ['a test that never reported fails', [module(['pending'])], [], [0, 1, 0]],
    ['a file that cannot be collected fails', [module([], 1)], [], [0, 1, 0]],
    ['a suite hook that throws fails', [module(['skipped'], 0, 1)], [], [0, 1, 1]],
    ['an error nobody caught fails', [module(['passed'])], [new Error('late')], [1, 1, 0]],
  ])('%s', (_what, modules, unhandled, [passed, failed, skipped]) => {
    expect(countResults(modules, unhandled)).toEqual({ passed, failed, skipped });
  });
});

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// A rule that is configured but never fires is a rule nobody has. So: plant each fault, lint, and look for it.
const repository = resolve(import.meta.dirname, '../..');
const lines = (count: number): string => 'export {};\n'.repeat(count);
const branches = 'if (n === 0) return 0;\n'.repeat(13);

const FAULTS: readonly (readonly [rule: string, file: string, text: string])[] = [
  ['house(layers)', 'src/engine/sees-adapter.ts', "export { a } from '../stores/sqlite/a.ts';"],
  ['house(layers)', 'src/domain/impure.ts', "export { join } from 'node:path';"],
  ['house(layers)', 'src/gateway/sees-transport.ts', "export { Client } from 'undici';"],
  [
    'house(no-float-money)',
    'src/engine/number-call.ts',
    'export const f = (n: bigint) => Number(n);',
  ],
  ['house(no-float-money)', 'src/domain/fraction.ts', 'export const rate = 0.1;'],
  ['house(no-float-money)', 'src/domain/fixed.ts', 'export const f = (n: number) => n.toFixed(2);'],
  [
    'house(no-float-money)',
    'src/domain/parse.ts',
    'export const f = (s: string) => Number.parseFloat(s);',
  ],
  ['eslint(no-restricted-globals)', 'src/domain/clock.ts', 'export const now = () => Date.now();'],
  ['eslint(no-restricted-globals)', 'src/contract/env.ts', 'export const env = () => process.env;'],
  [
    'eslint(no-restricted-properties)',
    'src/domain/luck.ts',
    'export const luck = () => Math.random();',
  ],
  ['import(no-default-export)', 'src/platform/default.ts', 'export default 1;'],
  ['import(no-cycle)', 'src/platform/cycle-a.ts', "export { b as a } from './cycle-b.ts';"],
  ['unicorn(filename-case)', 'src/platform/camelCase.ts', 'export {};'],
  ['unicorn(prefer-node-protocol)', 'src/platform/protocol.ts', "export { join } from 'path';"],
  ['typescript(no-explicit-any)', 'src/platform/any.ts', 'export const a: any = 1;'],
  [
    'typescript(no-non-null-assertion)',
    'src/platform/bang.ts',
    'export const f = (s?: string) => s!;',
  ],
  [
    'typescript(no-floating-promises)',
    'src/platform/float.ts',
    'export const f = () => { Promise.resolve(1); };',
  ],
  [
    'typescript(only-throw-error)',
    'src/platform/throw.ts',
    "export const f = () => { throw 'text'; };",
  ],
  [
    'typescript(switch-exhaustiveness-check)',
    'src/platform/switch.ts',
    "export function f(k: 'a' | 'b'): void {\n  switch (k) {\n    case 'a':\n      break;\n  }\n}",
  ],
  ['eslint(no-console)', 'src/platform/console.ts', "console.log('x');"],
  ['eslint(eqeqeq)', 'src/platform/equal.ts', 'export const f = (a: number, b: number) => a == b;'],
  [
    'eslint(max-params)',
    'src/platform/params.ts',
    'export const f = (a = 1, b = 2, c = 3, d = 4, e = 5) => a + b + c + d + e;',
  ],
  [
    'eslint(complexity)',
    'src/platform/complex.ts',
    `export function f(n: number): number {\n${branches}return 1;\n}`,
  ],
  ['eslint(max-lines)', 'src/platform/long-file.ts', lines(401)],
  [
    'eslint(max-lines-per-function)',
    'src/platform/long-function.ts',
    `export function f(): void {\n${'void 0;\n'.repeat(70)}}`,
  ],
];
const SOUND: readonly (readonly [file: string, text: string])[] = [
  [
    'src/domain/money.ts',
    'export function toSafeNumber(n: bigint): number {\n  return Number(n);\n}\n',
  ],
  ['src/gateway/undici/client.ts', "export { Client } from 'undici';\n"],
  ['src/platform/long.test.ts', lines(401)],
  ['src/stores/sqlite/a.ts', 'export const a = 1;\n'],
];

interface Finding {
  readonly code?: string;
  readonly filename: string;
}

describe('the lint configuration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollkeeper-lint-'));
  let findings: readonly Finding[] = [];

  beforeAll(() => {
    for (const name of [
      '.oxlintrc.json',
      'tsconfig.json',
      'package.json',
      'tools/lint/layers.mjs',
    ]) {
      cpSync(join(repository, name), join(folder, name));
    }
    symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
    const planted = [...FAULTS.map(([, file, text]) => [file, text] as const), ...SOUND];
    const cycle = ['src/platform/cycle-b.ts', "export { a as b } from './cycle-a.ts';"] as const;
    for (const [file, text] of [...planted, cycle]) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    const command = join(repository, 'node_modules/.bin/oxlint');
    const run = spawnSync(command, ['--type-aware', '--format=json', 'src'], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    findings = (JSON.parse(run.stdout) as { diagnostics: Finding[] }).diagnostics;
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const codesOf = (file: string): readonly (string | undefined)[] =>
    findings.filter((finding) => finding.filename.endsWith(file)).map((finding) => finding.code);

  it.each(FAULTS)('%s finds the fault planted in %s', (rule, file) => {
    expect(codesOf(file)).toContain(rule);
  });

  it.each(SOUND)('has nothing against %s', (file) => {
    expect(codesOf(file)).toEqual([]);
  });
});

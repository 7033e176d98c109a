import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';

import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const build = () =>
  spawnSync(process.execPath, ['tools/build.mjs'], { cwd: root, encoding: 'utf8' });
const builtAt = (): number => statSync(resolve(root, 'dist/.fingerprint')).mtimeMs;

it('says nothing on stdout and builds nothing twice, so that `npm start --silent -- --json` prints one line', () => {
  expect(build()).toMatchObject({ status: 0, stdout: '' });
  const first = builtAt();
  expect(build()).toMatchObject({ status: 0, stdout: '' });
  expect(builtAt()).toBe(first);
});

it('makes the executable one that a shell can run', () => {
  expect(build().status).toBe(0);
  expect(statSync(resolve(root, 'dist/server/main.js')).mode & 0o111).toBe(0o111);
});

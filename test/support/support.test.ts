// @needs nginx chromium
import { existsSync, readdirSync } from 'node:fs';

import { expect, it, onTestFinished } from 'vitest';

import { ChildProgram } from './child-program.ts';
import { launchChromium } from './launch-chromium.ts';
import { startNginx } from './start-nginx.ts';
import { makeDirectory, removeDirectory } from './temporary-directory.ts';
import { waitFor } from './wait-for.ts';

it('runs a real nginx in a directory of its own and leaves nothing of it', async () => {
  const nginx = await startNginx({ server: 'location / { return 200 "from nginx"; }' });
  onTestFinished(() => nginx.stop());
  const answer = await fetch(`${nginx.origin}/anything`);
  expect(await answer.text()).toBe('from nginx');
  expect(readdirSync(nginx.directory)).toContain('nginx.pid');
  await nginx.stop();
  expect(existsSync(nginx.directory)).toBe(false);
  await expect(fetch(nginx.origin)).rejects.toThrow('fetch failed');
});

it('shows what nginx says about a configuration it refuses', async () => {
  await expect(startNginx({ server: 'no_such_directive;' })).rejects.toThrow('no_such_directive');
});

it('renders a page in Chromium', async () => {
  const browser = await launchChromium();
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  await page.setContent('<title>gate</title><h1>open</h1>');
  expect(await page.title()).toBe('gate');
  expect(await page.textContent('h1')).toBe('open');
});

it('ends a program that ignores the signal, and says how it ended', async () => {
  const deaf = "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000);";
  const program = new ChildProgram({ command: process.execPath, args: ['-e', deaf] });
  await waitFor(() => program.stdout.includes('up'), { timeoutMs: 10_000, what: 'the program' });
  expect(program.exit).toBeUndefined();
  expect(await program.stop('SIGTERM', 100)).toEqual({ code: null, signal: 'SIGKILL' });
});

it('says what it waited for in vain', async () => {
  const never = waitFor(() => false, { timeoutMs: 30, what: 'the moon' });
  await expect(never).rejects.toThrow('waited 30 ms in vain for the moon');
});

it('makes directories that do not collide', () => {
  const [one, other] = [makeDirectory(), makeDirectory()];
  expect(one).not.toBe(other);
  removeDirectory(one);
  removeDirectory(other);
  expect(existsSync(one)).toBe(false);
});

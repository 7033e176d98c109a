import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

import { expect, it } from 'vitest';

import { ChildProgram } from './support/child-program.ts';
import { executable, startGateway } from './support/start-gateway.ts';

it('a gateway whose log nobody reads any more goes on, and ends as one that is read', async () => {
  const gateway = await startGateway();
  gateway.program.child.stderr?.destroy();
  gateway.program.child.stdout?.destroy();
  const call = (): Promise<Response> =>
    fetch(`${gateway.gateway}/demo/weather?city=Oslo`, {
      headers: { authorization: `Bearer ${gateway.key}` },
    });
  expect((await call()).status).toBe(200);
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
});

it('a command whose reader has left ends without a word of it', async () => {
  const program = new ChildProgram({ command: process.execPath, args: [executable, '--help'] });
  program.child.stdout?.destroy();
  expect(await program.exited).toEqual({ code: 0, signal: null });
  expect(program.stderr).toBe('');
});

it('a command whose output was lost on a full disk has failed, and says why', () => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [executable, '--help'], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(full);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^error: the output could not be written: ENOSPC[^\n]*\n$/);
});

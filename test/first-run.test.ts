import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { ChildProgram, type Exit, type ProgramOptions } from './support/child-program.ts';
import { GatewayCaller, problemOf, runParallel } from './support/gateway-caller.ts';
import { isRunning } from './support/is-running.ts';
import {
  findMissingFragments,
  readCurlCommands,
  readReadmeBlock,
} from './support/readme-commands.ts';
import { runCommand, runTollkeeper } from './support/run-command.ts';
import { executable, startGateway, type ReadyLine } from './support/start-gateway.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { waitFor } from './support/wait-for.ts';

const root = resolve(import.meta.dirname, '..');
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function start(options: ProgramOptions): ChildProgram {
  const program = new ChildProgram(options);
  cleanups.push(() => program.stop());
  return program;
}

function startDev(args: readonly string[], env: Record<string, string> = {}): ChildProgram {
  return start({ command: process.execPath, args: [executable, 'dev', ...args], env });
}

/** One line on stdout, and nothing else, when it is ready. */
async function readReady(program: ChildProgram, timeoutMs = 30_000): Promise<ReadyLine> {
  await waitFor(
    () => {
      if (program.exit !== undefined) throw new Error(`it ended:\n${program.stderr}`);
      return program.stdout.includes('\n');
    },
    { timeoutMs, what: 'the ready line' },
  );
  return JSON.parse(program.stdout) as ReadyLine;
}

async function answersAt(origin: string): Promise<boolean> {
  return fetch(`${origin}/healthz`).then(
    async (answer) => (await answer.text()).length > 0 && answer.ok,
    () => false,
  );
}

describe('show 1: the first start', () => {
  it('npm start --silent -- --json builds, and prints exactly one line on stdout when it serves', async () => {
    const data = temporaryDirectory('start');
    const startedMs = performance.now();
    const flags = ['--json', '--port', '0', '--admin-port', '0', '--data', data];
    const program = start({
      command: 'npm',
      args: ['start', '--silent', '--', ...flags],
      cwd: root,
    });
    const ready = await readReady(program, 90_000);
    console.log({ ready_after_ms: Math.round(performance.now() - startedMs) });
    expect(Object.keys(ready).toSorted()).toEqual([
      'admin',
      'admin_token_file',
      'gateway',
      'key',
      'pid',
    ]);
    expect(ready.key).toMatch(/^tk_test_[0-9A-Za-z]{30,}$/);
    expect(ready.admin_token_file).toBe(join(data, 'admin.token'));
    expect(await answersAt(ready.gateway)).toBe(true);
    expect(await answersAt(ready.admin)).toBe(true);
    process.kill(ready.pid, 'SIGTERM');
    await program.exited;
    expect(program.stdout.trimEnd()).toBe(JSON.stringify(ready));
    expect(isRunning(ready.pid)).toBe(false);
  });

  it('shows a person the addresses, the key, play money and lines to paste that work', async () => {
    const data = temporaryDirectory('text');
    const program = startDev(['--port', '0', '--admin-port', '0', '--data', data]);
    await waitFor(() => program.stdout.includes('Ctrl-C stops it'), {
      timeoutMs: 30_000,
      what: 'the text for people',
    });
    expect(program.stdout).toContain(join(data, 'admin.token'));
    expect(program.stdout).toContain('play money');
    const lines = program.stdout.replaceAll('\\\n', ' ').match(/^ +curl .*$/gm) ?? [];
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      const args = ['-c', `${line.trim()} -sf -m 10`];
      expect(await runCommand({ command: 'bash', args })).toMatchObject({ code: 0, stderr: '' });
    }
  });

  it('starts again on the same data with the same key and what is left of the credit', async () => {
    const data = temporaryDirectory('again');
    const first = await startGateway({ data });
    cleanups.push(() => first.stop());
    const caller = new GatewayCaller(first);
    expect((await caller.call({ path: '/demo/weather?city=Oslo' })).status).toBe(200);
    const before = await caller.usage();
    caller.close();
    await first.stop();

    const second = await startGateway({ data });
    cleanups.push(() => second.stop());
    const again = new GatewayCaller(second);
    expect(second.key).toBe(first.key);
    const after = await again.usage();
    expect(after).toMatchObject({ balance: before.balance, limits: before.limits });
    expect(after.balance).toMatchObject({ settled: '0.008', held: '0.00' });
    expect(await again.audit()).toEqual([]);
    again.close();
  });

  it('takes ports, data and workers from TOLLKEEPER_* variables too, and a flag wins', async () => {
    const data = temporaryDirectory('variables');
    const program = startDev(['--json', '--workers', '1'], {
      TOLLKEEPER_PORT: '0',
      TOLLKEEPER_ADMIN_PORT: '0',
      TOLLKEEPER_DATA: data,
      TOLLKEEPER_WORKERS: '2',
    });
    const ready = await readReady(program);
    expect(ready.admin_token_file).toBe(join(data, 'admin.token'));
    const caller = new GatewayCaller({
      ...ready,
      data,
      program,
      stop: () => program.stop(),
    });
    const workers = await caller.admin<{ data: unknown[] }>('/admin/workers');
    caller.close();
    expect(workers.data).toHaveLength(1);
  });
});

describe('show 1: the stop', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends it cleanly: running answers finish, every process is gone, the books are closed',
    async (signal) => {
      const gateway = await startGateway({ args: ['--workers', '2'] });
      cleanups.push(() => gateway.stop());
      const caller = new GatewayCaller(gateway);
      cleanups.push(() => caller.close());
      const { data: workers } = await caller.admin<{ data: { pid: number }[] }>('/admin/workers');
      // An answer that takes longer than the signal does to arrive.
      const slow = caller.call({
        path: '/v1/chat/completions',
        body: { model: 'echo', messages: [{ role: 'user', content: 'slowly' }] },
        headers: { 'x-echo-delay-ms': '700' },
      });
      await waitFor(async () => (await caller.usage()).balance.held !== '0.00', {
        timeoutMs: 5000,
        what: 'the slow call to hold its money',
      });
      const exit: Exit = await gateway.program.stop(signal);
      expect(exit).toEqual({ code: 0, signal: null });
      expect((await slow).status).toBe(200);
      expect(workers.map(({ pid }) => isRunning(pid))).toEqual([false, false]);
      expect(await answersAt(gateway.gateway)).toBe(false);
    },
  );
});

describe('show 1: a port that is taken', () => {
  async function occupy(): Promise<{ port: number }> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    cleanups.push(() => server.close());
    return { port: (server.address() as AddressInfo).port };
  }

  it('blames the port that is taken, also where the other one begins with the same digits', async () => {
    const { port } = await occupy();
    const admin = String(port).slice(0, 4);
    const ports = ['--port', String(port), '--admin-port', admin];
    const { stderr } = await runTollkeeper([
      'dev',
      ...ports,
      '--data',
      temporaryDirectory('taken'),
    ]);
    expect(stderr).toContain(
      `port ${port} is taken by another program: choose another with --port N`,
    );
  });

  it.each([
    ['--port', '--admin-port', 'TOLLKEEPER_PORT'],
    ['--admin-port', '--port', 'TOLLKEEPER_ADMIN_PORT'],
  ])(
    '%s: exit code 5, and a line with the port and how to change it',
    async (taken, free, name) => {
      const { port } = await occupy();
      const data = temporaryDirectory('taken');
      const args = ['dev', '--json', taken, String(port), free, '0', '--data', data];
      const { stderr, ...ended } = await runTollkeeper(args);
      expect(ended).toEqual({ code: 5, stdout: '' });
      expect(stderr).toContain(`port ${port} is taken`);
      expect(stderr).toContain(`${taken} N`);
      expect(stderr).toContain(name);
      expect(stderr).not.toMatch(/\n\s+at /);
    },
  );
});

describe('show 1: what else cannot be used', () => {
  it.each([
    ['--host', 'nobody.invalid', 'server.host nobody.invalid is no address of this machine'],
    ['--host', '192.0.2.1', 'server.host 192.0.2.1 is no address of this machine'],
    [
      '--data',
      join(root, 'package.json'),
      `directory ${join(root, 'package.json')} cannot be used`,
    ],
  ])('%s %s: a line with what it is and how to change it', async (flag, value, says) => {
    const data = flag === '--data' ? [] : ['--data', temporaryDirectory('unusable')];
    const ports = ['--port', '0', '--admin-port', '0'];
    const { stderr, ...ended } = await runTollkeeper(['dev', ...ports, ...data, flag, value]);
    expect(ended).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(says);
    expect(stderr).toContain(flag);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe('show 1, DOC-02: the README', () => {
  it('each curl line prints what the README says', async () => {
    const gateway = await startGateway();
    cleanups.push(() => gateway.stop());
    const commands = readCurlCommands();
    expect(commands.length).toBeGreaterThanOrEqual(5);
    let link = '';
    for (const { command, fragments } of commands) {
      const atGateway = (text: string) => text.replaceAll('http://127.0.0.1:4020', gateway.gateway);
      const { code, stdout } = await runCommand({
        command: 'bash',
        args: ['-c', `${atGateway(command)} -m 20`],
        env: { KEY: gateway.key, LINK: link },
      });
      const missing = findMissingFragments(stdout, fragments.map(atGateway));
      expect({ command, code, missing }).toEqual({ command, code: 0, missing: [] });
      expect(fragments).not.toEqual([]);
      link = /https?:\S+\/pay\/[\w-]+/.exec(stdout)?.[0] ?? link;
    }
    console.log({ readme_commands: commands.length });
  });

  it('its OpenAI SDK program prints the echo', async () => {
    const gateway = await startGateway();
    cleanups.push(() => gateway.stop());
    const code = readReadmeBlock('ts').replaceAll('http://127.0.0.1:4020', gateway.gateway);
    const ended = await runCommand({
      command: process.execPath,
      args: ['--input-type=module', '-e', code],
      cwd: root,
      env: { KEY: gateway.key },
    });
    expect(ended).toEqual({ code: 0, stdout: 'hello', stderr: '' });
  });

  it('its tollkeeper.yaml is valid', async () => {
    const file = join(temporaryDirectory('readme'), 'tollkeeper.yaml');
    writeFileSync(file, readReadmeBlock('yaml'));
    const ended = await runTollkeeper(['check', '--config', file]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('its commands exist, with the options it shows', async () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const lines = [...readme.matchAll(/^npx tollkeeper ([^#\n]+)/gm)].map(
      (match) => match[1] ?? '',
    );
    expect(lines.length).toBeGreaterThan(7);
    await runParallel(lines.length, 2, async (index) => {
      const line = (lines[index] ?? '').trim();
      const [, command = ''] = /^((?:[a-z]+ ?)+)(?= |$)/.exec(line) ?? [];
      const { code, stdout } = await runTollkeeper([...command.trim().split(' '), '--help']);
      const unknown = (line.match(/--[a-z]+/g) ?? []).filter((flag) => !stdout.includes(flag));
      expect({ line, code, unknown }).toEqual({ line, code: 0, unknown: [] });
    });
  });
});

it('a 402 of the demo is in force on every worker at once, and paying lifts it on all of them', async () => {
  const gateway = await startGateway({ args: ['--workers', '2'] });
  cleanups.push(() => gateway.stop());
  const statuses: number[] = [];
  let link = '';
  // A connection a call, so that both workers are asked.
  const once = async () => {
    const caller = new GatewayCaller(gateway, 1);
    const answer = await caller.call({ path: '/demo/weather?city=Oslo' });
    caller.close();
    if (answer.status === 402) link = problemOf(answer).resolution_url;
    statuses.push(answer.status);
  };
  for (let call = 0; call < 8; call += 1) await once();
  expect(statuses).toEqual([200, 200, 200, 200, 200, 402, 402, 402]);
  const paid = await fetch(link, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"pack":"small"}',
  });
  expect(await paid.json()).toMatchObject({ paid: true, in_force: true });
  for (let call = 0; call < 4; call += 1) await once();
  expect(statuses.slice(8)).toEqual([200, 200, 200, 200]);
});

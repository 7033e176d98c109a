import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startDemoApi } from '../src/server/demo/demo-api.ts';
import type { DemoServer } from '../src/server/demo/demo-server.ts';
import { ChildProgram } from './support/child-program.ts';
import { createCustomer } from './support/customers.ts';
import { type CallAnswer, GatewayCaller, problemOf, tally } from './support/gateway-caller.ts';
import { type CommandResult, runTollkeeper } from './support/run-command.ts';
import { executable, type Gateway, type ReadyLine } from './support/start-gateway.ts';
import {
  makeDirectory,
  removeDirectory,
  temporaryDirectory,
} from './support/temporary-directory.ts';
import { waitFor } from './support/wait-for.ts';

const WORKERS = 2;
/** Enough that two workers which share the connections are both asked. */
const FRESH_CONNECTIONS = 8;

/** `1000` of `"requests_per_month";q=1000;w=2592000`. */
function quotaIn(policy: string | string[] | undefined): string {
  return /"requests_per_month";q=(\d+)/.exec(String(policy))?.[1] ?? '';
}

describe('init and check need no gateway', () => {
  it('init --yes writes a commented file that check takes, and never overwrites one', async () => {
    const cwd = temporaryDirectory('init');
    const first = await runTollkeeper(['init', '--yes', '--sells', 'api'], { cwd });
    expect(first).toMatchObject({ code: 0, stdout: 'wrote tollkeeper.yaml and .env.example\n' });
    expect(await runTollkeeper(['check'], { cwd })).toMatchObject({ code: 0, stderr: '' });
    const written = readFileSync(join(cwd, 'tollkeeper.yaml'), 'utf8');
    const again = await runTollkeeper(['init', '--yes', '--json'], { cwd });
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(JSON.parse(again.stderr)).toMatchObject({ error: { code: 'FILE_EXISTS' } });
    expect(readFileSync(join(cwd, 'tollkeeper.yaml'), 'utf8')).toBe(written);
  });

  it('a file for models names the variable it needs, and is valid with it', async () => {
    const cwd = temporaryDirectory('init');
    await runTollkeeper(['init', '--yes'], { cwd });
    const without = await runTollkeeper(['check'], { cwd, env: { OPENAI_API_KEY: undefined } });
    expect(without).toMatchObject({ code: 3, stdout: '' });
    expect(without.stderr).toMatch(/tollkeeper\.yaml:\d+:\d+ .*OPENAI_API_KEY/);
    const env = { OPENAI_API_KEY: 'sk-secret-of-mine' };
    expect(await runTollkeeper(['check'], { cwd, env })).toMatchObject({ code: 0, stderr: '' });
    const printed = await runTollkeeper(['config', 'print', '--json'], { cwd, env });
    expect(printed.code).toBe(0);
    expect(printed.stdout).toContain('api_key');
    expect(printed.stdout).not.toContain('sk-secret-of-mine');
  });

  it.each([
    ['an unknown key', 'upstream: {}', 1, /upstream.*upstreams/],
    [
      'a wrong price',
      'packs: { s: { title: S, price: 5 dollars, credit: 1 } }',
      1,
      /packs\.s\.price/,
    ],
    ['a plan that is not there', 'demo: { customer: { plan: fre }, credit: 1.00 USD }', 1, /fre/],
    ['broken YAML', 'plans: [', 1, /./],
  ])(
    'check tells file, line, column, key and the nearest word: %s',
    async (_, line, at, message) => {
      const file = join(temporaryDirectory('check'), 'tollkeeper.yaml');
      writeFileSync(file, `${line}\nversion: 1\n`);
      const people = await runTollkeeper(['check', '--config', file]);
      expect(people).toMatchObject({ code: 3, stdout: '' });
      expect(people.stderr).toMatch(new RegExp(String.raw`tollkeeper\.yaml:\d+:\d+`));
      const { code, stdout } = await runTollkeeper(['check', '--config', file, '--json']);
      const { ok, problems } = JSON.parse(stdout) as { ok: boolean; problems: { line: number }[] };
      expect({ code, ok }).toEqual({ code: 3, ok: false });
      expect(JSON.stringify(problems)).toMatch(message);
      expect(problems[0]?.line).toBeGreaterThanOrEqual(at);
    },
  );

  it('check warns of a feature that nobody can have, and calls the file valid', async () => {
    const file = join(temporaryDirectory('check'), 'tollkeeper.yaml');
    const routes = '{ routes: [{ path: /a, feature: reports }], upstream: u }';
    writeFileSync(
      file,
      `version: 1\nupstreams: { u: { url: http://a.example } }\napis: { a: ${routes} }`,
    );
    const people = await runTollkeeper(['check', '--config', file]);
    expect(people.code).toBe(0);
    expect(people.stderr).toMatch(/^warning: .*tollkeeper\.yaml:3:\d+ .*"reports".*403\n$/);
    const { stdout } = await runTollkeeper(['check', '--config', file, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, warnings: [{ line: 3 }] });
  });

  it.each([
    ['a command that does not exist', ['custmers', 'list'], 2, /unknown command.*\n.*customers/],
    ['an option that does not exist', ['keys', 'list', '--tennant', 'x'], 2, /--tenant/],
    ['a required option left out', ['credits', 'add', '--tenant', 'x'], 2, /--amount/],
    [
      'nobody at the admin address',
      ['customers', 'list', '--admin', 'http://127.0.0.1:9'],
      4,
      /no gateway answers at http:\/\/127\.0\.0\.1:9.*--admin/,
    ],
  ])('%s: its exit code, and what to do', async (_, args, code, message) => {
    const data = temporaryDirectory('cli');
    writeFileSync(join(data, 'admin.token'), 'some-token');
    const result = await runTollkeeper(args, { env: { TOLLKEEPER_DATA: data } });
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(message);
  });

  it('without a data directory the commands say so', async () => {
    const result = await runTollkeeper(['keys', 'list', '--data', temporaryDirectory('none')]);
    expect(result).toMatchObject({ code: 3, stdout: '' });
    expect(result.stderr).toMatch(/no admin token at .*--data DIR/);
  });

  it.each([
    ['up'],
    ['dev'],
    ['config', 'print'],
    ['test-402'],
    ['migrate'],
    ['backup', 'monday'],
    ['store', 'copy', '--to', 'postgres://127.0.0.1:9/none'],
  ])('scripts that ask for JSON get it of a wrong configuration too: %s', async (...args) => {
    const result = await runTollkeeper([...args, '--config', 'nope.yaml', '--json']);
    expect(result).toMatchObject({ code: 3, stdout: '' });
    expect(JSON.parse(result.stderr)).toEqual({
      error: {
        code: 'BAD_CONFIGURATION',
        message: expect.stringMatching(/^nope\.yaml: .*there is no such file/),
        exit_code: 3,
      },
    });
  });

  it('a start that fails is told as JSON to a script', async () => {
    const data = join(temporaryDirectory('start'), 'file');
    writeFileSync(data, '');
    const ports = ['--port', '0', '--admin-port', '0', '--workers', '1'];
    const result = await runTollkeeper(['dev', '--data', data, ...ports, '--json']);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(JSON.parse(result.stderr.split('\n')[0] ?? '')).toMatchObject({
      error: { code: 'NOT_STARTED', message: expect.stringContaining('data directory') },
    });
  });

  it('up refuses a shifted clock, which would move money', async () => {
    const cwd = temporaryDirectory('clock');
    await runTollkeeper(['init', '--yes', '--sells', 'api'], { cwd });
    const result = await runTollkeeper(['up'], { cwd, env: { TOLLKEEPER_CLOCK: '+1h' } });
    expect(result).toMatchObject({ code: 3, stdout: '' });
    expect(result.stderr).toContain('unset it');
  });
});

describe('a gateway of the file that init wrote', () => {
  let directory = '';
  let file = '';
  let api: DemoServer;
  let program: ChildProgram;
  let gateway: Gateway;
  let caller: GatewayCaller;

  beforeAll(async () => {
    directory = makeDirectory('up');
    file = join(directory, 'tollkeeper.yaml');
    api = await startDemoApi({ host: '127.0.0.1', port: 0 });
    const init = ['init', '--yes', '--sells', 'api', '--upstream', api.origin, '--file', file];
    await runTollkeeper([...init, '--price', '0.001 USD'], { cwd: directory });
    // Polling for a change would run into its protective limits.
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/^ +rate_limits:.*\n/gm, ''));
    const data = join(directory, 'data');
    const ports = ['--port', '0', '--admin-port', '0'];
    program = new ChildProgram({
      command: process.execPath,
      args: [executable, 'up', '--json', ...ports, '--data', data, '--workers', String(WORKERS)],
      cwd: directory,
    });
    const line = await waitFor(
      () => {
        if (program.exit !== undefined) throw new Error(program.stderr);
        return program.stdout.includes('\n') && program.stdout;
      },
      { timeoutMs: 30_000, what: 'up to be ready' },
    );
    const ready = JSON.parse(line) as ReadyLine;
    gateway = { ...ready, data, program, stop: () => program.stop() };
    caller = new GatewayCaller(gateway);
  });
  afterAll(async () => {
    caller.close();
    await program.stop();
    await api.close();
    removeDirectory(directory);
  });

  function run(...args: readonly string[]): Promise<CommandResult> {
    const env = { TOLLKEEPER_ADMIN: gateway.admin, TOLLKEEPER_DATA: gateway.data };
    return runTollkeeper(args, { env, cwd: directory });
  }

  /** A command that must succeed, with `--json`. */
  async function ask<Answer>(...args: readonly string[]): Promise<Answer> {
    const { code, stdout, stderr } = await run(...args, '--json');
    if (code !== 0) throw new Error(`${args.join(' ')}: ${code} ${stderr}`);
    return JSON.parse(stdout) as Answer;
  }

  /** The same call over connections of their own, so that every worker is asked. */
  async function callEverywhere(key: string, path = '/status'): Promise<readonly CallAnswer[]> {
    const callers = Array.from({ length: FRESH_CONNECTIONS }, () => new GatewayCaller(gateway, 1));
    const answers = await Promise.all(callers.map((fresh) => fresh.call({ path, key })));
    for (const fresh of callers) fresh.close();
    return answers;
  }

  async function statusesEverywhere(key: string, path?: string) {
    return tally((await callEverywhere(key, path)).map(({ status }) => status));
  }

  it('up prints one line without a demo key, and free routes need none', async () => {
    expect(program.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(Object.keys(gateway)).not.toContain('key');
    expect(existsSync(gateway.admin_token_file)).toBe(true);
    expect(problemOf(await caller.call({ path: '/status', key: undefined })).code).toBe(
      'KEY_MISSING',
    );
  });

  it('KEY-01: customers, keys and credits, for people and for scripts; a key is shown once', async () => {
    const people = await run('customers', 'create', '--name', 'Acme Inc', '--plan', 'pro');
    expect(people.code).toBe(0);
    const tenantId = /ten_[0-9a-f]{32}/.exec(people.stdout)?.[0] ?? '';
    expect(people.stderr).toContain(`keys create --tenant ${tenantId}`);
    const made = await run(
      'keys',
      'create',
      '--tenant',
      tenantId,
      '--budget',
      '1.00',
      '--expires',
      '30d',
    );
    const key = /tk_live_[0-9A-Za-z]+/.exec(made.stdout)?.[0] ?? '';
    expect(made.stderr).toContain('cannot be shown again');
    expect((await run('credits', 'add', '--tenant', tenantId, '--amount', '5.00')).code).toBe(0);
    expect(await statusesEverywhere(key)).toEqual({ 200: FRESH_CONNECTIONS });

    const keys = await ask<{ data: { budget: string; expires_at: string }[] }>(
      'keys',
      'list',
      '--tenant',
      tenantId,
    );
    expect(JSON.stringify(keys)).not.toContain(key);
    expect(keys.data[0]?.budget).toContain('1.00');
    expect(Date.parse(keys.data[0]?.expires_at ?? '')).toBeGreaterThan(Date.now());
    const shown = await ask<{ balance: { settled: string } }>('customers', 'show', tenantId);
    expect(shown.balance.settled).toBe('4.992');
    expect((await run('customers', 'list')).stdout).toMatch(/Acme Inc\s+pro/);
    // Hashed at rest.
    expect(readFileSync(join(gateway.data, 'ledger.db')).includes(key)).toBe(false);
  });

  it('KEY-01: a revoked key is refused by every worker within a second', async () => {
    const { key, keyId } = await createCustomer(caller, { plan: 'free', credit: '1.00' });
    expect(await statusesEverywhere(key)).toEqual({ 200: FRESH_CONNECTIONS });
    await ask('keys', 'revoke', keyId);
    const answeredMs = performance.now();
    const answers = await callEverywhere(key);
    const withinMs = performance.now() - answeredMs;
    console.log({ refused_everywhere_within_ms: Math.round(withinMs) });
    expect(withinMs).toBeLessThan(1000);
    expect(tally(answers.map((answer) => problemOf(answer).code))).toEqual({
      KEY_REVOKED: FRESH_CONNECTIONS,
    });
  });

  it('PLAN-07: a change of plan is in force on every worker when the command ends', async () => {
    const { key, tenantId } = await createCustomer(caller, { plan: 'free', credit: '1.00' });
    const limitsOf = async () =>
      tally((await callEverywhere(key)).map(({ headers }) => quotaIn(headers['ratelimit-policy'])));
    expect(await limitsOf()).toEqual({ 1000: FRESH_CONNECTIONS });
    await ask('customers', 'update', tenantId, '--plan', 'pro');
    expect(await limitsOf()).toEqual({ 100000: FRESH_CONNECTIONS });
    const wrong = await run('customers', 'change', tenantId, '--plan', 'prro');
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toContain('There is no plan prro in the configuration');
  });

  it('DIAG-01: explain tells verdict, steps, arithmetic and ways out', async () => {
    const { key } = await createCustomer(caller, { plan: 'free', credit: '0.0015' });
    const served = await caller.call({ path: '/status', key });
    const refused = await caller.call({ path: '/status', key });
    expect([served.status, refused.status]).toEqual([200, 402]);
    const good = await run('explain', String(served.headers['x-request-id']));
    expect(good.stdout).toMatch(/charged\s+0\.0010 USD/);
    const bad = await run('explain', String(refused.headers['x-request-id']));
    expect(bad.code).toBe(0);
    expect(bad.stdout).toContain('INSUFFICIENT_CREDITS');
    expect(bad.stdout).toMatch(/NO\s+reserve/);
    expect(bad.stdout).toContain('What fixes it:');
    const unknown = await run('explain', 'req_01a1fd8ee7227000ba6021b5026a4acc');
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
  });

  it('doctor finds everything in order, and fails with 4 when no gateway answers', async () => {
    const { ok, checks } = await ask<{ ok: boolean; checks: { name: string; status: string }[] }>(
      'doctor',
    );
    console.log({ doctor: checks.map(({ name, status }) => `${name} ${status}`).join(', ') });
    expect(ok).toBe(true);
    const names = checks.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['node', 'configuration', 'gateway', 'store', 'workers', 'ledger']),
    );
    expect(names).toEqual([...new Set(names)]);
    expect(await ask('doctor', '--ledger')).toEqual({ ok: true, violations: [] });
    const alone = await run('doctor', '--admin', 'http://127.0.0.1:9');
    expect(alone.code).toBe(4);
    expect((await run('doctor', '--ledger', '--admin', 'http://127.0.0.1:9')).code).toBe(4);
    expect(alone.stdout).toMatch(/fail\s+gateway/);
    const elsewhere = join(dirname(file), 'elsewhere');
    expect((await run('doctor', '--data', elsewhere)).stdout).toContain(`${elsewhere} (made at`);
  });

  it('config print --origin tells where each setting came from', async () => {
    const { origins } = await ask<{ origins: object }>('config', 'print', '--origin');
    expect(origins).toMatchObject({
      'server.port': 'file',
      'store.directory': 'env',
      'server.drain': 'default',
    });
  });

  it('GW-03: a change of the file is in force without a restart, and one with a mistake changes nothing', async () => {
    const { key } = await createCustomer(caller, { plan: 'pro', credit: '1000.00' });
    const costs = async () =>
      tally((await callEverywhere(key)).map(({ headers }) => String(headers['x-tollkeeper-cost'])));
    expect(await costs()).toEqual({ '0.0010 USD': FRESH_CONNECTIONS });
    const written = readFileSync(file, 'utf8');
    const dearer = written.replace('price: "0.001 USD"', 'price: "0.025 USD"');
    writeFileSync(file, dearer);
    await waitFor(async () => (await costs())['0.0250 USD'] === FRESH_CONNECTIONS, {
      timeoutMs: 5000,
      what: 'the new price on every worker',
    });
    writeFileSync(file, dearer.replace('plans:', 'planes:'));
    await waitFor(() => program.stderr.includes('planes'), {
      timeoutMs: 5000,
      what: 'the log to tell the mistake',
    });
    expect(await costs()).toEqual({ '0.0250 USD': FRESH_CONNECTIONS });
    writeFileSync(file, written);
    await waitFor(async () => (await costs())['0.0010 USD'] === FRESH_CONNECTIONS, {
      timeoutMs: 5000,
      what: 'the old price again',
    });
    const loadedAt = async () =>
      (await caller.admin<{ loaded_at: string }>('/admin/config')).loaded_at;
    const before = await loadedAt();
    writeFileSync(
      file,
      written.replace('plans:', 'plans:\n  spare: { title: Spare, price: free }'),
    );
    await waitFor(async () => (await loadedAt()) > before, {
      timeoutMs: 5000,
      what: 'the time of the new file',
    });
    const { key: left } = await createCustomer(caller, { plan: 'spare', credit: '1.00' });
    writeFileSync(file, written);
    await waitFor(() => /"plans.spare".*customers update ID --plan/.test(program.stderr), {
      timeoutMs: 5000,
      what: 'the log to tell what the removal of a plan means',
    });
    for (const path of ['/status', '/v1/usage']) {
      const answer = await caller.call({ path, key: left });
      expect([answer.status, problemOf(answer).code]).toEqual([503, 'BILLING_UNAVAILABLE']);
    }
    // Each worker tells it once, however often such a customer calls.
    expect(tally((await callEverywhere(left)).map(({ status }) => String(status)))).toEqual({
      '503': FRESH_CONNECTIONS,
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const told = program.stderr.match(/key lookup failed/g) ?? [];
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThanOrEqual(WORKERS);
  });

  it('what was done is not undone by a restart of a worker, and the books add up', async () => {
    const { data: workers } = await caller.admin<{ data: { pid: number }[] }>('/admin/workers');
    expect(workers).toHaveLength(WORKERS);
    const { key } = await createCustomer(caller, { plan: 'pro', credit: '1.00' });
    expect((await caller.call({ path: '/status', key })).status).toBe(200);
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    await waitFor(
      async () => {
        const { data } = await caller.admin<{ data: { pid: number; state: string }[] }>(
          '/admin/workers',
        );
        const serving = data.filter(({ state }) => state === 'serving');
        return serving.length === WORKERS && !serving.some(({ pid }) => pid === workers[0]?.pid);
      },
      { timeoutMs: 15_000, what: 'a new worker' },
    );
    expect(await statusesEverywhere(key)).toEqual({ 200: FRESH_CONNECTIONS });
    const { balance } = await caller.usage(key);
    expect(balance.settled).toBe('0.991');
    expect(await caller.audit()).toEqual([]);
  });
});

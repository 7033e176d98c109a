import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Command } from 'commander';
import { afterAll, beforeAll, expect, it } from 'vitest';

import {
  atGateway,
  buildClientProgram,
  captureIo,
  type CommandRun,
  runClientCommand,
  runJsonCommand,
} from '../../test/support/run-client-command.ts';
import { refusedFacts, startAdminApi } from '../../test/support/start-admin-api.ts';
import type { AdminApi } from '../../test/support/start-admin-api.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { requestId } from '../platform/ids.ts';
import { EXIT } from './command-outcome.ts';
import { auditLedger, checkGateway } from './gateway-checks.ts';
import { packFacts, unpackFacts } from '../domain/facts-record.ts';

/** Other commands give up after 15 seconds. */
const LONG_AUDIT_MS = 17_000;
let api: AdminApi;
beforeAll(async () => {
  api = await startAdminApi();
});
afterAll(() => api.close());

function run(line: readonly string[], env = atGateway(api), color = false): Promise<CommandRun> {
  return runClientCommand(line, env, color);
}
function runJson(...line: readonly string[]): Promise<Record<string, unknown>> {
  return runJsonCommand(line, atGateway(api));
}

it('customers: create, list, show, change', async () => {
  const created = await runJson('customers', 'create', '--name', 'Acme Inc', '--plan', 'free');
  const id = String(created['id']);
  expect(created).toMatchObject({ name: 'Acme Inc', plan: 'free' });
  expect((await run(['customers', 'list'])).out).toMatch(
    new RegExp(`^ID +NAME +PLAN +PARENT +CREATED\n[^]*${id}  Acme Inc +free +- +\\d{4}-`),
  );
  expect((await run(['customers', 'change', id, '--plan', 'business'])).code).toBe(0);
  const shown = await run(['customers', 'show', id]);
  expect(shown.out).toMatch(/^plan +business$/m);
  expect(shown.out).toMatch(/^balance +0\.00 USD$/m);
  expect(shown.out).toMatch(/^requests_per_month +tenant +0 +0 +1000 +1000 +\d{4}-/m);
});

it('a command line with a mistake ends with 2 and says what is wrong, as JSON where that was asked for', async () => {
  const [missing, unknown, empty, json] = [
    await run(['credits', 'add', '--amount', '5.00']),
    await run(['customers', 'list', '--limt', '1']),
    await run(['customers', 'list', '--data', '']),
    await run(['credits', 'add', '--amount', '5.00', '--json']),
  ];
  expect(missing).toEqual({
    code: EXIT.usage,
    out: '',
    talk: "error: required option '--tenant <id>' not specified\n(--help shows the options)\n",
  });
  expect(unknown.talk).toContain('(Did you mean --limit?)');
  expect(empty).toMatchObject({ code: EXIT.usage, out: '' });
  expect(empty.talk).toContain("option '--data <dir>' is empty: give it a value, or leave it out");
  expect({ ...json, talk: JSON.parse(json.talk) as unknown }).toMatchObject({
    ...{ code: EXIT.usage, out: '' },
    talk: { error: { code: 'BAD_USAGE', message: expect.stringContaining('--tenant <id>') } },
  });
});

it('customers list goes on from its cursor', async () => {
  await runJson('customers', 'create', '--name', 'One', '--plan', 'free');
  await runJson('customers', 'create', '--name', 'Two', '--plan', 'free');
  const first = await run(['customers', 'list', '--limit', '1']);
  const cursor = /--cursor (\S+)/.exec(first.talk)?.[1] ?? '';
  const second = await run(['customers', 'list', '--limit', '1', '--cursor', cursor]);
  expect(cursor).toMatch(/^ten_/);
  expect(second.out).not.toContain(cursor);
  expect(second.out.trimEnd().split('\n')).toHaveLength(2);
});

it('KEY-01 keys: create shows the key once and says so, list and revoke never do', async () => {
  const { id: tenant } = await runJson('customers', 'create', '--name', 'Acme', '--plan', 'free');
  const line = ['--tenant', String(tenant), '--name', 'ci', '--budget', '1.00', '--expires', '30d'];
  const created = await run(['keys', 'create', ...line]);
  const key = /^tk_live_[0-9A-Za-z]{36}$/m.exec(created.out)?.[0] ?? '';
  expect(key).not.toBe('');
  expect(created.talk).toContain('cannot be shown again');
  const listed = await run(['keys', 'list', '--tenant', String(tenant)]);
  expect(listed.out).toContain(`tk_live_...${key.slice(-4)}  ci    active  1.00 USD`);
  expect(listed.out).not.toContain(key);
  const id = /key_[0-9a-f]{32}/.exec(listed.out)?.[0] ?? '';
  expect(await runJson('keys', 'revoke', id)).toMatchObject({ id, state: 'revoked' });
});

it('BILL-13 credits: add, add again with the same idempotency key, list', async () => {
  const { id } = await runJson('customers', 'create', '--name', 'Acme', '--plan', 'free');
  const line = ['credits', 'add', '--tenant', String(id), '--amount', '5.00'];
  const first = await runJson(...line, '--idempotency-key', 'k1');
  expect(await runJson(...line, '--idempotency-key', 'k1')).toEqual(first);
  await runJson(...line, '--expires', '90d', '--category', 'promotional');
  const listed = await run(['credits', 'list', '--tenant', String(id)]);
  expect(listed.out.match(/5\.00 USD {2}5\.00 USD/g)).toHaveLength(2);
  expect((await run(['customers', 'show', String(id)])).out).toMatch(/^available +10\.00 USD$/m);
});

it.each([
  ['no command', []],
  ['an unknown command', ['custmers', 'list']],
  ['a missing option', ['customers', 'create', '--name', 'Acme']],
  ['a missing argument', ['keys', 'revoke']],
  ['an unknown option', ['keys', 'list', '--tenent', 'x']],
  ['an argument too many', ['keys', 'list', 'everything']],
  ['a bad amount', ['credits', 'add', '--tenant', 'SOME', '--amount', 'five']],
  ['a bad limit', ['customers', 'list', '--limit', 'many']],
  ['a bad address', ['customers', 'list', '--admin', 'localhost:4021/admin']],
])('usage: %s ends with 2, and says what is wrong on standard error', async (_title, line) => {
  const { id } = await runJson('customers', 'create', '--name', 'Acme', '--plan', 'free');
  const result = await run(line.map((word) => (word === 'SOME' ? String(id) : word)));
  expect(result).toMatchObject({ code: 2, out: '' });
  expect(result.talk.length).toBeGreaterThan(20);
});

it('usage: a misspelt command is suggested', async () => {
  expect((await run(['custmers'])).talk).toContain('Did you mean customers?');
  expect((await run(['keys', 'list', '--tenent', 'x'])).talk).toContain('Did you mean --tenant?');
});

it.each(['.', '..', ''])('usage: %j is no id, whatever it would name in a path', async (id) => {
  for (const line of [
    ['customers', 'show', id],
    ['credits', 'list', '--tenant', id || '..'],
    ['owners', 'leases', id],
    ['keys', 'revoke', id],
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- each command is looked at by itself
    const result = await run(line);
    expect(result).toMatchObject({ code: EXIT.usage, out: '' });
    expect(result.talk).toContain('is no id: one looks like ten_0199...');
  }
});

it('an id with a slash stays one id', async () => {
  expect((await run(['keys', 'show', '../tenants'])).talk).toContain('There is no key ../tenants');
});

it('failed: what the gateway refuses ends with 1 and its sentence', async () => {
  const result = await run(['keys', 'create', '--tenant', 'ten_nobody']);
  expect(result).toMatchObject({ code: 1, out: '' });
  expect(result.talk).toContain('There is no tenant ten_nobody');
});

it('failed with --json: one object on standard error, nothing on standard output', async () => {
  const result = await run(['keys', 'revoke', 'key_nothing', '--json']);
  expect(result).toMatchObject({ code: 1, out: '' });
  expect(JSON.parse(result.talk)).toMatchObject({ error: { code: 'KEY_NOT_FOUND', exit_code: 1 } });
});

it('configuration: no token file, or the token of another gateway, ends with 3', async () => {
  const missing = await run(['customers', 'list', '--data', join(api.directory, 'elsewhere')]);
  expect(missing.code).toBe(3);
  expect(missing.talk).toContain('start a gateway here with `npx tollkeeper dev`');
  const data = temporaryDirectory('token');
  mkdirSync(join(data, 'admin.token'));
  const unread = await run(['customers', 'list', '--data', data]);
  expect(unread.code).toBe(3);
  expect(unread.talk).toMatch(/admin\.token cannot be read \(EISDIR/);
  const odd = join(data, 'odd.token');
  writeFileSync(odd, 'two words\n');
  const wrongFile = await run(['customers', 'list', '--token-file', odd]);
  expect(wrongFile.code).toBe(3);
  expect(wrongFile.talk).toContain(`what is in ${odd} is no admin token`);
  const other = await startAdminApi();
  const wrong = await run(['customers', 'list', '--admin', other.origin]);
  expect(wrong.code).toBe(3);
  expect(wrong.talk).toContain(join(api.directory, 'admin.token'));
  const right = join(other.directory, 'admin.token');
  expect(
    (await run(['customers', 'list', '--admin', other.origin, '--token-file', right])).code,
  ).toBe(0);
  await other.close();
});

it('dependency: nobody there ends with 4 and says how to start one', async () => {
  const gone = await startAdminApi();
  const env = { TOLLKEEPER_ADMIN: gone.origin, TOLLKEEPER_DATA: api.directory };
  await gone.close();
  const result = await run(['customers', 'list'], env);
  expect(result).toMatchObject({ code: 4, out: '' });
  expect(result.talk).toContain(
    `no gateway answers at ${gone.origin}: start one with \`npx tollkeeper dev\``,
  );
});

it.each([
  ['a web page', (): [number, string] => [200, '<html>'], 'not as a Tollkeeper admin API'],
  ['an error of something else', (): [number, string] => [502, 'Bad Gateway'], 'answered 502'],
  [
    'a hang-up',
    (): undefined => undefined,
    'whether it did what was asked is not known; repeat the command with --idempotency-key',
  ],
])('dependency: %s at the address ends with 4', async (_title, answer, message) => {
  const server = createServer((_request, response) => {
    const reply = answer();
    if (reply === undefined) response.destroy();
    else response.writeHead(reply[0]).end(reply[1]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const env = { ...atGateway(api), TOLLKEEPER_ADMIN: `http://127.0.0.1:${port}` };
  const result = await run(['credits', 'add', '--tenant', 'ten_x', '--amount', '5.00'], env);
  expect(result).toMatchObject({ code: 4, out: '' });
  expect(result.talk).toContain(message);
  await new Promise((resolve) => server.close(resolve));
});

it('bound: an endless answer is cut off', async () => {
  const server = createServer((_request, response) => {
    const piece = Buffer.alloc(1024 * 1024, 'a');
    const pour = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', pour);
    pour();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const result = await run(['customers', 'list', '--admin', `http://127.0.0.1:${port}`]);
  expect(result.code).toBe(4);
  expect(result.talk).toContain('larger than 16777216 bytes');
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

it('--help on every command: two examples, on standard output, exit code 0', async () => {
  const { io } = captureIo({});
  const lines = leavesOf(buildClientProgram(io)).map((line) => line.slice(1));
  expect(lines.length).toBeGreaterThan(16);
  for (const line of lines) {
    const help = await run([...line, '--help'], {});
    expect(help).toMatchObject({ code: 0, talk: '' });
    expect(help.out).toContain('--json');
    expect(help.out.match(new RegExp(`^ {2}\\$ tollkeeper ${line.join(' ')}`, 'gm'))).toHaveLength(
      2,
    );
  }
});

/** The names of every command that does something, from the program's own down. */
function leavesOf(command: Command): readonly (readonly string[])[] {
  if (command.commands.length === 0) return [[command.name()]];
  return command.commands.flatMap((each) =>
    leavesOf(each).map((line) => [command.name(), ...line]),
  );
}

it('--version', async () => {
  expect(await run(['--version'], {})).toEqual({ code: 0, out: '1.2.3\n', talk: '' });
});

it('colour only where it is wanted', async () => {
  expect((await run(['customers', 'list'])).out).not.toContain('\u001b');
  expect((await run(['customers', 'list'], atGateway(api), true)).out).toContain('\u001b[1mID');
});

it('doctor: a healthy gateway, then one with a finding in each part', async () => {
  const { io } = captureIo(atGateway(api));
  const healthy = await checkGateway({}, io);
  expect(healthy.map(({ name, status }) => `${name} ${status}`)).toEqual([
    'gateway ok',
    'workers ok',
    'store ok',
    'ledger ok',
  ]);
  const sick = await startAdminApi({
    operations: {
      readiness: async () => [
        { name: 'workers', ok: false, detail: '0 of 1 serving' },
        { name: 'rate limits', ok: true, degraded: true, detail: 'Redis does not answer' },
      ],
      audit: async () => [{ invariant: 'I1', detail: 'transaction t1 sums to 5' }],
    },
  });
  const findings = await checkGateway({ admin: sick.origin, data: sick.directory }, io);
  expect(findings).toEqual([
    { name: 'gateway', status: 'ok', detail: 'configuration 0123456789ab' },
    { name: 'workers', status: 'fail', detail: '0 of 1 serving' },
    { name: 'rate limits', status: 'warn', detail: 'Redis does not answer' },
    {
      name: 'ledger',
      status: 'fail',
      detail: expect.stringContaining('I1: transaction t1 sums to 5'),
    },
  ]);
  const broken = await auditLedger({ admin: sick.origin, data: sick.directory }, io);
  expect(broken).toMatchObject({
    kind: 'done',
    exitCode: EXIT.failed,
    json: { ok: false, violations: [{ invariant: 'I1', detail: 'transaction t1 sums to 5' }] },
    text: expect.stringMatching(/^fail {2}ledger +I1: transaction t1 sums to 5/),
  });
  expect(await auditLedger({}, io)).toMatchObject({
    kind: 'done',
    exitCode: EXIT.ok,
    json: { ok: true, violations: [] },
    text: 'ok    ledger         every invariant holds',
  });
  await sick.close();
  expect(await auditLedger({ admin: sick.origin }, io)).toMatchObject({
    kind: 'failed',
    exitCode: EXIT.dependency,
  });
  const [gone] = await checkGateway({ admin: sick.origin }, io);
  expect(gone).toMatchObject({
    name: 'gateway',
    status: 'fail',
    detail: expect.stringContaining('no gateway answers'),
  });
});

it('doctor waits for an audit of many entries for longer than for any other answer', async () => {
  const slow = await startAdminApi({
    operations: { audit: () => sleep(LONG_AUDIT_MS, []) },
  });
  const { io } = captureIo(atGateway(slow));
  expect(await auditLedger({}, io)).toMatchObject({ kind: 'done', json: { ok: true } });
  await slow.close();
}, 60_000);

it('DIAG-01 explain: what is no request id is told from one that is unknown', async () => {
  const result = await run(['explain', 'nonsense']);
  expect(result).toMatchObject({ code: EXIT.usage, out: '' });
  expect(result.talk).toContain('One looks like req_0199...: the X-Request-Id of an answer.');
});

it('DIAG-01 explain: an unknown request is a clear failure', async () => {
  const id = requestId(Date.now());
  const result = await run(['explain', id]);
  expect(result.code).toBe(1);
  expect(result.talk).toContain(id);
});

it('DIAG-01 explain: verdict, steps and what fixes it, and the whole row with --json', async () => {
  const id = requestId(Date.now());
  const facts = packFacts(refusedFacts(id));
  const row = {
    requestId: id,
    at: Date.now(),
    tenantId: 'ten_1',
    status: 402,
    code: 'INSUFFICIENT_CREDITS',
    facts,
  };
  await api.store.appendRequests([row]);
  const { code, out } = await run(['explain', id]);
  expect(code).toBe(0);
  expect(out).toMatch(/^Refused: .*0\.0420 USD.*0\.0031 USD/);
  expect(out).toMatch(new RegExp(`^request  ${id}$`, 'm'));
  expect(out).toMatch(/^ {2}ok {2}identify /m);
  expect(out).toMatch(/^ {2}NO {2}reserve /m);
  expect(out).toContain('What fixes it:\n  - ');
  expect(out).toContain('Will retrying help? No');
  for (let step = 1; step <= 8; step += 1) expect(out).toMatch(new RegExp(`^${step}\\. `, 'm'));
  expect(out).toMatch(/^ {2}NO {2}Refused: this call could cost/m);
  expect(await runJson('explain', id)).toMatchObject({
    facts: JSON.parse(JSON.stringify(unpackFacts(facts))),
  });
});

it('DIAG-01 explain: a row of another version is shown without an explanation', async () => {
  const id = requestId(Date.now());
  const row = {
    requestId: id,
    at: Date.now(),
    tenantId: '',
    status: 404,
    code: 'ROUTE_NOT_FOUND',
    facts: '{}',
  };
  await api.store.appendRequests([row]);
  expect((await run(['explain', id])).out).toContain('--json shows its facts');
});

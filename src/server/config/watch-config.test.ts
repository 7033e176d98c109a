import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { loadText } from '../../../test/support/check-config.ts';
import { RENEWED_CERTIFICATE, TEST_CERTIFICATE } from '../../../test/support/test-certificate.ts';
import { formatProblem } from './config-problem.ts';
import { loadConfig } from './load-config.ts';
import type { LoadedConfig } from './loaded-config.ts';
import { formatChanges, listChanges, watchConfig } from './watch-config.ts';
import type { ConfigWatch, Reload } from './watch-config.ts';

const env: Record<string, string> = {};
let directory = '';
let file = '';
let reloads: Reload[] = [];
let opened: ConfigWatch[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tollkeeper-watch-'));
  file = join(directory, 'tollkeeper.yaml');
  reloads = [];
  opened = [];
});
afterEach(() => {
  for (const watch of opened) watch.close();
  rmSync(directory, { recursive: true });
});

const yaml = (requests: number) => `
version: 1
plans: { free: { title: Free, price: free, limits: [{ requests: ${requests}, per: month }] } }
`;

function load(): LoadedConfig {
  const result = loadConfig(file, { env });
  if (result.kind === 'invalid') throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

function open(settleMs = 10): ConfigWatch {
  const watch = watchConfig({
    config: load(),
    env,
    settleMs,
    onReload: (reload) => reloads.push(reload),
  });
  opened.push(watch);
  return watch;
}

async function waitForReloads(count: number): Promise<void> {
  await vi.waitFor(() => expect(reloads).toHaveLength(count), { timeout: 10_000, interval: 10 });
}

function quotaOf(config: LoadedConfig): number | undefined {
  return config.catalog.plans.get('free')?.limits[0]?.amount;
}

describe('hot reload (GW-03)', () => {
  test('takes a file that was written over', async () => {
    writeFileSync(file, yaml(10));
    const watch = open();
    writeFileSync(file, yaml(5));
    await waitForReloads(1);
    const [reload] = reloads;
    expect(reload).toMatchObject({
      kind: 'changed',
      changes: [{ path: 'plans.free', change: 'changed', needsRestart: false }],
    });
    expect(reload?.kind === 'changed' && quotaOf(reload.config)).toBe(5);
    expect(quotaOf(watch.current)).toBe(5);
  });

  test('takes a file that was renamed into place, more than once', async () => {
    writeFileSync(file, yaml(10));
    const watch = open();
    for (const [index, requests] of [5, 4, 3].entries()) {
      writeFileSync(`${file}.new`, yaml(requests));
      renameSync(`${file}.new`, file);
      await waitForReloads(index + 1);
      expect(quotaOf(watch.current)).toBe(requests);
    }
  });

  test('takes a file that changes by a link beside it, as mounted volumes do', async () => {
    for (const [name, requests] of [
      ['v1', 10],
      ['v2', 5],
    ] as const) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'tollkeeper.yaml'), yaml(requests));
    }
    symlinkSync('v1', join(directory, 'data'));
    symlinkSync('data/tollkeeper.yaml', file);
    const watch = open();
    symlinkSync('v2', join(directory, 'data.new'));
    renameSync(join(directory, 'data.new'), join(directory, 'data'));
    await waitForReloads(1);
    expect(quotaOf(watch.current)).toBe(5);
  });

  test('takes what is changed where a link leads to, also after it leads elsewhere', async () => {
    for (const name of ['one', 'two'])
      mkdirSync(join(directory, 'real', name), { recursive: true });
    const target = (name: string) => join(directory, 'real', name, 'gateway.yaml');
    writeFileSync(target('one'), yaml(10));
    writeFileSync(target('two'), yaml(9));
    symlinkSync(target('one'), file);
    const watch = open();
    writeFileSync(target('one'), yaml(5));
    await waitForReloads(1);
    symlinkSync(target('two'), `${file}.new`);
    renameSync(`${file}.new`, file);
    await waitForReloads(2);
    writeFileSync(target('two'), yaml(4));
    await waitForReloads(3);
    expect(quotaOf(watch.current)).toBe(4);
  });

  test('takes what is in a folder that was deleted and made again, and again', async () => {
    const folder = join(directory, 'conf');
    file = join(folder, 'tollkeeper.yaml');
    mkdirSync(folder);
    writeFileSync(file, yaml(10));
    const watch = open();
    for (const requests of [5, 4]) {
      rmSync(folder, { recursive: true });
      // oxlint-disable-next-line no-await-in-loop -- a folder is made again once its absence was noticed, and replaced once it was read
      await vi.waitFor(() => expect(reloads.at(-1)?.kind).toBe('kept'), { timeout: 10_000 });
      mkdirSync(folder);
      writeFileSync(file, yaml(requests));
      // oxlint-disable-next-line no-await-in-loop -- a folder is made again once its absence was noticed, and replaced once it was read
      await vi.waitFor(() => expect(quotaOf(watch.current)).toBe(requests), { timeout: 10_000 });
    }
    writeFileSync(file, yaml(3));
    await vi.waitFor(() => expect(quotaOf(watch.current)).toBe(3), { timeout: 10_000 });
  });

  test.each([
    ['a folder above it is renamed into place', false],
    ['a link above it leads elsewhere', true],
  ])('takes what is there when %s', async (_what, byLink) => {
    for (const [release, requests] of [
      ['one', 10],
      ['two', 5],
    ] as const) {
      mkdirSync(join(directory, release, 'conf'), { recursive: true });
      writeFileSync(join(directory, release, 'conf', 'tollkeeper.yaml'), yaml(requests));
    }
    const current = join(directory, 'current');
    file = join(current, 'conf', 'tollkeeper.yaml');
    if (byLink) symlinkSync('one', current);
    else renameSync(join(directory, 'one'), current);
    const watch = open();
    if (byLink) {
      symlinkSync('two', `${current}.new`);
      renameSync(`${current}.new`, current);
    } else {
      renameSync(current, `${current}.old`);
      renameSync(join(directory, 'two'), current);
    }
    await vi.waitFor(() => expect(quotaOf(watch.current)).toBe(5), { timeout: 10_000 });
    writeFileSync(file, yaml(4));
    await vi.waitFor(() => expect(quotaOf(watch.current)).toBe(4), { timeout: 10_000 });
  });

  test('takes a file beside which another is written without a pause', async () => {
    writeFileSync(file, yaml(10));
    const watch = open(100);
    const log = setInterval(() => writeFileSync(join(directory, 'log'), 'x'), 1);
    onTestFinished(() => clearInterval(log));
    writeFileSync(file, yaml(5));
    await vi.waitFor(() => expect(quotaOf(watch.current)).toBe(5), { timeout: 10_000 });
  });

  test('keeps the old configuration on an error, tells it once, and goes on when it is mended', async () => {
    writeFileSync(file, yaml(10));
    const watch = open();
    writeFileSync(file, 'version: 1\nplasn: {}');
    await waitForReloads(1);
    const [kept] = reloads;
    expect(kept?.kind === 'kept' && kept.problems.map(formatProblem)).toEqual([
      `${file}:2:1 plasn: unknown key "plasn". Did you mean "plans"?`,
    ]);
    expect(quotaOf(watch.current)).toBe(10);
    // Another file of the folder wakes the watch; the same mistake is not told again.
    writeFileSync(join(directory, 'other'), 'x');
    writeFileSync(file, yaml(7));
    await waitForReloads(2);
    expect(reloads.map((reload) => reload.kind)).toEqual(['kept', 'changed']);
    expect(quotaOf(watch.current)).toBe(7);
  });

  test('a file that goes away is an error like any other', async () => {
    writeFileSync(file, yaml(10));
    const watch = open();
    rmSync(file);
    await waitForReloads(1);
    expect(reloads[0]?.kind).toBe('kept');
    expect(quotaOf(watch.current)).toBe(10);
  });
});

describe('reload() for SIGHUP and the admin API', () => {
  test('reads what no file event tells: a variable, a secret file', () => {
    writeFileSync(
      file,
      'version: 1\nupstreams: { a: { url: http://a.example, credentials: { x: "file:secret" } } }',
    );
    writeFileSync(join(directory, 'secret'), 'one');
    const watch = open();
    expect(watch.reload()).toEqual({ kind: 'unchanged' });
    writeFileSync(join(directory, 'secret'), 'two');
    const reload = watch.reload();
    expect(reload.kind === 'changed' && formatChanges(reload.changes)).toBe('upstreams.a changed');
    expect(watch.current.catalog.upstreams.get('a')?.credentials).toEqual([
      { name: 'x', value: 'two' },
    ]);
  });

  test('says what waits for the next start', () => {
    writeFileSync(
      file,
      'version: 1\nlog: { level: info }\npacks: { a: { title: A, price: 1 USD, credit: 1 USD } }',
    );
    const watch = open();
    writeFileSync(
      file,
      'version: 1\nlog: { level: warn }\nserver: { port: 5000, drain: 5s }\naliases: {}',
    );
    const reload = watch.reload();
    expect(reload.kind === 'changed' && formatChanges(reload.changes)).toBe(
      'log.level changed (from the next start), packs.a removed, server.drain changed, server.port changed (from the next start)',
    );
  });

  test('a certificate is renewed without a start, and TLS begins with one', () => {
    const tls = 'version: 1\nserver: { tls: { cert: cert.pem, key: key.pem } }';
    const put = ({ cert, key }: typeof TEST_CERTIFICATE) => {
      writeFileSync(join(directory, 'cert.pem'), cert);
      writeFileSync(join(directory, 'key.pem'), key);
    };
    put(TEST_CERTIFICATE);
    writeFileSync(file, 'version: 1');
    const watch = open();
    const reload = () => {
      const result = watch.reload();
      return result.kind === 'changed' ? formatChanges(result.changes) : result.kind;
    };
    writeFileSync(file, tls);
    expect(reload()).toBe('server.tls added (from the next start)');
    put({ ...RENEWED_CERTIFICATE, key: TEST_CERTIFICATE.key });
    expect(reload()).toBe('kept');
    put(RENEWED_CERTIFICATE);
    expect(reload()).toBe('server.tls changed');
    writeFileSync(file, 'version: 1');
    expect(reload()).toBe('server.tls removed (from the next start)');
  });

  test('takes nothing of a file whose prices are in another asset', () => {
    writeFileSync(file, yaml(10));
    const watch = open();
    writeFileSync(file, `${yaml(5)}asset: EUR`);
    const reload = watch.reload();
    expect(reload.kind === 'kept' && reload.problems.map(formatProblem)).toEqual([
      `${file} asset: the asset changes from USD to EUR: this file waits for the next start`,
    ]);
    expect(quotaOf(watch.current)).toBe(10);
  });

  test('works after the watch was closed', () => {
    writeFileSync(file, yaml(10));
    const watch = open();
    watch.close();
    writeFileSync(file, yaml(5));
    expect(watch.reload().kind).toBe('changed');
    expect(quotaOf(watch.current)).toBe(5);
  });
});

test.each([
  ['limits', 'limits: [{ requests: 1, per: second }]'],
  ['enforcement', 'enforcement: observe\napis: { llm: { type: llm } }'],
  ['add_ons.big', 'add_ons: { big: { title: Big, price: 1 USD, grants: { max_file: 1 MB } } }'],
  ['customise', 'customise: [{ title: Hello }]'],
  ['plans.free', 'plans: { free: { title: Free, price: free, grace: 3d } }'],
  ['apis.llm', 'apis: { llm: { type: llm, anonymous: { requests: 5, per: hour } } }'],
])('a change of %s is seen, and makes another version of the catalogue', (path, text) => {
  const [before, after] = [loadText('version: 1'), loadText(`version: 1\n${text}`)];
  expect(listChanges(before, after).map((change) => change.path)).toContain(path);
  expect(after.catalog.version).not.toBe(before.catalog.version);
});

import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatProblem } from './config-problem.ts';
import { loadConfig } from './load-config.ts';
import type { LoadOptions } from './load-config.ts';
import type { LoadedConfig } from './loaded-config.ts';
import { chooseConfigFile } from './overrides.ts';

function load(
  text: string,
  options: LoadOptions = { env: {} },
  file = '/etc/toll/tollkeeper.yaml',
): LoadedConfig {
  const result = loadConfig({ text, file }, options);
  if (result.kind === 'invalid') throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

test('defaults: loopback, two ports, a directory here', () => {
  const config = load('version: 1');
  expect(config.server).toEqual({
    host: '127.0.0.1',
    port: 4020,
    adminHost: '127.0.0.1',
    adminPort: 4021,
    publicUrl: undefined,
    workers: 'auto',
    tls: undefined,
    trustedProxies: [],
    addressLimit: undefined,
    addressLimitLoopback: false,
    drainMs: 30_000,
    headerBytesMax: 32_768,
    headersTimeoutMs: 15_000,
    keepAliveTimeoutMs: 75_000,
    connectionsMax: 10_000,
    requestsMax: 5000,
    http: 'sockets',
  });
  expect(config.store).toEqual({ type: 'sqlite', directory: resolve('.tollkeeper') });
  expect(config.log).toEqual({ level: 'info', requests: 'all' });
  expect(config.catalog.retryStormPerMinute).toBe(2000);
  expect(config.demo).toBeUndefined();
});

test.each([
  ['true', true],
  ['false', false],
])('a variable may say %s', (FLAG, expected) => {
  const text = 'version: 1\nserver: { address_limit_loopback: "${FLAG}" }\n';
  expect(load(text, { env: { FLAG } }).server.addressLimitLoopback).toBe(expected);
});

test('the file', () => {
  const config = load(`
version: 1
asset: EUR
server:
  host: "::"
  port: "8080"
  admin_host: 10.0.0.5
  public_url: https://API.example.com:443/
  workers: 4
  trusted_proxies: [10.0.0.0/8, "::1"]
  address_limit: 100/s burst 200
  address_limit_loopback: true
  drain: 1m
store: { directory: data }
log: { level: warn, requests: refusals }
plans: { free: { title: Free, price: free } }
demo: { customer: { plan: free }, credit: 0.01 EUR }
`);
  expect(config.server).toMatchObject({
    host: '::',
    port: 8080,
    adminHost: '10.0.0.5',
    publicUrl: 'https://api.example.com',
    workers: 4,
    trustedProxies: ['10.0.0.0/8', '::1'],
    addressLimit: { count: 100, periodMs: 1000, burst: 200 },
    addressLimitLoopback: true,
    drainMs: 60_000,
  });
  expect(config.store.directory).toBe('/etc/toll/data');
  expect(config.log).toEqual({ level: 'warn', requests: 'refusals' });
  expect(config.catalog.asset).toBe('EUR');
  expect(config.demo).toEqual({ customerName: 'Demo', planId: 'free', creditNano: 10_000_000n });
});

describe('store: postgres://...', () => {
  const url = 'postgres://me:pass%40word@db.example.com/books?sslmode=verify-full';

  test('is the only change a user makes: the directory stays for journals', () => {
    expect(load(`version: 1\nstore: ${url}`).store).toEqual({
      type: 'postgres',
      url,
      connections: undefined,
      directory: resolve('.tollkeeper'),
    });
    const yaml =
      'version: 1\nstore: { type: postgres, url: "${DB}", connections: 9, directory: d }';
    expect(load(yaml, { env: { DB: url } }).store).toEqual({
      type: 'postgres',
      url,
      connections: 9,
      directory: '/etc/toll/d',
    });
  });

  test.each([`store: ${url}`, 'store: ${DB}', `store: { type: postgres, url: "${url}" }`])(
    'its secret is not shown: %s',
    (store) => {
      const config = load(`version: 1\n${store}`, { env: { DB: url } });
      expect(config.source).toMatchObject({ store: { type: 'postgres', url: '***' } });
      expect(JSON.stringify([config.source, config.origins])).not.toContain('pass');
    },
  );
});

test('the admin API stays on loopback when only the gateway is opened (DESIGN 10)', () => {
  const config = load('version: 1', { env: {}, flags: { host: '0.0.0.0' } });
  expect([config.server.host, config.server.adminHost]).toEqual(['0.0.0.0', '127.0.0.1']);
});

describe('flags win over TOLLKEEPER_* over the file over defaults', () => {
  const yaml = 'version: 1\nserver: { port: 1, admin_port: 2, workers: 3 }\nstore: sqlite';
  const env = {
    TOLLKEEPER_PORT: '11',
    TOLLKEEPER_ADMIN_PORT: '12',
    TOLLKEEPER_DATA: 'from-env',
    TOLLKEEPER_HOST: '',
  };
  const config = load(yaml, { env, flags: { port: '21', host: '0.0.0.0' } });

  test('values', () => {
    expect(config.server).toMatchObject({ host: '0.0.0.0', port: 21, adminPort: 12, workers: 3 });
    expect(config.store.directory).toBe(resolve('from-env'));
  });

  test('origins and the printed file say so', () => {
    expect(config.origins).toMatchObject({
      version: 'file',
      'server.host': 'flag',
      'server.port': 'flag',
      'server.admin_port': 'env',
      'server.workers': 'file',
      'server.drain': 'default',
      'store.type': 'file',
      'store.directory': 'env',
      'log.level': 'default',
      plans: 'default',
    });
    expect(config.source).toMatchObject({
      server: { host: '0.0.0.0', port: 21, admin_port: 12, drain: '30s' },
      store: { type: 'sqlite', directory: 'from-env' },
      log: { level: 'info' },
    });
  });

  test('everything can be set from outside', () => {
    const all = load('version: 1', {
      env: {
        TOLLKEEPER_HOST: '0.0.0.0',
        TOLLKEEPER_ADMIN_HOST: '::1',
        TOLLKEEPER_WORKERS: 'auto',
        TOLLKEEPER_PUBLIC_URL: 'https://api.example.com',
        TOLLKEEPER_LOG_LEVEL: 'error',
      },
      flags: { adminPort: 0, port: 0, data: '/data', workers: 2 },
    });
    expect(all.server).toMatchObject({
      host: '0.0.0.0',
      adminHost: '::1',
      port: 0,
      adminPort: 0,
      workers: 2,
      publicUrl: 'https://api.example.com',
    });
    expect([all.store.directory, all.log.level]).toEqual(['/data', 'error']);
  });

  test.each([
    [
      { TOLLKEEPER_PORT: 'http' },
      {},
      'TOLLKEEPER_PORT server.port: expected a whole number from 0 to 65535, got "http"',
    ],
    [{}, { port: '65536' }, '--port server.port: must be at most 65535, got 65536'],
    [
      { TOLLKEEPER_WORKERS: '0' },
      {},
      'TOLLKEEPER_WORKERS server.workers: must be at least 1, got 0',
    ],
    [
      {},
      { workers: 'all' },
      '--workers server.workers: expected a whole number from 1 to 256, got "all"',
    ],
    [
      {},
      { adminPort: 4020 },
      "--admin-port server.admin_port: is the gateway's own port (4020): the admin API needs another",
    ],
    [
      { TOLLKEEPER_LOG_LEVEL: 'loud' },
      {},
      'TOLLKEEPER_LOG_LEVEL log.level: expected "debug", "info", "warn", "error" or "silent", got "loud"',
    ],
  ])('a wrong one is told by its name: %j %j', (variables, flags, problem) => {
    const result = loadConfig({ text: 'version: 1', file: 't.yaml' }, { env: variables, flags });
    expect(result.kind === 'invalid' && result.problems.map(formatProblem)).toEqual([problem]);
  });

  test.each([
    [undefined, {}, 'tollkeeper.yaml'],
    [undefined, { TOLLKEEPER_CONFIG: '' }, 'tollkeeper.yaml'],
    [undefined, { TOLLKEEPER_CONFIG: 'b.yaml' }, 'b.yaml'],
    ['a.yaml', { TOLLKEEPER_CONFIG: 'b.yaml' }, 'a.yaml'],
  ])('the file itself: --config %s, %j', (flag, variables, file) => {
    expect(chooseConfigFile(flag, variables)).toBe(file);
  });
});

/** One DER element (X.690 8.1). */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const size = content.length;
  const long = size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  const length = size < 128 ? [size] : long;
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

/** The smallest self-signed certificate that TLS takes (RFC 5280 4.1): no program but Node is needed for it. */
function signCertificate(publicKey: KeyObject, privateKey: KeyObject): string {
  const sequence = 0x30;
  const ecdsaWithSha256 = der(sequence, Buffer.from('06082a8648ce3d040302', 'hex'));
  const commonName = der(
    sequence,
    Buffer.from('0603550403', 'hex'),
    der(0x0c, Buffer.from('localhost')),
  );
  const name = der(sequence, der(0x31, commonName));
  const validity = der(
    sequence,
    der(0x17, Buffer.from('260101000000Z')),
    der(0x17, Buffer.from('460101000000Z')),
  );
  const version = der(0xa0, Buffer.from('020102', 'hex'));
  const serial = Buffer.from('020101', 'hex');
  const subjectKey = publicKey.export({ type: 'spki', format: 'der' });
  const body = der(sequence, version, serial, ecdsaWithSha256, name, validity, name, subjectKey);
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, privateKey));
  const base64 = der(sequence, body, ecdsaWithSha256, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

describe('server.tls', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'tollkeeper-tls-'));
    for (const name of ['a', 'b']) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      writeFileSync(join(directory, `${name}.pem`), signCertificate(publicKey, privateKey));
      const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
      writeFileSync(join(directory, `${name}.key`), key);
    }
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const yaml = (cert: string, key: string) =>
    `version: 1\nserver:\n  tls: { cert: ${cert}, key: ${key} }`;

  test.each([
    ['a.pem', 'a.key'],
    ['file:a.pem', 'file:a.key'],
  ])('reads %s and %s beside the file', (cert, key) => {
    const { server } = load(yaml(cert, key), { env: {} }, join(directory, 'tollkeeper.yaml'));
    expect(server.tls?.cert).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
    expect(server.tls?.key).toMatch(/^-----BEGIN (EC )?PRIVATE KEY-----\n/);
  });

  test('a renewed certificate under the same name is a change', () => {
    const [one, two] = ['a', 'b'].map((name) => {
      const env = { NAME: name };
      return load(
        yaml('"${NAME}.pem"', '"${NAME}.key"'),
        { env },
        join(directory, 'tollkeeper.yaml'),
      );
    });
    expect(one?.fingerprints.get('server.tls')).not.toBe(two?.fingerprints.get('server.tls'));
    expect(JSON.stringify(one?.source)).not.toContain('BEGIN');
  });

  test('a key of another certificate is refused before anything listens', () => {
    const result = loadConfig(
      { text: yaml('a.pem', 'b.key'), file: join(directory, 't.yaml') },
      { env: {} },
    );
    expect(result.kind === 'invalid' && result.problems.map(formatProblem)[0]).toMatch(
      /t\.yaml:3:3 server\.tls: certificate and key cannot be used together: .*mismatch/,
    );
  });
});

describe('redis', () => {
  const read = (text: string, env = {}) => load(`version: 1\nredis: ${text}\n`, { env });

  test('nothing: rate limits are in the store', () => {
    expect(load('version: 1').redis).toBeUndefined();
  });

  test.each([
    [
      'redis://redis.internal:6379/0',
      { url: 'redis://redis.internal:6379/0', prefix: 'tollkeeper' },
    ],
    [
      '{ url: "rediss://[::1]:6380", prefix: shop }',
      { url: 'rediss://[::1]:6380', prefix: 'shop' },
    ],
  ])('%s', (text, settings) => {
    expect(read(text).redis).toEqual(settings);
  });

  test('its password is not printed, wherever it came from', () => {
    const env = { REDIS_URL: 'rediss://user:s3cret@redis.internal' };
    const printed = [
      read('${REDIS_URL}', env),
      read('redis://:s3c@ret@redis.internal/2'),
      read('{ url: "redis://user:s3cret@redis.internal" }'),
    ].map(({ source }) => source);
    expect(printed).toMatchObject([
      { redis: '***' },
      { redis: 'redis://***@redis.internal/2' },
      { redis: { url: 'redis://***@redis.internal' } },
    ]);
  });

  test.each([
    ['s3cret', 'expected an address such as redis://redis.internal:6379/0, or rediss:// for TLS'],
    ['http://:s3cret@host', 'or rediss:// for TLS'],
    ['redis://:s3cret@', 'or rediss:// for TLS'],
    ['redis:///0?s3cret', 'it names no host'],
    ['redis://host/s3cret', 'what follows the host is not the number of a database'],
    ['redis://host/0?password=s3cret', 'it has something after the database'],
    ['{ url: redis://host, prefix: "a b" }', 'must be letters, digits and _ . : -'],
    ['7', 'expected "redis://host:6379" or { url: redis://host:6379, prefix: shop }'],
  ])('%s is told without repeating it', (text, told) => {
    const result = loadConfig(
      { text: `version: 1\nredis: ${text}\n`, file: 't.yaml' },
      { env: {} },
    );
    const problems = result.kind === 'invalid' ? result.problems.map(formatProblem).join('\n') : '';
    expect(problems).toContain(told);
    expect(problems).not.toContain('s3cret');
  });
});

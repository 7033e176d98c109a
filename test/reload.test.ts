import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { GatewayCaller } from './support/gateway-caller.ts';
import { lockLedger } from './support/lock-ledger.ts';
import { openTls } from './support/open-tls.ts';
import { startGateway } from './support/start-gateway.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { RENEWED_CERTIFICATE, TEST_CERTIFICATE } from './support/test-certificate.ts';
import { waitFor } from './support/wait-for.ts';

const config = (price: string) => `
version: 1
upstreams: { own: { url: 'builtin:demo' } }
apis:
  own:
    upstream: own
    routes: [{ name: weather, path: /weather, methods: [GET], price: ${price} USD / request }]
plans: { paid: { title: Paid, price: free, limits: [{ requests: 100, per: month }] } }
demo: { customer: { name: Demo, plan: paid }, credit: 1.00 USD }
`;

/** A process may end between two looks, and a file be closed. */
function hasOpen(pid: number, file: string): boolean {
  const open = `/proc/${pid}/fd`;
  try {
    return readdirSync(open).some((descriptor) => readlinkSync(join(open, descriptor)) === file);
  } catch {
    return false;
  }
}

it('GW-03: a worker that was still starting when the configuration changed sells by the new one', async () => {
  const data = temporaryDirectory('reload');
  const file = join(temporaryDirectory('reload-config'), 'tollkeeper.yaml');
  writeFileSync(file, config('0.001'));
  const gateway = await startGateway({ data, args: ['--workers', '1', '--config', file] });
  onTestFinished(async () => void (await gateway.stop()));
  const caller = new GatewayCaller(gateway);
  onTestFinished(() => caller.close());
  const pids = async () => {
    const crew = await caller.admin<{ data: { pid: number }[] }>('/admin/workers');
    return crew.data.map(({ pid }) => pid);
  };
  const before = await pids();
  // Once it has its orders it opens the ledger, and comes no further while that is locked.
  const ledger = lockLedger(data);
  for (const pid of before) process.kill(pid, 'SIGKILL');
  await waitFor(async () => (await pids()).some((pid) => hasOpen(pid, join(data, 'ledger.db'))), {
    timeoutMs: 10_000,
    what: 'another worker to open the ledger',
  });
  writeFileSync(file, config('0.002'));
  await caller.admin('/admin/config/reload', undefined, 'POST');
  ledger.release();
  const answer = await waitFor(
    () => caller.call({ path: '/weather?city=Oslo' }).catch(() => undefined),
    {
      timeoutMs: 20_000,
      what: 'the worker to serve',
    },
  );
  expect([answer.status, answer.headers['x-tollkeeper-cost']]).toEqual([200, '0.0020 USD']);
});

it('GW-03: a reload that a worker has not confirmed says so, and the next one that it has', async () => {
  const file = join(temporaryDirectory('reload-config'), 'tollkeeper.yaml');
  writeFileSync(file, config('0.001'));
  const gateway = await startGateway({ args: ['--workers', '2', '--config', file] });
  onTestFinished(async () => void (await gateway.stop()));
  const caller = new GatewayCaller(gateway);
  onTestFinished(() => caller.close());
  const { data } = await caller.admin<{ data: { pid: number }[] }>('/admin/workers');
  const reload = async () => {
    const token = readFileSync(gateway.admin_token_file, 'utf8').trim();
    const headers = { authorization: `Bearer ${token}` };
    const url = `${gateway.admin}/admin/config/reload`;
    return (await fetch(url, { method: 'POST', headers })).headers.get('x-tollkeeper-in-force');
  };
  const [still = 0] = data.map(({ pid }) => pid);
  process.kill(still, 'SIGSTOP');
  writeFileSync(file, config('0.002'));
  const pending = await reload();
  process.kill(still, 'SIGCONT');
  expect(pending).toBe('pending');
  await waitFor(async () => (await reload()) === 'all', {
    timeoutMs: 10_000,
    what: 'every worker to confirm it',
  });
});

it.each(['sockets', 'node'])(
  'server.http: %s shows a renewed certificate once it has read it, and so does a worker that comes later',
  async (http) => {
    const directory = temporaryDirectory('renewed');
    const file = join(directory, 'tollkeeper.yaml');
    const put = ({ cert, key }: typeof TEST_CERTIFICATE) => {
      writeFileSync(join(directory, 'cert.pem'), cert);
      writeFileSync(join(directory, 'key.pem'), key);
    };
    put(TEST_CERTIFICATE);
    const server = `server: { http: ${http}, tls: { cert: cert.pem, key: key.pem } }`;
    writeFileSync(file, `${config('0.001')}\n${server}`);
    const gateway = await startGateway({ args: ['--workers', '1', '--config', file] });
    onTestFinished(async () => void (await gateway.stop()));
    const caller = new GatewayCaller(gateway);
    onTestFinished(() => caller.close());
    const shown = async () => {
      const { client, fingerprint } = await openTls(Number(new URL(gateway.gateway).port));
      client.destroy();
      return fingerprint;
    };
    expect(await shown()).toBe(new X509Certificate(TEST_CERTIFICATE.cert).fingerprint256);
    put(RENEWED_CERTIFICATE);
    const reload = await caller.admin('/admin/config/reload', undefined, 'POST');
    expect(reload).toMatchObject({ needs_restart: [] });
    const { fingerprint256 } = new X509Certificate(RENEWED_CERTIFICATE.cert);
    expect(await shown()).toBe(fingerprint256);
    const crew = await caller.admin<{ data: { pid: number }[] }>('/admin/workers');
    for (const { pid } of crew.data) process.kill(pid, 'SIGKILL');
    const later = await waitFor(() => shown().catch(() => undefined), {
      timeoutMs: 20_000,
      what: 'another worker',
    });
    expect(later).toBe(fingerprint256);
  },
);

it('a second gateway on one data directory says so, and both keep the same books', async () => {
  const data = temporaryDirectory('shared');
  const first = await startGateway({ data, args: ['--workers', '1'] });
  onTestFinished(async () => void (await first.stop()));
  const second = await startGateway({ data, args: ['--workers', '1'] });
  onTestFinished(async () => void (await second.stop()));
  expect(second.program.stderr).toContain('works on this data directory');
  expect(first.program.stderr).toBe('');
  const callers = [new GatewayCaller(first), new GatewayCaller(second)];
  onTestFinished(() => callers.forEach((caller) => caller.close()));
  // One cent, and each call is a fifth of it.
  const calls = callers.flatMap((caller) => [1, 2, 3, 4].map(() => caller));
  const answers = await Promise.all(
    calls.map((caller) => caller.callPatiently({ path: '/demo/weather?city=Oslo' })),
  );
  const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 402, 402, 402]);
  expect(await callers[0]?.audit()).toEqual([]);
});

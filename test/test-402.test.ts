import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { runTollkeeper } from './support/run-command.ts';
import { makeDirectory, removeDirectory } from './support/temporary-directory.ts';

const CONFIG = `
version: 1
upstreams:
  main: { url: "http://127.0.0.1:9" }
apis:
  main:
    upstream: main
    routes:
      - { name: all, path: /things, methods: [GET], price: 0.001 USD / request }
plans:
  pro: { title: Pro, price: 9.00 USD / month, limits: [{ requests: 100, per: month }] }
  base: { title: Base, price: 5.00 USD / month }
`;

let directory: string;
beforeAll(() => {
  directory = makeDirectory('test-402');
});
afterAll(() => removeDirectory(directory));

async function test402(config: string, ...args: readonly string[]) {
  const file = join(directory, 'tollkeeper.yaml');
  writeFileSync(file, config);
  return runTollkeeper(['test-402', '--config', file, ...args]);
}

it('C402-24: a sound configuration passes every scenario, and no upstream is called', async () => {
  const { code, stdout } = await test402(CONFIG, '--json');
  expect(code).toBe(0);
  const report = JSON.parse(stdout) as {
    readonly ok: boolean;
    readonly failed: number;
    readonly results: readonly { readonly scenario: string; readonly answered: string }[];
  };
  expect(report).toMatchObject({ ok: true, failed: 0 });
  expect(
    Object.fromEntries(report.results.map(({ scenario, answered }) => [scenario, answered])),
  ).toEqual({
    'legitimate access': 'served',
    'expired subscription': 'SUBSCRIPTION_EXPIRED',
    'ended trial': 'TRIAL_EXPIRED',
    'no payment method': 'PAYMENT_METHOD_MISSING',
    'invalid payment method': 'PAYMENT_METHOD_INVALID',
    'failed renewal, grace over': 'PAYMENT_METHOD_INVALID',
    'overdue invoice': 'INVOICE_OVERDUE',
    'quota overrun': 'REQUEST_QUOTA_EXCEEDED',
    'no credit': 'INSUFFICIENT_CREDITS',
    'wrong role': 'KEY_PERMISSION_DENIED',
    'suspended account': 'ACCOUNT_SUSPENDED',
    'wrong key': 'KEY_UNKNOWN',
    'no key': 'KEY_MISSING',
  });
});

it('a customer with every right whom the configuration refuses fails the table, with exit code 1', async () => {
  const closed = CONFIG.replace('upstream: main\n', 'upstream: main\n    role: nobody-has-it\n');
  const { code, stdout } = await test402(closed);
  expect(code).toBe(1);
  expect(stdout).toMatch(/FAIL +main\.all +pro +legitimate access +served +FORBIDDEN_ROLE/);
  expect(stdout).toMatch(/\d+ passed, [1-9]\d* failed/);
});

it('an API that is not there is told, with exit code 3', async () => {
  const { code, stderr } = await test402(CONFIG, '--api', 'none');
  expect(code).toBe(3);
  expect(stderr).toContain('no API "none"');
});

import { join } from 'node:path';

import { DatabaseSync } from '@photostructure/sqlite';
import { expect, it, onTestFinished } from 'vitest';

import { GatewayCaller, runParallel } from './support/gateway-caller.ts';
import { fillLedger } from './support/fill-ledger.ts';
import { type Lab, startLab } from './support/start-lab.ts';
import { startGateway } from './support/start-gateway.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { waitFor } from './support/wait-for.ts';

const PATIENCE = { timeoutMs: 60_000 };
const VIOLATIONS = /^tollkeeper_reconcile_violations (\d+)$/m;
const LOST_ENTRY = "transaction_id LIKE 'funding:%' AND leg = 1";

/** Somebody else at the database: this process has no other connection to it. */
function change(data: string, sql: string): void {
  const database = new DatabaseSync(join(data, 'ledger.db'), { timeout: 5000 });
  database.exec(sql);
  database.close();
}

async function books({ caller }: Lab) {
  const { status, parts } = await caller.admin<{
    status: string;
    parts: { name: string; ok: boolean; degraded?: boolean; detail: string }[];
  }>('/readyz');
  return { status, ...parts.find(({ name }) => name === 'books') };
}

it('BILL-27, ALERT-09, OBS-17: an entry that is missing raises alarm within one cycle, and none when it is back', async () => {
  const lab = await startLab({ credit: '1.00', members: ['jobs: { reconcile: 1s }'] });
  const { caller, gateway } = lab;
  await runParallel(20, 4, () => caller.callPatiently({ path: '/status' }));
  const violations = async () => VIOLATIONS.exec(await caller.metrics())?.[1];
  await waitFor(async () => (await violations()) === '0', { ...PATIENCE, what: 'a clean run' });
  expect(await books(lab)).toMatchObject({
    status: 'ready',
    detail: expect.stringMatching(/^reconciled at /),
  });
  expect(gateway.program.stderr).not.toContain('"alert"');

  change(gateway.data, `CREATE TABLE taken AS SELECT * FROM entries WHERE ${LOST_ENTRY}`);
  change(gateway.data, `DELETE FROM entries WHERE ${LOST_ENTRY}`);
  await waitFor(async () => Number(await violations()) > 0, { ...PATIENCE, what: 'the metric' });
  const line = await waitFor(
    () => gateway.program.stderr.split('\n').find((each) => each.includes('"alert"')),
    { ...PATIENCE, what: 'the alert' },
  );
  expect(JSON.parse(line)).toMatchObject({
    level: 'error',
    alert: 'reconciliation_mismatch',
    message: 'the books do not add up',
    violations: expect.arrayContaining([
      {
        invariant: expect.stringMatching(/^I1 /),
        detail: expect.stringContaining('transaction funding:'),
      },
    ]),
  });
  expect(await books(lab)).toMatchObject({
    status: 'ready',
    degraded: true,
    detail: expect.stringContaining('tollkeeper doctor --ledger'),
  });
  expect(await caller.metrics()).toMatch(
    /^tollkeeper_job_last_run_timestamp_seconds\{job="reconcile"\} \d+/m,
  );

  change(gateway.data, 'INSERT INTO entries SELECT * FROM taken; DROP TABLE taken');
  await waitFor(async () => (await violations()) === '0', { ...PATIENCE, what: 'a clean run' });
  expect(await books(lab)).not.toHaveProperty('degraded');
});

it('KEY-01: an operator revokes a key while the books are being recomputed', async () => {
  const data = temporaryDirectory('audited');
  fillLedger(data, { keys: 500, entries: 60_000 });
  const gateway = await startGateway({ data, args: ['--workers', '1'] });
  onTestFinished(async () => void (await gateway.stop()));
  const caller = new GatewayCaller(gateway);
  onTestFinished(() => caller.close());
  const { data: keys } = await caller.admin<{ data: { id: string }[] }>('/admin/keys?limit=1');
  const ended: string[] = [];
  const audit = caller.audit().finally(() => ended.push('audited'));
  await caller.admin(`/admin/keys/${keys[0]?.id}/revoke`, undefined, 'POST');
  ended.push('revoked');
  expect(await audit).toEqual([]);
  expect(ended).toEqual(['revoked', 'audited']);
});

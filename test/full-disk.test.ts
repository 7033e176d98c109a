import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { openSqliteStore } from '../src/stores/sqlite/sqlite-store.ts';
import { createCustomer } from './support/customers.ts';
import { ChildProgram } from './support/child-program.ts';
import { nanoOf, problemOf, runParallel, tally } from './support/gateway-caller.ts';
import { executable } from './support/start-gateway.ts';
import { INPUT_PRICE_NANO, type Lab, OUTPUT_PRICE_NANO, startLab } from './support/start-lab.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { waitFor } from './support/wait-for.ts';

const PRICE_NANO = 1_000_000n;
const CREDIT_NANO = 5_000_000_000n;
const NOBODY = 65_534;
/** Fewer than any record has. */
const TORN_BYTES = 10;

async function pidsOf({ caller }: Lab): Promise<readonly number[]> {
  const { data } = await caller.admin<{ data: { pid: number }[] }>('/admin/workers');
  return data.map(({ pid }) => pid);
}

/**
 * These processes can write the first `bytes` of every file and no more (EFBIG), as on a full disk, which needs no right
 * that a test may not have. A write across that end is a short one.
 */
function limitFiles(pids: readonly number[], bytes: number | 'unlimited'): void {
  for (const pid of pids) execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
}

function largestJournal({ gateway }: Lab): number {
  const directory = join(gateway.data, 'journal');
  const journals = readdirSync(directory).filter((name) => name.endsWith('.journal'));
  return Math.max(...journals.map((name) => statSync(join(directory, name)).size));
}

describe('a full disk (DESIGN 5, 10)', () => {
  it('what cannot be written down is not served: 503, never 402; with room again the same processes go on, and their journals can be read', async () => {
    const lab = await startLab({ credit: '0.01' });
    const { caller, api } = lab;
    const { key } = await createCustomer(caller, { plan: 'lab', credit: '5.00' });
    const ask = () => caller.call({ path: '/status', key });
    const before = await runParallel(100, 8, ask);
    expect(tally(before.map(({ status }) => status))).toEqual({ 200: 100 });
    const pids = await pidsOf(lab);

    // In the middle of a record: what was written of it must not hide those that come later.
    limitFiles(pids, largestJournal(lab) + TORN_BYTES);
    const during = await runParallel(100, 8, ask);
    const told = tally(during.map((answer) => problemOf(answer).code ?? answer.status));
    limitFiles(pids, 'unlimited');
    console.log(told);
    const { 200: servedDuring = 0, ...refused } = told;
    expect(Object.keys(refused)).toEqual(['BILLING_UNAVAILABLE']);
    // Whom nobody can charge is not sent on either, but for those who were on their way and one a second.
    expect(api.requestCount).toBeLessThan(100 + servedDuring + 30);

    await waitFor(async () => (await ask()).status === 200, {
      timeoutMs: 15_000,
      what: 'the gateway to serve again by itself',
    });
    const after = await runParallel(40, 8, () => caller.callPatiently({ path: '/status', key }));
    expect(tally(after.map(({ status }) => status))).toEqual({ 200: 40 });
    expect(await pidsOf(lab)).toEqual(pids);
    // What it has served last is in its journal alone. The other keeps the port, which is any free one.
    process.kill(pids[0] ?? 0, 'SIGKILL');
    const spent = await waitFor(
      async () => {
        const { balance } = await caller.usage(key).catch(() => ({ balance: undefined }));
        return balance !== undefined && nanoOf(balance.held) === 0n && nanoOf(balance.settled);
      },
      { timeoutMs: 15_000, what: 'the journals to be read' },
    );
    expect(CREDIT_NANO - spent).toBe(BigInt(100 + servedDuring + 1 + 40) * PRICE_NANO);
    expect(await caller.audit()).toEqual([]);
  });

  it('a stream that runs when the disk fills up is cut, and what was sent of it is charged once there is room', async () => {
    const lab = await startLab({ credit: '0.01' });
    const { caller, gateway } = lab;
    const { key } = await createCustomer(caller, { plan: 'lab', credit: '5.00' });
    const answer = await fetch(`${gateway.gateway}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'x-echo-tokens': '400',
        'x-echo-delay-ms': '20',
      },
      body: JSON.stringify({
        model: 'm',
        stream: true,
        messages: [{ role: 'user', content: 'x' }],
      }),
    });
    const pids = await pidsOf(lab);
    let text = '';
    const decoder = new TextDecoder();
    for await (const part of answer.body ?? []) {
      text += decoder.decode(part as Uint8Array, { stream: true });
      if (text.split('"content"').length > 20) limitFiles(pids, 0);
    }
    limitFiles(pids, 'unlimited');
    expect(text).toContain('BILLING_UNAVAILABLE');
    expect(text).not.toContain('[DONE]');
    const seen = BigInt(text.split('"content"').length - 1);
    const spent = await waitFor(
      async () => {
        const { balance } = await caller.usage(key);
        return nanoOf(balance.held) === 0n && CREDIT_NANO - nanoOf(balance.settled);
      },
      { timeoutMs: 15_000, what: 'the stream to be settled' },
    );
    console.log({ seen, spent });
    expect(spent).toBeGreaterThanOrEqual(seen * OUTPUT_PRICE_NANO);
    expect(spent).toBeLessThan(400n * OUTPUT_PRICE_NANO + 100n * INPUT_PRICE_NANO);
    expect(await caller.audit()).toEqual([]);
  });
});

describe('a data directory that cannot be written (DESIGN 10)', () => {
  /** The demo gateway, as a user who may not do everything: to root no directory is read-only. Resolves when it has ended, or has started. */
  async function startAsNobody(data: string) {
    const become = isRoot()
      ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
      : [];
    const [command = '', ...args] = [
      ...become,
      ...[process.execPath, executable, 'dev', '--json', '--port', '0', '--admin-port', '0'],
      ...['--data', data],
    ];
    const program = new ChildProgram({ command, args });
    onTestFinished(async () => {
      await program.stop();
    });
    await waitFor(() => program.exit !== undefined || program.stdout.includes('\n'), {
      timeoutMs: 30_000,
      what: 'it to end or to be ready',
    });
    return program;
  }

  const isRoot = (): boolean => process.getuid?.() === 0;

  function giveToNobody(directory: string): void {
    if (!isRoot()) return;
    for (const entry of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      chownSync(join(directory, entry), NOBODY, NOBODY);
    }
    chownSync(directory, NOBODY, NOBODY);
  }

  it.each([
    ['the directory', '.', 0o555, /EACCES.*mkdir .*journal/],
    ['the journals', 'journal', 0o555, /journal.*May this user write there/],
    ['the ledger', 'ledger.db', 0o444, /readonly database/],
  ] as const)('%s: it does not start, and says why', async (_name, path, mode, reason) => {
    const data = temporaryDirectory('read-only');
    if (path === 'journal') mkdirSync(join(data, path));
    if (path === 'ledger.db') await (await openSqliteStore({ directory: data })).close();
    giveToNobody(data);
    chmodSync(join(data, path), mode);
    const program = await startAsNobody(data);
    expect([program.exit, program.stdout]).toEqual([{ code: 1, signal: null }, '']);
    // One line of JSON, which whoever asked for it can parse: workers that were still loading say nothing.
    const told = JSON.parse(program.stderr) as { error: { code: string; message: string } };
    expect(told.error.code).toBe('NOT_STARTED');
    expect(told.error.message).toMatch(reason);
  });
});

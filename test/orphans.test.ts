import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect, it, onTestFinished } from 'vitest';

import { readBooks } from '../bench/read-books.ts';
import { journalDirectory } from '../src/server/data-directory.ts';
import { startSlowUpstream } from './oracle/slow-upstream.ts';
import { GatewayCaller } from './support/gateway-caller.ts';
import { isRunning } from './support/is-running.ts';
import { startGateway } from './support/start-gateway.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { waitFor } from './support/wait-for.ts';

/** So long a worker has been an orphan when its answers come. */
const ALONE_MS = 500;
const CALLS = ['first', 'second', 'third'] as const;

it.each([1, 2])(
  'I9, I10: %i worker(s) whose supervisor was killed finish what runs, settle, hand back, and end',
  async (workers) => {
    // The built-in upstreams would die with the supervisor.
    const upstream = await startSlowUpstream();
    onTestFinished(() => upstream.close());
    const data = temporaryDirectory('orphans');
    const gateway = await startGateway({
      data,
      args: ['--workers', String(workers)],
      config: `
version: 1
upstreams: { slow: { url: '${upstream.origin}' } }
apis:
  own:
    upstream: slow
    routes: [{ name: wait, path: /wait, methods: [GET], price: 0.0010 USD / request }]
plans: { paid: { title: Paid, price: free, limits: [{ requests: 100, per: month }] } }
demo: { customer: { name: Demo, plan: paid }, credit: 1.00 USD }
`,
    });
    onTestFinished(async () => void (await gateway.stop()));
    const caller = new GatewayCaller(gateway);
    onTestFinished(() => caller.close());
    const crew = await caller.admin<{ data: { pid: number }[] }>('/admin/workers');
    const running = CALLS.map((id) => caller.call({ path: '/wait', headers: { 'x-hold': id } }));
    await Promise.all(CALLS.map((id) => upstream.arrival(id)));
    process.kill(gateway.pid, 'SIGKILL');
    await sleep(ALONE_MS);
    for (const id of CALLS) upstream.release(id);
    const answers = await Promise.all(running);
    expect(answers.map(({ status, text }) => [status, JSON.parse(text)])).toEqual(
      CALLS.map(() => [200, expect.objectContaining({ object: 'chat.completion' })]),
    );
    await waitFor(() => !crew.data.some(({ pid }) => isRunning(pid)), {
      timeoutMs: 10_000,
      what: 'every worker to end',
    });
    expect(readBooks(data)).toMatchObject({ requestsSpent: 3, reserved: 0 });
    const owners = readdirSync(journalDirectory(data)).filter((name) => name.endsWith('.lock'));
    expect(owners).toEqual([]);
  },
);

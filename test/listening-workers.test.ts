import { expect, it, onTestFinished } from 'vitest';

import { GatewayCaller } from './support/gateway-caller.ts';
import { isRunning } from './support/is-running.ts';
import { startGateway } from './support/start-gateway.ts';
import { waitFor } from './support/wait-for.ts';

const CROWD = 200;

it('a gateway of one worker answers a crowd of new connections, also while its supervisor stands still', async () => {
  const gateway = await startGateway({ args: ['--workers', '1'] });
  onTestFinished(async () => void (await gateway.stop()));
  const caller = new GatewayCaller(gateway, CROWD);
  onTestFinished(() => caller.close());
  process.kill(gateway.pid, 'SIGSTOP');
  try {
    const answers = await Promise.all(
      Array.from({ length: CROWD }, () => caller.call({ path: '/v1/models' })),
    );
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  } finally {
    process.kill(gateway.pid, 'SIGCONT');
  }
  expect(await caller.workerCounts()).toEqual({ 'worker-1': CROWD });
});

it.each([1, 2])(
  'is found at the same address after all of its workers were killed at once: %i',
  async (workers) => {
    const gateway = await startGateway({ args: ['--workers', String(workers)] });
    onTestFinished(async () => void (await gateway.stop()));
    const caller = new GatewayCaller(gateway);
    onTestFinished(() => caller.close());
    const { data } = await caller.admin<{ data: { pid: number }[] }>('/admin/workers');
    expect(data).toHaveLength(workers);
    for (const { pid } of data) process.kill(pid, 'SIGKILL');
    await waitFor(() => !data.some(({ pid }) => isRunning(pid)), {
      timeoutMs: 5000,
      what: 'every worker to be gone',
    });
    const answer = await waitFor(() => caller.call({ path: '/healthz' }).catch(() => undefined), {
      timeoutMs: 15_000,
      what: 'the address of the gateway to answer again',
    });
    expect(answer).toMatchObject({ status: 200 });
  },
);

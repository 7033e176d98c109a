import { expect, it, onTestFinished } from 'vitest';

import { GatewayCaller } from './support/gateway-caller.ts';
import { startGateway } from './support/start-gateway.ts';

const CROWD = 200;

it('a gateway of one worker answers a crowd of new connections', async () => {
  const gateway = await startGateway({ args: ['--workers', '1'] });
  onTestFinished(async () => void (await gateway.stop()));
  const caller = new GatewayCaller(gateway, CROWD);
  onTestFinished(() => caller.close());
  const answers = await Promise.all(
    Array.from({ length: CROWD }, () => caller.call({ path: '/v1/models' })),
  );
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(await caller.workerCounts()).toEqual({ 'worker-1': CROWD });
});

import { GatewayCaller } from './gateway-caller.ts';
import { type Gateway, startGateway } from './start-gateway.ts';

/** Mid-month and mid-week, and early in an hour: none of these windows ends while a test runs. */
const MID_MONTH = '2026-11-18T12:00:05Z';

export interface MidMonth {
  readonly gateway: Gateway;
  readonly caller: GatewayCaller;
  close(): Promise<void>;
}

/** A gateway of two workers whose windows stay open, and a caller with so many connections. */
export async function startMidMonth(config: string, connectionsMax: number): Promise<MidMonth> {
  const gateway = await startGateway({
    config,
    args: ['--workers', '2'],
    env: { TOLLKEEPER_LOG_LEVEL: 'error', TOLLKEEPER_CLOCK: MID_MONTH },
  });
  const caller = new GatewayCaller(gateway, connectionsMax);
  return {
    gateway,
    caller,
    async close() {
      caller.close();
      await gateway.stop();
    },
  };
}

/** The line of a plan that has these limits and nothing else; each as a YAML flow mapping. */
export function renderPlan(name: string, limits: readonly string[]): string {
  return `  ${name}: { title: Lab, price: 9.00 USD / month, limits: [${limits.join(', ')}] }`;
}

import type { Facts, OutcomeFact } from '../../src/domain/facts.ts';
import { requestId } from '../../src/platform/ids.ts';
import {
  buildBalance,
  buildFacts,
  buildIdentity,
  buildOutcome,
  buildPlan,
} from './build-catalog.ts';

/** Of a chat that was answered and charged to its balance, just now. */
export const SERVED_OUTCOME: OutcomeFact = buildOutcome({
  durationMs: 812,
  model: 'echo',
  target: 'http://127.0.0.1:9000',
  upstreamStatus: 200,
  holdNano: 42_000_000,
  costNano: 5_208_000,
  inputTokens: 1204,
  outputTokens: 350,
  bytesIn: 900,
  bytesOut: 1200,
});

/** The facts of such a chat of one tenant, under an id of its own. */
export function buildServedFacts(tenantId: string, members: Partial<Facts> = {}): Facts {
  const at = Date.now();
  return buildFacts({
    requestId: requestId(at),
    at,
    route: {
      apiId: 'llm',
      routeId: 'chat',
      operation: 'chat',
      kind: 'chat',
      dialect: 'openai',
      endpointClass: 'metered',
    },
    identity: { ...buildIdentity(buildPlan('free', { title: 'Free' })), tenantId },
    entitlements: [{ kind: 'model', id: 'echo', granted: true }],
    limits: [
      buildBalance({
        accountId: `bal:${tenantId}:USD`,
        need: 42_000_000,
        allowance: 100_000_000,
        spent: 96_900_000,
      }),
    ],
    reservation: { kind: 'held' },
    outcome: SERVED_OUTCOME,
    ...members,
  });
}

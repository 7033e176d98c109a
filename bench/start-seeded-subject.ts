import { makeDirectory, removeDirectory } from '../test/support/temporary-directory.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { seedStore } from './seed-store.ts';
import { TWO_LIMITS, verifyLedger } from './start-gateway-subjects.ts';
import { type GatewaySetup, startPinnedGateway } from './start-pinned-gateway.ts';
import { readBooks } from './read-books.ts';
import type { Subject } from './subject.ts';

const BOOKS_TIMEOUT_MS = 30_000;
/** More than any run can spend. */
const CREDIT_NANO = 1_000_000_000_000n;

export interface Crowd {
  readonly tenants: number;
  readonly keys: number;
}

/** As with everything on, for many: each key of them in turn. */
export async function startSeeded(
  setup: GatewaySetup,
  variant: string,
  { tenants, keys: count }: Crowd,
): Promise<Subject> {
  const data = makeDirectory('seeded');
  const planId = 'bench';
  const keys = await seedStore(data, { tenants, keys: count, planId, creditNano: CREDIT_NANO });
  const started = await startPinnedGateway(setup, { requests: 'all', plan: TWO_LIMITS, data });
  const { gateway, subject } = started;
  const readUsed = () => readBooks(data).requestsSpent;
  return {
    ...subject,
    variant,
    target: { ...subject.target, keys },
    verify: async (requests) => {
      await waitFor(() => readUsed() >= requests, {
        timeoutMs: BOOKS_TIMEOUT_MS,
        what: `${requests} charged requests in the books, ${readUsed()} are`,
      });
      await verifyLedger(started);
    },
    stop: async () => {
      await gateway.stop();
      removeDirectory(data);
    },
  };
}

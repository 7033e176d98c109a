import type { Logger } from '../platform/logger.ts';
import type { Store } from '../stores/store.ts';

const PAGE = 200;
const NAMED_MAX = 20;

/**
 * Nobody can say what a plan that is not in the configuration allows: calls of its customers are answered 503. A file that
 * lost a plan while the gateway was stopped looks like any other, so whoever is on such a plan is looked for at the start.
 */
export async function warnOfStrandedCustomers(
  store: Pick<Store, 'tenants'>,
  plans: ReadonlyMap<string, unknown>,
  logger: Logger,
): Promise<void> {
  const found = new Map<string, { plan: string; customers: number; first: string }>();
  let cursor: string | undefined = '';
  while (cursor !== undefined) {
    // oxlint-disable-next-line no-await-in-loop -- each page says where the next begins
    const page = await store.tenants(cursor, PAGE);
    for (const { id, planId, terms } of page) {
      // Part of a pool: the plan above it counts.
      if (terms.pooled || plans.has(planId)) continue;
      const { customers, first } = found.get(planId) ?? { customers: 0, first: id };
      found.set(planId, { plan: planId, customers: customers + 1, first });
    }
    cursor = page.length < PAGE ? undefined : page.at(-1)?.id;
  }
  if (found.size === 0) return;
  logger.warn(
    { plans: [...found.values()].slice(0, NAMED_MAX), count: found.size },
    'calls of customers who are on a plan that the configuration does not have are answered 503: give them another (tollkeeper customers update ID --plan PLAN), or put it back',
  );
}

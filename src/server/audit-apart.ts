import type { Clock } from '../platform/clock.ts';
import type { Violation } from '../stores/store.ts';
import type { StoreSettings } from './config/loaded-config.ts';
import { openStore } from './open-store.ts';

/** Over a connection of its own: a store thread that recomputes all of history would answer nothing else meanwhile. */
export async function auditApart(
  settings: StoreSettings,
  clock: Clock,
): Promise<readonly Violation[]> {
  const isShared = settings.type === 'postgres';
  const store = await openStore(isShared ? { ...settings, connections: 1 } : settings, clock);
  try {
    return await store.audit();
  } finally {
    await store.close();
  }
}

/** The same for those who ask at any time: one after another, each over the books as they are when its turn comes. */
export function auditInTurn(
  settings: StoreSettings,
  clock: Clock,
): () => Promise<readonly Violation[]> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const audit = last.then(() => auditApart(settings, clock));
    last = audit.catch(() => undefined);
    return audit;
  };
}

import { TookTooLong, waitAtMost } from '../../platform/wait-at-most.ts';
import { StoreError } from '../../stores/store-error.ts';

/** Only behind a write that waits for a lock, or on the way to a store that is away, a look at a row takes longer. */
const LOOK_MS_MAX = 2000;

/** Somebody waits for the page: of a store that is silent they are told in time, as StoreError `unavailable`. */
export async function lookInTime<Found>(look: Promise<Found>): Promise<Found> {
  try {
    return await waitAtMost(look, LOOK_MS_MAX, 'a look at a row');
  } catch (error) {
    if (!(error instanceof TookTooLong)) throw error;
    throw new StoreError('unavailable', `the store is silent: ${error.message}`);
  }
}

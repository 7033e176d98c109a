/** A hold is money or quota set aside for one request. It is resolved exactly once (invariant I4). */
export type HoldState = 'held' | 'captured' | 'released' | 'expired' | 'overrun';
export type HoldEvent = 'capture' | 'release' | 'expire' | 'capture-above';

/** Total: what each event does in each state. `undefined` = refused, the hold was already resolved. */
export const HOLD_TRANSITIONS: Record<HoldState, Record<HoldEvent, HoldState | undefined>> = {
  held: { capture: 'captured', release: 'released', expire: 'expired', 'capture-above': 'overrun' },
  captured: {
    capture: undefined,
    release: undefined,
    expire: undefined,
    'capture-above': undefined,
  },
  released: {
    capture: undefined,
    release: undefined,
    expire: undefined,
    'capture-above': undefined,
  },
  expired: {
    capture: undefined,
    release: undefined,
    expire: undefined,
    'capture-above': undefined,
  },
  overrun: {
    capture: undefined,
    release: undefined,
    expire: undefined,
    'capture-above': undefined,
  },
};

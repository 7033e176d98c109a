import fc from 'fast-check';
import { expect, it } from 'vitest';

import { HOLD_TRANSITIONS, type HoldEvent, type HoldState } from './hold.ts';

it.each<[HoldEvent, HoldState]>([
  ['capture', 'captured'],
  ['release', 'released'],
  ['expire', 'expired'],
  ['capture-above', 'overrun'],
])('%s makes a held hold %s', (event, state) => {
  expect(HOLD_TRANSITIONS.held[event]).toBe(state);
});

it('I4: of any events in any order exactly the first resolves a hold', () => {
  const events = fc.array(
    fc.constantFrom<HoldEvent>('capture', 'release', 'expire', 'capture-above'),
    { minLength: 1 },
  );
  fc.assert(
    fc.property(events, (list) => {
      let state: HoldState = 'held';
      const accepted: number[] = [];
      for (const [position, event] of list.entries()) {
        const next: HoldState | undefined = HOLD_TRANSITIONS[state][event];
        if (next === undefined) continue;
        accepted.push(position);
        state = next;
      }
      expect(accepted).toEqual([0]);
    }),
  );
});

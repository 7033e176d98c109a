import { describe } from 'vitest';

import { describeBounds } from './listener-bounds.conformance.ts';
import { describeEndings } from './listener-endings.conformance.ts';
import { describeExchanges } from './listener-exchanges.conformance.ts';
import type { CreateListener } from './listener-fixture.conformance.ts';
import { describeSmuggling } from './listener-smuggling.conformance.ts';

/** What a Listener is. An adapter is done when all of this passes. */
export function describeListener(name: string, create: CreateListener): void {
  describe(`listener ${name}`, () => {
    describeExchanges(create);
    describeSmuggling(create);
    describeBounds(create);
    describeEndings(create);
  });
}

import { describe } from 'vitest';

import { describeRates } from './rate-store.conformance.ts';
import { describeAnswers } from './store-answers.conformance.ts';
import { describeDirectory } from './store-directory.conformance.ts';
import type { OpenFixture } from './store-fixture.conformance.ts';
import { describeGrants } from './store-grants.conformance.ts';
import { describeJobs } from './store-jobs.conformance.ts';
import { describeLeases } from './store-leases.conformance.ts';
import { describeRaces } from './store-races.conformance.ts';
import { describeRandomHistories } from './store-random.conformance.ts';
import { describeRequestLog } from './store-requests.conformance.ts';
import { describeSettlement } from './store-settlement.conformance.ts';
import { describeSliding } from './store-sliding.conformance.ts';
import { describeWriteOffs } from './store-write-offs.conformance.ts';

/** What a Store is. `open` makes an empty database; an adapter is done when all of this passes. */
export function describeStore(name: string, open: OpenFixture): void {
  describe(`store ${name}`, () => {
    describeLeases(open);
    describeSettlement(open);
    describeWriteOffs(open);
    describeSliding(open);
    describeGrants(open);
    describeDirectory(open);
    describeAnswers(open);
    describeRates(open);
    describeRequestLog(open);
    describeRandomHistories(open);
    describeRaces(open);
    describeJobs(open);
  });
}

import { afterAll, beforeAll, expect, it } from 'vitest';

import { buildFacts, buildIdentity, buildPlan } from '../../../test/support/build-catalog.ts';
import { type PublicPages, startPublicPages } from '../../../test/support/start-public-pages.ts';
import { checkNowOf, readCurrentState } from './current-state.ts';

let pages: PublicPages;
beforeAll(async () => {
  pages = await startPublicPages();
});
afterAll(() => pages.close());

it.each([
  ['active', 'active', 'active', 'tenant'],
  ['suspended', 'active', 'suspended', 'ancestor'],
  ['suspended', 'unverified', 'unverified', 'tenant'],
] as const)(
  'DIAG-04: below an organisation that is %s an account that is %s is shown as %s',
  async (above, own, state, stateFrom) => {
    const parent = await pages.addTenant({ terms: { account: above } });
    const terms = { account: own, parentId: parent.tenant.id };
    const { tenant, key } = await pages.addTenant({ terms });
    const identity = { ...buildIdentity(buildPlan('free')), tenantId: tenant.id, keyId: key.id };
    const current = await readCurrentState(pages.deps, buildFacts({ identity }), tenant.id);
    expect(checkNowOf(current).account).toMatchObject({ state, stateFrom });
  },
);

import { ANCESTORS_MAX, type Store, type Tenant } from '../../stores/store.ts';

/** The tenants above, nearest first: their limits hold too. At most as many as a key's own look-up follows. */
export async function ancestorsOf(
  store: Pick<Store, 'tenant'>,
  tenant: Tenant,
): Promise<readonly Tenant[]> {
  const chain: Tenant[] = [];
  let { parentId } = tenant.terms;
  while (parentId !== undefined && chain.length < ANCESTORS_MAX) {
    // oxlint-disable-next-line no-await-in-loop -- each names the next
    const parent = await store.tenant(parentId);
    if (parent === undefined) break;
    chain.push(parent);
    parentId = parent.terms.parentId;
  }
  return chain;
}

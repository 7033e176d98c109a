import type { GatewayCaller } from './gateway-caller.ts';

export interface Customer {
  readonly tenantId: string;
  readonly keyId: string;
  readonly key: string;
}

export interface CustomerOptions {
  readonly plan: string;
  /** In the asset of the gateway; default none. */
  readonly credit?: string;
  /** Of the key. */
  readonly budget?: string;
  /** Of the key: `30d`, or an ISO time. */
  readonly expires?: string;
}

/** A customer with one key, made through the admin API as an operator would. */
export async function createCustomer(
  caller: GatewayCaller,
  { plan, credit, budget, expires }: CustomerOptions,
): Promise<Customer> {
  const tenant = await caller.admin<{ id: string }>('/admin/tenants', { name: plan, plan });
  if (credit !== undefined) {
    await caller.admin(`/admin/tenants/${tenant.id}/grants`, { amount: credit });
  }
  const body = { tenant_id: tenant.id, budget, expires_at: expires };
  const { id, key } = await caller.admin<{ id: string; key: string }>('/admin/keys', body);
  return { tenantId: tenant.id, keyId: id, key };
}

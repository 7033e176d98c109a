import type { Hono } from 'hono';
import { z } from 'zod';

import type { Purchase } from '../../domain/tenant-terms.ts';
import { createId } from '../../platform/ids.ts';
import { StoreError } from '../../stores/store-error.ts';
import type { AdminContext, AdminDeps, AdminEnv } from './admin-deps.ts';
import { answerChange, refuse, refusePooled, refuseTenant } from './answer.ts';
import { clearable, expirySchema, knownNameSchema } from './input-values.ts';
import { answerOnce } from './once.ts';
import { checkBody } from './parse-input.ts';
import { viewPurchase } from './view-tenant.ts';

/** What a tenant bought beside its plan (PLAN-05, PLAN-10). The operator records it here; no money moves. */
export function mountPurchases(app: Hono<AdminEnv>, deps: AdminDeps): void {
  const path = '/admin/tenants/:id/purchases';
  app.get(path, (context) => listPurchases(context, deps, context.req.param('id')));
  app.post(path, (context) => addPurchase(context, deps, context.req.param('id')));
  app.delete(`${path}/:purchase`, (context) => {
    const { id, purchase } = context.req.param();
    return endPurchase(context, deps, id, purchase);
  });
}

async function listPurchases(
  context: AdminContext,
  deps: AdminDeps,
  tenantId: string,
): Promise<Response> {
  const tenant = await deps.store.tenant(tenantId);
  if (tenant === undefined) return refuseTenant(context, deps, tenantId);
  const now = deps.now();
  const data = tenant.terms.purchases.map((purchase) => viewPurchase(purchase, now));
  return context.json({ data, has_more: false, next_cursor: null });
}

function addPurchase(context: AdminContext, deps: AdminDeps, tenantId: string): Promise<Response> {
  return answerOnce(context, deps, {
    what: 'purchases',
    subjectId: tenantId,
    order: async (json) => {
      const now = deps.now();
      const { addOns } = deps.catalog();
      const schema = z.strictObject({
        add_on: knownNameSchema(
          'add-on',
          addOns.map(({ id }) => id),
        ),
        expires_at: clearable(expirySchema(now)),
      });
      const body = checkBody(context, deps, schema, json);
      if (body.kind === 'refused') return body;
      const tenant = await deps.store.tenant(tenantId);
      if (tenant === undefined)
        return { kind: 'refused', response: refuseTenant(context, deps, tenantId) };
      if (tenant.terms.pooled) {
        const response = refusePooled(context, deps, tenant, 'add the purchase to');
        return { kind: 'refused', response };
      }
      const { add_on: addOnId, expires_at: expiresAt } = body.value;
      const order: Purchase = { id: createId('pur', now), addOnId, at: now, expiresAt };
      return { kind: 'ok', value: JSON.stringify(order) };
    },
    fulfil: (text) => fulfilOrder(context, deps, tenantId, parseOrder(text)),
  });
}

const orderSchema = z.strictObject({
  id: z.string(),
  addOnId: z.string(),
  at: z.number(),
  expiresAt: z.number().optional(),
});

function parseOrder(text: string): Purchase {
  const order = orderSchema.parse(JSON.parse(text));
  return { ...order, expiresAt: order.expiresAt };
}

async function fulfilOrder(
  context: AdminContext,
  deps: AdminDeps,
  tenantId: string,
  order: Purchase,
): Promise<Response> {
  try {
    await addOnce(deps, tenantId, order);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'invalid_change') throw error;
    const details = { reason: error.message };
    return refuse(context, deps, { code: 'INVALID_REQUEST', details });
  }
  const change = { action: 'purchase-added', tenant_id: tenantId, purchase_id: order.id };
  const answer = JSON.stringify(viewPurchase(order, order.at));
  return answerChange(context, deps, change, { status: 201, body: answer });
}

/** A purchase that ended may have made room for others since: a repeated order must not bring it back. */
async function addOnce({ store }: AdminDeps, tenantId: string, order: Purchase): Promise<void> {
  const done = `admin:purchase-added:${order.id}`;
  if ((await store.recall(done)) !== undefined) return;
  await store.changeTenant(tenantId, { addPurchase: order });
  await store.remember(done, order.id, '');
}

/** It ends now and stays on record: what was served because of it can still be explained. */
async function endPurchase(
  context: AdminContext,
  deps: AdminDeps,
  tenantId: string,
  purchaseId: string,
): Promise<Response> {
  const now = deps.now();
  const tenant = await deps.store.changeTenant(tenantId, {
    endPurchase: { id: purchaseId, at: now },
  });
  if (tenant === undefined) return refuseTenant(context, deps, tenantId);
  const purchase = tenant.terms.purchases.find(({ id }) => id === purchaseId);
  if (purchase === undefined) {
    const details = { id: purchaseId, path: context.req.path };
    return refuse(context, deps, { code: 'NOT_FOUND', details });
  }
  const change = { action: 'purchase-ended', tenant_id: tenantId, purchase_id: purchaseId };
  const answer = JSON.stringify(viewPurchase(purchase, now));
  return answerChange(context, deps, change, { status: 200, body: answer });
}

import type { Hono } from 'hono';
import { z } from 'zod';

import { formatDecimal } from '../../domain/money.ts';
import { StoreError } from '../../stores/store-error.ts';
import type { Grant, NewGrant } from '../../stores/store.ts';
import type { AdminContext, AdminDeps, AdminEnv } from './admin-deps.ts';
import { answerChange, refuse, refusePooled, refuseTenant } from './answer.ts';
import { amountSchema, expirySchema, NANO_MAX } from './input-values.ts';
import { answerOnce } from './once.ts';
import { checkBody } from './parse-input.ts';
import { viewGrant } from './views.ts';

const DEFAULT_PRIORITY = 50;
const CATEGORIES = ['included', 'promotional', 'paid'] as const;

export function mountGrants(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.get('/admin/tenants/:id/grants', (context) =>
    listGrants(context, deps, context.req.param('id')),
  );
  app.post('/admin/tenants/:id/grants', (context) =>
    addGrant(context, deps, context.req.param('id')),
  );
}

async function listGrants(
  context: AdminContext,
  deps: AdminDeps,
  tenantId: string,
): Promise<Response> {
  if ((await deps.store.tenant(tenantId)) === undefined)
    return refuseTenant(context, deps, tenantId);
  const grants = await deps.store.grants(tenantId);
  return context.json({ data: grants.map(viewGrant), has_more: false, next_cursor: null });
}

type GrantBody = z.infer<ReturnType<typeof grantSchema>>;

function grantSchema(asset: string, now: number) {
  return z.strictObject({
    amount: amountSchema(asset),
    category: z.enum(CATEGORIES).default('paid'),
    expires_at: expirySchema(now).optional(),
    priority: z.number().int().min(0).max(100).default(DEFAULT_PRIORITY),
  });
}

function addGrant(context: AdminContext, deps: AdminDeps, tenantId: string): Promise<Response> {
  return answerOnce(context, deps, {
    what: 'grants',
    subjectId: tenantId,
    order: async (json, key) => {
      const now = deps.now();
      const { asset } = deps.catalog();
      const body = checkBody(context, deps, grantSchema(asset, now), json);
      if (body.kind === 'refused') return body;
      const refusal = await refuseGrant(context, deps, tenantId, body.value);
      if (refusal !== undefined) return { kind: 'refused', response: refusal };
      return { kind: 'ok', value: formatOrder(orderOf(tenantId, asset, body.value, { key, now })) };
    },
    fulfil: (text) => fulfilOrder(context, deps, parseOrder(text)),
  });
}

async function fulfilOrder(
  context: AdminContext,
  deps: AdminDeps,
  order: NewGrant,
): Promise<Response> {
  let grant: Grant;
  try {
    grant = await deps.store.addGrant(order, order.effectiveAt);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'unsafe_amount') throw error;
    return refuseTooMuch(context, deps, await sumOfGrants(deps, order.tenantId));
  }
  const answer = JSON.stringify(viewGrant({ ...grant, consumed: 0n, expired: 0n }));
  const change = { action: 'grant-added', tenant_id: grant.tenantId, grant_id: grant.id };
  return answerChange(context, deps, change, { status: 201, body: answer });
}

function orderOf(
  tenantId: string,
  asset: string,
  body: GrantBody,
  once: { readonly key: string; readonly now: number },
): NewGrant {
  return {
    tenantId,
    asset,
    amount: body.amount,
    category: body.category,
    priority: body.priority,
    effectiveAt: once.now,
    expiresAt: body.expires_at,
    source: 'admin',
    idempotencyKey: once.key,
  };
}

/** The store keeps text, and JSON has no integers of this size. */
function formatOrder(order: NewGrant): string {
  return JSON.stringify({ ...order, amount: order.amount.toString() });
}

const orderSchema = z.strictObject({
  tenantId: z.string(),
  asset: z.string(),
  amount: z.string().transform(BigInt),
  category: z.enum(CATEGORIES),
  priority: z.number(),
  effectiveAt: z.number(),
  expiresAt: z.number().optional(),
  source: z.string(),
  idempotencyKey: z.string(),
});

function parseOrder(text: string): NewGrant {
  const order = orderSchema.parse(JSON.parse(text));
  return { ...order, expiresAt: order.expiresAt };
}

/** Why this tenant cannot be given this much, or undefined. */
async function refuseGrant(
  context: AdminContext,
  deps: AdminDeps,
  tenantId: string,
  body: GrantBody,
): Promise<Response | undefined> {
  const tenant = await deps.store.tenant(tenantId);
  if (tenant === undefined) return refuseTenant(context, deps, tenantId);
  if (tenant.terms.pooled) return refusePooled(context, deps, tenant, 'add the credit to');
  const total = await sumOfGrants(deps, tenantId);
  return total + body.amount <= NANO_MAX ? undefined : refuseTooMuch(context, deps, total);
}

async function sumOfGrants(deps: AdminDeps, tenantId: string): Promise<bigint> {
  const { asset } = deps.catalog();
  let total = 0n;
  for (const grant of await deps.store.grants(tenantId)) {
    if (grant.asset === asset) total += grant.amount;
  }
  return total;
}

/** Said before an order is taken, and of one that another overtook: a repeat of it can never be fulfilled either. */
function refuseTooMuch(context: AdminContext, deps: AdminDeps, total: bigint): Response {
  const { asset } = deps.catalog();
  const reason = `all grants of a tenant together must stay under ${formatDecimal(NANO_MAX, 9)} ${asset}; they are ${formatDecimal(total, 9)} ${asset} now`;
  return refuse(context, deps, {
    code: 'INVALID_REQUEST',
    details: { pointer: '/amount', reason },
  });
}

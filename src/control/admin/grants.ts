import type { Hono } from 'hono';
import { z } from 'zod';

import { formatDecimal } from '../../domain/money.ts';
import { sha256Hex } from '../../platform/sha256.ts';
import type { NewGrant } from '../../stores/store.ts';
import type { AdminContext, AdminDeps, AdminEnv } from './admin-deps.ts';
import { answerChange, refuse } from './answer.ts';
import {
  amountSchema,
  checkBody,
  expirySchema,
  NANO_MAX,
  parseIdempotencyKey,
  readJson,
} from './parse-input.ts';
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
    expires: expirySchema(now).optional(),
    priority: z.number().int().min(0).max(100).default(DEFAULT_PRIORITY),
  });
}

/**
 * BILL-13: the same key and body give the same answer for ever and one grant; another body is a conflict. What the
 * store remembers is the order with its times worked out, so that ten parallel callers, and a retry after a crash
 * between the two writes, all add the very same grant.
 */
async function addGrant(
  context: AdminContext,
  deps: AdminDeps,
  tenantId: string,
): Promise<Response> {
  const header = parseIdempotencyKey(context, deps);
  if (header.kind === 'refused') return header.response;
  const json = await readJson(context, deps);
  if (json.kind === 'refused') return json.response;
  const key = `admin:grants:${header.value}`;
  const fingerprint = fingerprintOf(tenantId, json.value);
  // Before the checks: a repeated body whose expiry has passed meanwhile still gets its first answer.
  const earlier = await deps.store.recall(key);
  if (earlier !== undefined) {
    if (earlier.fingerprint !== fingerprint) return conflict(context, deps);
    return applyOrder(context, deps, parseOrder(earlier.answer), true);
  }
  const now = deps.now();
  const body = checkBody(context, deps, grantSchema(deps.catalog().asset, now), json.value);
  if (body.kind === 'refused') return body.response;
  const refusal = await refuseGrant(context, deps, tenantId, body.value);
  if (refusal !== undefined) return refusal;
  const order = formatOrder(orderOf(tenantId, deps.catalog().asset, body.value, { key, now }));
  const remembered = await deps.store.remember(key, fingerprint, order);
  if (remembered.kind === 'conflict') return conflict(context, deps);
  return applyOrder(context, deps, parseOrder(remembered.answer), remembered.kind === 'replay');
}

/** Adds the grant once, however often it is called, and always answers as the first time. */
async function applyOrder(
  context: AdminContext,
  deps: AdminDeps,
  order: NewGrant,
  replayed: boolean,
): Promise<Response> {
  const grant = await deps.store.addGrant(order, order.effectiveAt);
  const answer = JSON.stringify(viewGrant({ ...grant, consumed: 0n, expired: 0n }));
  const change = { action: 'grant-added', tenant_id: grant.tenantId, grant_id: grant.id };
  if (replayed) context.header('Idempotent-Replayed', 'true');
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
    expiresAt: body.expires,
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
  if ((await deps.store.tenant(tenantId)) === undefined)
    return refuseTenant(context, deps, tenantId);
  const { asset } = deps.catalog();
  let total = 0n;
  for (const grant of await deps.store.grants(tenantId)) {
    if (grant.asset === asset) total += grant.amount;
  }
  if (total + body.amount <= NANO_MAX) return undefined;
  const reason = `all grants of a tenant together must stay under ${formatDecimal(NANO_MAX, 9)} ${asset}; they are ${formatDecimal(total, 9)} ${asset} now`;
  return refuse(context, deps, {
    code: 'INVALID_REQUEST',
    details: { pointer: '/amount', reason },
  });
}

/** Of the members, not of the bytes: a client that orders or spaces its JSON otherwise sends the same body. */
function fingerprintOf(tenantId: string, json: unknown): string {
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
  const members = isObject ? Object.entries(json).toSorted(([a], [b]) => (a < b ? -1 : 1)) : json;
  return sha256Hex(JSON.stringify([tenantId, members]));
}

function conflict(context: AdminContext, deps: AdminDeps): Response {
  return refuse(context, deps, { code: 'IDEMPOTENCY_CONFLICT' });
}

function refuseTenant(context: AdminContext, deps: AdminDeps, id: string): Response {
  return refuse(context, deps, { code: 'TENANT_NOT_FOUND', details: { id } });
}

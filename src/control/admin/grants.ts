import type { Hono } from 'hono';
import { z } from 'zod';

import { formatDecimal } from '../../domain/money.ts';
import { sha256Hex } from '../../platform/sha256.ts';
import type { Grant } from '../../stores/store.ts';
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
    category: z.enum(['included', 'promotional', 'paid']).default('paid'),
    expires: expirySchema(now).optional(),
    priority: z.number().int().min(0).max(100).default(DEFAULT_PRIORITY),
  });
}

/** BILL-13: the same key and body give the same answer for ever and one grant; another body is a conflict. */
async function addGrant(
  context: AdminContext,
  deps: AdminDeps,
  tenantId: string,
): Promise<Response> {
  const key = parseIdempotencyKey(context, deps);
  if (key.kind === 'refused') return key.response;
  const json = await readJson(context, deps);
  if (json.kind === 'refused') return json.response;
  const once: Once = {
    key: `admin:grants:${key.value}`,
    fingerprint: fingerprintOf(tenantId, json.value),
  };
  // Before the checks: a repeated body whose expiry has passed meanwhile still gets its first answer.
  const earlier = await deps.store.recall(once.key);
  if (earlier !== undefined) {
    return earlier.fingerprint === once.fingerprint
      ? replay(context, earlier.answer)
      : conflict(context, deps);
  }
  const schema = grantSchema(deps.catalog().asset, deps.now());
  const body = checkBody(context, deps, schema, json.value);
  if (body.kind === 'refused') return body.response;
  return (
    (await refuseGrant(context, deps, tenantId, body.value)) ??
    addOnce(context, deps, { tenantId, once, body: body.value })
  );
}

interface Once {
  readonly key: string;
  readonly fingerprint: string;
}

async function addOnce(
  context: AdminContext,
  deps: AdminDeps,
  order: { readonly tenantId: string; readonly once: Once; readonly body: GrantBody },
): Promise<Response> {
  const { tenantId, once, body } = order;
  const now = deps.now();
  let grant: Grant;
  try {
    grant = await deps.store.addGrant(
      {
        tenantId,
        asset: deps.catalog().asset,
        amount: body.amount,
        category: body.category,
        priority: body.priority,
        effectiveAt: now,
        expiresAt: body.expires,
        source: 'admin',
        idempotencyKey: once.key,
      },
      now,
    );
  } catch (error) {
    // Two different bodies with one key at the same moment: the store let one of them through.
    if (hasCode(error, 'idempotency_conflict')) return conflict(context, deps);
    throw error;
  }
  const answer = JSON.stringify(viewGrant(grant));
  const remembered = await deps.store.remember(once.key, once.fingerprint, answer);
  switch (remembered.kind) {
    case 'conflict':
      return conflict(context, deps);
    case 'replay':
      return replay(context, remembered.answer);
    case 'new': {
      const change = { action: 'grant-added', tenant_id: tenantId, grant_id: grant.id };
      return answerChange(context, deps, change, { status: 201, body: answer });
    }
    default:
      return remembered.kind satisfies never;
  }
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

function replay(context: AdminContext, answer: string): Response {
  return context.body(answer, 201, {
    'Content-Type': 'application/json',
    'Idempotent-Replayed': 'true',
  });
}

function conflict(context: AdminContext, deps: AdminDeps): Response {
  return refuse(context, deps, { code: 'IDEMPOTENCY_CONFLICT' });
}

function refuseTenant(context: AdminContext, deps: AdminDeps, id: string): Response {
  return refuse(context, deps, { code: 'TENANT_NOT_FOUND', details: { id } });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

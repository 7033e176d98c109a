import { PLAIN_KEY_TERMS } from '../../domain/key-terms.ts';
import { randomBytes } from 'node:crypto';

import type { Hono } from 'hono';
import { z } from 'zod';

import { API_KEY_RANDOM_BYTES, apiKeyHint, formatApiKey } from '../../domain/api-key.ts';
import { toSafeNumber } from '../../domain/money.ts';
import { createId } from '../../platform/ids.ts';
import { sha256Hex } from '../../platform/sha256.ts';
import type { ApiKey } from '../../stores/store.ts';
import type { AdminContext, AdminDeps, AdminEnv } from './admin-deps.ts';
import { answerChange, pageOf, refuse } from './answer.ts';
import {
  amountSchema,
  expirySchema,
  idSchema,
  nameSchema,
  pageSchema,
  parseBody,
  parseQuery,
} from './parse-input.ts';
import { viewKey } from './views.ts';

const listSchema = z.strictObject({ tenant_id: idSchema.optional(), ...pageSchema });

export function mountKeys(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.post('/admin/keys', (context) => createKey(context, deps));
  app.get('/admin/keys', (context) => listKeys(context, deps));
  app.post('/admin/keys/:id/revoke', (context) =>
    revokeKey(context, deps, context.req.param('id')),
  );
}

function keySchema(asset: string, now: number) {
  return z.strictObject({
    tenant_id: idSchema,
    name: nameSchema.default('default'),
    environment: z.enum(['live', 'test']).default('live'),
    budget: amountSchema(asset).optional(),
    expires: expirySchema(now).optional(),
  });
}

/** KEY-01: the only answer that ever holds the key; the store keeps its hash. */
async function createKey(context: AdminContext, deps: AdminDeps): Promise<Response> {
  const now = deps.now();
  const { asset } = deps.catalog();
  const body = await parseBody(context, deps, keySchema(asset, now));
  if (body.kind === 'refused') return body.response;
  const { tenant_id: tenantId, name, environment, budget, expires } = body.value;
  if ((await deps.store.tenant(tenantId)) === undefined) {
    const details = { id: tenantId, pointer: '/tenant_id' };
    return refuse(context, deps, { code: 'TENANT_NOT_FOUND', details });
  }
  const secret = formatApiKey(environment, randomBytes(API_KEY_RANDOM_BYTES));
  const key: ApiKey = {
    id: createId('key', now),
    tenantId,
    name,
    hash: sha256Hex(secret),
    environment,
    hint: apiKeyHint(secret),
    budgetNano: budget === undefined ? undefined : toSafeNumber(budget),
    expiresAt: expires,
    revokedAt: undefined,
    terms: PLAIN_KEY_TERMS,
    createdAt: now,
  };
  await deps.store.createKey(key);
  const change = { action: 'key-created', tenant_id: tenantId, key_id: key.id };
  const answer = JSON.stringify({ ...viewKey(key, asset, now), key: secret });
  return answerChange(context, deps, change, { status: 201, body: answer });
}

async function listKeys(context: AdminContext, deps: AdminDeps): Promise<Response> {
  const query = parseQuery(context, deps, listSchema);
  if (query.kind === 'refused') return query.response;
  const { tenant_id: tenantId, cursor, limit } = query.value;
  if (tenantId !== undefined && (await deps.store.tenant(tenantId)) === undefined) {
    return refuse(context, deps, { code: 'TENANT_NOT_FOUND', details: { id: tenantId } });
  }
  const now = deps.now();
  const { asset } = deps.catalog();
  const keys = await deps.store.keys(tenantId, cursor, limit + 1);
  return context.json(pageOf(keys, limit, (key) => viewKey(key, asset, now)));
}

async function revokeKey(context: AdminContext, deps: AdminDeps, id: string): Promise<Response> {
  const now = deps.now();
  const key = await deps.store.revokeKey(id, now);
  if (key === undefined) return refuse(context, deps, { code: 'KEY_NOT_FOUND', details: { id } });
  const change = { action: 'key-revoked', tenant_id: key.tenantId, key_id: id };
  const answer = JSON.stringify(viewKey(key, deps.catalog().asset, now));
  return answerChange(context, deps, change, { status: 200, body: answer });
}

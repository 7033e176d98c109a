import { randomBytes } from 'node:crypto';

import type { Hono } from 'hono';
import { z } from 'zod';

import {
  API_KEY_RANDOM_BYTES,
  apiKeyHint,
  formatApiKey,
  type KeyEnvironment,
} from '../../domain/api-key.ts';
import { PLAIN_KEY_TERMS } from '../../domain/key-terms.ts';
import { createId } from '../../platform/ids.ts';
import { sha256Hex } from '../../platform/sha256.ts';
import type { ApiKey } from '../../stores/store.ts';
import type { AdminContext, AdminDeps, AdminEnv } from './admin-deps.ts';
import { answerChange, pageOf, refuse, refuseTenant } from './answer.ts';
import { idSchema, pageSchema } from './input-values.ts';
import { keyChangeSchema, newKeySchema } from './key-input.ts';
import { parseBody, parseQuery } from './parse-input.ts';
import { viewKey } from './views.ts';

const listSchema = z.strictObject({ tenant_id: idSchema.optional(), ...pageSchema });

export function mountKeys(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.post('/admin/keys', (context) => createKey(context, deps));
  app.get('/admin/keys', (context) => listKeys(context, deps));
  app.get('/admin/keys/:id', (context) => showKey(context, deps, context.req.param('id')));
  app.patch('/admin/keys/:id', (context) => changeKey(context, deps, context.req.param('id')));
  app.post('/admin/keys/:id/regenerate', (context) =>
    regenerateKey(context, deps, context.req.param('id')),
  );
  app.post('/admin/keys/:id/revoke', (context) =>
    revokeKey(context, deps, context.req.param('id')),
  );
}

/** KEY-01: the only answer that ever holds the key; the store keeps its hash. */
async function createKey(context: AdminContext, deps: AdminDeps): Promise<Response> {
  const now = deps.now();
  const body = await parseBody(context, deps, newKeySchema(deps.catalog(), now));
  if (body.kind === 'refused') return body.response;
  const { tenantId, name, environment, budgetNano, expiresAt, terms } = body.value;
  if ((await deps.store.tenant(tenantId)) === undefined) {
    const details = { id: tenantId, pointer: '/tenant_id' };
    return refuse(context, deps, { code: 'TENANT_NOT_FOUND', details });
  }
  const { raw, ...secret } = makeSecret(environment);
  const key: ApiKey = {
    id: createId('key', now),
    tenantId,
    name,
    ...secret,
    environment,
    budgetNano,
    expiresAt,
    revokedAt: undefined,
    terms: { ...PLAIN_KEY_TERMS, ...terms },
    createdAt: now,
  };
  await deps.store.createKey(key);
  const change = { action: 'key-created', tenant_id: tenantId, key_id: key.id };
  return answerChange(context, deps, change, { status: 201, body: bodyOf(deps, key, raw) });
}

async function listKeys(context: AdminContext, deps: AdminDeps): Promise<Response> {
  const query = parseQuery(context, deps, listSchema);
  if (query.kind === 'refused') return query.response;
  const { tenant_id: tenantId, cursor, limit } = query.value;
  if (tenantId !== undefined && (await deps.store.tenant(tenantId)) === undefined) {
    return refuseTenant(context, deps, tenantId);
  }
  const now = deps.now();
  const { asset } = deps.catalog();
  const keys = await deps.store.keys(tenantId, cursor, limit + 1);
  return context.json(pageOf(keys, limit, (key) => viewKey(key, asset, now)));
}

async function showKey(context: AdminContext, deps: AdminDeps, id: string): Promise<Response> {
  const key = await deps.store.key(id);
  if (key === undefined) return refuseKey(context, deps, id);
  return context.json(viewKey(key, deps.catalog().asset, deps.now()));
}

/** KEY-02, KEY-05: what the key may do and spend, in force on every gateway when this answers. */
async function changeKey(context: AdminContext, deps: AdminDeps, id: string): Promise<Response> {
  const body = await parseBody(context, deps, keyChangeSchema(deps.catalog(), deps.now()));
  if (body.kind === 'refused') return body.response;
  const key = await deps.store.changeKey(id, body.value);
  if (key === undefined) return refuseKey(context, deps, id);
  const change = { action: 'key-changed', tenant_id: key.tenantId, key_id: id };
  return answerChange(context, deps, change, { status: 200, body: bodyOf(deps, key) });
}

/** KEY-01: another secret for the same key; what it used and may do stays, and the old secret is unknown at once. */
async function regenerateKey(
  context: AdminContext,
  deps: AdminDeps,
  id: string,
): Promise<Response> {
  const before = await deps.store.key(id);
  if (before === undefined) return refuseKey(context, deps, id);
  if (before.revokedAt !== undefined) {
    const reason = `key ${id} is revoked, and revoked keys stay so: create a new one`;
    return refuse(context, deps, { code: 'INVALID_REQUEST', details: { reason } });
  }
  const { raw, ...secret } = makeSecret(before.environment);
  const key = await deps.store.changeKey(id, { secret });
  if (key === undefined) return refuseKey(context, deps, id);
  const change = { action: 'key-regenerated', tenant_id: key.tenantId, key_id: id };
  return answerChange(context, deps, change, { status: 200, body: bodyOf(deps, key, raw) });
}

async function revokeKey(context: AdminContext, deps: AdminDeps, id: string): Promise<Response> {
  const key = await deps.store.revokeKey(id, deps.now());
  if (key === undefined) return refuseKey(context, deps, id);
  const change = { action: 'key-revoked', tenant_id: key.tenantId, key_id: id };
  return answerChange(context, deps, change, { status: 200, body: bodyOf(deps, key) });
}

function makeSecret(environment: KeyEnvironment): {
  readonly raw: string;
  readonly hash: string;
  readonly hint: string;
} {
  const raw = formatApiKey(environment, randomBytes(API_KEY_RANDOM_BYTES));
  return { raw, hash: sha256Hex(raw), hint: apiKeyHint(raw) };
}

/** `raw`: the key itself, in the answer that makes it and in no other. */
function bodyOf(deps: AdminDeps, key: ApiKey, raw?: string): string {
  const view = viewKey(key, deps.catalog().asset, deps.now());
  return JSON.stringify(raw === undefined ? view : { ...view, key: raw });
}

function refuseKey(context: AdminContext, deps: AdminDeps, id: string): Response {
  return refuse(context, deps, { code: 'KEY_NOT_FOUND', details: { id } });
}

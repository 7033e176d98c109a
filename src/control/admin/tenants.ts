import type { Hono } from 'hono';
import { z } from 'zod';

import { formatMoney } from '../../domain/money.ts';
import { PLAIN_TERMS, type TenantTerms } from '../../domain/tenant-terms.ts';
import { createId } from '../../platform/ids.ts';
import { applyTenantChange } from '../../stores/directory-change.ts';
import { StoreError } from '../../stores/store-error.ts';
import type { Tenant } from '../../stores/store.ts';
import { ACCOUNTS_WAIT_MS, balanceOf } from '../public/balance.ts';
import type { AdminContext, AdminDeps, AdminEnv, Parsed } from './admin-deps.ts';
import { answerChange, pageOf, refuse, refuseTenant } from './answer.ts';
import { idSchema, pageSchema } from './input-values.ts';
import { checkBody, parseQuery, readJson } from './parse-input.ts';
import { describeTenant } from './show-tenant.ts';
import { newTenantSchema, tenantChangeSchema, type TenantInputTerms } from './tenant-input.ts';
import { viewTenant } from './view-tenant.ts';

const listSchema = z.strictObject({ parent_id: idSchema.optional(), ...pageSchema });

export function mountTenants(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.post('/admin/tenants', (context) => createTenant(context, deps));
  app.get('/admin/tenants', (context) => listTenants(context, deps));
  app.get('/admin/tenants/:id', (context) => showTenant(context, deps, context.req.param('id')));
  app.patch('/admin/tenants/:id', (context) =>
    changeTenant(context, deps, context.req.param('id')),
  );
}

async function createTenant(context: AdminContext, deps: AdminDeps): Promise<Response> {
  const json = await readJson(context, deps);
  if (json.kind === 'refused') return json.response;
  const terms = inputTerms(deps, json.value, undefined);
  const body = checkBody(context, deps, newTenantSchema(terms), json.value);
  if (body.kind === 'refused') return body.response;
  const { name, planId } = body.value;
  if (!deps.catalog().plans.has(planId)) return refusePlan(context, deps, planId);
  const plain = { id: createId('ten', terms.now), name, planId, terms: PLAIN_TERMS };
  const tenant = applyTenantChange({ ...plain, createdAt: terms.now }, body.value);
  const refusal = refusePool(context, deps, tenant.terms);
  if (refusal !== undefined) return refusal;
  const created = await hangBelow(context, deps, tenant.terms.parentId, async () => {
    await deps.store.createTenant(tenant);
    return tenant;
  });
  if (created.kind === 'refused') return created.response;
  const change = { action: 'tenant-created', tenant_id: tenant.id, plan: planId };
  return answerChange(context, deps, change, { status: 201, body: bodyOf(deps, tenant) });
}

async function listTenants(context: AdminContext, deps: AdminDeps): Promise<Response> {
  const query = parseQuery(context, deps, listSchema);
  if (query.kind === 'refused') return query.response;
  const { parent_id: parentId, cursor, limit } = query.value;
  if (parentId !== undefined && (await deps.store.tenant(parentId)) === undefined)
    return refuseTenant(context, deps, parentId);
  const tenants = await deps.store.tenants(cursor, limit + 1, parentId);
  const [catalog, now] = [deps.catalog(), deps.now()];
  return context.json(pageOf(tenants, limit, (tenant) => viewTenant(tenant, catalog, now)));
}

async function showTenant(context: AdminContext, deps: AdminDeps, id: string): Promise<Response> {
  const tenant = await deps.store.tenant(id);
  if (tenant === undefined) return refuseTenant(context, deps, id);
  return context.json(await describeTenant(deps, tenant));
}

async function changeTenant(context: AdminContext, deps: AdminDeps, id: string): Promise<Response> {
  const json = await readJson(context, deps);
  if (json.kind === 'refused') return json.response;
  const before = await deps.store.tenant(id);
  if (before === undefined) return refuseTenant(context, deps, id);
  const terms = inputTerms(deps, json.value, before);
  const body = checkBody(context, deps, tenantChangeSchema(terms), json.value);
  if (body.kind === 'refused') return body.response;
  const { planId, terms: changed } = body.value;
  const overrides = changed?.overrides ?? [];
  const after = applyTenantChange(before, body.value).terms;
  const { pooled, parentId } = after;
  const refusal =
    refuseLostPlan(context, deps, before, { planId, overrides }) ??
    refusePool(context, deps, { pooled, parentId, overrides }) ??
    (await refuseStranding(context, deps, before, after));
  if (refusal !== undefined) return refusal;
  const done = await hangBelow(context, deps, parentId, () =>
    deps.store.changeTenant(id, body.value),
  );
  if (done.kind === 'refused') return done.response;
  if (done.value === undefined) return refuseTenant(context, deps, id);
  const change = { action: 'tenant-changed', tenant_id: id, plan: done.value.planId };
  return answerChange(context, deps, change, { status: 200, body: bodyOf(deps, done.value) });
}

/** Plan and zone that the other members are read by are those the tenant has afterwards. */
function inputTerms(deps: AdminDeps, json: unknown, before: Tenant | undefined): TenantInputTerms {
  const { plans, asset } = deps.catalog();
  const plan = plans.get(textAt(json, 'plan') ?? before?.planId ?? '');
  const { timeZone } = before?.terms ?? PLAIN_TERMS;
  return { now: deps.now(), asset, plan, timeZone: textAt(json, 'time_zone') ?? timeZone };
}

/** Of a body that is not checked yet. */
function textAt(json: unknown, member: string): string | undefined {
  const asked: unknown =
    typeof json === 'object' && json !== null ? Reflect.get(json, member) : undefined;
  return typeof asked === 'string' ? asked : undefined;
}

/** Nothing is there to draw on without a parent, and what is agreed with a part of a pool counts for nobody. */
function refusePool(
  context: AdminContext,
  deps: AdminDeps,
  { pooled, parentId, overrides }: Pick<TenantTerms, 'pooled' | 'parentId' | 'overrides'>,
): Response | undefined {
  if (!pooled) return undefined;
  if (parentId === undefined) {
    const reason = 'a pooled tenant draws on the plan and balance of its parent: set parent_id too';
    return refuse(context, deps, {
      code: 'INVALID_REQUEST',
      details: { pointer: '/pooled', reason },
    });
  }
  if (overrides.length === 0) return undefined;
  const reason = `a pooled tenant has the limits of its parent: set them on tenant ${parentId}, or set pooled to false`;
  return refuse(context, deps, {
    code: 'INVALID_REQUEST',
    details: { pointer: '/overrides', reason },
  });
}

/** In a pool what a tenant has of its own, credit and agreements, would count for nothing, and show nowhere. */
async function refuseStranding(
  context: AdminContext,
  deps: AdminDeps,
  { id, terms }: Tenant,
  after: TenantTerms,
): Promise<Response | undefined> {
  if (!after.pooled || terms.pooled) return undefined;
  const agreed = findAgreed(after, deps.now());
  if (agreed !== undefined) {
    const reason = `tenant ${id} has the ${agreed} of its own, which would not count in a pool: end it first`;
    const details = { pointer: '/pooled', reason };
    return refuse(context, deps, { code: 'INVALID_REQUEST', details });
  }
  const { asset } = deps.catalog();
  const accounts = await deps.store.accounts(id, deps.now(), ACCOUNTS_WAIT_MS);
  const { settled } = balanceOf(accounts, id, asset);
  if (settled <= 0n) return undefined;
  const left = formatMoney({ asset, units: settled });
  const reason = `tenant ${id} has ${left} of its own, which it could not use in a pool: make it pooled once that is spent or has expired`;
  return refuse(context, deps, {
    code: 'INVALID_REQUEST',
    details: { pointer: '/pooled', reason },
  });
}

/** A purchase or an override that is in force. */
function findAgreed({ purchases, overrides }: TenantTerms, now: number): string | undefined {
  const holds = ({ expiresAt }: { readonly expiresAt: number | undefined }): boolean =>
    expiresAt === undefined || now < expiresAt;
  const purchase = purchases.find(holds);
  if (purchase !== undefined) return `purchase ${purchase.id} of add-on ${purchase.addOnId}`;
  const override = overrides.find(holds);
  return override && `override of limit ${override.limitId}`;
}

/** Does what may fail because of the parent: it does not exist, or cannot be above this tenant. */
async function hangBelow<Value>(
  context: AdminContext,
  deps: AdminDeps,
  parentId: string | undefined,
  write: () => Promise<Value>,
): Promise<Parsed<Value>> {
  const pointer = '/parent_id';
  try {
    return { kind: 'ok', value: await write() };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === 'unknown_tenant') {
      const details = { id: parentId ?? '', pointer };
      return {
        kind: 'refused',
        response: refuse(context, deps, { code: 'TENANT_NOT_FOUND', details }),
      };
    }
    if (error.code !== 'invalid_change') throw error;
    const details = { reason: error.message, pointer };
    return {
      kind: 'refused',
      response: refuse(context, deps, { code: 'INVALID_REQUEST', details }),
    };
  }
}

function bodyOf(deps: AdminDeps, tenant: Tenant): string {
  return JSON.stringify(viewTenant(tenant, deps.catalog(), deps.now()));
}

/** A plan that is not in the configuration is not given to anybody, and what its limits count is not known. */
function refuseLostPlan(
  context: AdminContext,
  deps: AdminDeps,
  before: Tenant,
  { planId, overrides }: { readonly planId?: string | undefined } & Pick<TenantTerms, 'overrides'>,
): Response | undefined {
  const needed = overrides.length > 0 ? (planId ?? before.planId) : planId;
  if (needed === undefined || deps.catalog().plans.has(needed)) return undefined;
  return refusePlan(context, deps, needed);
}

function refusePlan(context: AdminContext, deps: AdminDeps, id: string): Response {
  return refuse(context, deps, { code: 'PLAN_NOT_FOUND', details: { id, pointer: '/plan' } });
}

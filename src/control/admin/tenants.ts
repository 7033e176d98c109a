import type { Hono } from 'hono';
import { z } from 'zod';

import { accountsFor, balanceAccount, ANY_CALL } from '../../domain/accounts.ts';
import { PLAIN_KEY_TERMS } from '../../domain/key-terms.ts';
import { accessOf } from '../../domain/tenant-access.ts';
import { PLAIN_TERMS } from '../../domain/tenant-terms.ts';
import type { AccountSpec } from '../../domain/accounts.ts';
import { createId } from '../../platform/ids.ts';
import type { Tenant } from '../../stores/store.ts';
import type { AdminContext, AdminDeps, AdminEnv } from './admin-deps.ts';
import { answerChange, pageOf, refuse } from './answer.ts';
import { idSchema, nameSchema, pageSchema, parseBody, parseQuery } from './parse-input.ts';
import { mergeAccounts, viewTenant, viewTenantInFull } from './views.ts';

/** How long the exact numbers of a tenant may take: every gateway process is asked to settle first. */
const ACCOUNTS_WAIT_MS = 1000;

const createSchema = z.strictObject({ name: nameSchema, plan: idSchema });
const changeSchema = z.strictObject({ plan: idSchema });
const listSchema = z.strictObject(pageSchema);

export function mountTenants(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.post('/admin/tenants', (context) => createTenant(context, deps));
  app.get('/admin/tenants', (context) => listTenants(context, deps));
  app.get('/admin/tenants/:id', (context) => showTenant(context, deps, context.req.param('id')));
  app.patch('/admin/tenants/:id', (context) =>
    changeTenant(context, deps, context.req.param('id')),
  );
}

async function createTenant(context: AdminContext, deps: AdminDeps): Promise<Response> {
  const body = await parseBody(context, deps, createSchema);
  if (body.kind === 'refused') return body.response;
  const { name, plan } = body.value;
  if (!deps.catalog().plans.has(plan)) return refusePlan(context, deps, plan);
  const now = deps.now();
  const tenant: Tenant = {
    id: createId('ten', now),
    name,
    planId: plan,
    terms: PLAIN_TERMS,
    createdAt: now,
  };
  await deps.store.createTenant(tenant);
  const change = { action: 'tenant-created', tenant_id: tenant.id, plan };
  return answerChange(context, deps, change, {
    status: 201,
    body: JSON.stringify(viewTenant(tenant)),
  });
}

async function listTenants(context: AdminContext, deps: AdminDeps): Promise<Response> {
  const query = parseQuery(context, deps, listSchema);
  if (query.kind === 'refused') return query.response;
  const { cursor, limit } = query.value;
  const tenants = await deps.store.tenants(cursor, limit + 1);
  return context.json(pageOf(tenants, limit, viewTenant));
}

async function showTenant(context: AdminContext, deps: AdminDeps, id: string): Promise<Response> {
  const tenant = await deps.store.tenant(id);
  if (tenant === undefined)
    return refuse(context, deps, { code: 'TENANT_NOT_FOUND', details: { id } });
  const now = deps.now();
  const { asset, plans } = deps.catalog();
  const plan = plans.get(tenant.planId);
  const known = await deps.store.accounts(id, now, ACCOUNTS_WAIT_MS);
  const accounts = mergeAccounts(tenantAccounts(deps, tenant, now), known, now);
  return context.json(viewTenantInFull(tenant, plan, asset, accounts));
}

async function changeTenant(context: AdminContext, deps: AdminDeps, id: string): Promise<Response> {
  const body = await parseBody(context, deps, changeSchema);
  if (body.kind === 'refused') return body.response;
  const { plan } = body.value;
  if (!deps.catalog().plans.has(plan)) return refusePlan(context, deps, plan);
  const tenant = await deps.store.changeTenant(id, { planId: plan });
  if (tenant === undefined)
    return refuse(context, deps, { code: 'TENANT_NOT_FOUND', details: { id } });
  const change = { action: 'plan-changed', tenant_id: id, plan };
  return answerChange(context, deps, change, {
    status: 200,
    body: JSON.stringify(viewTenant(tenant)),
  });
}

/** What the tenant's plan gives the tenant as a whole; limits of single keys are listed once they are used. */
function tenantAccounts(deps: AdminDeps, tenant: Tenant, now: number): readonly AccountSpec[] {
  const catalog = deps.catalog();
  const { asset } = catalog;
  const balance = balanceAccount(tenant.id, asset);
  if (!catalog.plans.has(tenant.planId)) return [balance];
  const { plan, holder } = accessOf({ key: NO_KEY, tenant, ancestors: [] }, catalog, now);
  const quotas = accountsFor(plan, holder, ANY_CALL, { asset, at: now }).filter(
    (spec) => spec.limit?.scope === 'tenant',
  );
  return [balance, ...quotas];
}

const NO_KEY = { id: '', budgetNano: undefined, terms: PLAIN_KEY_TERMS };

function refusePlan(context: AdminContext, deps: AdminDeps, id: string): Response {
  return refuse(context, deps, { code: 'PLAN_NOT_FOUND', details: { id, pointer: '/plan' } });
}

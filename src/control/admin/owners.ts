import type { Hono } from 'hono';
import { z } from 'zod';

import { formatMoney } from '../../domain/money.ts';
import type { HeldTotal, OwnerLease, OwnerReport } from '../../stores/owner-store.ts';
import { OWNER_LOST_MS } from '../jobs/books-jobs.ts';
import type { AdminContext, AdminDeps, AdminEnv } from './admin-deps.ts';
import { answerChange, refuse } from './answer.ts';
import { formatOptionalTime, formatTime } from './input-values.ts';
import { answerOnce } from './once.ts';
import { checkBody } from './parse-input.ts';
import { viewQuantity } from './views.ts';

/** An owner that was heard of since is alive for all we know: what it holds is not written off. */
export const WRITE_OFF_SILENT_MS = 10 * 60_000;
/** Clocks of machines are this far apart at most, with much room to spare. */
const CLOCKS_APART_MS = 86_400_000;

/** Gateway processes that hold slices: who they are, and what becomes of one that never comes back (DESIGN 5). */
export function mountOwners(app: Hono<AdminEnv>, deps: AdminDeps): void {
  const path = '/admin/owners';
  app.get(path, (context) => listOwners(context, deps));
  app.get(`${path}/:id/leases`, (context) =>
    listOwnerLeases(context, deps, context.req.param('id')),
  );
  app.post(`${path}/:id/write-off`, (context) => writeOff(context, deps, context.req.param('id')));
}

/** Longest silent first, so that what there is to do comes first; a bounded number of them. */
async function listOwners(context: AdminContext, deps: AdminDeps): Promise<Response> {
  const now = deps.now();
  const { asset } = deps.catalog();
  const owners = await deps.store.owners(now + CLOCKS_APART_MS);
  const data = owners.map((owner) => viewOwner(owner, asset, now));
  return context.json({ data, has_more: false, next_cursor: null });
}

/** By customer, most first. */
async function listOwnerLeases(
  context: AdminContext,
  deps: AdminDeps,
  owner: string,
): Promise<Response> {
  const { asset } = deps.catalog();
  const leases = await deps.store.ownerLeases(owner);
  if (leases.length === 0 && (await deps.store.lastSettled(owner)) === undefined) {
    return refuseUnknown(context, deps, owner);
  }
  const data = leases.map((lease) => viewOwnerLease(lease, asset));
  return context.json({ data, has_more: false, next_cursor: null });
}

const bodySchema = z.strictObject({});
const orderSchema = z.strictObject({ heardBefore: z.number(), now: z.number() });

function writeOff(context: AdminContext, deps: AdminDeps, owner: string): Promise<Response> {
  return answerOnce(context, deps, {
    what: 'write-offs',
    subjectId: owner,
    order: async (json) => {
      const body = checkBody(context, deps, bodySchema, json);
      if (body.kind === 'refused') return body;
      const now = deps.now();
      return { kind: 'ok', value: JSON.stringify({ heardBefore: now - WRITE_OFF_SILENT_MS, now }) };
    },
    fulfil: (text) => fulfilOrder(context, deps, owner, text),
  });
}

async function fulfilOrder(
  context: AdminContext,
  deps: AdminDeps,
  owner: string,
  order: string,
): Promise<Response> {
  const result = await deps.store.writeOff(owner, orderSchema.parse(JSON.parse(order)));
  switch (result.kind) {
    case 'written_off': {
      const { asset } = deps.catalog();
      const holds = result.held.map((total) => viewHeld(total, asset));
      const words = holds.map(({ amount, unit }) =>
        typeof amount === 'string' ? amount : `${amount} ${unit}`,
      );
      const change = { action: 'owner-written-off', owner, held: words.join(', ') };
      const body = {
        id: owner,
        state: 'written_off',
        written_off_at: formatTime(result.at),
        holds,
      };
      return answerChange(context, deps, change, { status: 200, body: JSON.stringify(body) });
    }
    case 'heard': {
      const reason = `owner ${owner} was heard of at ${formatTime(result.seenAt)}: it can be written off ${WRITE_OFF_SILENT_MS / 60_000} minutes after it was heard of last, with a new Idempotency-Key`;
      return refuse(context, deps, { code: 'INVALID_REQUEST', details: { reason } });
    }
    case 'ended': {
      const reason = `owner ${owner} has settled and ended, or its journal was read: it holds nothing`;
      return refuse(context, deps, { code: 'INVALID_REQUEST', details: { reason } });
    }
    case 'unknown':
      return refuseUnknown(context, deps, owner);
    default:
      return result satisfies never;
  }
}

function refuseUnknown(context: AdminContext, deps: AdminDeps, id: string): Response {
  const details = { id, path: context.req.path };
  return refuse(context, deps, { code: 'NOT_FOUND', details });
}

function viewOwner(owner: OwnerReport, asset: string, now: number): object {
  const isSilent = owner.seenAt < now - OWNER_LOST_MS;
  const state = owner.writtenOffAt === undefined ? (isSilent ? 'silent' : 'live') : 'written_off';
  return {
    id: owner.id,
    machine: owner.machine ?? null,
    state,
    seen_at: formatTime(owner.seenAt),
    silent_seconds: Math.max(0, Math.floor((now - owner.seenAt) / 1000)),
    written_off_at: formatOptionalTime(owner.writtenOffAt),
    holds: owner.held.map((total) => viewHeld(total, asset)),
  };
}

function viewHeld(total: HeldTotal, asset: string) {
  return { ...viewAmount(total, asset), tenants: total.tenants };
}

function viewOwnerLease(lease: OwnerLease, asset: string): object {
  return { tenant_id: lease.tenantId, ...viewAmount(lease, asset) };
}

/** Money as text, other units as numbers; what fits no safe integer is no lease's. */
function viewAmount({ kind, unit, amount }: Omit<HeldTotal, 'tenants'>, asset: string) {
  const shown =
    kind === 'balance'
      ? formatMoney({ asset: unit, units: amount })
      : viewQuantity(Number(amount), unit, asset);
  return { kind, unit, amount: shown };
}

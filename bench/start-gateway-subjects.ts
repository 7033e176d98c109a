import type { Durability } from '../src/domain/catalog.ts';
import { waitFor } from '../test/support/wait-for.ts';
import {
  askAdmin,
  type GatewayPlan,
  type GatewaySetup,
  type PinnedGateway,
  startPinnedGateway,
} from './start-pinned-gateway.ts';
import type { Subject } from './subject.ts';
import { type Call, CHAT_CALL } from './workload.ts';

const BOOKS_TIMEOUT_MS = 15_000;

/** Two limits of which no run uses up a part that could be seen. */
export const TWO_LIMITS =
  'limits: [{ requests: 1000M, per: month }, { tokens: 1000000M, per: month }]';

/** Real key, a plan with two limits, prepaid balance, journal, request log, metrics. */
export function startEverything(
  setup: GatewaySetup,
  durability: Durability = 'journal',
): Promise<Subject> {
  const variant = durability === 'journal' ? 'everything' : durability;
  return startCharged(setup, variant, { more: [`durability: ${durability}`] });
}

/** The same, under another name, with other settings or asked for something else. */
export async function startCharged(
  setup: GatewaySetup,
  variant: string,
  plan: Partial<GatewayPlan> = {},
  call: Call = CHAT_CALL,
): Promise<Subject> {
  const gateway = await startPinnedGateway(setup, { requests: 'all', plan: TWO_LIMITS, ...plan });
  const target = { ...gateway.subject.target, calls: [call] };
  return { ...gateway.subject, target, variant, verify: (n) => verifyCharges(gateway, n) };
}

/**
 * The same call on a plan that includes every call and limits nothing, with only refusals logged: the key is
 * identified, the body understood, the answer metered, but no account is touched.
 */
export async function startNoStore(setup: GatewaySetup): Promise<Subject> {
  const gateway = await startPinnedGateway(setup, {
    requests: 'refusals',
    plan: 'usage: included',
  });
  return { ...gateway.subject, variant: 'no-store', verify: () => verifyNoCharge(gateway) };
}

/** What the number of limits costs: one, and ten of all units, windows and scopes. */
export function startLimits(
  setup: GatewaySetup,
  variant: 'one-limit' | 'ten-limits',
): Promise<Subject> {
  const limits = variant === 'one-limit' ? TEN_LIMITS.slice(0, 1) : TEN_LIMITS;
  return startCharged(setup, variant, { plan: `limits: [${limits.join(', ')}]` });
}

const TEN_LIMITS = [
  '{ requests: 1000M, per: month }',
  '{ tokens: 1000000M, per: month }',
  '{ input_tokens: 1000000M, per: day }',
  '{ output_tokens: 1000000M, per: week, scope: key }',
  '{ requests: 1000M, per: hour, scope: key }',
  '{ requests: 1000M, per: year, scope: model }',
  '{ spend: 1000000.00 USD, per: lifetime }',
  '{ requests: 1000M, per: day, scope: route }',
  '{ concurrent_requests: 1000 }',
  '{ requests: 1000M, per: minute, class: protective }',
] as const;

/** A used-up quota: every call is a 402, each with its offers, its links and its log row. */
export async function startRefused(setup: GatewaySetup): Promise<Subject> {
  const gateway = await startPinnedGateway(setup, {
    requests: 'all',
    plan: 'limits: [{ requests: 1, per: year }]',
  });
  const target = { ...gateway.subject.target, refused: 1 };
  return {
    ...gateway.subject,
    target,
    variant: 'refused',
    verify: () => verifyOneCharge(gateway),
  };
}

interface TenantView {
  readonly id: string;
  readonly balance: { readonly settled: string };
  readonly limits: readonly { readonly unit: string; readonly used: string }[];
}

async function readTenant({ gateway }: PinnedGateway): Promise<TenantView> {
  const { data } = (await askAdmin(gateway, '/admin/tenants')) as { data: { id: string }[] };
  return (await askAdmin(gateway, `/admin/tenants/${data[0]?.id}`)) as TenantView;
}

/** Speed that forgot to charge would be no speed: every answer is in the books, and the books are sound. */
export async function verifyCharges(gateway: PinnedGateway, requests: number): Promise<void> {
  await waitFor(
    async () => {
      const { limits } = await readTenant(gateway);
      return Number(limits.find(({ unit }) => unit === 'requests')?.used) >= requests;
    },
    { timeoutMs: BOOKS_TIMEOUT_MS, what: `${requests} charged requests in the books` },
  );
  await verifyLedger(gateway);
}

async function verifyOneCharge(gateway: PinnedGateway): Promise<void> {
  const { limits } = await readTenant(gateway);
  const used = Number(limits.find(({ unit }) => unit === 'requests')?.used);
  if (used !== 1) throw new Error(`${used} requests were counted, not the one that was served`);
}

async function verifyNoCharge(gateway: PinnedGateway): Promise<void> {
  const { balance, limits } = await readTenant(gateway);
  if (limits.length === 0 && Number(balance.settled) === 1_000_000) return;
  throw new Error(`accounts were touched: ${JSON.stringify({ balance, limits })}`);
}

/** Adds every projection up again from its entries. */
export async function verifyLedger({ gateway }: PinnedGateway): Promise<void> {
  const audit = (await askAdmin(gateway, '/admin/ledger/audit')) as { ok: boolean };
  if (!audit.ok) throw new Error(`the ledger is not sound: ${JSON.stringify(audit)}`);
}

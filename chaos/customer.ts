import type { Durability } from '../src/domain/catalog.ts';
import type { GatewayUnderFire } from './gateway-under-fire.ts';
import { ServedRecord } from './served-record.ts';
import type { Client } from './traffic.ts';

export const MODEL = 'units';
/** What a unit costs, in nano USD. */
export const NANO_PER_UNIT = 1000n;
/** Every so many clients one hangs up midway now and then. */
const LEAVING_EACH = 4;
const UNITS_PER_DOLLAR = 1_000_000;

/** The model of units, and counters for each key beside the balance of all. */
export function renderConfig(
  settings: string,
  modelOrigin: string,
  durability: Durability,
): string {
  return `
version: 1
retry_storm_per_minute: 0
durability: ${durability}
${settings}
${renderUnitsModel(modelOrigin)}
plans:
  chaos:
    title: Chaos
    price: 1.00 USD / month
    limits:
      - { requests: 1000M, per: lifetime, scope: key }
      - { output_tokens: 1000M, per: lifetime, scope: key }
`;
}

/** The part of a configuration that sells one model, of which a token costs one unit. */
export function renderUnitsModel(origin: string): string {
  return `
providers:
  units: { base_url: "${origin}/v1" }
models:
  ${MODEL}:
    provider: units
    upstream_model: echo-1
    context_window: 32768
    max_output_tokens: 64
    price: { input: 0 USD / 1M tokens, output: 1.00 USD / 1M tokens }
apis:
  llm: { type: llm }
`;
}

export interface Customer {
  readonly tenantId: string;
  readonly clients: readonly Client[];
}

/** Made as an operator would: one balance of exactly `units`, from grants that burn in a known order; a key each client. */
export async function createCustomer(
  gateway: GatewayUnderFire,
  { units, clients }: { readonly units: number; readonly clients: number },
): Promise<Customer> {
  const tenant = await gateway.admin('/admin/tenants', { name: 'Chaos', plan: 'chaos' });
  const tenantId = idOf(tenant);
  for (const grant of splitBudget(units)) {
    // oxlint-disable-next-line no-await-in-loop -- the order in which they are made is part of the burn order
    await gateway.admin(`/admin/tenants/${tenantId}/grants`, grant);
  }
  const made: Client[] = [];
  for (let each = 0; each < clients; each += 1) {
    // oxlint-disable-next-line no-await-in-loop -- some tens of keys, once
    const key = await gateway.admin('/admin/keys', { tenant_id: tenantId, name: `client ${each}` });
    made.push({
      id: idOf(key),
      key: String(memberOf(key, 'key')),
      record: new ServedRecord(),
      leaves: each % LEAVING_EACH === 0,
    });
  }
  return { tenantId, clients: made };
}

/** Quarters that differ in what the burn order looks at: priority, expiry, category; the last is what is left. */
function splitBudget(units: number): readonly object[] {
  const quarter = Math.floor(units / 4);
  return [
    { amount: dollars(quarter), category: 'paid' },
    { amount: dollars(quarter), category: 'promotional' },
    { amount: dollars(quarter), category: 'paid', expires_at: '30d' },
    { amount: dollars(units - 3 * quarter), category: 'paid', priority: 10 },
  ];
}

/** Units as a decimal of dollars, exactly. */
function dollars(units: number): string {
  const millionths = String(units % UNITS_PER_DOLLAR).padStart(6, '0');
  return `${Math.floor(units / UNITS_PER_DOLLAR)}.${millionths}`;
}

function idOf(json: unknown): string {
  return String(memberOf(json, 'id'));
}

function memberOf(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null ? Reflect.get(json, name) : undefined;
}

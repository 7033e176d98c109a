import type { Code } from '../../contract/codes.ts';
import type { Model, Route } from '../../domain/catalog.ts';
import type { Fault } from '../../domain/facts.ts';
import { addressOf } from './caller-address.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { KeyAccess } from './key-access.ts';
import type { RouteGate } from './route-gate.ts';

type Context = Pick<GatewayContext, 'trustsForwarded'>;

/**
 * What forbids the call whatever is paid (403, GW-14): the account, the environment, the provider's
 * policy, and what the key may do, in this order. Undefined = nothing.
 */
export function authorize(
  context: Context,
  exchange: Exchange,
  route: Route,
  gate: RouteGate | undefined,
): Fault | undefined {
  const { access } = exchange;
  const forbidden = access?.gate?.account ?? checkEnvironment(gate, access);
  if (forbidden !== undefined) return forbidden;
  if (gate?.allowsAddress?.(addressOf(context, exchange)) === false) {
    return forbid('FORBIDDEN_POLICY', 'the address policy of the API does not allow this address');
  }
  if (access === undefined) return undefined;
  return (
    checkPermission(access, route) ?? checkKeyAddress(context, exchange) ?? checkRole(gate, access)
  );
}

/** A key made for some models may call each of them by whichever of its names, and no other (KEY-02). */
export function permitModel(access: KeyAccess, { id, aliasOf }: Model): Fault | undefined {
  const models = access.gate?.models;
  if (models === undefined || models.has(aliasOf ?? id)) return undefined;
  return forbid('KEY_PERMISSION_DENIED', `the key may not use the model ${id}`, `model:${id}`);
}

/** KEY-04: a test key on the live API is told so, and the other way round. */
function checkEnvironment(
  gate: RouteGate | undefined,
  access: KeyAccess | undefined,
): Fault | undefined {
  if (gate?.environment === undefined || access === undefined) return undefined;
  const { environment } = access.key;
  if (environment === gate.environment) return undefined;
  return forbid(
    'KEY_ENVIRONMENT_MISMATCH',
    `the key is a ${environment} key and the API is ${gate.environment}`,
  );
}

function checkPermission({ gate }: KeyAccess, { apiId, operation }: Route): Fault | undefined {
  if (gate?.apis?.has(apiId) === false) {
    return forbid('KEY_PERMISSION_DENIED', `the key may not call the API ${apiId}`, `api:${apiId}`);
  }
  if (gate?.operations?.has(operation) === false) {
    return forbid(
      'KEY_PERMISSION_DENIED',
      `the key may not do ${operation}`,
      `operation:${operation}`,
    );
  }
  return undefined;
}

function checkKeyAddress(context: Context, exchange: Exchange): Fault | undefined {
  const allows = exchange.access?.gate?.allowsAddress;
  if (allows === undefined || allows(addressOf(context, exchange))) return undefined;
  return forbid('KEY_ADDRESS_NOT_ALLOWED', 'the key may not be used from this address');
}

function checkRole(gate: RouteGate | undefined, { key }: KeyAccess): Fault | undefined {
  const role = gate?.role;
  if (role === undefined || key.terms.roles.includes(role)) return undefined;
  return forbid('FORBIDDEN_ROLE', `the key has not the role ${role}`);
}

/** `permission`: what the key lacks, by the name it is granted with. */
function forbid(code: Code, problem: string, permission?: string): Fault {
  return { code, problem, pointer: permission };
}

import type { AddressPolicy, Api, Catalog, Parameter, Route } from '../../domain/catalog.ts';
import { type AddressSet, compileAddressSet } from '../address-set.ts';
import { AnonymousAllowance } from './anonymous-allowance.ts';
import { compilePointer } from './asked-request.ts';
import { compileParameter, type ParameterCheck } from './parameters.ts';
import { type CompiledRequirement, compileRequirement, needsBody } from './requirements.ts';

/** Of a body that has to be read to be judged, where its route sets no bound of its own. */
export const INSPECTED_BYTES_MAX = 1024 * 1024;

/** What a route asks of a call beyond a key: compiled at load time, so that most calls ask nothing. */
export interface RouteGate {
  readonly observes: boolean;
  /** Undefined = from anywhere (GW-14). */
  readonly allowsAddress: AddressSet | undefined;
  readonly environment: Api['environment'];
  readonly role: string | undefined;
  readonly parameters: readonly ParameterCheck[];
  readonly requirements: readonly CompiledRequirement[];
  /** Compiled pointers of the members of a body that it is judged by. */
  readonly judged: readonly (readonly string[])[];
  /** Bytes of a body that has to be read before the call is judged; undefined = it streams through. */
  readonly readsBodyUpTo: number | undefined;
  readonly anonymous: AnonymousAllowance | undefined;
}

/** By route; a route that is not in it asks nothing. One allowance serves all routes of an API. */
export function compileRouteGates(api: Api, catalog: Catalog): ReadonlyMap<Route, RouteGate> {
  const anonymous = api.anonymous && new AnonymousAllowance(api, api.anonymous, catalog);
  const allowsAddress = compilePolicy(api.addressPolicy);
  const gates = new Map<Route, RouteGate>();
  for (const route of api.routes) {
    // What is free is never refused for want of a purchase (GW-18).
    const requires = route.endpointClass === 'free' ? [] : route.requires;
    // A JSON-RPC refusal says which call it refuses.
    const readsBody =
      requires.some(needsBody) || route.parameters.some(isInBody) || route.dialect === 'jsonrpc';
    const gate: RouteGate = {
      observes: api.enforcement === 'observe',
      allowsAddress,
      environment: api.environment,
      role: route.role,
      parameters: route.parameters.map(compileParameter),
      requirements: requires.map((each) => compileRequirement(each, route)),
      judged: judgedPointers(route, requires),
      readsBodyUpTo: readsBody ? (route.bodyBytesMax ?? INSPECTED_BYTES_MAX) : undefined,
      anonymous: isOpenToAnybody(route) ? anonymous : undefined,
    };
    if (asksAnything(gate)) gates.set(route, gate);
  }
  return gates;
}

function compilePolicy(policy: AddressPolicy | undefined): AddressSet | undefined {
  if (policy === undefined) return undefined;
  const allowed = policy.allow.length === 0 ? undefined : compileAddressSet(policy.allow);
  const denied = compileAddressSet(policy.deny);
  return (address) => !denied(address) && (allowed === undefined || allowed(address));
}

function judgedPointers(
  { parameters }: Route,
  requires: Route['requires'],
): readonly (readonly string[])[] {
  const conditions = requires.flatMap(({ when }) => when.filter(({ kind }) => kind === 'body'));
  const names = [...parameters.filter(isInBody), ...conditions].flatMap((each) =>
    'name' in each ? each.name : [],
  );
  return [...new Set(names)].map(compilePointer);
}

function isInBody(parameter: Parameter): boolean {
  return parameter.in === 'body';
}

/** A model needs a plan that has it: only proxied routes are open to callers without a key. */
function isOpenToAnybody({ kind, endpointClass }: Route): boolean {
  return kind === 'proxy' && endpointClass !== 'free';
}

function asksAnything({ parameters, requirements, judged, ...rest }: RouteGate): boolean {
  if (parameters.length + requirements.length + judged.length > 0) return true;
  return Object.values(rest).some((each) => each !== undefined && each !== false);
}

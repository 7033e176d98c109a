import type { Facts, IdentityFact, OutcomeFact, RouteFact } from './facts.ts';

/** What a record leaves the names out of, in the order it is written: more is added behind, nothing is moved. */
export const ROUTE_MEMBERS = [
  'apiId',
  'routeId',
  'kind',
  'dialect',
  'endpointClass',
  'operation',
] as const satisfies readonly (keyof RouteFact)[];

export type KeyFact = Extract<IdentityFact, { kind: 'key' }>;

/** What few requests have: it is written as an object with names. */
export type Rare = Pick<
  Facts,
  | 'clientRequestId'
  | 'routing'
  | 'authorization'
  | 'understanding'
  | 'standing'
  | 'storm'
  | 'forwarding'
  | 'reservation'
  | 'take'
  | 'agreed'
> & {
  readonly observed?: true;
  readonly wouldRefuse?: NonNullable<OutcomeFact['wouldRefuse']>;
  /** Compute units and milliseconds of the outcome. */
  readonly compute?: readonly [number, number];
};

/** JSON turns undefined elements into null; no member of ours is null in itself. */
export function unpack<Value>(packed: unknown, names: readonly (keyof Value)[]): Value {
  const values = packed as readonly unknown[];
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? undefined])) as Value;
}

export function unpackRoute(packed: unknown): RouteFact | undefined {
  return packed === null ? undefined : unpack<RouteFact>(packed, ROUTE_MEMBERS);
}

/** Of a caller without a key that is known: its JSON leaves out what is undefined. */
export function unpackStranger(packed: unknown): IdentityFact {
  const identity = packed as Exclude<IdentityFact, KeyFact>;
  return identity.kind === 'refused' ? { ...identity, since: identity.since } : identity;
}

/** The outcome with what of it few requests have. */
export function withRare(
  outcome: OutcomeFact,
  { wouldRefuse, compute }: Partial<Rare>,
): OutcomeFact {
  return {
    ...outcome,
    ...(wouldRefuse === undefined ? {} : { wouldRefuse }),
    ...(compute === undefined ? {} : { computeUnits: compute[0], computeMs: compute[1] }),
  };
}

/** The members of the facts that are written with the rare ones. */
export function unpackRare(rare: Partial<Rare>): Omit<
  Rare,
  'observed' | 'wouldRefuse' | 'compute'
> & {
  readonly enforcement: Facts['enforcement'];
} {
  return {
    routing: rare.routing,
    authorization: rare.authorization,
    understanding: rare.understanding,
    standing: rare.standing,
    reservation: rare.reservation,
    take: rare.take,
    agreed: rare.agreed,
    enforcement: rare.observed === true ? 'observe' : 'enforce',
    storm: rare.storm,
    forwarding: rare.forwarding,
    ...(rare.clientRequestId === undefined ? {} : { clientRequestId: rare.clientRequestId }),
  };
}

import { type LimitHead, unpackHead } from './facts-record-limits.ts';
import {
  type Rare,
  unpackRare,
  unpackRoute,
  unpackStranger,
  withRare,
} from './facts-record-members.ts';
import type { EntitlementFact, Facts, IdentityFact, LimitFact, OutcomeFact } from './facts.ts';

type PackedHead = readonly [
  head: string | LimitHead,
  allowance: number,
  resetsAt: number | null,
  overage?: NonNullable<LimitFact['overage']>['kind'],
];

/** Facts from a record: its form, `requestId`, `at` and what `writeFacts` wrote. Undefined = it ends too early. */
export function readFacts(record: readonly unknown[]): Facts | undefined {
  const values = new Values(record);
  values.next();
  const requestId = String(values.next());
  const at = values.number();
  const catalogVersion = String(values.next());
  const method = String(values.next());
  const path = String(values.next());
  // The shortest record goes on with a route, an identity, what is rare and two counts.
  if (values.left < 5) return undefined;
  const route = unpackRoute(values.next());
  const identity = readIdentity(values);
  const rare = values.next() as Partial<Rare>;
  const { routing, authorization, understanding, standing, ...rest } = unpackRare(rare);
  return {
    requestId,
    at,
    catalogVersion,
    method,
    path,
    route,
    routing,
    identity,
    authorization,
    understanding,
    standing,
    entitlements: values.list(() => readEntitlement(values)),
    limits: values.list(() => readLimit(values, identity)),
    ...rest,
    outcome: values.left === 0 ? undefined : withRare(readOutcome(values), rare),
  };
}

/** The values of a record, one after the other. */
class Values {
  readonly #values: readonly unknown[];
  #at = 0;

  constructor(values: readonly unknown[]) {
    this.#values = values;
  }

  get left(): number {
    return this.#values.length - this.#at;
  }

  next(): unknown {
    this.#at += 1;
    return this.#values[this.#at - 1];
  }

  number(): number {
    return this.next() as number;
  }

  optional<Value>(): Value | undefined {
    return (this.next() as Value | null) ?? undefined;
  }

  /** A count, then so many items of at least one value. */
  list<Item>(read: () => Item): Item[] {
    const count = Math.min(this.number(), this.left);
    const items: Item[] = [];
    for (let index = 0; index < count; index += 1) items.push(read());
    return items;
  }
}

function readIdentity(values: Values): IdentityFact {
  const keyId = values.next();
  if (typeof keyId !== 'string') return unpackStranger(keyId);
  return {
    kind: 'key',
    keyId,
    tenantId: String(values.next()),
    planId: String(values.next()),
    planVersion: String(values.next()),
    planTitle: String(values.next()),
    freePlan: values.number() === 1,
  };
}

function readEntitlement(values: Values): EntitlementFact {
  const kind = values.next() as EntitlementFact['kind'];
  const id = String(values.next());
  const granted = values.number() === 1;
  const needed = values.optional<number>();
  const allowed = values.optional<number>();
  return {
    kind,
    id,
    granted,
    ...(needed === undefined ? {} : { needed }),
    ...(allowed === undefined ? {} : { allowed }),
  };
}

function readLimit(values: Values, identity: IdentityFact): LimitFact {
  const [head, allowance, resetsAt, overage] = values.next() as PackedHead;
  const [need, spent, reserved] = [values.number(), values.number(), values.number()];
  const limit = {
    ...unpackHead(head, identity),
    need,
    allowance,
    spent,
    reserved,
    resetsAt: resetsAt ?? undefined,
  };
  if (overage === undefined) return limit;
  return { ...limit, overage: { kind: overage, nano: values.number() } };
}

function readOutcome(values: Values): OutcomeFact {
  // Members are read in the order they are named here.
  return {
    status: values.number(),
    code: String(values.next()),
    durationMs: readDuration(values.next()),
    model: values.optional<string>(),
    target: values.optional<string>(),
    upstreamStatus: values.optional<number>(),
    ending: values.next() as OutcomeFact['ending'],
    holdNano: values.number(),
    costNano: values.number(),
    overrunNano: values.number(),
    inputTokens: values.number(),
    cachedInputTokens: values.number(),
    outputTokens: values.number(),
    bytesIn: values.number(),
    bytesOut: values.number(),
    estimated: values.number() === 1,
    clampedOutputTokens: values.optional<number>(),
  };
}

function readDuration(written: unknown): number {
  return Array.isArray(written) ? (written[0] as number) : (written as number) / 1000;
}

import { type LimitHead, unpackHead } from './facts-record-limits.ts';
import {
  type KeyFact,
  type Rare,
  unpack,
  unpackRare,
  unpackRoute,
  unpackStranger,
  withRare,
} from './facts-record-members.ts';
import type { Facts, IdentityFact, LimitFact, OutcomeFact } from './facts.ts';

const KEY_MEMBERS = [
  'keyId',
  'tenantId',
  'planId',
  'planVersion',
  'planTitle',
  'freePlan',
] as const;
const OUTCOME_MEMBERS = [
  'status',
  'code',
  'durationMs',
  'model',
  'target',
  'upstreamStatus',
  'ending',
  'holdNano',
  'costNano',
  'overrunNano',
  'inputTokens',
  'cachedInputTokens',
  'outputTokens',
  'bytesIn',
  'bytesOut',
  'estimated',
  'clampedOutputTokens',
] as const;
const LENGTH = 12;

type PackedLimit =
  | readonly [string | LimitHead, number, number, number, number, number | null]
  | LimitFact;

/** Facts as versions before the batches of the request log wrote them: such rows are read, and no longer written. */
export function unpackForm1(record: readonly unknown[]): Facts | undefined {
  if (record.length !== LENGTH) return undefined;
  const identity = unpackIdentity(record[7]);
  const rare = record[11] as Partial<Rare>;
  const { routing, authorization, understanding, standing, ...rest } = unpackRare(rare);
  return {
    requestId: String(record[1]),
    at: record[2] as number,
    catalogVersion: String(record[3]),
    method: String(record[4]),
    path: String(record[5]),
    route: unpackRoute(record[6]),
    routing,
    identity,
    authorization,
    understanding,
    standing,
    entitlements: record[8] as Facts['entitlements'],
    limits: (record[9] as readonly PackedLimit[]).map((limit) => unpackLimit(limit, identity)),
    ...rest,
    outcome:
      record[10] === null
        ? undefined
        : withRare(unpack<OutcomeFact>(record[10], OUTCOME_MEMBERS), rare),
  };
}

function unpackIdentity(packed: unknown): IdentityFact {
  if (!Array.isArray(packed)) return unpackStranger(packed);
  return { kind: 'key', ...unpack<Omit<KeyFact, 'kind'>>(packed, KEY_MEMBERS) };
}

function unpackLimit(packed: PackedLimit, identity: IdentityFact): LimitFact {
  if (!isTuple(packed)) return { ...packed, label: packed.label, resetsAt: packed.resetsAt };
  const [head, need, allowance, spent, reserved, resetsAt] = packed;
  const numbers = { need, allowance, spent, reserved, resetsAt: resetsAt ?? undefined };
  return { ...unpackHead(head, identity), ...numbers };
}

function isTuple(packed: PackedLimit): packed is Exclude<PackedLimit, LimitFact> {
  return Array.isArray(packed);
}

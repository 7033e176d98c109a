import { packHead } from './facts-record-limits.ts';
import { type Rare, ROUTE_MEMBERS } from './facts-record-members.ts';
import type { Facts, IdentityFact, LimitFact, OutcomeFact, RouteFact } from './facts.ts';
import { isSameShortage, isSameTake } from './same-facts.ts';
import type { Take } from './take.ts';

/** Takes the values of a record one after the other. What takes them decides how they are kept. */
export interface FactsSink {
  number(value: number): void;
  /** Undefined = no value. */
  text(value: string | undefined): void;
  /** A value that is JSON text already, but not that of a text. */
  json(text: string): void;
}

/**
 * Everything of the facts but `requestId` and `at`, as values without names (`facts-record-reader.ts` reads the same
 * order). This runs once a request: what comes again in row after row is one text, made once, and the rest is numbers.
 */
export function writeFacts(facts: Facts, sink: FactsSink): void {
  const { route, identity, entitlements, limits, outcome } = facts;
  sink.text(facts.catalogVersion);
  sink.text(facts.method);
  sink.text(facts.path);
  if (route === undefined) sink.text(undefined);
  else sink.json(packRoute(route));
  writeIdentity(identity, sink);
  sink.json(packRare(facts));
  sink.number(entitlements.length);
  for (let index = 0; index < entitlements.length; index += 1) {
    writeEntitlement(entitlements[index], sink);
  }
  sink.number(limits.length);
  for (let index = 0; index < limits.length; index += 1) {
    writeLimit(limits[index], identity, sink);
  }
  if (outcome !== undefined) writeOutcome(outcome, sink);
}

/** Of a key its members one by one: many keys have the same plan. */
function writeIdentity(identity: IdentityFact, sink: FactsSink): void {
  if (identity.kind !== 'key') {
    sink.json(JSON.stringify(identity));
    return;
  }
  sink.text(identity.keyId);
  sink.text(identity.tenantId);
  sink.text(identity.planId);
  sink.text(identity.planVersion);
  sink.text(identity.planTitle);
  sink.number(identity.freePlan ? 1 : 0);
}

function writeEntitlement(fact: Facts['entitlements'][number] | undefined, sink: FactsSink): void {
  if (fact === undefined) return;
  sink.text(fact.kind);
  sink.text(fact.id);
  sink.number(fact.granted ? 1 : 0);
  writeOptional(fact.needed, sink);
  writeOptional(fact.allowed, sink);
}

/** One number more for what may be billed or bought beyond the allowance: the head says so. */
function writeLimit(limit: LimitFact | undefined, identity: IdentityFact, sink: FactsSink): void {
  if (limit === undefined) return;
  sink.json(headOf(limit, identity));
  sink.number(limit.need);
  sink.number(limit.spent);
  sink.number(limit.reserved);
  if (limit.overage !== undefined) sink.number(limit.overage.nano);
}

function writeOutcome(outcome: OutcomeFact, sink: FactsSink): void {
  sink.number(outcome.status);
  sink.text(outcome.code);
  writeDuration(outcome.durationMs, sink);
  sink.text(outcome.model);
  sink.text(outcome.target);
  writeOptional(outcome.upstreamStatus, sink);
  sink.text(outcome.ending);
  sink.number(outcome.holdNano);
  sink.number(outcome.costNano);
  sink.number(outcome.overrunNano);
  sink.number(outcome.inputTokens);
  sink.number(outcome.cachedInputTokens);
  sink.number(outcome.outputTokens);
  sink.number(outcome.bytesIn);
  sink.number(outcome.bytesOut);
  sink.number(outcome.estimated ? 1 : 0);
  writeOptional(outcome.clampedOutputTokens, sink);
}

/** In whole microseconds, or in brackets as it is. */
function writeDuration(durationMs: number, sink: FactsSink): void {
  const micros = Math.round(durationMs * 1000);
  if (micros / 1000 === durationMs) sink.number(micros);
  else sink.json(`[${durationMs}]`);
}

function writeOptional(value: number | undefined, sink: FactsSink): void {
  if (value === undefined) sink.text(undefined);
  else sink.number(value);
}

/** A route is the same object for every request of it: its text is made once. */
const routes = new WeakMap<RouteFact, string>();

function packRoute(route: RouteFact): string {
  let text = routes.get(route);
  if (text === undefined) {
    text = JSON.stringify(ROUTE_MEMBERS.map((name) => route[name]));
    routes.set(route, text);
  }
  return text;
}

/** What of an account stays the same from request to request, until its window ends or its allowance is changed. */
interface Head {
  readonly accountId: string;
  readonly allowance: number;
  readonly resetsAt: number | undefined;
  readonly overage: 'bill' | 'authorize' | undefined;
  /** Undefined = of a caller without a key. */
  readonly tenantId: string | undefined;
  /** Undefined = the same for every key of the tenant. */
  readonly keyId: string | undefined;
  readonly text: string;
}

/** By the label, which belongs to one account. */
const heads = new WeakMap<object, Head>();
/** Of balances, which have none, by the account. More than these begin anew: a text is soon made. */
const BALANCES_MAX = 20_000;
const balances = new Map<string, Head>();

function headOf(limit: LimitFact, identity: IdentityFact): string {
  const { accountId, allowance, resetsAt, label } = limit;
  const overage = limit.overage?.kind;
  const known = label === undefined ? balances.get(accountId) : heads.get(label);
  if (
    known !== undefined &&
    known.accountId === accountId &&
    known.allowance === allowance &&
    known.resetsAt === resetsAt &&
    known.overage === overage &&
    isHeadFor(known, identity)
  ) {
    return known.text;
  }
  const marked = overage === undefined ? '' : `,"${overage}"`;
  const text = `[${packHead(limit, identity)},${allowance},${resetsAt ?? null}${marked}]`;
  const { tenantId, keyId } = ownersOf(accountId, identity);
  const head = { accountId, allowance, resetsAt, overage, tenantId, keyId, text };
  if (label !== undefined) heads.set(label, head);
  else rememberBalance(head);
  return text;
}

function rememberBalance(head: Head): void {
  if (balances.size >= BALANCES_MAX) balances.clear();
  balances.set(head.accountId, head);
}

function isHeadFor({ tenantId, keyId }: Head, identity: IdentityFact): boolean {
  if (identity.kind !== 'key') return tenantId === undefined;
  return tenantId === identity.tenantId && (keyId === undefined || keyId === identity.keyId);
}

/** Whom a text is short for: of a key's own account that key, of any other all keys of the tenant. */
function ownersOf(accountId: string, identity: IdentityFact): Pick<Head, 'tenantId' | 'keyId'> {
  if (identity.kind !== 'key') return { tenantId: undefined, keyId: undefined };
  const { tenantId, keyId } = identity;
  const isOfKey = accountId.startsWith(keyId, accountId.indexOf(':') + 1);
  return { tenantId, keyId: isOfKey ? keyId : undefined };
}

const HELD = '{"reservation":{"kind":"held"}}';
const NOTHING = '{}';

function packRare(facts: Facts): string {
  if (!isUsual(facts)) return JSON.stringify(pickRare(facts));
  const { reservation, take } = facts;
  if (take !== undefined) return packRefused(facts, take);
  // Nearly every row is of a request that was served, and of a tenant about whom nothing special is known.
  if (reservation === undefined) return NOTHING;
  return reservation.kind === 'held' ? HELD : JSON.stringify(pickRare(facts));
}

interface Refused extends Pick<Facts, 'reservation'> {
  readonly take: Take;
  readonly text: string;
}

/** What a request lacked, in the row that was written last: a client that repeats itself lacks the same again. */
let lastRefused: Refused | undefined;

function packRefused(facts: Facts, take: Take): string {
  const { reservation } = facts;
  if (
    lastRefused !== undefined &&
    isSameTake(lastRefused.take, take) &&
    isSameShortage(lastRefused.reservation, reservation)
  ) {
    return lastRefused.text;
  }
  const text = JSON.stringify(pickRare(facts));
  lastRefused = { reservation, take, text };
  return text;
}

function isUsual(facts: Facts): boolean {
  const { standing, agreed, outcome, clientRequestId } = facts;
  const about =
    standing ?? agreed ?? outcome?.computeUnits ?? outcome?.wouldRefuse ?? clientRequestId;
  return about === undefined && findFault(facts) === undefined && facts.enforcement === 'enforce';
}

function findFault({ routing, authorization, understanding, storm, forwarding }: Facts): unknown {
  return routing ?? authorization ?? understanding ?? storm ?? forwarding;
}

function pickRare(facts: Facts): Rare {
  const { routing, authorization, understanding, standing, storm, forwarding } = facts;
  const { reservation, take, agreed, enforcement, outcome, clientRequestId } = facts;
  const { wouldRefuse, computeUnits, computeMs } = outcome ?? {};
  return {
    clientRequestId,
    routing,
    authorization,
    understanding,
    standing,
    storm,
    forwarding,
    reservation,
    take,
    agreed,
    ...(enforcement === 'observe' ? { observed: true } : {}),
    ...(wouldRefuse === undefined ? {} : { wouldRefuse }),
    ...(computeUnits === undefined ? {} : { compute: [computeUnits, computeMs ?? 0] }),
  };
}

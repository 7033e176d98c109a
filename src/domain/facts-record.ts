import type { LimitLabel } from './accounts.ts';
import type { LimitUnit, LimitWindow } from './catalog.ts';
import type { Facts, IdentityFact, LimitFact, OutcomeFact, RouteFact } from './facts.ts';

/** First element of every record, so that a later form can be told apart. */
const FORM = 1;

const ROUTE_MEMBERS = [
  'apiId',
  'routeId',
  'kind',
  'dialect',
  'endpointClass',
  'operation',
] as const;
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

type KeyFact = Extract<IdentityFact, { kind: 'key' }>;
type Rare = Pick<
  Facts,
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
/** What of a limit fact does not change between requests. */
type LimitHead = Pick<LimitFact, 'accountId' | 'kind' | 'unit' | 'label'>;
type PackedLimit =
  | readonly [string | LimitHead, number, number, number, number, number | null]
  | LimitFact;

/**
 * Facts as one line of JSON with few names in it. A row is written for every request, and what it costs
 * is its bytes: this is a third of what the object itself would take. `unpackFacts` gives the facts back.
 */
export function packFacts(facts: Facts): string {
  const { route, identity, outcome, limits } = facts;
  let limitsText = '';
  for (const limit of limits) {
    limitsText += (limitsText === '' ? '' : ',') + packLimit(limit, identity);
  }
  // Joined by hand: JSON.stringify of the same array takes three times as long, on every request.
  return (
    `[${FORM},"${facts.requestId}",${facts.at},"${facts.catalogVersion}",` +
    `${quote(facts.method)},${quote(facts.path)},${remember(route, packRoute)},` +
    `${remember(identity, packIdentity)},${packEntitlements(facts)},[${limitsText}],` +
    `${packOutcome(outcome)},${packRare(facts)}]`
  );
}

/** The facts of a row; undefined when the text is no record of this form. */
export function unpackFacts(text: string): Facts | undefined {
  const record = parseRecord(text);
  if (record === undefined) return undefined;
  const identity = Array.isArray(record[7])
    ? ({ kind: 'key', ...unpack<Omit<KeyFact, 'kind'>>(record[7], KEY_MEMBERS) } as const)
    : ({ since: undefined, ...(record[7] as object) } as IdentityFact);
  const rare = record[11] as Partial<Rare>;
  return {
    requestId: String(record[1]),
    at: record[2] as number,
    catalogVersion: String(record[3]),
    method: String(record[4]),
    path: String(record[5]),
    route: record[6] === null ? undefined : unpack<RouteFact>(record[6], ROUTE_MEMBERS),
    routing: rare.routing,
    identity: identity.kind === 'anonymous' ? withoutSince(identity) : identity,
    authorization: rare.authorization,
    understanding: rare.understanding,
    standing: rare.standing,
    entitlements: record[8] as Facts['entitlements'],
    limits: (record[9] as readonly PackedLimit[]).map((limit) => unpackLimit(limit, identity)),
    reservation: rare.reservation,
    take: rare.take,
    agreed: rare.agreed,
    enforcement: rare.observed === true ? 'observe' : 'enforce',
    storm: rare.storm,
    forwarding: rare.forwarding,
    outcome: record[10] === null ? undefined : unpackOutcome(record[10], rare),
  };
}

/** Only a refused identity has that member, and it is absent in JSON when it is undefined. */
function withoutSince(identity: IdentityFact & { readonly kind: 'anonymous' }): IdentityFact {
  const { kind, subnet } = identity;
  return subnet === undefined ? { kind } : { kind, subnet };
}

function parseRecord(text: string): readonly unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) && parsed[0] === FORM ? parsed : undefined;
  } catch {
    return undefined;
  }
}

const HELD = '{"reservation":{"kind":"held"}}';
const NOTHING = '{}';

function packRare(facts: Facts): string {
  const { standing, enforcement, agreed, outcome } = facts;
  // Nearly every row is of a request that was served, and of a tenant about whom nothing special is known.
  const isPlain = findFault(facts) === undefined && standing === undefined && agreed === undefined;
  if (isPlain && enforcement === 'enforce' && outcome?.computeUnits === undefined) {
    if (facts.reservation === undefined && facts.take === undefined) return NOTHING;
    if (facts.reservation?.kind === 'held') return HELD;
  }
  return JSON.stringify(pickRare(facts));
}

function findFault({ routing, authorization, understanding, storm, forwarding }: Facts): unknown {
  return routing ?? authorization ?? understanding ?? storm ?? forwarding;
}

function pickRare(facts: Facts): Rare {
  const { routing, authorization, understanding, standing, storm, forwarding } = facts;
  const { reservation, take, agreed, enforcement, outcome } = facts;
  const { wouldRefuse, computeUnits, computeMs } = outcome ?? {};
  return {
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

function unpackOutcome(packed: unknown, { wouldRefuse, compute }: Partial<Rare>): OutcomeFact {
  return {
    ...unpack<OutcomeFact>(packed, OUTCOME_MEMBERS),
    ...(wouldRefuse === undefined ? {} : { wouldRefuse }),
    ...(compute === undefined ? {} : { computeUnits: compute[0], computeMs: compute[1] }),
  };
}

function packEntitlements({ entitlements }: Facts): string {
  let text = '';
  for (const { kind, id, granted, needed, allowed } of entitlements) {
    const numbers =
      (needed === undefined ? '' : `,"needed":${needed}`) +
      (allowed === undefined ? '' : `,"allowed":${allowed}`);
    const separator = text === '' ? '' : ',';
    text += `${separator}{"kind":"${kind}","id":${quote(id)},"granted":${granted}${numbers}}`;
  }
  return `[${text}]`;
}

function packRoute(route: RouteFact): string {
  return JSON.stringify(pick(route, ROUTE_MEMBERS));
}

function packIdentity(identity: IdentityFact): string {
  return JSON.stringify(identity.kind === 'key' ? pick(identity, KEY_MEMBERS) : identity);
}

/** In the order of OUTCOME_MEMBERS. */
function packOutcome(outcome: OutcomeFact | undefined): string {
  if (outcome === undefined) return 'null';
  const { status, code, durationMs, model, target, upstreamStatus, ending } = outcome;
  return (
    `[${status},${quote(code)},${durationMs},${quote(model)},${quote(target)},` +
    `${upstreamStatus ?? null},"${ending}",${outcome.holdNano},${outcome.costNano},` +
    `${outcome.overrunNano},${outcome.inputTokens},${outcome.cachedInputTokens},` +
    `${outcome.outputTokens},${outcome.bytesIn},${outcome.bytesOut},${outcome.estimated},` +
    `${outcome.clampedOutputTokens ?? null}]`
  );
}

/** Routes, models and targets come again with every request; paths may not, so this forgets all when it is full. */
const quoted = new Map<string, string>();
const QUOTED_MAX = 2000;

function quote(text: string | undefined): string {
  if (text === undefined) return 'null';
  const known = quoted.get(text);
  if (known !== undefined) return known;
  const made = JSON.stringify(text);
  if (quoted.size >= QUOTED_MAX) quoted.clear();
  quoted.set(text, made);
  return made;
}

/** Facts about a key or route are the same object for every request of it: their text is made once. */
const remembered = new WeakMap<object, string>();

function remember<Value extends object>(
  value: Value | undefined,
  write: (value: Value) => string,
): string {
  if (value === undefined) return 'null';
  let text = remembered.get(value);
  if (text === undefined) {
    text = write(value);
    remembered.set(value, text);
  }
  return text;
}

function pick<Value extends object>(value: Value, names: readonly (keyof Value)[]): unknown[] {
  return names.map((name) => value[name]);
}

/** JSON turns undefined elements into null; no member of ours is null in itself. */
function unpack<Value>(packed: unknown, names: readonly (keyof Value)[]): Value {
  const values = packed as readonly unknown[];
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? undefined])) as Value;
}

/** Account ids name their owner, who stands in the row already, and say all that the label says. */
/** Who and what an account is never changes: only its numbers are written anew for each request. */
function packLimit(limit: LimitFact, identity: IdentityFact): string {
  if (limit.overage !== undefined) return JSON.stringify(limit);
  const { need, allowance, spent, reserved, resetsAt } = limit;
  const head = headOf(limit, identity);
  return `[${head},${need},${allowance},${spent},${reserved},${resetsAt ?? null}]`;
}

/** One label object belongs to one account of one key. */
const heads = new WeakMap<LimitLabel, string>();

function headOf(limit: LimitFact, identity: IdentityFact): string {
  const { label } = limit;
  if (label === undefined) return packHead(limit, identity);
  let head = heads.get(label);
  if (head === undefined) {
    head = packHead(limit, identity);
    heads.set(label, head);
  }
  return head;
}

/** A short name where the account's id alone gives the label back, else all that does not change. */
function packHead(limit: LimitFact, identity: IdentityFact): string {
  const { accountId, kind, unit, label } = limit;
  if (identity.kind === 'key' && isNamedByLabel(limit, identity)) {
    return `"${shortenOwner(accountId, identity)}"`;
  }
  return JSON.stringify({ accountId, kind, unit, label });
}

function unpackLimit(packed: PackedLimit, identity: IdentityFact): LimitFact {
  if (!isTuple(packed)) return { ...packed, label: packed.label, resetsAt: packed.resetsAt };
  const [head, need, allowance, spent, reserved, resetsAt] = packed;
  const numbers = { need, allowance, spent, reserved, resetsAt: resetsAt ?? undefined };
  if (typeof head !== 'string') return { ...head, label: head.label, ...numbers };
  if (identity.kind !== 'key') throw new TypeError(`${head} is short for an account of nobody`);
  return { ...expandHead(head, identity), ...numbers };
}

function expandHead(short: string, identity: KeyFact): LimitHead {
  const [kind = '', owner = '', name = ''] = short.split(':');
  const keyId = owner === 'k' ? identity.keyId : undefined;
  const rest = short.slice(kind.length + 1 + owner.length);
  const accountId = `${kind}:${keyId ?? identity.tenantId}${rest}`;
  if (kind === 'bal') return { accountId, kind: 'balance', unit: name, label: undefined };
  const label = labelOf(name, keyId);
  return { accountId, kind: 'quota', unit: label.unit, label };
}

function isTuple(packed: PackedLimit): packed is Exclude<PackedLimit, LimitFact> {
  return Array.isArray(packed);
}

function shortenOwner(accountId: string, identity: KeyFact): string {
  const start = accountId.indexOf(':') + 1;
  const owner = accountId.startsWith(identity.keyId, start) ? identity.keyId : identity.tenantId;
  const letter = owner === identity.keyId ? 'k' : 't';
  return accountId.slice(0, start) + letter + accountId.slice(start + owner.length);
}

/** Whether the account's id alone gives the label back. */
function isNamedByLabel(limit: LimitFact, identity: KeyFact): boolean {
  const { label, kind, accountId, unit } = limit;
  const owner = accountId.slice(accountId.indexOf(':') + 1, accountId.indexOf(':', 4));
  if (owner !== identity.tenantId && owner !== identity.keyId) return false;
  if (label === undefined) return kind === 'balance' && accountId.endsWith(`:${unit}`);
  if (label.unit !== unit) return false;
  if (label.id === 'key_budget') return true;
  if (isMarked(label)) return false;
  const scope = label.scope === 'key' ? 'key_' : '';
  return label.id === `${scope}${label.unit}_per_${label.window}`;
}

/** Whether it is more than a name says: another scope, class or owner. */
function isMarked({ of, class: limitClass, softAt, from, scope }: LimitLabel): boolean {
  if (scope !== 'tenant' && scope !== 'key') return true;
  return (of ?? limitClass ?? softAt ?? from) !== undefined;
}

/** `key_requests_per_month`, `spend_per_lifetime`, `key_budget`. */
function labelOf(name: string, keyId: string | undefined): LimitLabel {
  const scope = keyId === undefined ? 'tenant' : 'key';
  if (name === 'key_budget') {
    return { id: name, unit: 'spend', window: 'lifetime', scope, keyId, from: 'key' };
  }
  const [unit, window] = (keyId === undefined ? name : name.slice('key_'.length)).split('_per_');
  return { id: name, unit: unit as LimitUnit, window: window as LimitWindow, scope, keyId };
}

import type { Code } from '../../contract/codes.ts';
import type { Api, DegradedProfile, Dialect, Enforcement, Route } from '../../domain/catalog.ts';
import type {
  EntitlementFact,
  Facts,
  Fault,
  IdentityFact,
  OutcomeFact,
  ReservationFact,
  RouteFact,
} from '../../domain/facts.ts';
import type { StandingFact } from '../../domain/standing.ts';
import { NO_TAKE, type Take } from '../../domain/take.ts';
import type { Hold, Need } from '../../engine/engine.ts';
import type { AccountNumbers } from '../../stores/store.ts';
import type { InboundRequest, InboundResponse } from '../listener.ts';
import type { CallerAccounts } from './caller-accounts.ts';
import { readClientRequestId } from './client-request-id.ts';
import type { CompiledCatalog } from './compile-catalog.ts';
import type { KeyAccess } from './key-access.ts';
import { limitFactsOf, type Peek } from './limit-facts.ts';
import type { OverageShare } from './overage-share.ts';
import type { PendingEntitlement } from './requirements.ts';
import type { SecuredAnswer } from './secured-answer.ts';

const ANONYMOUS: IdentityFact = { kind: 'anonymous' };
const NO_NEEDS: readonly Need[] = [];
const NO_SHARES: readonly OverageShare[] = [];
const NO_ENTITLEMENTS: readonly EntitlementFact[] = [];

/** One request on its way through. Fixed shape: every member is there from the start. */
export class Exchange {
  /** Replaced by one that has its body with it, once that was read to be judged. */
  request: InboundRequest;
  /** Replaced by one that waits, where what it costs has to be safe before it leaves. */
  response: InboundResponse;
  readonly requestId: string;
  /** The caller's own name for it; undefined = none that can be told back. */
  readonly clientRequestId: string | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly startedMs: number;
  /** Target without its query. */
  readonly path: string;
  /** The configuration it began with and keeps. */
  readonly compiled: CompiledCatalog;
  route: Route | undefined = undefined;
  api: Api | undefined = undefined;
  routing: Fault | undefined = undefined;
  allowedMethods: readonly string[] = [];
  access: KeyAccess | undefined = undefined;
  /** What the call counts in: the key's, or those of a caller without one. Undefined = nobody counts it. */
  accounts: CallerAccounts | undefined = undefined;
  /** See `addressOf`. */
  address: string | undefined = undefined;
  identity: IdentityFact = ANONYMOUS;
  authorization: Fault | undefined = undefined;
  understanding: Fault | undefined = undefined;
  standing: StandingFact | undefined = undefined;
  /** What the service is reduced to while a payment is pending; undefined = nothing is. */
  degraded: DegradedProfile | undefined = undefined;
  entitlements: readonly EntitlementFact[] = NO_ENTITLEMENTS;
  /** What a body of unknown length may still turn out to need. */
  pendingEntitlement: PendingEntitlement | undefined = undefined;
  needs: readonly Need[] = NO_NEEDS;
  /** Which of them are split between an allowance and what is billed beyond it. */
  shares: readonly OverageShare[] = NO_SHARES;
  hold: Hold | undefined = undefined;
  /** Undefined = its answer leaves in the section that charges it. */
  secured: SecuredAnswer | undefined = undefined;
  /** What the hold came to in the end, by need. */
  heldAmounts: readonly number[] | undefined = undefined;
  reservation: ReservationFact | undefined = undefined;
  /** What it takes at most, in every unit a limit may count; of bytes and time nobody knows yet, what it can begin with. */
  take: Take = NO_TAKE;
  /** As the caller names who is behind it. */
  endUser: string | undefined = undefined;
  enforcement: Enforcement = 'enforce';
  /** Observed: what it would have been refused with. */
  wouldRefuse: Code | undefined = undefined;
  /** Observed in the middle of an answer: what its hold does not cover passes and is charged to nobody. */
  restIsFree = false;
  storm: Facts['storm'] = undefined;
  forwarding: Fault | undefined = undefined;
  /** Numbers of the account that refused, exact at that moment. */
  shortNumbers: AccountNumbers | undefined = undefined;
  /** What an answer under way had come to there; undefined = what was short is what was asked for. */
  shortNeed: number | undefined = undefined;
  status = 0;
  code = '';
  model: string | undefined = undefined;
  /** By its own name, whichever of its names was used: what limits count must not depend on that. */
  countedModel: string | undefined = undefined;
  /** Tokens, of a call that is longer than its model reads. */
  window: { readonly needed: number; readonly allowed: number } | undefined = undefined;
  target: string | undefined = undefined;
  upstreamStatus: number | undefined = undefined;
  ending: OutcomeFact['ending'] = 'complete';
  /** Its answer breaks off, and what was sent of that is charged. */
  isChargedBefore = false;
  holdNano = 0;
  /** Bytes are money that nobody can count before they came: no amount is the most it can cost. */
  costIsOpen = false;
  /** The most after all, once an answer has said how long it is. */
  costMostNano: number | undefined = undefined;
  costNano = 0;
  overrunNano = 0;
  inputTokens = 0;
  cachedInputTokens = 0;
  outputTokens = 0;
  bytesIn = 0;
  bytesOut = 0;
  computeUnits: number | undefined = undefined;
  computeMs: number | undefined = undefined;
  estimated = false;
  clampedOutputTokens: number | undefined = undefined;
  bodyStarted = false;
  /** Of the JSON-RPC call, once its body was read. */
  jsonRpcId: string | number | null = null;
  /** Cross-origin headers of the answer, when the API allows the caller's origin. */
  corsHeaders: readonly string[] = [];
  recorded = false;

  constructor(
    request: InboundRequest,
    response: InboundResponse,
    begun: { requestId: string; at: number; startedMs: number; compiled: CompiledCatalog },
  ) {
    this.request = request;
    this.response = response;
    this.requestId = begun.requestId;
    this.clientRequestId = readClientRequestId(request.headers);
    this.at = begun.at;
    this.startedMs = begun.startedMs;
    this.compiled = begun.compiled;
    const query = request.target.indexOf('?');
    this.path = query < 0 ? request.target : request.target.slice(0, query);
  }

  /** Before routing, what clients of that path speak. */
  get dialect(): Dialect {
    return this.route?.dialect ?? dialectAt(this.path);
  }
}

/** The formats that are known by their paths; what is not known is plain. */
const PATH_DIALECTS: readonly (readonly [prefix: string, dialect: Dialect])[] = [
  ['/v1/messages', 'anthropic'],
  ['/v1beta/', 'gemini'],
  ['/v1/', 'openai'],
];

/** What OpenAI's clients add to a base URL, also to one that lacks its `/v1`. */
const OPENAI_ENDS = ['/completions', '/embeddings', '/responses', '/models'] as const;

function dialectAt(path: string): Dialect {
  const known = PATH_DIALECTS.find(([prefix]) => path.startsWith(prefix));
  if (known !== undefined) return known[1];
  return OPENAI_ENDS.some((end) => path.endsWith(end)) ? 'openai' : 'plain';
}

/** How it ends may become known later. */
export interface GatheredFacts extends Facts {
  outcome: OutcomeFact | undefined;
}

/** Everything this request was decided on (the log row). `peek` gives the last known numbers of an account. */
export function factsOf(exchange: Exchange, peek: Peek, durationMs: number): GatheredFacts {
  const { route } = exchange;
  const { limits, reservation } = limitFactsOf(exchange, peek);
  return {
    requestId: exchange.requestId,
    clientRequestId: exchange.clientRequestId,
    at: exchange.at,
    catalogVersion: exchange.compiled.catalog.version,
    method: exchange.request.method,
    path: exchange.path.slice(0, 512),
    route: route && routeFactOf(route),
    routing: exchange.routing,
    identity: exchange.identity,
    authorization: exchange.authorization,
    understanding: exchange.understanding,
    standing: exchange.standing,
    entitlements: exchange.entitlements,
    limits,
    reservation,
    take: exchange.reservation?.kind === 'held' ? undefined : exchange.take,
    agreed: exchange.access?.agreed,
    enforcement: exchange.enforcement,
    storm: exchange.storm,
    forwarding: exchange.forwarding,
    outcome: outcomeOf(exchange, durationMs),
  };
}

/** One object per route: the log writes its text once. */
const routeFacts = new WeakMap<Route, RouteFact>();

function routeFactOf(route: Route): RouteFact {
  const known = routeFacts.get(route);
  if (known !== undefined) return known;
  const { apiId, id: routeId, operation, kind, dialect, endpointClass } = route;
  const fact = { apiId, routeId, operation, kind, dialect, endpointClass };
  routeFacts.set(route, fact);
  return fact;
}

/** How it ended, once that is known. */
export function outcomeOf(exchange: Exchange, durationMs: number): OutcomeFact {
  const outcome = {
    status: exchange.status,
    code: exchange.code,
    // Microseconds are as fine as anybody reads.
    durationMs: Math.round(durationMs * 1000) / 1000,
    model: exchange.model,
    target: exchange.target,
    upstreamStatus: exchange.upstreamStatus,
    ending: exchange.ending,
    holdNano: exchange.holdNano,
    costNano: exchange.costNano,
    overrunNano: exchange.overrunNano,
    inputTokens: exchange.inputTokens,
    cachedInputTokens: exchange.cachedInputTokens,
    outputTokens: exchange.outputTokens,
    bytesIn: exchange.bytesIn,
    bytesOut: exchange.bytesOut,
    estimated: exchange.estimated,
    clampedOutputTokens: exchange.clampedOutputTokens,
  };
  const { wouldRefuse, computeUnits, computeMs } = exchange;
  const isComputed = computeUnits !== undefined && computeMs !== undefined;
  if (wouldRefuse === undefined && !isComputed) return outcome;
  return {
    ...outcome,
    ...(wouldRefuse === undefined ? {} : { wouldRefuse }),
    ...(isComputed ? { computeUnits, computeMs } : {}),
  };
}

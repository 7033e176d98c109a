import type { HeaderEdits } from '../domain/catalog.ts';
import {
  HeaderClassifier,
  HOP_BY_HOP_NAMES,
  mergeNames,
  parseConnectionNames,
  withoutNames,
} from './forward-headers-classifier.ts';
import type { InboundRequest, RawHeaders, SameFields } from './listener.ts';
import { countForward } from './max-forwards.ts';

export interface RequestHeaderRules {
  readonly edits: HeaderEdits;
  /** Of the upstream (GW-08): they replace whatever the caller or the route sent under that name. */
  readonly credentials: readonly { readonly name: string; readonly value: string }[];
  /** Ask for `Accept-Encoding: identity`, so that usage can be read in the answer (DESIGN 5). */
  readonly identityEncoding: boolean;
}

/** What differs from call to call. */
export interface ForwardedCall {
  readonly method: string;
  readonly requestId: string;
  readonly remoteAddress: string;
  readonly secure: boolean;
  /** `remoteAddress` is one of server.trusted_proxies. */
  readonly trusted: boolean;
  /** Undefined: nobody identified (a free route). */
  readonly identity:
    | { readonly tenantId: string; readonly keyId: string; readonly planId: string }
    | undefined;
  /** False when the body is not the caller's byte for byte: its length is then not theirs either. */
  readonly keepContentLength: boolean;
}

/** RFC 9110 7.6.3: a gateway must say in each request that it forwards that it came this way. The last of a list. */
const VIA = '1.1 tollkeeper';

/** What of a request is sent on. */
export type ForwardedFields = Pick<InboundRequest, 'headers' | 'sameFields'>;

export interface ForwardedHeaders {
  /** Of each call with the same fields, one list for all. */
  readonly shared: RawHeaders;
  /** Of this call alone. */
  readonly own: string[];
}

const NOTHING: RawHeaders = [];

type Action =
  | 'keep'
  | 'drop'
  | 'connection'
  | 'credential'
  | 'content-length'
  | 'max-forwards'
  | 'host'
  | 'forwarded';

/** Rules of one route and upstream, compiled at load time; `build` is one pass over the caller's headers. */
export class RequestHeaderPlan {
  readonly #classifier: HeaderClassifier<Action>;
  readonly #added: readonly string[];
  /** Names of ours that the route removes after all. */
  readonly #removed: ReadonlySet<string> | undefined;

  constructor(rules: RequestHeaderRules) {
    const added = addedHeaders(rules);
    const removed = rules.edits.remove.map((name) => name.toLowerCase());
    const dropped = new Set(removed.map(meantBy));
    for (let index = 0; index < added.length; index += 2)
      dropped.add(meantBy(lowerAt(added, index)));
    this.#classifier = new HeaderClassifier((name) => classify(name, dropped));
    this.#added = added;
    const taken = removed.filter((name) => name === 'via' || isOurs(name));
    this.#removed = taken.length > 0 ? new Set(taken) : undefined;
  }

  /** The headers for the upstream, complete but for Host, which is the chosen target's. */
  build(request: ForwardedFields, call: ForwardedCall): ForwardedHeaders {
    const { sameFields } = request;
    // OPTIONS counts down what other methods leave as it came.
    const isShared = !call.keepContentLength && call.method !== 'OPTIONS';
    if (sameFields === undefined || !isShared) {
      const own = this.#buildCommon(request.headers, call);
      addIdentity(own, call);
      return { shared: NOTHING, own: this.#withoutRemoved(own) };
    }
    const own: string[] = [];
    addIdentity(own, call);
    return { shared: this.#share(sameFields, request, call), own: this.#withoutRemoved(own) };
  }

  /** What is the same for all these requests: they came over one connection. */
  #share(same: SameFields, { headers }: ForwardedFields, call: ForwardedCall): RawHeaders {
    const known = same.forwarded;
    if (known?.plan === this && known.trusted === call.trusted) return known.list;
    const list = this.#withoutRemoved(this.#buildCommon(headers, call));
    same.forwarded = { list, plan: this, trusted: call.trusted };
    return list;
  }

  /** All that is not of one call alone. */
  #buildCommon(headers: RawHeaders, call: ForwardedCall): string[] {
    const sorted = new SortedHeaders(call);
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index] ?? '';
      sorted.take(this.#classifier.actionFor(name), name, headers[index + 1] ?? '');
    }
    const built = sorted.finish();
    for (const part of this.#added) built.push(part);
    return built;
  }

  #withoutRemoved(headers: string[]): string[] {
    return this.#removed === undefined ? headers : withoutNames(headers, this.#removed);
  }
}

/** The caller's headers on their way through one pass. */
class SortedHeaders {
  readonly #call: ForwardedCall;
  readonly #kept: string[] = [];
  #callerHost = '';
  #forwardedFor = '';
  #forwardedProto = '';
  #forwardedHost = '';
  #connectionNames: ReadonlySet<string> | undefined = undefined;

  constructor(call: ForwardedCall) {
    this.#call = call;
  }

  take(action: Action, name: string, value: string): void {
    switch (action) {
      case 'keep':
        this.#kept.push(name, value);
        return;
      case 'drop':
        return;
      case 'credential':
        if (!isOurCredential(value)) this.#kept.push(name, value);
        return;
      case 'content-length':
        if (this.#call.keepContentLength) this.#kept.push(name, value);
        return;
      case 'max-forwards':
        this.#kept.push(name, countForward(this.#call.method, value));
        return;
      case 'host':
        this.#callerHost = value;
        return;
      case 'forwarded':
        if (this.#call.trusted) this.#takeForwarded(name.toLowerCase(), value);
        return;
      case 'connection':
        this.#connectionNames = mergeNames(this.#connectionNames, parseConnectionNames(value));
        return;
    }
  }

  finish(): string[] {
    const { remoteAddress, secure } = this.#call;
    const named = this.#connectionNames;
    const built = named === undefined ? this.#kept : withoutNames(this.#kept, named);
    const before = this.#forwardedFor;
    built.push(
      'Via',
      VIA,
      'X-Forwarded-For',
      before === '' ? remoteAddress : `${before}, ${remoteAddress}`,
      'X-Forwarded-Proto',
      this.#forwardedProto || (secure ? 'https' : 'http'),
      'X-Forwarded-Host',
      this.#forwardedHost || this.#callerHost,
    );
    return built;
  }

  #takeForwarded(name: string, value: string): void {
    if (name === 'x-forwarded-for') {
      this.#forwardedFor = this.#forwardedFor === '' ? value : `${this.#forwardedFor}, ${value}`;
    } else if (name === 'x-forwarded-proto') this.#forwardedProto = value;
    else if (name === 'x-forwarded-host') this.#forwardedHost = value;
  }
}

/** DESIGN 12 and GW-04: the upstream learns who calls from us alone. */
function addIdentity(built: string[], call: ForwardedCall): void {
  const { identity } = call;
  built.push('X-Request-Id', call.requestId);
  if (identity === undefined) return;
  built.push('X-Consumer-Id', identity.tenantId, 'X-Key-Id', identity.keyId);
  built.push('X-Plan', identity.planId);
}

function addedHeaders(rules: RequestHeaderRules): string[] {
  const taken = new Set(rules.credentials.map(({ name }) => name.toLowerCase()));
  const added: string[] = [];
  if (rules.identityEncoding && !taken.has('accept-encoding')) {
    added.push('accept-encoding', 'identity');
    taken.add('accept-encoding');
  }
  for (const { name, value } of rules.edits.set) {
    const lower = name.toLowerCase();
    if (!taken.has(lower) && !NEVER_ADDED.has(lower)) added.push(name, value);
  }
  for (const { name, value } of rules.credentials) added.push(name, value);
  return added;
}

/** Made by us and the transport, or between two hops: a route cannot set them. */
const NEVER_ADDED: ReadonlySet<string> = new Set(['host', 'content-length', ...HOP_BY_HOP_NAMES]);

/** Read by us, or claims about the caller that only we may make. */
const OUR_NAMES: ReadonlySet<string> = new Set([
  'x-key-id',
  'x-plan',
  'x-request-id',
  'x-client-request-id',
  'x-real-ip',
  'expect',
  // x402 v1 and v2, the Payment scheme's negotiation, and Aperture's ways to send a macaroon.
  'x-payment',
  'payment-signature',
  'accept-payment',
  'macaroon',
  'grpc-metadata-macaroon',
]);
const OUR_PREFIXES = ['x-consumer-', 'x-tollkeeper-'] as const;
const CREDENTIAL_NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
]);
/** `Bearer tk_live_...`, a bare key, or a payment credential (L402, its older name LSAT, Payment). */
const OUR_CREDENTIAL = /\btk_(?:live|test)_|^\s*(?:l402|lsat|payment)(?:\s|$)/i;

/** CGI and what came after it read `_`, some any sign, like `-`: such a spelling must not say what the name itself may not. */
function classify(name: string, dropped: ReadonlySet<string>): Action {
  const meant = meantBy(name);
  const action = classifyMeant(meant, dropped);
  return meant === name || action === 'keep' || action === 'credential' ? action : 'drop';
}

function meantBy(nameLowerCase: string): string {
  return nameLowerCase.replaceAll(/[^\da-z]/g, '-');
}

function classifyMeant(name: string, dropped: ReadonlySet<string>): Action {
  if (name === 'connection' || name === 'host' || name === 'content-length') return name;
  if (HOP_BY_HOP_NAMES.has(name) || dropped.has(name) || isOurs(name)) return 'drop';
  if (name === 'max-forwards') return name;
  if (name === 'forwarded' || name.startsWith('x-forwarded-')) return 'forwarded';
  return CREDENTIAL_NAMES.has(name) ? 'credential' : 'keep';
}

function isOurs(name: string): boolean {
  return OUR_NAMES.has(name) || OUR_PREFIXES.some((prefix) => name.startsWith(prefix));
}

function isOurCredential(value: string): boolean {
  if (OUR_CREDENTIAL.test(value)) return true;
  // Basic carries the key as user name or password.
  if (!/^\s*basic\s/i.test(value)) return false;
  return OUR_CREDENTIAL.test(Buffer.from(value.trim().slice(6), 'base64').toString('latin1'));
}

function lowerAt(headers: readonly string[], index: number): string {
  return (headers[index] ?? '').toLowerCase();
}

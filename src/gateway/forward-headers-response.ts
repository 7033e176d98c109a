import type { HeaderEdits } from '../domain/catalog.ts';
import {
  HeaderClassifier,
  HOP_BY_HOP_NAMES,
  mergeNames,
  parseConnectionNames,
  withoutNames,
} from './forward-headers-classifier.ts';
import type { RawHeaders } from './listener.ts';

export interface ResponseHeaderRules {
  readonly edits: HeaderEdits;
  /** The API answers CORS itself: the upstream's Access-Control-* would contradict it. */
  readonly ownsCors: boolean;
}

type Action = 'keep' | 'drop' | 'connection' | 'content-length';

/** Rules of one route for the upstream's answer, compiled at load time; `build` is one pass. */
export class ResponseHeaderPlan {
  readonly #classifier: HeaderClassifier<Action>;
  readonly #added: readonly string[];

  constructor(rules: ResponseHeaderRules) {
    const added = rules.edits.set.filter(({ name }) => !isFraming(name.toLowerCase()));
    const dropped = new Set(rules.edits.remove.map((name) => name.toLowerCase()));
    for (const { name } of added) dropped.add(name.toLowerCase());
    this.#classifier = new HeaderClassifier((name) => classify(name, dropped, rules.ownsCors));
    this.#added = added.flatMap(({ name, value }) => [name, value]);
  }

  /**
   * @param ours goes last and unedited: request id, cost, rate limits, CORS.
   * @param keepContentLength false when the body is not the upstream's byte for byte.
   */
  build(headers: RawHeaders, ours: RawHeaders, keepContentLength: boolean): string[] {
    let built: string[] = [];
    let named: ReadonlySet<string> | undefined = undefined;
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index] ?? '';
      const value = headers[index + 1] ?? '';
      const action = this.#classifier.actionFor(name);
      if (action === 'keep' || (action === 'content-length' && keepContentLength)) {
        built.push(name, value);
      } else if (action === 'connection') named = mergeNames(named, parseConnectionNames(value));
    }
    if (named !== undefined) built = withoutNames(built, named);
    for (const part of this.#added) built.push(part);
    for (const part of ours) built.push(part);
    return built;
  }
}

/** An upstream must not speak for us about limits, cost and identity, nor lead clients around us (Alt-Svc). */
const OUR_NAMES: ReadonlySet<string> = new Set([
  'alt-svc',
  'payment-required',
  'payment-response',
  'ratelimit',
  'ratelimit-policy',
  'x-402-version',
  'x-billing-warning',
  'x-client-request-id',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'x-request-id',
  'x-routed-model',
  'x-service-level',
  'x-upstream-error',
  'x-upstream-provider',
]);

/** They mean something in a request only (RFC 9110 7.2, 10.1.1), and no transport writes them into an answer. */
const REQUEST_NAMES: ReadonlySet<string> = new Set(['host', 'expect']);

function classify(name: string, dropped: ReadonlySet<string>, ownsCors: boolean): Action {
  if (name === 'connection' || name === 'content-length') return name;
  if (isFraming(name) || dropped.has(name) || OUR_NAMES.has(name)) return 'drop';
  if (name.startsWith('x-tollkeeper-')) return 'drop';
  return ownsCors && name.startsWith('access-control-') ? 'drop' : 'keep';
}

function isFraming(name: string): boolean {
  return name === 'content-length' || REQUEST_NAMES.has(name) || HOP_BY_HOP_NAMES.has(name);
}

import { toSafeNumberAtMost } from '../../domain/money.ts';
import { costOf, NO_USAGE } from '../../domain/pricing.ts';
import { amountFor, NO_TAKE, type Take } from '../../domain/take.ts';
import type { Need } from '../../engine/engine.ts';
import type { RawHeaders } from '../listener.ts';
import { type Asked, prepareNeeds } from './admission.ts';
import { type CallerAccounts, type CallShape, countedAs, needsOf } from './caller-accounts.ts';
import type { CompiledRoute, FlatTake } from './compile-catalog.ts';
import { findEndUser } from './end-user.ts';
import type { Exchange } from './exchange.ts';
import { readHeader } from './outgoing.ts';

/** Bytes that are held ahead of what has passed. */
const WINDOW_BYTES = 1024 * 1024;

/** What a proxied call takes in all units: held before it leaves, measured as it passes (QUOTA-01). */
export class ProxyMeter {
  readonly #exchange: Exchange;
  readonly #compiled: CompiledRoute;
  /** Bytes are priced or counted: the hold grows as they pass. */
  grows: boolean;
  /** The hold lasts to the end of the answer: it grows, or has slots. */
  lasts: boolean;
  #countsTime = false;
  /** Bytes of which nobody knows yet how many will pass are billed beyond an allowance. */
  #bills = false;
  #accounts: CallerAccounts | undefined;
  #asked: Asked | undefined;

  constructor(exchange: Exchange, compiled: CompiledRoute) {
    this.#exchange = exchange;
    this.#compiled = compiled;
    this.grows = compiled.perByte;
    this.lasts = compiled.perByte;
  }

  /** What was asked for last. */
  get asked(): Asked {
    if (this.#asked === undefined) throw new Error('nothing was asked for yet');
    return this.#asked;
  }

  /** What to set aside for this call. */
  ask(accounts: CallerAccounts): readonly Need[] {
    const exchange = this.#exchange;
    const { route } = this.#compiled;
    this.#accounts = accounts;
    if (accounts.countsEndUsers) exchange.endUser = findEndUser(exchange.request.headers, route);
    const call = countedAs(route, undefined, exchange.endUser);
    const shape = accounts.shapeAt(call, exchange.at);
    this.grows = this.#compiled.perByte || shape.countsBytes;
    this.lasts = this.grows || shape.hasSlots;
    this.#countsTime = shape.countsTime;
    const { take, least } = this.grows ? this.#growing() : this.#flat();
    this.#asked = { call, take, least, grows: this.grows };
    exchange.take = accounts.prepaid ? least : this.#priced(least);
    exchange.holdNano = take.nano;
    exchange.costIsOpen = this.grows && this.#isOpen(accounts, shape);
    if (this.grows) return prepareNeeds(exchange, accounts, shape, this.#asked);
    shape.flatNeeds ??= needsOf(shape, take, least);
    return shape.flatNeeds;
  }

  /** Whether bytes cost something of which nobody knows yet how many will pass. */
  #isOpen(accounts: CallerAccounts, { views }: CallShape): boolean {
    const { at, request } = this.#exchange;
    const unknown = { ...NO_TAKE, bytesIn: request.contentLength < 0 ? 1 : 0, bytesOut: 1 };
    const { perByteIn, perByteOut } = this.#compiled.route.price;
    const isPriced = perByteOut > 0n || (perByteIn > 0n && unknown.bytesIn > 0);
    this.#bills = views.some(
      ({ spec }) =>
        accounts.mayBill(spec, at) && amountFor(spec.unit, unknown) > amountFor(spec.unit, NO_TAKE),
    );
    return this.#bills || (accounts.prepaid && isPriced);
  }

  /** An answer that says how long it is says what it costs at most, where nothing is billed beyond an allowance. */
  #noteLength(headers: RawHeaders): void {
    const { request } = this.#exchange;
    // What an answer to HEAD says is the length that GET would have: none of it comes (RFC 9110 8.6).
    const hasBody = request.method !== 'HEAD';
    const length = hasBody ? readWhole(readHeader(headers, 'content-length')) : 0;
    if (length === undefined || request.contentLength < 0 || this.#bills) return;
    this.#exchange.costMostNano = this.#nanoOf(this.#flat().take, request.contentLength, length);
  }

  /** At its own price, though the plan covers it: under another plan it costs that. */
  #priced(take: Take): Take {
    if (!this.grows) return this.#compiled.flat.prepaid.least;
    return { ...take, nano: this.#priceOf(take.bytesIn, take.bytesOut) };
  }

  /** The upstream has answered: it says, or the clock does, what it computed. */
  noteHead(headers: RawHeaders, elapsedMs: number): void {
    if (this.#exchange.costIsOpen) this.#noteLength(headers);
    const { compute, timeouts } = this.#compiled.route;
    if (compute === undefined && !this.#countsTime) return;
    // What is above the time-out is the network's time.
    this.#exchange.computeMs = Math.min(Math.ceil(elapsedMs), timeouts.headersMs);
    this.#exchange.computeUnits = 0;
    if (compute === undefined) return;
    const { unitsMax, usedHeader } = compute;
    const told = usedHeader === undefined ? undefined : readHeader(headers, usedHeader);
    this.#exchange.computeUnits = Math.min(readWhole(told) ?? unitsMax, unitsMax);
  }

  /** What has passed so far. */
  measured(): Take {
    const { bytesIn, bytesOut } = this.#exchange;
    return this.#takeOf(bytesIn, bytesOut);
  }

  /** What has passed, and a window more. */
  ahead(): Take {
    const { bytesIn, bytesOut } = this.#exchange;
    return this.#takeOf(bytesIn + WINDOW_BYTES, bytesOut + WINDOW_BYTES);
  }

  #flat(): FlatTake {
    const { included, prepaid } = this.#compiled.flat;
    return this.#accounts?.prepaid === true ? prepaid : included;
  }

  /** What is certain to pass plus a window; it can begin with a byte of what is not certain. */
  #growing(): FlatTake {
    const { contentLength } = this.#exchange.request;
    const flat = this.#flat();
    const isKnown = contentLength >= 0;
    const take = this.#bytesTake(flat.take, isKnown ? contentLength : WINDOW_BYTES, WINDOW_BYTES);
    return { take, least: this.#bytesTake(flat.least, isKnown ? contentLength : 1, 1) };
  }

  #takeOf(bytesIn: number, bytesOut: number): Take {
    const { computeUnits, computeMs } = this.#exchange;
    const flat = this.#flat().take;
    return {
      ...this.#bytesTake(flat, bytesIn, bytesOut),
      computeUnits: computeUnits ?? 0,
      computeMs: computeMs ?? 0,
    };
  }

  #bytesTake(flat: Take, bytesIn: number, bytesOut: number): Take {
    return { ...flat, bytesIn, bytesOut, nano: this.#nanoOf(flat, bytesIn, bytesOut) };
  }

  #nanoOf(flat: Take, bytesIn: number, bytesOut: number): number {
    if (!this.#compiled.perByte || this.#accounts?.prepaid !== true) return flat.nano;
    return this.#priceOf(bytesIn, bytesOut);
  }

  #priceOf(bytesIn: number, bytesOut: number): number {
    const usage = { ...NO_USAGE, bytesIn, bytesOut };
    return toSafeNumberAtMost(costOf(this.#compiled.route.price, usage));
  }
}

/** A whole number that is not negative; undefined = it is none. */
function readWhole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number.parseInt(text, 10) : undefined;
}

import type { AccountSpec, CountedCall } from '../../domain/accounts.ts';
import { isMoney, type Take, withBytes } from '../../domain/take.ts';
import { type Engine, type Need, type ReserveOutcome, UNAVAILABLE } from '../../engine/engine.ts';
import { type CallerAccounts, type CallShape, needsOf } from './caller-accounts.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { CallRate } from './key-gate.ts';
import { freeUnits } from './llm-hold.ts';
import { ALL, shareNeeds } from './overage-share.ts';
import { ratesOf } from './stand.ts';

/** What a call wants set aside. */
export interface Asked {
  readonly call: CountedCall;
  /** What it takes at most; of an answer whose length nobody knows, a window of it. */
  readonly take: Take;
  /** What it can begin with. The same = all of it, or nothing. */
  readonly least: Take;
  /** Bytes are counted or priced as they pass: the hold grows. */
  readonly grows: boolean;
}

const HELD = { kind: 'held' } as const;
const NO_SHARES: Exchange['shares'] = [];
/** A window that ends, and every allowance that turns out to be used up, means asking once more. */
const TRIES_MAX = 64;

type Short = Extract<ReserveOutcome, { kind: 'short' }>;

/** Reserves in memory. True = `exchange.hold` is set; false = the slow path has to be asked. */
export function tryAdmit(
  context: GatewayContext,
  exchange: Exchange,
  needs: readonly Need[],
): boolean {
  exchange.needs = needs;
  const hold = context.engine.tryReserve(exchange.requestId, needs, ratesOf(exchange));
  if (hold === undefined) return false;
  exchange.hold = hold;
  exchange.reservation = HELD;
  return true;
}

/** What to set aside for a call of this shape; a hold that grows may grow beyond allowances that are billed. */
export function prepareNeeds(
  exchange: Exchange,
  accounts: CallerAccounts,
  shape: CallShape,
  asked: Asked,
): readonly Need[] {
  exchange.shares = NO_SHARES;
  if (asked.grows) {
    const splits = new Splitting(accounts, shape, asked);
    if (splits.beginWhole(exchange.at)) return splits.apply(exchange);
  }
  return needsOf(shape, asked.take, asked.least);
}

/**
 * The awaited path, at most 1 s; a caller that leaves gives up its place. True = `exchange.hold` is set;
 * false = `exchange.reservation` says why not.
 */
export async function admitSlowly(
  context: GatewayContext,
  exchange: Exchange,
  accounts: CallerAccounts,
  asked: Asked,
): Promise<boolean> {
  const leaving = new AbortController();
  exchange.response.onClientGone = () => leaving.abort();
  const outcome = await reserve(context, exchange, { accounts, asked, leaving });
  exchange.response.onClientGone = undefined;
  if (outcome.kind !== 'held') {
    noteRefusal(exchange, outcome);
    noteMoney(exchange, accounts, asked);
    noteBytes(exchange, asked);
    if (isProtected(exchange, outcome)) await noteBoughtRate(exchange, context.engine);
    return false;
  }
  exchange.hold = outcome.hold;
  exchange.reservation = HELD;
  return true;
}

async function reserve(
  context: GatewayContext,
  exchange: Exchange,
  wish: { accounts: CallerAccounts; asked: Asked; leaving: AbortController },
): Promise<Exclude<ReserveOutcome, { kind: 'stale' }>> {
  const { accounts, asked, leaving } = wish;
  let splits: Splitting | undefined;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const { requestId, needs } = exchange;
    // A signal is made when it is asked for: only who has to wait needs one.
    const outcome =
      context.engine.refuseAtOnce(needs) ??
      // oxlint-disable-next-line no-await-in-loop -- each round asks for what the last one showed to be right
      (await context.engine.reserve(requestId, needs, ratesOf(exchange), leaving.signal));
    if (outcome.kind === 'held' || outcome.kind === 'limited') return outcome;
    const now = context.clock.now();
    if (outcome.kind === 'stale') {
      // The call is counted in the windows of the moment at which it is held.
      splits = undefined;
      exchange.needs = prepareNeeds(exchange, accounts, accounts.shapeAt(asked.call, now), asked);
      continue;
    }
    splits ??= new Splitting(accounts, accounts.shapeAt(asked.call, now), asked);
    if (!splits.splitFor(exchange, outcome, now)) return outcome;
    exchange.needs = splits.apply(exchange);
  }
  return UNAVAILABLE;
}

/** Which allowances of one call are found not to reach, so that what is beyond them is billed (PLAN-11). */
class Splitting {
  readonly #accounts: CallerAccounts;
  readonly #shape: CallShape;
  readonly #asked: Asked;
  readonly #splits = new Map<string, number>();

  constructor(accounts: CallerAccounts, shape: CallShape, asked: Asked) {
    this.#accounts = accounts;
    this.#shape = shape;
    this.#asked = asked;
  }

  /** Every allowance that may be billed beyond is there, whole until it turns out not to reach. False = there is none. */
  beginWhole(now: number): boolean {
    for (const { spec } of this.#shape.views) {
      if (!this.#splits.has(spec.id) && this.#accounts.mayBill(spec, now)) {
        this.#splits.set(spec.id, ALL);
      }
    }
    return this.#splits.size > 0;
  }

  /** False = this refusal stands. */
  splitFor({ needs }: Exchange, { index, cause, numbers, held }: Short, now: number): boolean {
    const need = needs[index];
    if (need === undefined || (cause !== 'gone' && cause !== 'held')) return false;
    const { account, amount } = need;
    if (!this.#accounts.mayBill(account, now)) return false;
    if (this.#asked.grows) this.beginWhole(now);
    const known = this.#splits.get(account.id);
    if (known === 0) return false;
    // Units that are left are not billed; whoever was quicker twice gets them.
    const isFirst = known === undefined || known === ALL;
    const free = numbers === undefined ? 0 : freeUnits(numbers, held);
    this.#splits.set(account.id, isFirst ? Math.min(free, amount) : 0);
    return true;
  }

  apply(exchange: Exchange): readonly Need[] {
    const { needs, shares, nano } = shareNeeds(
      this.#accounts,
      this.#shape,
      this.#asked,
      this.#splits,
    );
    exchange.shares = shares;
    exchange.holdNano = nano;
    return needs;
  }
}

function noteRefusal(exchange: Exchange, outcome: Refused): void {
  if (outcome.kind === 'limited') {
    const rate = ratesOf(exchange)[outcome.index];
    if (rate !== undefined) noteRate(exchange, rate, outcome.retryAfterMs);
    return;
  }
  exchange.shortNumbers = outcome.numbers;
  exchange.reservation = {
    kind: 'short',
    index: outcome.index,
    cause: outcome.cause,
    held: outcome.held,
    affordableOutputTokens: undefined,
  };
}

/**
 * Money that this call needs none of as it is: other terms may ask for some, and units that are billed do before
 * they come to be split. Offers are tried with what there is of it.
 */
function noteMoney(exchange: Exchange, accounts: CallerAccounts, { call }: Asked): void {
  const { at } = exchange;
  let isBilled = false;
  for (const { spec } of accounts.accountsAt(call, at)) {
    isBilled ||= accounts.mayBill(spec, at);
    if (isMoney(spec)) noteAccount(exchange, spec);
  }
  if (isBilled) noteAccount(exchange, accounts.balance);
}

/** Nothing is needed there, unless something is. */
function noteAccount(exchange: Exchange, account: AccountSpec): void {
  const { needs } = exchange;
  if (needs.some((need) => need.account.id === account.id)) return;
  exchange.needs = [...needs, { account, amount: 0 }];
}

/** Bytes that nothing counts as it is, another plan may count. */
function noteBytes(exchange: Exchange, { grows }: Asked): void {
  const { take, request } = exchange;
  if (!grows && request.contentLength > 0) {
    exchange.take = withBytes(take, request.contentLength, take.bytesOut);
  }
}

function noteRate(exchange: Exchange, { limit, from }: CallRate, retryAfterMs: number): void {
  exchange.reservation = {
    kind: 'limited',
    rateLimitId: limit.id,
    retryAfterMs,
    ...(limit.class === 'commercial' ? { class: limit.class } : {}),
    ...(from === undefined ? {} : { from }),
  };
}

type Refused = Exclude<ReserveOutcome, { kind: 'held' | 'stale' }>;

/** Whether what refuses protects: else the refusal is about money, or about books that do not answer. */
function isProtected(exchange: Exchange, outcome: Refused): boolean {
  if (outcome.kind === 'limited') {
    return ratesOf(exchange)[outcome.index]?.limit.class === 'protective';
  }
  const { index, cause } = outcome;
  const isOurs = cause === 'stranded' || cause === 'unavailable';
  return !isOurs && exchange.needs[index]?.account.limit?.class === 'protective';
}

/**
 * Both exceeded is 402: a rate for sale that is exceeded beside what only protects refuses in its place. Where
 * the books do not say, the refusal stands as it is.
 */
async function noteBoughtRate(exchange: Exchange, engine: Engine): Promise<void> {
  for (const rate of ratesOf(exchange)) {
    if (rate.limit.class !== 'commercial') continue;
    // oxlint-disable-next-line no-await-in-loop -- in the order they refuse in
    const waitMs = await engine.askRate(rate).catch(() => 0);
    if (waitMs === 0) continue;
    noteRate(exchange, rate, waitMs);
    return;
  }
}

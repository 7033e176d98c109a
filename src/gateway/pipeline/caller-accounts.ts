import { compileRateLimitPolicy, type RateLimitPolicy } from '../../contract/headers.ts';
import {
  accountsFor,
  type AccountHolder,
  type AccountSpec,
  type CountedCall,
} from '../../domain/accounts.ts';
import type { Plan, Route } from '../../domain/catalog.ts';
import { amountFor, type Take } from '../../domain/take.ts';
import { type Calendar, windowSeconds } from '../../domain/window.ts';
import type { Need } from '../../engine/engine.ts';

/** One account of a caller with what the hot path needs of it. */
export interface AccountView {
  readonly spec: AccountSpec;
  /** Undefined on a balance. */
  readonly policy: RateLimitPolicy | undefined;
}

/** Kinds of calls a caller may make whose accounts are remembered: routes times models, not end users. */
const SHAPES_MAX = 256;

/** The accounts that the calls of one caller count in: of a key, or of a subnet whose callers have none. */
export class CallerAccounts {
  readonly holder: AccountHolder;
  /** Whether priced calls draw on the balance. */
  readonly prepaid: boolean;
  readonly #terms: Pick<Plan, 'limits' | 'usage'>;
  readonly #asset: string;
  #shapes = new Map<string, readonly AccountView[]>();
  #shapesUntil = 0;
  /** Needs of flat-priced routes: the same array for every call until a window ends. */
  #flatNeeds = new Map<string, readonly Need[]>();

  constructor(terms: Pick<Plan, 'limits' | 'usage'>, holder: AccountHolder, asset: string) {
    this.holder = holder;
    this.prepaid = terms.usage === 'prepaid';
    this.#terms = terms;
    this.#asset = asset;
  }

  accountsAt(call: CountedCall, now: number): readonly AccountView[] {
    if (now >= this.#shapesUntil) this.#rollWindows();
    if (call.endUser !== undefined) return this.#viewsOf(call, now);
    const shape = `${call.routeId} ${call.model ?? ''}`;
    const known = this.#shapes.get(shape);
    if (known !== undefined) return known;
    const views = this.#viewsOf(call, now);
    if (this.#shapes.size >= SHAPES_MAX) this.#shapes.clear();
    this.#shapes.set(shape, views);
    return views;
  }

  /** Needs of a call whose cost is known before it leaves. */
  flatNeedsAt(route: Route, take: Take, now: number): readonly Need[] {
    if (now >= this.#shapesUntil) this.#rollWindows();
    const known = this.#flatNeeds.get(route.id);
    if (known !== undefined) return known;
    const needs = this.needsAt(countedAs(route), take, now);
    this.#flatNeeds.set(route.id, needs);
    return needs;
  }

  /** Accounts that this call takes nothing from are left out. */
  needsAt(call: CountedCall, take: Take, now: number): readonly Need[] {
    const needs: Need[] = [];
    for (const { spec } of this.accountsAt(call, now)) {
      const amount = amountFor(spec.unit, take);
      if (amount > 0) needs.push({ account: spec, amount });
    }
    return needs;
  }

  #viewsOf(call: CountedCall, now: number): readonly AccountView[] {
    const terms = { asset: this.#asset, at: now };
    const specs = accountsFor(this.#terms, this.holder, call, terms);
    for (const { windowEndsAt } of specs) {
      if (windowEndsAt !== undefined && windowEndsAt < this.#shapesUntil) {
        this.#shapesUntil = windowEndsAt;
      }
    }
    return specs.map((spec) => ({ spec, policy: policyOf(spec, this.holder.calendar, now) }));
  }

  #rollWindows(): void {
    this.#shapes = new Map();
    this.#flatNeeds = new Map();
    this.#shapesUntil = Number.POSITIVE_INFINITY;
  }
}

/** A call of a route that no model and no end user is known of. */
export function countedAs(
  route: Pick<Route, 'id' | 'operation'>,
  model?: string,
  endUser?: string,
): CountedCall {
  return { routeId: route.id, operation: route.operation, model, endUser };
}

function policyOf(
  { limit, allowance, unit }: AccountSpec,
  calendar: Calendar,
  now: number,
): RateLimitPolicy | undefined {
  if (limit === undefined) return undefined;
  return compileRateLimitPolicy({
    name: limit.id,
    quota: limit.softAt ?? allowance,
    windowSeconds: windowSeconds(limit.window, now, calendar),
    unit: unit === 'spend' ? 'nano' : unit,
  });
}

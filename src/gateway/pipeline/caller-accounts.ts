import { compileRateLimitPolicy, type RateLimitPolicy } from '../../contract/headers.ts';
import {
  accountsFor,
  type AccountHolder,
  type AccountSpec,
  balanceAccount,
  type CountedCall,
  ruleOwnerOf,
} from '../../domain/accounts.ts';
import { BoundedMap } from '../../domain/bounded-map.ts';
import { TENANT_BUDGET } from '../../domain/budget-tree.ts';
import type { Limit, Plan, Route } from '../../domain/catalog.ts';
import { standUntil } from '../../domain/refusal-order.ts';
import { amountFor, isSlot, type Take } from '../../domain/take.ts';
import { windowSeconds } from '../../domain/window.ts';
import type { Need } from '../../engine/engine.ts';
import type { CallRate } from './key-gate.ts';
import { policyNameOf } from './policy-name.ts';

/** One account of a caller with what the hot path needs of it. */
export interface AccountView {
  readonly spec: AccountSpec;
  /** Undefined on a balance. */
  readonly policy: RateLimitPolicy | undefined;
}

/** What calls of one kind are counted in, worked out once. */
export interface CallShape {
  readonly views: readonly AccountView[];
  /** Bytes are counted: how many is known at the end of the answer. */
  readonly countsBytes: boolean;
  readonly countsTime: boolean;
  /** Calls at the same time are counted: the hold lasts as long as the answer (QUOTA-11). */
  readonly hasSlots: boolean;
  /** Of calls that all take the same: made once. */
  flatNeeds: readonly Need[] | undefined;
  /** What the last of them was told of these accounts. */
  told: ToldAccounts | undefined;
}

/** Header fields of the balance and of what is left of limits and rates, as of one round of the event loop. */
export interface ToldAccounts {
  readonly round: number;
  readonly rates: readonly CallRate[];
  readonly headers: readonly string[];
}

/** What was asked for last, and the answer. */
interface LastShape {
  readonly routeId: string;
  readonly model: string;
  readonly user: string;
  readonly shape: CallShape;
}

/** Kinds of calls that are remembered: routes times models times, where they are counted, end users. */
const SHAPES_MAX = 256;

/** The accounts that the calls of one caller count in: of a key, or of a subnet whose callers have none. */
export class CallerAccounts {
  readonly holder: AccountHolder;
  /** Whether priced calls draw on the balance. */
  readonly prepaid: boolean;
  /** What units beyond an allowance are paid from, whatever the plan covers (PLAN-11). */
  readonly balance: AccountSpec;
  /** Whether some limit counts end users apart: else nobody has to know who they are. */
  readonly countsEndUsers: boolean;
  readonly #terms: Pick<Plan, 'limits' | 'usage'>;
  readonly #asset: string;
  readonly #overageAuthorizedUntil: number;
  readonly #shapes = new BoundedMap<string, CallShape>(SHAPES_MAX);
  /** Asked for several times in each call. */
  #last: LastShape | undefined = undefined;
  #shapesUntil = 0;

  /** `overageAuthorizedUntil`: epoch ms until which use beyond an allowance was agreed to. */
  constructor(
    terms: Pick<Plan, 'limits' | 'usage'>,
    holder: AccountHolder,
    asset: string,
    overageAuthorizedUntil = 0,
  ) {
    this.holder = holder;
    this.prepaid = terms.usage === 'prepaid';
    this.balance = balanceAccount(holder.payerId, asset);
    this.countsEndUsers = everyLimitOf(terms, holder).some(({ scope }) => scope === 'end_user');
    this.#terms = terms;
    this.#asset = asset;
    this.#overageAuthorizedUntil = overageAuthorizedUntil;
  }

  /** Whether units beyond this allowance are billed at `now`, not refused (PLAN-11). */
  mayBill({ overage }: AccountSpec, now: number): boolean {
    if (overage === undefined) return false;
    return overage.kind === 'bill' || now < this.#overageAuthorizedUntil;
  }

  shapeAt(call: CountedCall, now: number): CallShape {
    if (now >= this.#shapesUntil) this.#rollWindows();
    const { routeId, model = '' } = call;
    const user = this.countsEndUsers ? (call.endUser ?? '') : '';
    const last = this.#last;
    if (last?.routeId === routeId && last.model === model && last.user === user) return last.shape;
    const key = `${routeId}\n${model}\n${user}`;
    const shape = this.#shapes.get(key) ?? this.#remember(key, this.#shapeOf(call, now));
    this.#last = { routeId, model, user, shape };
    return shape;
  }

  accountsAt(call: CountedCall, now: number): readonly AccountView[] {
    return this.shapeAt(call, now).views;
  }

  #shapeOf(call: CountedCall, now: number): CallShape {
    const terms = { asset: this.#asset, at: now };
    const specs = accountsFor(this.#terms, this.holder, call, terms);
    this.#shapesUntil = Math.min(this.#shapesUntil, standUntil(specs, now));
    return {
      views: specs.map((spec) => ({ spec, policy: policyOf(spec, this.holder, now) })),
      countsBytes: specs.some(({ unit }) => BYTES.has(unit)),
      countsTime: specs.some(({ unit }) => unit === 'compute_ms'),
      hasSlots: specs.some(({ unit }) => isSlot(unit)),
      flatNeeds: undefined,
      told: undefined,
    };
  }

  #remember(key: string, shape: CallShape): CallShape {
    this.#shapes.set(key, shape);
    return shape;
  }

  #rollWindows(): void {
    this.#shapes.clear();
    this.#last = undefined;
    this.#shapesUntil = Number.POSITIVE_INFINITY;
  }
}

/** Units of which a proxied call tells only at its end how many it took. */
const BYTES: ReadonlySet<string> = new Set(['bytes', 'bytes_in', 'bytes_out', 'storage_bytes']);

/**
 * What to set aside for a call: of each account what it takes at most, or as much as it can begin with. Accounts
 * that it takes nothing from are left out.
 */
export function needsOf({ views }: CallShape, take: Take, least: Take = take): Need[] {
  const needs: Need[] = [];
  for (const { spec } of views) {
    const amount = amountFor(spec.unit, take);
    if (amount <= 0) continue;
    const enough = least === take ? amount : amountFor(spec.unit, least);
    needs.push(
      enough === amount ? { account: spec, amount } : { account: spec, amount, least: enough },
    );
  }
  return needs;
}

/** As what a call is counted. */
export function countedAs(
  route: Pick<Route, 'id' | 'operation'>,
  model?: string,
  endUser?: string,
): CountedCall {
  return { routeId: route.id, operation: route.operation, model, endUser };
}

/** All that may count a call of this holder, whatever is called. */
export function everyLimitOf(
  { limits }: Pick<Plan, 'limits'>,
  { keyLimits, ancestors, houseLimits }: AccountHolder,
): readonly Limit[] {
  const above = ancestors.flatMap((each) => each.limits);
  return [...limits, ...keyLimits, ...above, ...houseLimits];
}

function policyOf(
  spec: AccountSpec,
  holder: AccountHolder,
  now: number,
): RateLimitPolicy | undefined {
  const { limit, allowance, unit } = spec;
  if (limit === undefined) return undefined;
  return compileRateLimitPolicy({
    name: policyNameOf(limit.id, limit.from, limit.from === 'ancestor' ? placeOf(spec, holder) : 1),
    quota: limit.softAt ?? allowance,
    windowSeconds: windowSeconds(limit.window, now, holder.calendar),
    unit: unit === 'spend' ? 'nano' : unit,
  });
}

/** Of the tenants above that have limits or budgets, which one's rule it is; 1 is the nearest. */
function placeOf(spec: AccountSpec, { ancestors, budgets }: AccountHolder): number {
  const isBudget = spec.limit?.id === TENANT_BUDGET;
  const above = isBudget
    ? budgets.filter(({ from }) => from === 'ancestor').map(({ ownerId }) => ownerId)
    : ancestors.map(({ tenantId }) => tenantId);
  return above.indexOf(ruleOwnerOf(spec) ?? '') + 1;
}

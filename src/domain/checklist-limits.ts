import {
  formatBareUnits,
  hasNoEnd,
  nameOf,
  ownerOf,
  periodOf,
  slides,
  unitOf,
} from './explain-words.ts';
import type { ExplainView } from './explain.ts';
import type { LimitFact } from './facts.ts';
import { toSafeNumber } from './money.ts';

/** An account's numbers at the moment somebody asks. */
export interface AccountNumbersNow {
  readonly allowance: bigint;
  readonly spent: bigint;
  /** Under open holds. */
  readonly reserved: bigint;
  /** Of a limit that slides: epoch ms from which nothing of it is spent. */
  readonly resetsAt?: number;
}

/** One limit as it was and as it is, side by side (DIAG-03). Texts, in the unit of the limit. */
export interface LimitRow {
  readonly name: string;
  /** What it counts, and over which time: `requests a month`. */
  readonly counts: string;
  /** Whose use it counts: all callers, the account, an end user, a model. */
  readonly type: string;
  readonly verdict: 'passed' | 'refused' | 'not reached' | 'would refuse';
  readonly used: string;
  readonly needed: string;
  readonly allowed: string;
  /** Undefined when it is not known whose account it is. */
  readonly now: string | undefined;
  /** Epoch ms. */
  readonly resetsAt: number | undefined;
  /** What was used comes free by and by: it is never full again at one moment. */
  readonly slides: boolean;
}

export interface LimitRowSource {
  readonly view: ExplainView;
  readonly asset: string;
  /** By account id; undefined = nobody's are known. What is not among them was never used. */
  readonly accounts: ReadonlyMap<string, AccountNumbersNow> | undefined;
  /** Epoch ms. */
  readonly at: number;
}

/** Every limit that was looked at, in the order of the trace. */
export function explainLimitRows(source: LimitRowSource): readonly LimitRow[] {
  return source.view.trace.flatMap(({ limit, verdict }) =>
    limit === undefined ? [] : [rowOf(limit, verdict, source)],
  );
}

function rowOf(
  limit: LimitFact,
  verdict: LimitRow['verdict'],
  { asset, accounts, at }: LimitRowSource,
): LimitRow {
  const { label, resetsAt } = limit;
  const period = label === undefined ? '' : ` ${periodOf(label)}`;
  return {
    name: nameOf(limit).replace('Limit ', ''),
    counts: `${unitOf(limit)}${period}`,
    type: label === undefined ? 'this account' : ownerOf(label),
    verdict,
    used: formatBareUnits(limit, limit.spent, asset),
    needed: formatBareUnits(limit, limit.need, asset),
    allowed: hasNoEnd(limit) ? 'no end' : formatBareUnits(limit, limit.allowance, asset),
    now: accounts && describeNow(limit, accounts.get(limit.accountId) ?? UNUSED, at, asset),
    resetsAt,
    slides: slides(limit),
  };
}

const UNUSED: AccountNumbersNow = { allowance: 0n, spent: 0n, reserved: 0n };

function describeNow(
  limit: LimitFact,
  account: AccountNumbersNow,
  at: number,
  asset: string,
): string {
  const hasEnded = limit.resetsAt !== undefined && limit.resetsAt <= at;
  if (hasEnded && !slides(limit)) return 'full again';
  const spent = formatBareUnits(limit, toSafeNumber(account.spent), asset);
  if (hasNoEnd(limit)) return `${spent} used`;
  const allowance = limit.kind === 'balance' ? account.allowance : BigInt(limit.allowance);
  const left = allowance - account.spent - account.reserved;
  return `${formatBareUnits(limit, toSafeNumber(left < 0n ? 0n : left), asset)} left`;
}

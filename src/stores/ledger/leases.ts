import { StoreError } from '../store-error.ts';
import type { AcquireRequest, AcquireResult } from '../store.ts';
import { type Accounts, availableIn, numbersOf } from './accounts.ts';
import type { Grants } from './grants.ts';
import { isSeenStale, OWNER_SILENT_MS, type Owners } from './owners.ts';
import { resetOf } from './sliding-usage.ts';
import type { AccountRow, LeaseRow, LeaseTable } from './tables.ts';

type Elsewhere = Pick<AcquireResult, 'recalling' | 'heldElsewhere' | 'stranded'>;

/** Slices of accounts in the hands of owners: how they grow. */
export class Leases {
  readonly #table: LeaseTable;
  readonly #accounts: Accounts;
  readonly #grants: Grants;
  readonly #owners: Owners;

  constructor(table: LeaseTable, books: { accounts: Accounts; grants: Grants; owners: Owners }) {
    this.#table = table;
    this.#accounts = books.accounts;
    this.#grants = books.grants;
    this.#owners = books.owners;
  }

  acquire(
    owner: string,
    requests: readonly AcquireRequest[],
    now: number,
  ): readonly AcquireResult[] {
    this.#owners.hear(owner, now);
    const rivals = this.#owners.countHeard(now);
    return requests.map((request) => this.#acquireOne(owner, request, { now, rivals }));
  }

  /**
   * The answer to requests that ask nobody (`asksOthers`), when all are still short; undefined otherwise. It changes
   * nothing: who looks again and again keeps no writer waiting.
   */
  answerIdle(
    owner: string,
    requests: readonly AcquireRequest[],
    now: number,
  ): readonly AcquireResult[] | undefined {
    const known = this.#owners.find(owner);
    if (known?.state !== 'live' || isSeenStale(known, now)) return undefined;
    const results: AcquireResult[] = [];
    for (const request of requests) {
      const { index, grantedBefore, need } = request;
      const account = this.#accounts.findQuota(request.account);
      const lease = this.#table.find(owner, index);
      if (account === undefined || lease?.account_id !== account.id) return undefined;
      if (lease.granted !== grantedBefore || availableIn(account, now) >= need) return undefined;
      results.push({
        index,
        granted: lease.granted,
        usableUntil: account.window_ends_at ?? undefined,
        account: numbersOf(account, now),
        resetsAt: resetOf(account, need, now),
        ...this.#lookElsewhere({ owner, idx: index }, account.id, { now, ask: false }),
      });
    }
    return results;
  }

  #acquireOne(
    owner: string,
    request: AcquireRequest,
    at: { readonly now: number; readonly rivals: number },
  ): AcquireResult {
    assertSensible(request);
    const { account, usableUntil } = this.#bringUpToDate(request, at.now);
    const lease = this.#findOrOpen(owner, request);
    const { granted } = lease;
    const available = availableIn(account, at.now);
    // Another cumulative grant than the caller knows of: an earlier answer was lost, and this is its repeat.
    const isRepeat = granted !== request.grantedBefore;
    const isShort = !isRepeat && available < request.need;
    const growth = isRepeat || isShort ? 0 : sliceOf(available, request, at.rivals);
    if (growth > 0) {
      this.#table.save({ ...lease, granted: granted + growth });
      this.#accounts.move(account.id, { reserved: growth });
    }
    return {
      index: request.index,
      granted: granted + growth,
      usableUntil,
      account: { ...numbersOf(account, at.now), reserved: account.reserved + growth },
      resetsAt: isShort ? resetOf(account, request.need, at.now) : undefined,
      ...this.#lookElsewhere({ owner, idx: request.index }, account.id, {
        now: at.now,
        ask: request.ask && (isShort || (request.takesAll === true && growth < request.want)),
      }),
    };
  }

  #bringUpToDate(
    request: AcquireRequest,
    now: number,
  ): { readonly account: AccountRow; readonly usableUntil: number | undefined } {
    const account = this.#accounts.ensure(request.account);
    if (account.kind === 'balance') return this.#grants.mature(account, now);
    return { account, usableUntil: account.window_ends_at ?? undefined };
  }

  #findOrOpen(owner: string, request: AcquireRequest): LeaseRow {
    const row = this.#table.find(owner, request.index);
    if (row === undefined) {
      const lease = { owner, idx: request.index, account_id: request.account.id };
      this.#table.add(lease);
      return { ...lease, granted: 0, settled: 0 };
    }
    if (row.account_id === request.account.id) return row;
    throw new StoreError(
      'invalid_argument',
      `lease ${owner}/${request.index} is of ${row.account_id}, not of ${request.account.id}`,
    );
  }

  /** Where the rest of the account is; `ask` its holders to hand back what they do not need. */
  #lookElsewhere(
    self: { readonly owner: string; readonly idx: number },
    accountId: string,
    { now, ask }: { readonly now: number; readonly ask: boolean },
  ): Elsewhere {
    let [recalling, heldElsewhere, stranded] = [0, 0, 0];
    for (const rival of this.#table.rivals(accountId)) {
      const isOwn = rival.owner === self.owner;
      if (isOwn && rival.idx === self.idx) continue;
      // A second lease of the asker itself is on its way back already: the asker has closed it.
      const owesNothing = !isOwn && rival.recalled === 0;
      if (ask && owesNothing) this.#table.setRecalled(rival.owner, rival.idx, 1);
      if (now - rival.seen_at > OWNER_SILENT_MS) stranded += rival.unsettled;
      else if (owesNothing) heldElsewhere += rival.unsettled;
      else recalling += rival.unsettled;
    }
    return { recalling, heldElsewhere, stranded };
  }
}

/** Whether a call may have something to write even where it gets nothing: others are asked to hand back. */
export function asksOthers(requests: readonly AcquireRequest[]): boolean {
  return requests.some(({ ask }) => ask);
}

/** What is needed, or as much of what is wanted as leaves every rival two such slices: slices shrink as the pot empties. */
function sliceOf(available: number, request: AcquireRequest, rivals: number): number {
  if (request.takesAll === true) return Math.min(available, request.want);
  const fairShare = Math.floor(available / (2 * (rivals + 1)));
  return Math.min(available, Math.max(request.need, Math.min(request.want, fairShare)));
}

function assertSensible(request: AcquireRequest): void {
  const { index, grantedBefore, need, want, account } = request;
  const numbers = { index, grantedBefore, need, want, allowance: account.allowance };
  for (const [name, value] of Object.entries(numbers)) {
    if (Number.isSafeInteger(value) && value >= (name === 'need' ? 1 : 0)) continue;
    throw new StoreError(
      'invalid_argument',
      `${name} ${value} of lease ${index} is not a whole number in range`,
    );
  }
}

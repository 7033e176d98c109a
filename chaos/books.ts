import { readdirSync } from 'node:fs';

import { decide } from '../src/domain/decide.ts';
import { unpackFacts } from '../src/domain/facts-record.ts';
import { journalDirectory } from '../src/server/data-directory.ts';
import type { Store, Violation } from '../src/stores/store.ts';
import { NANO_PER_UNIT } from './customer.ts';

/** What the books say of one key: answers and units charged. */
export interface Charged {
  readonly answers: number;
  readonly units: number;
}

export interface Books {
  /** Of the balance, in units. */
  readonly granted: number;
  readonly spent: number;
  /** Over all accounts, in whatever they count. */
  readonly reserved: number;
  /** By the id of the key. */
  readonly keys: ReadonlyMap<string, Charged>;
}

/** As they stand, nobody asked to settle. */
export async function readBooks(store: Store, tenantId: string): Promise<Books> {
  const accounts = await store.accounts(tenantId, Date.now(), 0);
  const keys = new Map<string, { answers: number; units: number }>();
  const books = { granted: 0, spent: 0, reserved: 0, keys };
  for (const { spec, allowance, spent, reserved } of accounts) {
    books.reserved += Number(reserved);
    if (spec.kind === 'balance') {
      books.granted += Number(allowance / NANO_PER_UNIT);
      books.spent += Number(spent / NANO_PER_UNIT);
    }
    const keyId = spec.limit?.keyId;
    if (keyId === undefined) continue;
    const charged = keys.get(keyId) ?? { answers: 0, units: 0 };
    if (spec.unit === 'requests') charged.answers += Number(spent);
    else if (spec.unit === 'output_tokens') charged.units += Number(spent);
    keys.set(keyId, charged);
  }
  return books;
}

/** I6: the grants were made in the reverse of the order in which they must burn. */
async function findBurnFaults(store: Store, tenantId: string): Promise<readonly Violation[]> {
  const grants = (await store.grants(tenantId)).toSorted(
    (left, right) => left.createdAt - right.createdAt || (left.id < right.id ? -1 : 1),
  );
  return grants.flatMap(({ id, consumed }, index) => {
    const before = grants.slice(index + 1).find((grant) => grant.consumed < grant.amount);
    if (consumed === 0n || before === undefined) return [];
    const detail = `grant ${id} burnt before ${before.id} was used up`;
    return [{ invariant: 'I6 grants burn in one order', detail }];
  });
}

/** I8: every one of these refusals has a log row, and its facts decide the same again. */
export async function findUndecided(
  store: Store,
  requestIds: readonly string[],
): Promise<readonly Violation[]> {
  const found: Violation[] = [];
  for (const id of requestIds) {
    // oxlint-disable-next-line no-await-in-loop -- some hundreds, after the run
    const row = await store.request(id);
    const facts = row === undefined ? undefined : unpackFacts(row.facts);
    const decision = facts === undefined ? undefined : decide(facts);
    if (decision?.kind === 'refuse' && row?.status === 402 && decision.code === row.code) continue;
    const detail = row === undefined ? 'no log row' : `${row.code} is not decided again`;
    found.push({ invariant: 'I8 every 402 has its decision', detail: `${id}: ${detail}` });
  }
  return found;
}

/** I10: once all gateways have stopped, no owner is live and no journal is unread. */
export async function findLeftBehind(
  store: Store,
  dataDirectories: readonly string[],
): Promise<readonly Violation[]> {
  const owners = (await store.liveOwners()).map((owner) => `owner ${owner} is still live`);
  const journals = [...new Set(dataDirectories)]
    .flatMap((data) => readdirSync(journalDirectory(data)))
    .filter((file) => file.endsWith('.journal'))
    .map((file) => `${file} was not read`);
  const invariant = 'I10 nothing is left of gateways that have stopped';
  return [...owners, ...journals].map((detail) => ({ invariant, detail }));
}

const SAMPLE_PAUSE_MS = 1000;
const VIOLATIONS_KEPT = 100;

/** Audits the live books again and again, whatever befalls the gateways meanwhile. */
export class LiveAudit {
  samples = 0;
  readonly violations: Violation[] = [];
  readonly #store: Store;
  readonly #tenantId: string;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(store: Store, tenantId: string) {
    this.#store = store;
    this.#tenantId = tenantId;
  }

  start(): void {
    this.#running = this.#sample().finally(() => {
      if (!this.#stopped) this.#timer = setTimeout(() => this.start(), SAMPLE_PAUSE_MS);
    });
  }

  /** After one last sample. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
    await this.#sample();
  }

  /** A store that is away answers nothing, which is no violation: the next sample looks again. */
  async #sample(): Promise<void> {
    try {
      const found = [
        ...(await this.#store.audit()),
        ...(await findBurnFaults(this.#store, this.#tenantId)),
      ];
      this.samples += 1;
      this.violations.push(...found.slice(0, VIOLATIONS_KEPT - this.violations.length));
    } catch (error) {
      if (this.#stopped) throw error;
    }
  }
}

import { readdirSync } from 'node:fs';

import { reclaimOwner } from '../engine/reclaim.ts';
import { machineMs } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { removeUnfinishedLocks } from '../platform/process-lock.ts';
import { createRepeatLogger, type RepeatLogger } from '../platform/repeat-logger.ts';
import { waitAtMost } from '../platform/wait-at-most.ts';
import type { Store } from '../stores/store.ts';
import { journalDirectory } from './data-directory.ts';

const SWEEP_MS = 500;
/** Of a gateway that stops. */
const LAST_SWEEP_MS = 5000;

/** Finds processes of this machine that died with money in hand, and gives it back from their journals. */
export class OwnerSweeper {
  readonly #store: Store;
  readonly #directory: string;
  readonly #logger: Logger;
  /** Trouble that lasts is met by each round, twice a second. */
  readonly #repeats: RepeatLogger;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: { store: Store; dataDirectory: string; logger: Logger; now: () => number }) {
    this.#store = parts.store;
    this.#directory = journalDirectory(parts.dataDirectory);
    this.#logger = parts.logger;
    this.#repeats = createRepeatLogger(parts.logger, machineMs);
    this.#now = parts.now;
  }

  /** Sweeps now and from then on; a process that still drains is met again on a later round. */
  start(): void {
    this.#removeUnfinished();
    this.#timer = setInterval(() => void this.sweep(), SWEEP_MS);
    void this.sweep();
  }

  /** One round at a time; a call during a round gets that round. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweepOnce().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  /**
   * One more round: who died a moment ago was alive when the one under way looked, and on a store that others share
   * nobody else could give back what it had. A store that does not answer is not waited for.
   */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await waitAtMost(this.#sweepAnew(), LAST_SWEEP_MS, 'the last sweep').catch(() => undefined);
    this.#stopped = true;
    await this.#sweeping;
  }

  /** Once in the life of a gateway: only a process that dies in its first milliseconds leaves one. */
  #removeUnfinished(): void {
    try {
      removeUnfinishedLocks(this.#directory, Date.now());
    } catch (error) {
      this.#logger.error({ error: String(error) }, 'unfinished locks could not be removed');
    }
  }

  async #sweepAnew(): Promise<void> {
    await this.#sweeping;
    await this.sweep();
  }

  async #sweepOnce(): Promise<void> {
    try {
      const here = readdirSync(this.#directory).filter((name) => name.endsWith('.lock'));
      for (const file of here) {
        if (this.#stopped) return;
        // oxlint-disable-next-line no-await-in-loop -- one journal at a time: each is read whole
        await this.#reclaim(file.slice(0, -'.lock'.length));
      }
    } catch (error) {
      this.#repeats.error({ error: String(error) }, 'sweep for dead processes failed');
    }
  }

  /** A journal that is refused stays where it is, and stands in the way of no other. */
  async #reclaim(owner: string): Promise<void> {
    try {
      const result = await reclaimOwner(this.#store, this.#directory, owner, this.#now());
      if (result === undefined) return;
      const fields = { owner, ...result };
      if (result.damagedBytes !== undefined) {
        this.#logger.error(fields, 'a part of a journal cannot be read: what it charged is lost');
      }
      if (result.journalMissing) {
        this.#logger.error(fields, 'a journal is not there: what was charged last is lost');
      }
      if (result.house === undefined) {
        this.#logger.warn(fields, 'reclaimed the money of a dead process');
      } else {
        this.#logger.warn(fields, 'read the journal of a process that was written off');
      }
    } catch (error) {
      this.#repeats.error(
        { owner, error: String(error) },
        'the money of a dead process could not be reclaimed',
      );
    }
  }
}

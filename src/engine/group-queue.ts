export interface GroupQueueOptions<Item> {
  /** Works on a whole group and tells each of it how it ended. Never rejects. */
  readonly perform: (group: readonly Item[]) => Promise<void>;
  /** Most of one group. */
  readonly groupMax: number;
  /** Most that wait for the next one. */
  readonly waitingMax: number;
  /** Between two groups; 0 = until the event loop has done what the last one made possible. */
  readonly pauseMs: number;
}

/**
 * What comes within one round of the event loop, or while a group is worked on, is worked on together: a thousand
 * answers a second share a hundred writes to the disk, or a hundred transactions.
 */
export class GroupQueue<Item> {
  readonly #options: GroupQueueOptions<Item>;
  #waiting: Item[] = [];
  #isRunning = false;

  constructor(options: GroupQueueOptions<Item>) {
    this.#options = options;
  }

  /** False = too many wait already. */
  add(item: Item): boolean {
    if (this.#waiting.length >= this.#options.waitingMax) return false;
    this.#waiting.push(item);
    if (!this.#isRunning) {
      this.#isRunning = true;
      setImmediate(() => void this.#run());
    }
    return true;
  }

  async #run(): Promise<void> {
    const { perform, groupMax, pauseMs } = this.#options;
    if (this.#waiting.length === 0) {
      this.#isRunning = false;
      return;
    }
    await perform(this.#waiting.splice(0, groupMax));
    const goOn = (): void => void this.#run();
    if (pauseMs === 0) setImmediate(goOn);
    else setTimeout(goOn, pauseMs);
  }
}

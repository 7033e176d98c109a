import { type EvidenceBounds, pruneEvidence } from '../engine/evidence.ts';
import type { Logger } from '../platform/logger.ts';

const ROUND_MS = 10_000;

/** Keeps the settled journals of this machine within their bounds. */
export class EvidenceKeeper {
  readonly #directory: string;
  readonly #bounds: EvidenceBounds;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;

  /** `directory`: that of the journals. */
  constructor(directory: string, bounds: EvidenceBounds, logger: Logger) {
    this.#directory = directory;
    this.#bounds = bounds;
    this.#logger = logger;
  }

  start(): void {
    this.#timer = setInterval(() => this.round(), ROUND_MS);
    this.round();
  }

  /** By the clock of the file system, which no shift of ours moves. */
  round(): void {
    try {
      const removed = pruneEvidence(this.#directory, this.#bounds, Date.now());
      if (removed > 0) this.#logger.debug({ removed }, 'old journals were removed');
    } catch (error) {
      this.#logger.error({ error: String(error) }, 'old journals could not be removed');
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

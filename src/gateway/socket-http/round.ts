import { beginTurn, endTurn } from './turn.ts';

/** Something to be worked on in its stage of the round. */
export interface Staged {
  proceed(): void;
}

/** Requests are worked on in lots of so many: the first of a crowd does not wait for the last. */
export const LOT = 64;

/** What is to be done in one stage, in the order it came. */
export class Stage {
  #waiting: Staged[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(staged: Staged): void {
    this.#waiting.push(staged);
    scheduleRound();
  }

  /** Works on what waits, `most` at once. @returns whether more was waiting. */
  run(most: number): boolean {
    const lot = this.#waiting;
    if (lot.length === 0) return false;
    this.#waiting = lot.length > most ? lot.splice(most) : [];
    const hasMore = !this.isEmpty;
    let done = 0;
    try {
      for (; done < lot.length; done += 1) lot[done]?.proceed();
    } finally {
      // A fault in one is its own: the others are left for another round.
      for (const left of lot.slice(done + 1)) this.add(left);
    }
    return hasMore;
  }
}

/**
 * What the sockets bring in one round of the event loop is read whole before any of it is worked on: then the requests
 * one after the other, whose calls and refusals leave together, then what upstreams sent, then the answers that are
 * whole, each charged and written at once. In the order of arrival a request took a third more: each change from one
 * kind of work to another throws the code of the other out of the processor's caches, and each single write wakes a
 * process that had just gone to sleep (docs/decisions, "a round of the loop in stages").
 */
export const requestStage = new Stage();
export const answerStage = new Stage();
export const endingStage = new Stage();

let scheduled = false;
let gathering = false;

/**
 * Whether requests are being worked on, so that a whole answer may leave with those of others. Nothing is charged in
 * this stage: a charge follows what an upstream sent, and stays in one section with the writing (DESIGN 5).
 */
export function leavesTogether(): boolean {
  return gathering;
}

function scheduleRound(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(runRound);
}

function runRound(): void {
  try {
    while (runRequests());
    answerStage.run(Number.POSITIVE_INFINITY);
    endingStage.run(Number.POSITIVE_INFINITY);
  } finally {
    scheduled = false;
    // What a later stage of this round has done needs no other; what was left behind does.
    if (!requestStage.isEmpty || !answerStage.isEmpty || !endingStage.isEmpty) scheduleRound();
  }
}

function runRequests(): boolean {
  gathering = true;
  beginTurn();
  try {
    return requestStage.run(LOT);
  } finally {
    gathering = false;
    endTurn();
  }
}

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
  run(most = Number.POSITIVE_INFINITY): boolean {
    const lot = this.#waiting;
    if (lot.length === 0) return false;
    this.#waiting = lot.length > most ? lot.splice(most) : [];
    const hasMore = !this.isEmpty;
    let done = 0;
    try {
      for (; done < lot.length; done += 1) lot[done]?.proceed();
    } finally {
      // Steps end their own faults; should one fail, the others are left for another round.
      for (const left of lot.slice(done + 1)) this.add(left);
    }
    return hasMore;
  }
}

/**
 * What the sockets bring in one round of the event loop is read whole before any of it is worked on, and then each step
 * of a call is taken for a whole lot of them before the next step is for any: in the order of arrival they cost much
 * more. Each change from one kind of work to another throws the code of the other out of the processor's caches, and
 * each write that comes long after the last wakes a process that had just gone to sleep (docs/decisions, "a round of the
 * loop in stages").
 */
export const requestStage = new Stage();
export const reserveStage = new Stage();
export const forwardStage = new Stage();
/** What upstreams sent. */
export const answerStage = new Stage();
/** Answers that are whole. */
export const endingStage = new Stage();
/** Each charged and written at once (DESIGN 5), close behind the one before. */
export const chargeStage = new Stage();
export const recordStage = new Stage();

const ASKING = [reserveStage, forwardStage];
const ANSWERING = [answerStage, endingStage, chargeStage, recordStage];
const ALL = [requestStage, ...ASKING, ...ANSWERING];

let scheduled = false;
let running = false;
let gathering = false;
let rounds = 0;

/** Goes on in a stage of the round under way, or of the next where that has passed. Outside of one nothing waits. */
export function goOnIn(stage: Stage, staged: Staged): void {
  if (running) stage.add(staged);
  else staged.proceed();
}

/**
 * Whether requests are being worked on, so that a whole answer may leave with those of others. Nothing that is written
 * in these stages is charged for: a charge follows what an upstream sent, and stays in one section with the writing
 * (DESIGN 5).
 */
export function leavesTogether(): boolean {
  return gathering;
}

/** Number of the round under way; undefined outside of one. */
export function roundUnderWay(): number | undefined {
  return running ? rounds : undefined;
}

function scheduleRound(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(runRound);
}

function runRound(): void {
  running = true;
  rounds += 1;
  try {
    while (runRequests());
    for (const stage of ANSWERING) stage.run();
  } finally {
    running = false;
    scheduled = false;
    // What a later stage of this round has done needs no other; what was left behind does.
    if (ALL.some(({ isEmpty }) => !isEmpty)) scheduleRound();
  }
}

/** One lot of requests, whose calls and refusals leave together. @returns whether more was waiting. */
function runRequests(): boolean {
  gathering = true;
  beginTurn();
  try {
    const hasMore = requestStage.run(LOT);
    for (const stage of ASKING) stage.run();
    return hasMore;
  } finally {
    gathering = false;
    endTurn();
  }
}

/** Something with output that need not leave before the others of this turn. */
export interface Flushable {
  flush(): void;
}

const waiting: (Flushable | undefined)[] = [];
let count = 0;
let depth = 0;
let scheduled = false;

/** Calls `flush` when the current turn has ended: the reading of a socket, or else the callback of the event loop. */
export function flushSoon(item: Flushable): void {
  waiting[count] = item;
  count += 1;
  if (depth > 0 || scheduled) return;
  scheduled = true;
  process.nextTick(flushScheduled);
}

/** A socket has been read. Whoever begins a turn ends it. */
export function beginTurn(): void {
  depth += 1;
}

/** All that was read has been worked on. */
export function endTurn(): void {
  depth -= 1;
  if (depth === 0 && count > 0) flushWaiting();
}

function flushScheduled(): void {
  scheduled = false;
  flushWaiting();
}

function flushWaiting(): void {
  for (let index = 0; index < count; index += 1) {
    const item = waiting[index];
    waiting[index] = undefined;
    item?.flush();
  }
  count = 0;
}

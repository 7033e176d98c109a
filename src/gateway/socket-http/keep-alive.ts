/** An idle connection is closed after this, or when the upstream announced to close it, whichever comes first. */
export const KEEP_ALIVE_TIMEOUT_MS = 30_000;
/**
 * A connection is given up so long before its upstream does: a call on its way then would be lost. One second is too
 * little where both machines are busy: undici gives it two as well (its `keepAliveTimeoutThreshold`).
 */
const KEEP_ALIVE_MARGIN_MS = 2_000;

const TIMEOUT = /(?:^|[,\s])timeout=(\d{1,9})/i;

/** How long the upstream lets an idle connection live by its Keep-Alive field, as far as we use it. */
export function readIdleMs(keepAlive: string): number {
  const seconds = TIMEOUT.exec(keepAlive)?.[1];
  if (seconds === undefined) return KEEP_ALIVE_TIMEOUT_MS;
  return Math.min(KEEP_ALIVE_TIMEOUT_MS, Number(seconds) * 1000 - KEEP_ALIVE_MARGIN_MS);
}

import type { LogFields, Logger } from './logger.ts';

const EVERY_MS = 60_000;
const KNOWN_MAX = 1000;

/** For trouble that each call meets again: a line for each would fill the disk and hide the rest. */
export type RepeatLogger = Pick<Logger, 'error'>;

/**
 * Tells the same thing (message and fields; only `request_id` may differ) once a minute, with the request that met it
 * first and, as `repeats`, how often it was met untold since the line before. Knows a thousand things at most.
 */
export function createRepeatLogger(
  logger: Pick<Logger, 'error'>,
  monotonicMs: () => number,
): RepeatLogger {
  const known = new Map<string, { toldAt: number; repeats: number }>();
  return {
    error(fields: LogFields, message: string): void {
      const subject = JSON.stringify([message, { ...fields, request_id: undefined }]);
      const before = known.get(subject);
      const now = monotonicMs();
      if (before !== undefined && now - before.toldAt < EVERY_MS) {
        before.repeats += 1;
        return;
      }
      if (before === undefined && known.size >= KNOWN_MAX) known.clear();
      known.set(subject, { toldAt: now, repeats: 0 });
      const repeats = before?.repeats ?? 0;
      logger.error(repeats === 0 ? fields : { ...fields, repeats }, message);
    },
  };
}

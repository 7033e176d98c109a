import type { LogFields, Logger } from '../../platform/logger.ts';

/** What an operator is to be called for (ALERT-09): the `alert` of a log line, which a log pipeline can match. */
export type Alert = 'reconciliation_mismatch' | 'silent_owners';

/** One line at level `error`; repeated by each run that finds it again, until nothing is found. */
export function raiseAlert(logger: Logger, alert: Alert, fields: LogFields, message: string): void {
  logger.error({ alert, ...fields }, message);
}

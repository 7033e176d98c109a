import { pino } from 'pino';
import type { DestinationStream } from 'pino';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a log line may carry beside its message: ids, numbers and words. No names of people, no bodies. */
export type LogFields = Readonly<Record<string, unknown>>;

/** One JSON object a line. The message is a constant sentence; what varies goes into `fields`. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** `level`: of its own, whatever this one's is. */
  child(fields: LogFields, options?: { readonly level: LogLevel }): Logger;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** On every line, for instance `{ process: 'worker-1' }`. */
  readonly fields?: LogFields;
  /** For tests. Default: standard error, buffered. */
  readonly destination?: DestinationStream;
}

/** Bytes waiting for a slow standard error before lines are dropped: a log must never fill the memory. */
const BUFFER_BYTES_MAX = 4 * 1024 * 1024;
const DEPTH_MAX = 4;
const MEMBERS_MAX = 64;
const REDACTED = '***';

const SECRET_NAME =
  /authorization|cookie|password|passwd|secret|token$|^key$|api[-_]?key|private[-_]?key|credential|macaroon|preimage|e-?mail/i;
/** Keys of ours and bearer credentials, wherever they stand: in a message, an error, a list of raw headers. */
const SECRET_TEXT =
  /\btk_(live|test)_[0-9A-Za-z]{4,}|\b(Bearer|Basic|L402|LSAT|Payment) +[^\s"\\,]{8,}/gi;

export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: redactFields(options.fields ?? {}),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redactFields },
      serializers: { err: (value: unknown) => value, error: (value: unknown) => value },
      messageKey: 'message',
      errorKey: 'error',
      hooks: { streamWrite: redactText },
    },
    options.destination ?? pino.destination({ dest: 2, sync: false, maxLength: BUFFER_BYTES_MAX }),
  );
}

/**
 * What was changed, and by which request (EVID-05): told at every level but `silent`, and marked, so that it can be
 * kept apart.
 */
export function createAuditTrail(logger: Logger, level: LogLevel): Logger {
  return logger.child({ audit: true }, { level: level === 'silent' ? 'silent' : 'info' });
}

function redactText(line: string): string {
  return line.replace(SECRET_TEXT, (_match, environment?: string, scheme?: string) =>
    scheme === undefined ? `tk_${environment ?? ''}_${REDACTED}` : `${scheme} ${REDACTED}`,
  );
}

function redactFields(fields: LogFields): Record<string, unknown> {
  return redactMembers(Object.entries(fields), DEPTH_MAX);
}

function redactMembers(
  members: readonly (readonly [string, unknown])[],
  depth: number,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of members.slice(0, MEMBERS_MAX)) {
    result[name] = SECRET_NAME.test(name) ? REDACTED : redactValue(value, depth);
  }
  return result;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (depth === 0) return '[deeper]';
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (Array.isArray(value)) {
    return value.slice(0, MEMBERS_MAX).map((item) => redactValue(item, depth - 1));
  }
  return redactMembers(Object.entries(value), depth - 1);
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const known = { type: name, message, stack, cause: redactValue(cause, depth - 1) };
  return { ...redactMembers(Object.entries(error), depth - 1), ...known };
}

import type { UpstreamFailure } from '../upstream.ts';
import { ClientBodyError } from './inbound-body.ts';

/** Translates an error of undici into the port's words. `sent` as in UpstreamFailure. */
export function mapUndiciError(error: Error & { code?: string }, sent: boolean): UpstreamFailure {
  return { kind: classify(error, sent), sent, message: error.message };
}

const KINDS: ReadonlyMap<string, UpstreamFailure['kind']> = new Map([
  ['UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', 'client-body'],
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout'],
  ['UND_ERR_ABORTED', 'aborted'],
  ['UND_ERR_HEADERS_OVERFLOW', 'protocol'],
  ['UND_ERR_RESPONSE', 'protocol'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'protocol'],
  ['UND_ERR_INVALID_ARG', 'protocol'],
  ['UND_ERR_NOT_SUPPORTED', 'protocol'],
]);

function classify(error: Error & { code?: string }, sent: boolean): UpstreamFailure['kind'] {
  if (error instanceof ClientBodyError) return 'client-body';
  // undici names llhttp's errors but does not always say which.
  if (error.name === 'HTTPParserError') return 'protocol';
  return KINDS.get(error.code ?? '') ?? (sent ? 'reset' : 'connect');
}

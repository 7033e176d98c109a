import type { UpstreamFailure } from '../upstream.ts';
import { ClientBodyError } from './inbound-body.ts';

/** Translates an error of undici into the port's words. `sent` as in UpstreamFailure. */
export function mapUndiciError(error: Error & { code?: string }, sent: boolean): UpstreamFailure {
  return { kind: classify(error, sent), sent, message: error.message };
}

function classify(error: Error & { code?: string }, sent: boolean): UpstreamFailure['kind'] {
  if (error instanceof ClientBodyError) return 'client-body';
  const code = error.code ?? '';
  if (code.startsWith('HPE_')) return 'protocol';
  switch (code) {
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
      return 'client-body';
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return 'timeout';
    case 'UND_ERR_ABORTED':
      return 'aborted';
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'UND_ERR_RESPONSE':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
      return 'protocol';
    default:
      return sent ? 'reset' : 'connect';
  }
}

import { isRetryable, RETRY_KINDS } from './code-row.ts';
import type { RetryKind } from './code-row.ts';
import { CODES, isCode } from './codes.ts';
import type { ProblemRetry } from './problem-document.ts';

/** What a client needs of a refusal, whichever dialect it came in. */
export interface ParsedProblem {
  /** One of CODES, or a code of a newer gateway. */
  readonly code: string;
  readonly message: string;
  /** Undefined when only OpenAI's inner `error` object was at hand and the code is not known here. */
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly action: string | undefined;
  readonly resolutionUrl: string | undefined;
  readonly documentationUrl: string | undefined;
  readonly retryable: boolean;
  readonly retry: ProblemRetry;
  readonly details: Readonly<Record<string, unknown>>;
}

type Members = Readonly<Record<string, unknown>>;

/** Ours are UPPER_SNAKE; it tells our bodies from an upstream's own (`insufficient_quota`). */
const CODE_FORM = /^[A-Z][A-Z0-9_]{2,63}$/;

/**
 * Reads a parsed JSON body of any dialect, or the inner `error` object that the official SDKs hand over
 * instead of the body. Undefined when it is not a refusal of this contract. For text that is not parsed
 * yet, and for XML, HTML, text and stream events, see read-problem.ts.
 */
export function parseProblem(json: unknown): ParsedProblem | undefined {
  const body = asMembers(json);
  if (body === undefined) return undefined;
  const error = asMembers(body['error']);
  const places = [
    // One place to look in: the envelope's own members win over those of the dialect's object inside it.
    { ...error, ...body },
    asMembers(error?.['data']),
    asMembers(body['data']),
    readGoogleError(body),
  ];
  for (const members of places) {
    const problem = members === undefined ? undefined : readMembers(members);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** google.rpc.Status by itself: the code is in ErrorInfo, its numbers are texts. */
function readGoogleError(error: Members): Members | undefined {
  const details: unknown = error['details'];
  if (!Array.isArray(details)) return undefined;
  const info = details.map(asMembers).find((each) => each?.['domain'] === 'tollkeeper');
  const metadata = asMembers(info?.['metadata']);
  if (info === undefined || metadata === undefined) return undefined;
  const { action, request_id: requestId, retry_kind: kind, ...numbers } = metadata;
  return {
    code: info['reason'],
    message: error['message'],
    status: error['code'],
    action,
    request_id: requestId,
    retry: { kind, resets_at: numbers['resets_at'] },
    details: numbers,
  };
}

function readMembers(members: Members): ParsedProblem | undefined {
  const code = findText(members, 'code');
  const message = findText(members, 'message');
  if (code === undefined || message === undefined || !CODE_FORM.test(code)) return undefined;
  const row = isCode(code) ? CODES[code] : undefined;
  const details = asMembers(members['details']) ?? {};
  const retry = parseRetry(asMembers(members['retry']), row?.retryKind, details);
  const status = members['status'];
  return {
    code,
    message,
    status: typeof status === 'number' ? status : row?.status,
    requestId: findText(members, 'request_id'),
    action: findText(members, 'action') ?? row?.actions[0],
    resolutionUrl: findText(members, 'resolution_url', 'resolutionLink'),
    documentationUrl: findText(members, 'documentation_url', 'documentation_link'),
    retryable: isRetryable(retry.kind),
    retry,
    details,
  };
}

/** C402-21: a kind that is absent or not known means never. */
function parseRetry(
  retry: Members | undefined,
  ofCode: RetryKind | undefined,
  details: Members,
): ProblemRetry {
  const resetsAt = findText(retry ?? details, 'resets_at');
  const seconds = retry?.['retry_after_seconds'];
  const sent = RETRY_KINDS.find((kind) => kind === retry?.['kind']);
  const planned = (retry === undefined ? ofCode : sent) ?? 'never_until_action';
  const kind = planned === 'after_reset' && resetsAt === undefined ? 'never_until_action' : planned;
  return {
    kind,
    ...(resetsAt === undefined ? {} : { resets_at: resetsAt }),
    ...(typeof seconds === 'number' && seconds >= 0 ? { retry_after_seconds: seconds } : {}),
  };
}

function asMembers(value: unknown): Members | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Members) : undefined;
}

function findText(members: Members, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = members[name];
    if (typeof value === 'string') return value;
  }
  return undefined;
}

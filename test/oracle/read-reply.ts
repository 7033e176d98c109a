import type { ProblemDocument } from '../../src/contract/problem-document.ts';
import type { Reply } from './trial.ts';
import type { Purchase } from './verdict.ts';

export const SERVED: Reply = { status: 200, code: undefined, limit: undefined, options: [] };

export function replyOf(status: number, body: string): Reply {
  if (status === 200) return SERVED;
  const { code, details } = JSON.parse(body) as ProblemDocument;
  const limit = details['exceeded_limit_type'] === 'credits' ? 'balance' : details['limit_id'];
  const options = (details['upgrade_options'] ?? []) as readonly Purchase[];
  return {
    status,
    code,
    limit: limit as string | undefined,
    options: options.map(({ kind, id }) => ({ kind, id })),
  };
}

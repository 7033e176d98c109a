import type { HeaderEdits, Route } from '../../domain/catalog.ts';

const NUMBERS = ['limit', 'remaining', 'reset'];
const COUNTED = ['requests', 'tokens', 'input-tokens', 'output-tokens', 'project-tokens'];

/** Whose account it is with the provider of a model, how much it may call there, and the session it has (LLM-18). */
const ACCOUNT_NAMES: readonly string[] = [
  'anthropic-organization-id',
  'openai-organization',
  'openai-project',
  'set-cookie',
  ...NUMBERS.flatMap((number) =>
    COUNTED.flatMap((counted) => [
      `x-ratelimit-${number}-${counted}`,
      `anthropic-ratelimit-${counted}-${number}`,
    ]),
  ),
];

/** The answer of a model comes from the operator's account: callers are told their own limits, not that one's. */
export function answerEditsOf({ kind, responseHeaders }: Route): HeaderEdits {
  if (kind === 'proxy') return responseHeaders;
  return { ...responseHeaders, remove: [...responseHeaders.remove, ...ACCOUNT_NAMES] };
}

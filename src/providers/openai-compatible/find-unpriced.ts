import { invalid } from './invalid.ts';
import type { Invalid } from './invalid.ts';
import { readList, isRecord } from './read-json.ts';
import type { JsonRecord } from './read-json.ts';

/**
 * Members by which a call costs the operator more than its tokens do at the price of its model, or by which the provider
 * tells no tokens; and the values by which it does not. Members that only shape an answer are none of them.
 */
const EXTRAS: ReadonlyMap<string, readonly unknown[]> = new Map<string, readonly unknown[]>([
  // Searches, billed by the piece, and their pages by the token: OpenAI, xAI, DashScope, OpenRouter.
  ['web_search_options', []],
  ['search_parameters', []],
  ['enable_search', [false]],
  ['plugins', []],
  // Azure: what it finds is put into the prompt, and what it sees in images is billed by the piece.
  ['data_sources', []],
  ['dataSources', []],
  ['enhancements', []],
  // Code that is run at the provider, and Groq's system of models and tools put together by the caller.
  ['enable_code_interpreter', [false]],
  ['compound_custom', []],
  // Other models that may answer instead or besides, and other hosts of this one, at their own prices:
  // OpenRouter, LiteLLM and others behind it, Together.
  ['models', []],
  ['fallbacks', []],
  ['context_window_fallbacks', []],
  ['content_policy_fallbacks', []],
  ['preset', []],
  ['provider', []],
  ['safety_model', []],
  // Completions that are written, billed and not sent: vLLM and older servers.
  ['best_of', [1]],
  // xAI: the answer is fetched elsewhere, later, and so are its tokens.
  ['deferred', [false]],
  // LiteLLM and Google, Vercel: members of any name inside, these and those that are priced too.
  ['extra_body', []],
  ['providerOptions', []],
  // Speech and images are billed by tokens of their own, at several times the price: OpenAI, DashScope, OpenRouter.
  ['modalities', ['text']],
  // OpenAI and Groq bill the faster ones at another price.
  ['service_tier', ['auto', 'default', 'flex', 'standard', 'on_demand']],
]);
export const EXTRA_MEMBERS: readonly string[] = [...EXTRAS.keys()];

/** What the caller runs; others run at the provider, who bills them. */
const OWN_TOOLS: ReadonlySet<unknown> = new Set(['function', 'custom']);

/** The first thing asked for that the price of the model does not cover. */
export function findUnpriced(body: JsonRecord): Invalid | undefined {
  for (const name of Object.keys(body)) {
    const harmless = EXTRAS.get(name);
    const value = body[name] ?? undefined;
    if (harmless === undefined || value === undefined) continue;
    if (harmless.includes(value) || isListOf(harmless, value)) continue;
    const wanted = harmless.length === 0 ? 'absent' : harmless.map(String).join(', ');
    return invalid(`/${name}`, `must be ${wanted}: the price of the model does not cover others`);
  }
  return findForeignTool(body['tools']);
}

function findForeignTool(tools: unknown): Invalid | undefined {
  const index = readList(tools).findIndex((tool) => isRecord(tool) && !isOwnTool(tool));
  if (index === -1) return undefined;
  return invalid(
    `/tools/${index}/type`,
    'must be "function" or "custom": what other tools cost at the provider is not known',
  );
}

/** One without a type is a function, or is named by its only member, as Google's are: `{"googleSearch": {}}`. */
function isOwnTool(tool: JsonRecord): boolean {
  const type = tool['type'] ?? undefined;
  if (type !== undefined) return OWN_TOOLS.has(type);
  return isRecord(tool['function']) || Object.keys(tool).length === 0;
}

/** Of words that are harmless, or of nothing; a list of anything else may be read as "yes". */
function isListOf(harmless: readonly unknown[], value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((each) => typeof each === 'string' && harmless.includes(each))
  );
}

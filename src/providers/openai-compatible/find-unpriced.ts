import { invalid } from './invalid.ts';
import type { Invalid } from './invalid.ts';
import { readList, isRecord } from './read-json.ts';
import type { JsonRecord } from './read-json.ts';

/** Members by which a call costs the operator more than its tokens do, and the values by which it does not. */
const EXTRAS: ReadonlyMap<string, readonly unknown[]> = new Map<string, readonly unknown[]>([
  // Searches, billed by the piece, and their pages by the token: OpenAI, xAI, DashScope, OpenRouter.
  ['web_search_options', []],
  ['search_parameters', []],
  ['enable_search', [false]],
  ['plugins', []],
  // OpenRouter: other models that may answer instead, at their own prices.
  ['models', []],
  // Speech and images are billed by tokens of their own, at several times the price: OpenAI, DashScope, OpenRouter.
  ['modalities', ['text']],
  // OpenAI and Groq bill the faster ones at another price.
  ['service_tier', ['auto', 'default', 'flex', 'standard', 'on_demand']],
]);
export const EXTRA_MEMBERS: readonly string[] = [...EXTRAS.keys()];

/** What the caller runs; others run at the provider, who bills them. */
const OWN_TOOLS: ReadonlySet<unknown> = new Set(['function', 'custom', undefined]);

/** The first thing asked for that the price of the model does not cover. */
export function findUnpriced(body: JsonRecord): Invalid | undefined {
  for (const [name, harmless] of EXTRAS) {
    const value = body[name] ?? undefined;
    if (value === undefined || harmless.includes(value) || isListOf(harmless, value)) continue;
    const wanted = harmless.length === 0 ? 'absent' : harmless.map(String).join(', ');
    return invalid(`/${name}`, `must be ${wanted}: the price of the model does not cover others`);
  }
  return findForeignTool(body['tools']);
}

function findForeignTool(tools: unknown): Invalid | undefined {
  const index = readList(tools).findIndex((tool) => isRecord(tool) && !OWN_TOOLS.has(tool['type']));
  if (index === -1) return undefined;
  return invalid(
    `/tools/${index}/type`,
    'must be "function" or "custom": what other tools cost at the provider is not known',
  );
}

/** Of words that are harmless, or of nothing; a list of anything else may be read as "yes". */
function isListOf(harmless: readonly unknown[], value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((each) => typeof each === 'string' && harmless.includes(each))
  );
}

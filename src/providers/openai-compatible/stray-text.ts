import { isRecord } from './read-json.ts';

/** Members that say how an answer is made, not what the model wrote. Speech and images are not text either. */
const FRAMING: ReadonlySet<string> = new Set([
  'annotations',
  'base_resp',
  'citations',
  'content_filter_result',
  'content_filter_results',
  'data',
  'embedding',
  'error',
  'event',
  'finish_reason',
  'format',
  'id',
  'logprobs',
  'matched_stop',
  'model',
  'native_finish_reason',
  'obfuscation',
  'object',
  'prompt_filter_results',
  'provider',
  'role',
  'search_results',
  'service_tier',
  'signature',
  'status',
  'stop_reason',
  'system_fingerprint',
  'thought_signature',
  'type',
  'url',
  'usage',
  'x_groq',
]);

/**
 * All text in a part of an answer, under whatever names: what reaches a caller in a shape that nobody told us about was
 * written all the same. Not recursive: an answer may be nested deeper than the stack.
 */
export function readStrayText(part: unknown): string {
  const texts: string[] = [];
  const open: unknown[] = [part];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string') texts.push(value);
    else if (Array.isArray(value)) for (const item of value) open.push(item);
    else if (isRecord(value)) {
      for (const name of Object.keys(value)) if (!isFraming(name)) open.push(value[name]);
    }
  }
  // What was put aside last was taken up first.
  return texts.toReversed().join('');
}

function isFraming(name: string): boolean {
  return FRAMING.has(name) || name.endsWith('_id');
}

import type { Provider } from '../provider.ts';
import { editBody } from './edit-body.ts';
import { readOutputText } from './output-text.ts';
import { parseChat, parseEmbeddings } from './parse-request.ts';
import { OpenaiStreamMeter } from './stream-meter.ts';
import { readUsage } from './usage.ts';

/** Chat completions and embeddings as OpenAI defines them and most other servers speak them (LLM-02). */
export const openaiCompatible: Provider = {
  type: 'openai-compatible',
  parseChat,
  parseEmbeddings,
  editBody,
  readUsage,
  readOutputText,
  openStreamMeter: (options) => new OpenaiStreamMeter(options),
};

import { readFileSync } from 'node:fs';
import { describeProvider } from '../provider.conformance.ts';
import type { StreamCase } from '../provider.conformance.ts';
import { openaiCompatible } from './openai-compatible.ts';

const GREETING = 'Grüße aus 東京 🗼!';
const REPORTED = { inputTokens: 21, cachedInputTokens: 0, outputTokens: 6 };
/** Events with a usage object and no choices. */
const USAGE_ONLY = /^data: .*"choices":(?:\[\]|null),"usage":\{.*\n\n/gmu;

const OTHER_LINE_ENDS = ['\r\n', '\r'];

const STREAMS: Record<string, Omit<StreamCase, 'title' | 'bytes' | 'usageOnly'>> = {
  'usage-asked': { reported: { ...REPORTED, cachedInputTokens: 16 }, text: GREETING, pieces: 5 },
  'usage-null-choices': {
    reported: { ...REPORTED, cachedInputTokens: 16 },
    text: GREETING,
    pieces: 5,
  },
  'usage-on-finish': { reported: REPORTED, text: GREETING, pieces: 5 },
  'usage-every-chunk': { reported: REPORTED, text: GREETING, pieces: 5 },
  'no-usage': { reported: undefined, text: GREETING, pieces: 5 },
  'two-choices': {
    reported: { inputTokens: 9, cachedInputTokens: 0, outputTokens: 6 },
    text: 'YesNo, sir.!',
    pieces: 5,
  },
  'tool-calls': { reported: undefined, text: 'get_weather{"city":"Bern"}I cannot', pieces: 4 },
  reasoning: {
    reported: { inputTokens: 12, cachedInputTokens: 0, outputTokens: 8 },
    text: '2 and 2 is 44',
    pieces: 3,
  },
  'error-inside': { reported: undefined, text: 'Half an', pieces: 1 },
  'content-filter-first': {
    reported: { inputTokens: 3, cachedInputTokens: 0, outputTokens: 1 },
    text: 'Hi',
    pieces: 1,
  },
  'multi-line': {
    reported: { inputTokens: 5, cachedInputTokens: 0, outputTokens: 2 },
    text: 'a b',
    pieces: 1,
  },
};

function readFixture(name: string): Buffer {
  return readFileSync(new URL(`./__fixtures__/${name}`, import.meta.url));
}

function buildStreamCase(name: string, lineEnd: string): StreamCase[] {
  const meaning = STREAMS[name];
  if (meaning === undefined) return [];
  const text = readFixture(`${name}.sse`).toString();
  const usageOnly =
    name === 'multi-line' ? [/id: 2\n.*\n.*\n\n/u.exec(text)?.[0] ?? ''] : text.match(USAGE_ONLY);
  return [
    {
      ...meaning,
      title: `${name} with ${JSON.stringify(lineEnd)}`,
      bytes: Buffer.from(text.replaceAll('\n', lineEnd)),
      usageOnly: (usageOnly ?? []).map((event) => event.replaceAll('\n', lineEnd)),
    },
  ];
}

describeProvider(openaiCompatible, {
  buildChat: (text, model) => ({ model, messages: [{ role: 'user', content: text }] }),
  streams: [
    ...Object.keys(STREAMS).flatMap((name) => buildStreamCase(name, '\n')),
    ...OTHER_LINE_ENDS.flatMap((lineEnd) =>
      ['usage-asked', 'no-usage', 'multi-line'].flatMap((name) => buildStreamCase(name, lineEnd)),
    ),
  ],
  answers: [
    {
      title: 'a chat completion',
      body: readFixture('chat.json'),
      usage: { inputTokens: 19, cachedInputTokens: 3, outputTokens: 10 },
      text: 'The key is "usage": {"prompt_tokens": 1}.',
    },
    {
      title: 'embeddings',
      body: readFixture('embeddings.json'),
      usage: { inputTokens: 8, cachedInputTokens: 0, outputTokens: 0 },
      text: '',
    },
  ],
});

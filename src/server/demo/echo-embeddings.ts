import { createHash } from 'node:crypto';
import { countEchoTokens } from './echo-tokens.ts';

const DIMENSIONS_DEFAULT = 256;
const DIMENSIONS_MAX = 3072;
const UINT32_MAX = 0xffff_ffff;

/** `input` of the body, which parseEmbeddings has checked; the rest as it came. */
export interface EchoEmbeddings {
  readonly model: string;
  readonly input: unknown;
  readonly dimensions: unknown;
  readonly encodingFormat: unknown;
  readonly omitUsage: boolean;
}

export type EmbeddingsAnswer =
  | { readonly kind: 'ok'; readonly body: object }
  | { readonly kind: 'invalid'; readonly pointer: string; readonly problem: string };

/**
 * A unit vector per input, made from the input's hash: the same text always has the same one, different
 * texts have unrelated ones. `base64` (what the official SDK asks for) is little-endian 32-bit floats.
 */
export function answerEmbeddings(embeddings: EchoEmbeddings): EmbeddingsAnswer {
  const { model, omitUsage } = embeddings;
  const dimensions = embeddings.dimensions ?? DIMENSIONS_DEFAULT;
  if (!isDimensions(dimensions)) {
    const problem = `must be a whole number from 1 to ${DIMENSIONS_MAX}`;
    return { kind: 'invalid', pointer: '/dimensions', problem };
  }
  const format = embeddings.encodingFormat ?? 'float';
  if (format !== 'float' && format !== 'base64') {
    return { kind: 'invalid', pointer: '/encoding_format', problem: 'must be "float" or "base64"' };
  }
  const inputs = listInputs(embeddings.input);
  const data = inputs.map(({ text }, index) => {
    const vector = buildVector(text, dimensions);
    const embedding = format === 'base64' ? encodeVector(vector) : vector;
    return { object: 'embedding', index, embedding };
  });
  const tokens = inputs.reduce((sum, input) => sum + input.tokens, 0);
  const usage = omitUsage ? undefined : { prompt_tokens: tokens, total_tokens: tokens };
  return { kind: 'ok', body: { object: 'list', data, model, usage } };
}

function isDimensions(value: unknown): value is number {
  return (
    typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= DIMENSIONS_MAX
  );
}

interface Input {
  readonly text: string;
  readonly tokens: number;
}

/** A text, texts, token ids, or lists of token ids, each of which is one token. */
function listInputs(input: unknown): readonly Input[] {
  const isOne = !Array.isArray(input) || typeof input[0] === 'number';
  const inputs: readonly unknown[] = isOne ? [input] : input;
  return inputs.map((each) => {
    if (Array.isArray(each)) return { text: each.join(' '), tokens: each.length };
    const text = String(each);
    return { text, tokens: countEchoTokens(text) };
  });
}

function buildVector(text: string, dimensions: number): readonly number[] {
  const seed = createHash('sha256').update(text).digest();
  const raw: number[] = [];
  for (let block = 0; raw.length < dimensions; block += 1) {
    const bytes = createHash('sha256').update(seed).update(String(block)).digest();
    for (let at = 0; at < bytes.length && raw.length < dimensions; at += 4) {
      raw.push((2 * bytes.readUInt32LE(at)) / UINT32_MAX - 1);
    }
  }
  const length = Math.hypot(...raw);
  return raw.map((value) => Math.fround(value / length));
}

function encodeVector(vector: readonly number[]): string {
  const bytes = Buffer.alloc(4 * vector.length);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, 4 * index);
  return bytes.toString('base64');
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseUsage, readUsage } from './usage.ts';

const ODD = [-1, 1.5, '5', true, [], {}, 1e10, Number.NaN];

describe('LLM-06 parseUsage', () => {
  it.each([
    ['chat', { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 }, [5, 0, 3]],
    [
      'cached',
      { prompt_tokens: 5, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 4 } },
      [5, 4, 3],
    ],
    ['embeddings', { prompt_tokens: 5, total_tokens: 5 }, [5, 0, 0]],
    ['a total without a prompt', { completion_tokens: 3, total_tokens: 8 }, [5, 0, 3]],
    [
      'reasoning in the total only',
      { prompt_tokens: 5, completion_tokens: 3, total_tokens: 20 },
      [5, 0, 15],
    ],
    [
      'a total that is too small',
      { prompt_tokens: 5, completion_tokens: 3, total_tokens: 1 },
      [5, 0, 3],
    ],
    [
      'null details',
      { prompt_tokens: 5, completion_tokens: 3, prompt_tokens_details: null },
      [5, 0, 3],
    ],
    ['the names of the Responses API', { input_tokens: 5, output_tokens: 3 }, [5, 0, 3]],
    [
      'its details',
      {
        input_tokens: 5,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens: 3,
        total_tokens: 8,
      },
      [5, 4, 3],
    ],
    [
      "Anthropic's caches, which are beside the input",
      {
        input_tokens: 5,
        cache_read_input_tokens: 70,
        cache_creation_input_tokens: 20,
        output_tokens: 3,
      },
      [95, 70, 3],
    ],
    [
      'the same names beside prompt tokens, which include them',
      { prompt_tokens: 95, cache_creation_input_tokens: 20, completion_tokens: 3 },
      [95, 0, 3],
    ],
    [
      'reasoning that the completion does not have',
      {
        prompt_tokens: 5,
        completion_tokens: 3,
        completion_tokens_details: { reasoning_tokens: 90 },
      },
      [5, 0, 93],
    ],
    [
      'reasoning that it has',
      {
        prompt_tokens: 5,
        completion_tokens: 93,
        completion_tokens_details: { reasoning_tokens: 90 },
      },
      [5, 0, 93],
    ],
  ])('reads %s', (_title, value, [inputTokens, cachedInputTokens, outputTokens]) => {
    const counts = { inputTokens, cachedInputTokens, outputTokens, isSum: false };
    expect(parseUsage(value)).toEqual(counts);
  });

  it('knows a sum from a count of the input', () => {
    const counts = { inputTokens: 5, cachedInputTokens: 0, outputTokens: 0 };
    expect(parseUsage({ total_tokens: 5 })).toEqual({ ...counts, isSum: true });
    expect(parseUsage({ prompt_tokens: 5 })).toEqual({ ...counts, isSum: false });
  });

  it.each([
    undefined,
    null,
    'text',
    [],
    {},
    { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    { completion_tokens: 5, total_tokens: 3 },
    { prompt_tokens: 1, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 2 } },
    ...ODD.flatMap((odd) => [
      { prompt_tokens: odd, completion_tokens: 1 },
      { prompt_tokens: 1, completion_tokens: odd },
      { prompt_tokens: 1, completion_tokens: 1, total_tokens: odd },
      { prompt_tokens: 1, completion_tokens: 1, prompt_tokens_details: { cached_tokens: odd } },
    ]),
  ])('believes nothing of %j', (value) => {
    expect(parseUsage(value)).toBeUndefined();
  });
});

describe('LLM-06 readUsage', () => {
  const usage = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };
  const expected = { inputTokens: 5, cachedInputTokens: 0, outputTokens: 3, isSum: false };
  const decoy = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };

  it.each([
    ['at the end', { choices: [], usage }],
    ['in front', { usage, choices: ['x'.repeat(9_000)] }],
    ['in front of a member with braces in it', { usage, z: '}}"]' }],
    ['in front of a nested one', { usage, meta: { usage: decoy } }],
    ['in front of a deeply nested one', { usage, meta: [[{ usage: decoy }], 1] }],
    ['behind a nested one', { meta: { usage: decoy }, usage }],
    ['in front of a text that names it', { usage, z: '"usage"', y: 'usage' }],
    ['in front of a key that ends with it', { usage, 'x"usage': decoy }],
  ])('finds the top-level member %s', (_title, answer) => {
    for (const space of [0, 2]) {
      expect(readUsage(Buffer.from(JSON.stringify(answer, null, space)))).toEqual(expected);
    }
  });

  it.each([
    ['as hits of a cache (DeepSeek)', { prompt_cache_hit_tokens: 8, prompt_cache_miss_tokens: 2 }],
    ['beside the others (Moonshot)', { cached_tokens: 8 }],
    ['twice', { prompt_tokens_details: { cached_tokens: 8 }, prompt_cache_hit_tokens: 9 }],
  ])('finds the cached ones %s', (_title, cached) => {
    const counts = { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11, ...cached };
    expect(parseUsage(counts)?.cachedInputTokens).toBe(8);
  });

  it.each([
    ['only nested', { meta: { usage } }],
    ['only in a text', { choices: [JSON.stringify({ usage })] }],
    ['null', { usage: null }],
  ])('finds none where it is %s', (_title, answer) => {
    expect(readUsage(Buffer.from(JSON.stringify(answer)))).toBeUndefined();
  });

  it('reads the names of other families in an answer of this one alone', () => {
    const others = { input_tokens: 5, output_tokens: 3, total_tokens: 8 };
    const read = (answer: object) => readUsage(Buffer.from(JSON.stringify(answer)));
    expect(read({ choices: [{}], usage: others })).toEqual(expected);
    expect(read({ data: [{}], usage: others })).toEqual(expected);
    expect(read({ object: 'response', output: [], usage: others })).toBeUndefined();
  });

  it('says what a full parse says, whatever stands around it', () => {
    const names = fc.constantFrom('usage', 'a', '"usage', 'usage"', 'b');
    const anything = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, 1, '"usage":{', '}', '"usage"', usage, decoy),
        fc.dictionary(names, tie('value'), { maxKeys: 3 }),
        fc.array(tie('value'), { maxLength: 3 }),
      ),
    })).value;
    fc.assert(
      fc.property(fc.dictionary(names, anything), fc.constantFrom(0, 1), (answer, space) => {
        const text = JSON.stringify(answer, null, space);
        expect(readUsage(Buffer.from(text))).toEqual(parseUsage(JSON.parse(text).usage));
      }),
      { numRuns: 1_000 },
    );
  });
});

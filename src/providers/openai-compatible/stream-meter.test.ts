import { describe, expect, it } from 'vitest';
import { OpenaiStreamMeter } from './stream-meter.ts';

function send(chunks: readonly object[], meter = open()): OpenaiStreamMeter {
  for (const chunk of chunks) meter.push(Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`));
  return meter;
}

function open(): OpenaiStreamMeter {
  return new OpenaiStreamMeter({ inputTokensBound: 50, keepUsageChunk: false });
}

function delta(content: unknown, usage?: unknown): object {
  const choices = [{ index: 0, delta: { content }, finish_reason: null }];
  return usage === undefined ? { choices } : { choices, usage };
}

describe('LLM-06 what a stream has used so far', () => {
  it('is a token a piece at least, and a token for four bytes of text', () => {
    expect(send([delta('a'), delta('b'), delta('c')]).usage().outputTokens).toBe(3);
    expect(send([delta('x'.repeat(401))]).usage().outputTokens).toBe(101);
    expect(send([delta('é'.repeat(8))]).usage().outputTokens).toBe(4);
    expect(send([delta(''), delta(null), {}, { choices: [{}] }]).usage().outputTokens).toBe(0);
  });

  const refused = { error: { code: 402, message: 'Insufficient credits' } };

  it('LLM-19 is nothing where an error comes before any text: that is the answer, and not passed on', () => {
    const meter = open();
    const comment = Buffer.from(': PROCESSING\n\n');
    const event = Buffer.from(`data: ${JSON.stringify(refused)}\n\ndata: [DONE]\n\n`);
    expect(meter.push(comment)).toEqual(comment);
    expect(meter.push(event)).toHaveLength(0);
    expect(JSON.parse(meter.refusal?.toString() ?? '')).toEqual(refused);
    const choices = [{ index: 0, delta: { content: '' }, finish_reason: 'error' }];
    expect(send([delta(''), { ...refused, choices }]).refusal).toBeDefined();
    expect(send([{ base_resp: { status_code: 1008 } }]).refusal).toBeDefined();
  });

  it('LLM-19 is what was written before an error, and the error is passed on', () => {
    const meter = send([delta('a')]);
    const event = Buffer.from(`data: ${JSON.stringify(refused)}\n\n`);
    expect([meter.push(event), meter.refusal]).toEqual([event, undefined]);
    const fine = { base_resp: { status_code: 0 }, error: null, choices: [] };
    expect(send([fine]).refusal).toBeUndefined();
  });

  it('is cut by the fewest tokens it can be: the longest token has 128 bytes', () => {
    expect(send([delta('x'.repeat(1_280))]).outputTokensFloor).toBe(10);
    expect(send([delta('x'.repeat(1_281))]).outputTokensFloor).toBe(11);
    expect(send([delta('a'), delta('b')]).outputTokensFloor).toBe(2);
  });

  it('is the last report, and what came after it on top', () => {
    const report = { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 };
    const meter = send([delta('a'), delta('b', report)]);
    expect(meter.exact).toBe(true);
    expect(meter.usage()).toMatchObject({ inputTokens: 7, outputTokens: 2, estimated: false });
    send([delta('c'), delta('12345678')], meter);
    expect(meter.exact).toBe(false);
    expect(meter.usage()).toMatchObject({ inputTokens: 7, outputTokens: 5, estimated: true });
    send([{ choices: [], usage: { ...report, completion_tokens: 4 } }], meter);
    expect(meter.usage()).toMatchObject({ inputTokens: 7, outputTokens: 4, estimated: false });
  });

  it('is the report that comes with the last piece, where Groq and Moonshot put it', () => {
    const usage = { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 };
    const last = { index: 0, delta: {}, finish_reason: 'stop' };
    for (const end of [
      { choices: [last], x_groq: { id: 'req_1', usage } },
      { choices: [{ ...last, usage }] },
    ]) {
      const event = Buffer.from(`data: ${JSON.stringify(end)}\n\n`);
      const meter = send([{ choices: [{ delta: {} }], x_groq: { id: 'req_1' } }, delta('a')]);
      expect(meter.push(event)).toEqual(event);
      expect(meter.usage()).toMatchObject({ inputTokens: 7, outputTokens: 2, estimated: false });
    }
  });

  it.each([{}, { prompt_tokens: -1 }, { prompt_tokens: 0, completion_tokens: 0 }, { a: 1 }])(
    'ignores the report %j',
    (report) => {
      const meter = send([delta('a'), { choices: [], usage: report }]);
      expect(meter.exact).toBe(false);
      expect(meter.usage()).toMatchObject({ inputTokens: 50, outputTokens: 1, estimated: true });
    },
  );

  it('reads pieces of other shapes', () => {
    const shapes = [
      {
        content: [
          { type: 'text', text: 'a' },
          { type: 'thinking', thinking: [{ text: 'b' }] },
        ],
      },
      { reasoning: 'c' },
      { reasoning: 'd', reasoning_content: 'd' },
      { function_call: { name: 'e', arguments: 'f' } },
      { tool_calls: [{ custom: { name: 'g', input: 'h' } }, null, { function: 'x' }] },
      { audio: { id: 'x', data: 'AAAA', transcript: 'i' } },
      { content: [null, 5, { text: 6 }] },
    ];
    const meter = send(shapes.map((shape) => ({ choices: [{ index: 0, delta: shape }] })));
    expect(meter.outputText()).toBe('abcdefghi');
    expect(meter.outputTokensFloor).toBe(6);
  });

  it.each([
    ['a completion', { choices: [{ index: 0, text: 'one two ' }] }],
    ['a message', { choices: [{ message: { role: 'assistant', content: 'one two ' } }] }],
    ['a bare text', { choices: [{ delta: 'one two ' }] }],
    [
      'reasoning in parts (OpenRouter)',
      {
        choices: [{ delta: { reasoning_details: [{ type: 'reasoning.text', text: 'one two ' }] } }],
      },
    ],
    ['a name that nobody told us', { choices: [{ delta: { role: 'x', thought: ['one two '] } }] }],
    ['another family of APIs', { type: 'content_block_delta', delta: { text: 'one two ' } }],
  ])('reads text that stands in %s', (_shape, chunk) => {
    const meter = send([{ choices: [{ delta: { role: 'assistant' } }] }, chunk, chunk]);
    expect(meter.outputText()).toBe('one two one two ');
    expect(meter.usage()).toMatchObject({ outputTokens: 4, estimated: true });
    send([{ choices: [], usage: { prompt_tokens: 7, completion_tokens: 0 } }], meter);
    expect(meter.usage()).toMatchObject({ inputTokens: 7, outputTokens: 4, estimated: true });
  });

  it('counts no text that a report of the upstream may have left out because it is none', () => {
    const usage = { prompt_tokens: 7, completion_tokens: 1 };
    const meter = send([delta('a', usage), { choices: [], note: 'served from the cache' }]);
    expect(meter.usage()).toMatchObject({ inputTokens: 7, outputTokens: 1, estimated: false });
  });

  it('takes what frames an answer for no text, and what is said in two members once', () => {
    const reasoning_details = [{ type: 'reasoning.text', text: 'a', format: 'f', signature: 's' }];
    const meter = send([
      { id: 'i', object: 'chat.completion.chunk', model: 'm', provider: 'p', choices: [] },
      { choices: [{ delta: { role: 'assistant', content: '' }, finish_reason: null }] },
      { choices: [{ delta: { content: '', reasoning: 'a', reasoning_details } }] },
      { choices: [{ delta: { tool_calls: [{ id: 'call_1', type: 'function' }] } }] },
      { choices: [{ delta: {}, finish_reason: 'stop', logprobs: { content: [{ token: 'a' }] } }] },
      { choices: [], obfuscation: 'x', prompt_filter_results: [{ severity: 'safe' }] },
    ]);
    expect(meter.outputText()).toBe('a');
  });

  it('passes nothing but comments on before a word of an answer', () => {
    const meter = open();
    const comment = Buffer.from(': wait\n\n');
    const ping = Buffer.from('event: ping\ndata: {"type":"ping"}\n\n');
    expect([meter.push(comment), meter.push(ping)]).toEqual([comment, Buffer.alloc(0)]);
    expect(meter.push(comment)).toHaveLength(0);
    const word = Buffer.from(`data: ${JSON.stringify(delta('a'))}\n\n`);
    expect(meter.push(word)).toEqual(Buffer.concat([ping, comment, word]));
    expect(meter.push(word)).toEqual(word);
    expect(meter.refusal).toBeUndefined();
  });

  it('bound: of what is none of these streams 64 KiB are kept, then it is over', () => {
    const meter = open();
    const event = Buffer.from(`data: ${JSON.stringify({ text: 'x'.repeat(1000) })}\n\n`);
    let passed = 0;
    let pushed = 0;
    for (; meter.refusal === undefined && pushed < 100; pushed += 1)
      passed += meter.push(event).length;
    expect([passed, pushed]).toEqual([0, Math.floor((64 * 1024) / event.length) + 1]);
  });

  it('keeps a chunk with usage and an error, and one with usage and choices', () => {
    const error = { choices: [], usage: { total_tokens: 1 }, error: { message: 'x' } };
    const text = `data: ${JSON.stringify(error)}\n\ndata: ${JSON.stringify(delta('a', {}))}\n\n`;
    expect(open().push(Buffer.from(text)).toString()).toBe(text);
  });

  it('keeps at most 1 MiB of text, and counts on beyond it', () => {
    const piece = 'x'.repeat(512 * 1024);
    const meter = send([delta(piece), delta(piece), delta('more'), delta(piece)]);
    expect(meter.outputText()).toHaveLength(1024 * 1024);
    expect(meter.usage().outputTokens).toBe((3 * 512 * 1024 + 4) / 4);
    expect(meter.failure).toBeUndefined();
  });

  it('takes an event of a million bytes that come one by one, and one of many lines', () => {
    const meter = open();
    const event = Buffer.from(`data: ${JSON.stringify(delta('y'.repeat(200_000)))}\n\n`);
    for (const byte of event) meter.push(Buffer.of(byte));
    expect(meter.outputText()).toHaveLength(200_000);
    const lines = Buffer.from(`${'data:\n'.repeat(150_000)}\n`);
    expect(meter.push(lines).equals(lines)).toBe(true);
  });
});

import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { countTokens } from './count-tokens.ts';
import { openTokenizer } from './tokenizer.ts';
import type { Tokenizer, TokenizerOptions } from './tokenizer.ts';

const open: Tokenizer[] = [];

function start(options?: TokenizerOptions): Tokenizer {
  const tokenizer = openTokenizer(options);
  open.push(tokenizer);
  return tokenizer;
}

/** A thread that answers with the length, dies on `die`, and never answers on `hang`. */
const FICKLE_THREAD = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', (text) => {
      if (text === 'die') process.exit(3);
      if (text === 'throw') throw new Error('no memory for this');
      if (text !== 'hang') parentPort.postMessage(text.length);
    });
  `)}`,
);

afterEach(async () => {
  await Promise.all(open.splice(0).map((tokenizer) => tokenizer.close()));
});

describe('LLM-06 fallback tokenizer', () => {
  const tokenizer = openTokenizer({ timeoutMs: 25_000 });
  afterAll(() => tokenizer.close());

  // From OpenAI's cookbook, https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken (o200k_base).
  it.each([
    ['antidisestablishmentarianism', 6],
    ['2 + 2 = 4', 7],
    ['お誕生日おめでとう', 8],
    ['', 0],
  ])('counts %j in a thread of its own', async (text, tokens) => {
    await expect(tokenizer.count(text)).resolves.toBe(tokens);
  });

  it('takes the names of special tokens for the text they are', async () => {
    await expect(tokenizer.count('<|endoftext|>')).resolves.toBe(7);
  });

  it('answers every caller with the count of its own text', async () => {
    const texts = Array.from({ length: 40 }, (_, index) => 'word '.repeat(index));
    const counts = await Promise.all(texts.map((text) => tokenizer.count(text)));
    expect(counts).toEqual(texts.map(countTokens));
  });

  it('leaves the event loop free while it counts', async () => {
    let ticks = 0;
    const ticker = setInterval(() => (ticks += 1), 1);
    await tokenizer.count('The quick brown fox. '.repeat(40_000));
    clearInterval(ticker);
    expect(ticks).toBeGreaterThan(1);
  });

  // 256 KiB of letters in one piece would take 40 s: beyond the time-out above.
  it.each([
    ['letters', 'a'],
    ['spaces', ' '],
    ['surrogate pairs', '\u{1f600}'],
  ])('counts 256 KiB of %s without a break, in time and within bounds', async (_name, unit) => {
    const text = unit.repeat((256 * 1024) / Buffer.byteLength(unit));
    const count = await tokenizer.count(text);
    expect(count).toBeLessThanOrEqual(Buffer.byteLength(text));
    expect(count).toBeGreaterThanOrEqual(Buffer.byteLength(text) / 128);
  });
});

describe('bounds of the tokenizer', () => {
  it('refuses a text above its bound, in bytes', async () => {
    const tokenizer = start({ threadUrl: FICKLE_THREAD, textBytesMax: 6 });
    await expect(tokenizer.count('äää')).resolves.toBe(3);
    await expect(tokenizer.count('äääa')).rejects.toMatchObject({
      code: 'TEXT_TOO_LONG',
      message: 'the text is longer than 6 bytes: use its bytes as the bound',
    });
  });

  it('refuses the 65th that would wait, and serves the 64', async () => {
    const tokenizer = start({ threadUrl: FICKLE_THREAD });
    const running = Array.from({ length: 65 }, (_, index) => tokenizer.count('x'.repeat(index)));
    await expect(tokenizer.count('one too many')).rejects.toMatchObject({
      code: 'QUEUE_FULL',
      message: '64 texts wait for the tokenizer already: use bytes as the bound',
    });
    expect(await Promise.all(running)).toEqual(running.map((_, index) => index));
  });

  it('gives up on a text that takes too long, and on what waited behind it', async () => {
    const tokenizer = start({ threadUrl: FICKLE_THREAD, timeoutMs: 300 });
    const outcomes = await Promise.allSettled([tokenizer.count('hang'), tokenizer.count('hang')]);
    expect(outcomes).toMatchObject([
      { reason: { code: 'TIMEOUT', message: 'not counted within 300 ms' } },
      { reason: { code: 'TIMEOUT' } },
    ]);
  });

  it('counts on in a new thread after one got stuck', async () => {
    const tokenizer = start({ threadUrl: FICKLE_THREAD, timeoutMs: 1_500 });
    await expect(tokenizer.count('hang')).rejects.toMatchObject({ code: 'TIMEOUT' });
    // A new thread may take its time to start on a busy machine.
    await vi.waitFor(async () => expect(await tokenizer.count('next')).toBe(4), 20_000);
  });

  it.each(['die', 'throw'])('survives a thread that ends by %s: one text is lost', async (end) => {
    const tokenizer = start({ threadUrl: FICKLE_THREAD });
    const outcomes = await Promise.allSettled(
      ['four', end, 'seven77'].map((t) => tokenizer.count(t)),
    );
    expect(outcomes).toMatchObject([
      { value: 4 },
      { status: 'rejected', reason: { code: 'THREAD_DIED' } },
      { value: 7 },
    ]);
  });

  it('rejects what is open when it closes, and what comes after', async () => {
    const tokenizer = start({ threadUrl: FICKLE_THREAD });
    const stuck = tokenizer.count('hang');
    const outcomes = Promise.allSettled([stuck, tokenizer.count('x')]);
    await tokenizer.close();
    expect(await outcomes).toMatchObject([
      { reason: { code: 'CLOSED' } },
      { reason: { code: 'CLOSED' } },
    ]);
    await expect(tokenizer.count('x')).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

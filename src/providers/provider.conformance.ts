import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Provider, RequestEdits, StreamMeter } from './provider.ts';

/** One stream as a server of this family sends it, and what it means. */
export interface StreamCase {
  readonly title: string;
  readonly bytes: Buffer;
  /** The events, of `bytes`, that report usage and nothing else: dropped for who did not ask. */
  readonly usageOnly: readonly string[];
  /** What the stream itself reports, or undefined. */
  readonly reported:
    | {
        readonly inputTokens: number;
        readonly cachedInputTokens: number;
        readonly outputTokens: number;
      }
    | undefined;
  readonly text: string;
  /** Pieces of text in it: each is a token at least. */
  readonly pieces: number;
}

export interface ProviderCases {
  /** A chat body in this family's format, with this as the one message. */
  readonly buildChat: (text: string, model: string) => Record<string, unknown>;
  readonly streams: readonly StreamCase[];
  readonly answers: readonly {
    readonly title: string;
    readonly body: Buffer;
    readonly usage: {
      readonly inputTokens: number;
      readonly cachedInputTokens: number;
      readonly outputTokens: number;
    };
    readonly text: string;
  }[];
}

const INPUT_BOUND = 1_234;
const NO_EDITS = { outputTokensMax: undefined, includeUsage: false };

/** What every adapter must do; running this is the definition of a working one (house style 3). */
export function describeProvider(provider: Provider, cases: ProviderCases): void {
  describe(`${provider.type}: requests`, () => {
    describeRequests(provider, cases);
  });
  describe(`${provider.type}: answers`, () => {
    describeAnswers(provider, cases);
  });
  for (const stream of cases.streams) {
    describe(`${provider.type}: ${stream.title}`, () => {
      describeStream(provider, stream);
    });
  }
  describe(`${provider.type}: broken streams`, () => {
    describeBrokenStreams(provider);
  });
}

function describeRequests(provider: Provider, cases: ProviderCases): void {
  it.each([[null], [undefined], [0], ['text'], [[]], [{}], [{ model: 1 }]])(
    'LLM-19 refuses the body %j with a pointer and a reason',
    (body) => {
      for (const parsed of [provider.parseChat(body, 10), provider.parseEmbeddings(body, 10)]) {
        expect(parsed).toMatchObject({
          kind: 'invalid',
          pointer: expect.stringMatching(/^(\/|$)/),
          problem: expect.stringMatching(/\w/),
        });
      }
    },
  );

  it('LLM-08 holds for at least the bytes of what the model reads', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const body = cases.buildChat(text, 'm');
        const parsed = provider.parseChat(body, Buffer.byteLength(JSON.stringify(body)));
        if (parsed.kind !== 'ok') throw new Error(`${parsed.pointer} ${parsed.problem}`);
        expect(parsed.request.model).toBe('m');
        expect(parsed.request.inputTokensBound).toBeGreaterThan(Buffer.byteLength(text));
        expect(parsed.request.inputText()).toContain(text);
      }),
    );
  });

  it('leaves the bytes alone when there is nothing to edit', () => {
    const body = Buffer.from(JSON.stringify(cases.buildChat('text', 'same'), null, 3));
    const edits: RequestEdits = { ...NO_EDITS, upstreamModel: 'same' };
    expect(provider.editBody(body, JSON.parse(body.toString()), edits)).toEqual(body);
  });

  it('LLM-02 puts in the upstream model, and a bound that reads back as the bound', () => {
    const body = Buffer.from(JSON.stringify(cases.buildChat('text', 'alias')));
    const edits: RequestEdits = { upstreamModel: 'real', outputTokensMax: 77, includeUsage: true };
    const edited: unknown = JSON.parse(
      provider.editBody(body, JSON.parse(body.toString()), edits).toString(),
    );
    expect(provider.parseChat(edited, 1_000)).toMatchObject({
      kind: 'ok',
      request: { model: 'real', outputTokensMax: 77 },
    });
  });
}

function describeAnswers(provider: Provider, cases: ProviderCases): void {
  it.each(cases.answers)('LLM-06 reads the usage and the text of $title', (answer) => {
    expect(provider.readUsage(answer.body)).toEqual({ ...answer.usage, isSum: false });
    expect(provider.readOutputText(answer.body)).toBe(answer.text);
  });

  it.each(['', '{', 'null', '[]', '{"error":null}', '<html>', '\u0000"usage"', '"usage"'])(
    'finds no usage and no answer in %j, and does not throw',
    (text) => {
      expect(provider.readUsage(Buffer.from(text))).toBeUndefined();
      expect(provider.readOutputText(Buffer.from(text))).toBeUndefined();
    },
  );

  it('LLM-19 tells an error from an answer without usage', () => {
    const body = Buffer.from('{"error":{"message":"no","code":502}}');
    expect([provider.readUsage(body), provider.readOutputText(body)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('does not throw on an answer cut anywhere', () => {
    for (const { body } of cases.answers) {
      for (let length = 0; length < body.length; length += 1) {
        const cut = body.subarray(0, length);
        expect(() => [provider.readUsage(cut), provider.readOutputText(cut)]).not.toThrow();
      }
    }
  });
}

function describeStream(provider: Provider, stream: StreamCase): void {
  const open = (keepUsageChunk: boolean) =>
    provider.openStreamMeter({ inputTokensBound: INPUT_BOUND, keepUsageChunk });
  const withoutUsage = Buffer.from(
    stream.usageOnly.reduce((text, event) => text.replace(event, ''), stream.bytes.toString()),
  );

  it.each([
    ['passes every byte on to who asked for usage', true, stream.bytes],
    ['passes all but the usage-only events on to who did not', false, withoutUsage],
  ])('LLM-06 %s, split anywhere', (_title, keepUsageChunk, expected) => {
    const measured = expectMeasure(stream, expected.length);
    const wrong: number[] = [];
    for (let split = 0; split <= stream.bytes.length; split += 1) {
      const meter = open(keepUsageChunk);
      const passed = Buffer.concat([
        meter.push(stream.bytes.subarray(0, split)),
        meter.push(stream.bytes.subarray(split)),
        meter.flush(),
      ]);
      // A full `expect` at each of some thousand splits would take most of the time.
      const isSame = passed.equals(expected) && isDeepStrictEqual(readMeasure(meter), measured);
      if (!isSame) wrong.push(split);
    }
    expect(wrong).toEqual([]);
  });

  it('LLM-06 reads the same from single bytes', () => {
    const meter = open(false);
    const parts = Array.from(stream.bytes, (byte) => meter.push(Buffer.of(byte)));
    expect(Buffer.concat([...parts, meter.flush()]).toString()).toBe(withoutUsage.toString());
    expect(readMeasure(meter)).toEqual(expectMeasure(stream, withoutUsage.length));
  });

  it('LLM-08 never measures less as more comes, so an aborted stream settles at what was seen', () => {
    const meter = open(false);
    const estimates: number[] = [];
    const floors: number[] = [];
    for (const byte of stream.bytes) {
      meter.push(Buffer.of(byte));
      floors.push(meter.outputTokensFloor);
      // A report replaces the estimate, and may be less.
      if (!meter.exact) estimates.push(meter.usage().outputTokens);
    }
    expect(floors).toEqual(floors.toSorted((a, b) => a - b));
    expect(estimates).toEqual(estimates.toSorted((a, b) => a - b));
  });
}

type Measured = ReturnType<typeof readMeasure>;

function readMeasure(meter: StreamMeter) {
  const { failure, exact, outputTokensFloor } = meter;
  return { failure, exact, outputTokensFloor, text: meter.outputText(), usage: meter.usage() };
}

function expectMeasure(stream: StreamCase, bytesOut: number): Measured {
  const textBytes = Buffer.byteLength(stream.text);
  const tokens = stream.reported ?? {
    inputTokens: INPUT_BOUND,
    cachedInputTokens: 0,
    outputTokens: Math.max(stream.pieces, Math.ceil(textBytes / 4)),
  };
  const estimated = stream.reported === undefined;
  return {
    failure: undefined,
    exact: !estimated,
    outputTokensFloor: Math.max(
      stream.pieces,
      Math.ceil(textBytes / 128),
      stream.reported?.outputTokens ?? 0,
    ),
    text: stream.text,
    usage: { ...tokens, bytesIn: 0, bytesOut, estimated },
  };
}

function describeBrokenStreams(provider: Provider): void {
  const open = () => provider.openStreamMeter({ inputTokensBound: 9, keepUsageChunk: false });

  it('survives any bytes, in any pieces, and passes them all on', () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(chunks, (pieces) => {
        const meter = open();
        const passed = pieces.map((piece) => meter.push(Buffer.from(piece)));
        expect(Buffer.concat([...passed, meter.flush()])).toEqual(Buffer.concat(pieces));
        expect(meter.failure).toBeUndefined();
        expect(meter.usage()).toMatchObject({ inputTokens: 9, outputTokens: 0, estimated: true });
      }),
    );
  });

  it('holds back at most 1 MiB of one event, then fails and passes nothing more on', () => {
    const meter = open();
    const good = Buffer.from(': fine\n\n');
    expect(meter.push(good)).toEqual(good);
    const piece = Buffer.alloc(64 * 1024, 'x');
    for (let sent = 0; sent < 1024 * 1024; sent += piece.length) {
      expect(meter.push(piece)).toHaveLength(0);
      expect(meter.failure).toBeUndefined();
    }
    meter.push(Buffer.from('x'));
    expect(meter.failure).toContain('1048576 bytes');
    expect(meter.push(good)).toHaveLength(0);
    expect(meter.flush()).toHaveLength(0);
    expect(meter.usage().bytesOut).toBe(good.length);
  });
}

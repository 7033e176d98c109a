import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestEdits } from '../provider.ts';
import { editBody } from './edit-body.ts';

const NONE: RequestEdits = { upstreamModel: 'm', outputTokensMax: undefined, includeUsage: false };

function edit(text: string, edits: Partial<RequestEdits>): string {
  return editBody(Buffer.from(text), JSON.parse(text), { ...NONE, ...edits }).toString();
}

describe('editBody', () => {
  it.each([
    [
      'replaces the model',
      '{ "model" : "m" , "n":1}',
      { upstreamModel: 'q"\n' },
      '{ "model" : "q\\"\\n" , "n":1}',
    ],
    [
      'leaves an equal model alone',
      '{"model":"\\u006d"}',
      { upstreamModel: 'm' },
      '{"model":"\\u006d"}',
    ],
    ['knows a key spelled with escapes', '{"mod\\u0065l":"a"}', {}, '{"mod\\u0065l":"m"}'],
    [
      'sets max_tokens',
      '{"model":"m","max_tokens":9}',
      { outputTokensMax: 5 },
      '{"model":"m","max_tokens":5}',
    ],
    [
      'sets max_completion_tokens',
      '{"max_completion_tokens":9}',
      { outputTokensMax: 5 },
      '{"max_completion_tokens":5}',
    ],
    [
      'sets both',
      '{"max_tokens":9,"max_completion_tokens":9}',
      { outputTokensMax: 5 },
      '{"max_tokens":5,"max_completion_tokens":5}',
    ],
    [
      'sets the one that is not null',
      '{"max_completion_tokens":null,"max_tokens":9}',
      { outputTokensMax: 5 },
      '{"max_completion_tokens":null,"max_tokens":5}',
    ],
    [
      'sets a null that stands alone',
      '{"max_completion_tokens":null}',
      { outputTokensMax: 5 },
      '{"max_completion_tokens":5}',
    ],
    ['adds max_tokens', '{"model":"m"}', { outputTokensMax: 5 }, '{"max_tokens":5,"model":"m"}'],
    [
      'adds to nothing',
      ' { } ',
      { outputTokensMax: 5, includeUsage: true },
      ' {"max_tokens":5,"stream_options":{"include_usage":true} } ',
    ],
    [
      'adds stream_options',
      '{"stream":true}',
      { includeUsage: true },
      '{"stream_options":{"include_usage":true},"stream":true}',
    ],
    [
      'fills stream_options',
      '{"stream_options": { } }',
      { includeUsage: true },
      '{"stream_options": {"include_usage":true } }',
    ],
    [
      'replaces null stream_options',
      '{"stream_options":null}',
      { includeUsage: true },
      '{"stream_options":{"include_usage":true}}',
    ],
    [
      'adds to stream_options',
      '{"stream_options":{"a":[1]}}',
      { includeUsage: true },
      '{"stream_options":{"include_usage":true,"a":[1]}}',
    ],
    [
      'turns include_usage on',
      '{"stream_options":{"include_usage":false,"b":2}}',
      { includeUsage: true },
      '{"stream_options":{"include_usage":true,"b":2}}',
    ],
    [
      'turns each include_usage on',
      '{"stream_options":{"include_usage":false,"include_usage":0}}',
      { includeUsage: true },
      '{"stream_options":{"include_usage":true,"include_usage":true}}',
    ],
    [
      'keeps the last duplicate',
      '{"model":"a", "n":1,"model":"b","n":2}',
      {},
      '{ "model":"m","n":2}',
    ],
    [
      'adds in front of a duplicate dropped',
      '{"n":1,"n":2}',
      { outputTokensMax: 5 },
      '{"max_tokens":5,"n":2}',
    ],
    [
      'keeps the last duplicate of what would cost more',
      '{"service_tier":"priority","service_tier":null}',
      {},
      '{"service_tier":null}',
    ],
    ['keeps the last of duplicates with escapes', '{"n":1,"\\u006e":2}', {}, '{"\\u006e":2}'],
    [
      'is not misled by texts and nested members',
      '{"a":"\\\\\\"model\\":\\"","b":{"model":"x"},"model":"y"}',
      {},
      '{"a":"\\\\\\"model\\":\\"","b":{"model":"x"},"model":"m"}',
    ],
  ])('%s', (_title, body, edits, expected) => {
    expect(edit(body, edits)).toBe(expected);
  });

  it('steps over nesting deeper than the stack', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(edit(`{"a":${deep},"model":"x"}`, {})).toBe(`{"a":${deep},"model":"m"}`);
  });

  it('takes a long run of backslashes in linear time', () => {
    const text = JSON.stringify({ a: '\\"'.repeat(500_000), model: 'x' });
    expect(edit(text, {})).toHaveLength(text.length);
  });
});

const names = fc.constantFrom(
  'model',
  'messages',
  'max_tokens',
  'stream_options',
  'include_usage',
  'n',
  '__proto__',
  'x"y',
  '',
);
const scalars = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('"', '\\', '\\"', '{"model":"x"}', '\u2028'),
);
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalars,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(names, tie('value'), { maxKeys: 4 }),
  ),
})).value;
const spaces = fc.constantFrom('', ' ', '\n\t', '\r\n  ');
const streamOptions = fc.option(fc.dictionary(fc.constantFrom('include_usage', 'other'), scalars));
const outputBound = fc.option(fc.nat());

/** Members in any order, with duplicates, spaces, and any spelling of the keys. */
const members = fc.array(
  fc.oneof(
    fc.record({ key: fc.constant('model'), value: fc.string() }),
    fc.record({ key: fc.constant('stream_options'), value: streamOptions }),
    fc.record({ key: fc.constantFrom('max_tokens', 'max_completion_tokens'), value: outputBound }),
    fc.record({
      key: fc.oneof(fc.constantFrom('messages', 'n', 'tools'), fc.string()),
      value: values,
    }),
  ),
);
const edits = fc.record({
  upstreamModel: fc.string({ unit: 'binary' }),
  outputTokensMax: fc.option(fc.nat(), { nil: undefined }),
  includeUsage: fc.boolean(),
});

function spellKey(key: string, isEscaped: boolean): string {
  if (!isEscaped) return JSON.stringify(key);
  const units = Array.from({ length: key.length }, (_, at) => key.charCodeAt(at));
  return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"`;
}

/** The edits as anybody would make them on the parsed object. */
function editObject(body: Record<string, unknown>, wanted: RequestEdits): Record<string, unknown> {
  const expected: Record<string, unknown> = Object.assign(Object.create(null), body);
  if ('model' in expected) expected['model'] = wanted.upstreamModel;
  if (wanted.outputTokensMax !== undefined) {
    const bounds = ['max_completion_tokens', 'max_tokens'].filter((name) => name in expected);
    const set = bounds.filter((name) => expected[name] !== null);
    const edited = set.length > 0 ? set : [...bounds, 'max_tokens'].slice(0, 1);
    for (const name of edited) expected[name] = wanted.outputTokensMax;
  }
  if (wanted.includeUsage) {
    expected['stream_options'] = Object.assign({}, expected['stream_options'], {
      include_usage: true,
    });
  }
  return expected;
}

describe('editBody, for any body', () => {
  const bodies = fc
    .record({ members, gap: spaces, isEscaped: fc.boolean() })
    .map(({ members: list, gap, isEscaped }) => {
      const parts = list.map(({ key, value }) =>
        [gap, spellKey(key, isEscaped), gap, ':', gap, JSON.stringify(value), gap].join(''),
      );
      return `${gap}{${parts.join(',')}${gap}}${gap}`;
    });

  it('reads back as the object with the edits made', () => {
    fc.assert(
      fc.property(bodies, edits, (text, wanted) => {
        const parsed: unknown = JSON.parse(text);
        const edited = editBody(Buffer.from(text), parsed, wanted).toString();
        const read = Object.assign(Object.create(null), JSON.parse(edited));
        expect(read).toEqual(editObject(JSON.parse(text), wanted));
      }),
      { numRuns: 500 },
    );
  });

  it('says the same to a parser that takes the first of two members', () => {
    const priced = fc.constantFrom('model', 'messages', 'n', 'stream', 'max_tokens', 'other');
    fc.assert(
      fc.property(fc.array(fc.tuple(priced, fc.nat())), edits, (list, wanted) => {
        const text = `{${list.map(([key, value]) => `"${key}":${value}`).join()}}`;
        const edited = editBody(Buffer.from(text), JSON.parse(text), {
          ...wanted,
          upstreamModel: 'm',
        });
        const keys = edited.toString().match(/"\w+"(?=:)/gu) ?? [];
        const pricedKeys = keys.filter((key) => key !== '"other"');
        expect(pricedKeys).toEqual([...new Set(pricedKeys)]);
      }),
    );
  });

  it('keeps every byte that is not of the value edited', () => {
    const others = fc.array(fc.tuple(fc.constantFrom('a', 'stop', 'x"y'), values));
    fc.assert(
      fc.property(others, others, spaces, (before, after, gap) => {
        const build = (model: string) =>
          `${gap}{${[
            ...before.map(
              ([key, value]) => JSON.stringify(key) + gap + ':' + JSON.stringify(value),
            ),
            `"model"${gap}:${gap}"${model}"`,
            ...after.map(([key, value]) => gap + JSON.stringify(key) + ':' + JSON.stringify(value)),
          ].join(',')}${gap}}`;
        expect(edit(build('old'), { upstreamModel: 'new' })).toBe(build('new'));
      }),
    );
  });
});

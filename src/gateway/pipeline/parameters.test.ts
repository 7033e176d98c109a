import { describe, expect, it } from 'vitest';

import type { Parameter } from '../../domain/catalog.ts';
import { AskedRequest } from './asked-request.ts';
import { compileParameter } from './parameters.ts';

function problemOf(
  parameter: Partial<Parameter>,
  came: { body?: unknown; query?: string; header?: string },
): string | undefined {
  const check = compileParameter({
    in: 'body',
    name: '/value',
    type: 'string',
    required: true,
    ...parameter,
  });
  const headers = came.header === undefined ? [] : ['X-Value', came.header];
  const target = `/?${came.query ?? ''}`;
  const request = { headers, target, contentLength: 2 };
  const fault = check(new AskedRequest(request, { parsed: came.body ?? {}, bytes: 2 }));
  return fault && `${fault.code} ${fault.pointer}: ${fault.problem}`;
}

describe('a member of the body (GW-15)', () => {
  it.each([
    ['string', 'text', undefined],
    ['string', '', undefined],
    ['string', 5, 'must be a text'],
    ['string', null, 'must be a text'],
    ['number', 1.5, undefined],
    ['number', '1.5', 'must be a number'],
    ['integer', 3, undefined],
    ['integer', 3.5, 'must be a whole number'],
    ['boolean', false, undefined],
    ['boolean', 'false', 'must be true or false'],
    ['array', [], undefined],
    ['array', {}, 'must be a list'],
    ['object', {}, undefined],
    ['object', [], 'must be an object'],
    ['object', null, 'must be an object'],
  ] as const)('%s: %j', (type, value, problem) => {
    const expected = problem && `INVALID_REQUEST /value: ${problem}`;
    expect(problemOf({ type }, { body: { value } })).toBe(expected);
  });

  it('is missed only where it is required', () => {
    expect(problemOf({}, { body: {} })).toBe('INVALID_REQUEST /value: is required');
    expect(problemOf({ required: false }, { body: {} })).toBeUndefined();
    expect(problemOf({ required: false }, { body: { value: 1 } })).toMatch('must be a text');
  });

  it('stands where its pointer says', () => {
    const name = '/options/0/size';
    expect(problemOf({ name }, { body: { options: [{ size: 'big' }] } })).toBeUndefined();
    expect(problemOf({ name }, { body: { options: [] } })).toMatch(`${name}: is required`);
  });
});

describe('a query parameter or header is text', () => {
  it.each([
    ['string', '', true],
    ['number', '-1.5e3', true],
    ['number', '1,5', false],
    ['number', '', false],
    ['number', '0x10', false],
    ['integer', '-12', true],
    ['integer', '1.0', false],
    ['boolean', 'true', true],
    ['boolean', 'yes', false],
    ['array', 'a,b', true],
    ['object', '{"a":1}', true],
    ['object', '[1]', false],
    ['object', '{', false],
  ] as const)('%s reads %j: %s', (type, text, fits) => {
    const query = `value=${encodeURIComponent(text)}`;
    expect(problemOf({ in: 'query', name: 'value', type }, { query }) === undefined).toBe(fits);
    const inHeader = { in: 'header', name: 'x-value', type } as const;
    expect(problemOf(inHeader, { header: text }) === undefined).toBe(fits);
  });

  it('every value has to fit, whichever the upstream takes', () => {
    const parameter = { in: 'query', name: 'value', type: 'integer' } as const;
    expect(problemOf(parameter, { query: 'value=1&value=x' })).toMatch('must be a whole number');
  });

  it('is named when it is missing', () => {
    expect(problemOf({ in: 'query', name: 'value' }, {})).toBe(
      'INVALID_REQUEST value: is required',
    );
    expect(problemOf({ in: 'header', name: 'x-value' }, {})).toMatch('x-value: is required');
  });
});

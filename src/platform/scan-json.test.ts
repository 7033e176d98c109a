import { describe, expect, it } from 'vitest';

import { countMembers, findAmbiguity } from './scan-json.ts';

describe('what parsers read differently on the way to a member', () => {
  it.each<[string, readonly string[], string | undefined]>([
    ['{"extract":"ai","extract":"no"}', ['extract'], 'extract'],
    ['{"extract":"ai","\\u0065xtract":"no"}', ['extract'], 'extract'],
    ['{"extract":"no","Extract":"ai"}', ['extract'], 'Extract'],
    ['{"EXTRACT":"ai"}', ['extract'], 'EXTRACT'],
    ['{"extra\\u0063t":"ai","ſize":1}', ['size'], 'ſize'],
    [' { "extract" : "ai" , "other":1,"other":2, "Other":3}', ['extract'], undefined],
    ['{"params":{"name":"a","Name":"b"}}', ['params', 'name'], 'Name'],
    ['{"params":{"name":"a"},"params":{}}', ['params', 'name'], 'params'],
    ['{"list":[{"a":1},[2], {"a":1,"a":2}]}', ['list', '2', 'a'], 'a'],
    ['{"list":[{"a":1},{"a":1,"a":2}]}', ['list', '0', 'a'], undefined],
    ['{"list":[{"a":1}]}', ['list', '7', 'a'], undefined],
    ['[]', ['0', 'a'], undefined],
    ['{"params":"text"}', ['params', 'name'], undefined],
    ['{}', ['extract'], undefined],
    ['"text"', ['extract'], undefined],
    ['', ['extract'], undefined],
    ['{"extract":1,"extract":2}', [], undefined],
  ])('%s at %j: %j', (json, path, found) => {
    expect(findAmbiguity(Buffer.from(json), path)).toBe(found);
  });
});

it.each<[string, number]>([
  ['{}', 0],
  [' { } ', 0],
  ['{"a":1}', 1],
  ['{"a":1,"a":2}', 2],
  ['{"a":1,"\\u0061":2}', 2],
  [' { "a" : "," , "b":[{"c":1,"d":2},3],"e":{"f":"}"}, "g":"\\"," , "h":null } ', 5],
  ['[]', 0],
  ['"a"', 0],
  ['', 0],
  ['{"a', 1],
])('%s has %i members', (json, count) => {
  expect(countMembers(Buffer.from(json), 0)).toBe(count);
});

import { describe, expect, it } from 'vitest';

import type { PathRewrite } from '../domain/catalog.ts';
import { compilePathRewrite } from './path-rewrite.ts';

const strip = (prefix: string): PathRewrite => ({ kind: 'strip-prefix', prefix });
const replace = (pattern: string, with_: string): PathRewrite => ({
  kind: 'replace',
  pattern,
  with: with_,
});

describe('path rewrite (GW-08)', () => {
  it.each([
    ['nothing', undefined, '/a?b=c', '/a?b=c'],
    ['strip', strip('/demo'), '/demo/weather?city=Bern', '/weather?city=Bern'],
    ['strip, slash at its end', strip('/demo/'), '/demo/weather', '/weather'],
    ['strip all', strip('/demo'), '/demo', '/'],
    ['strip all before a query', strip('/demo'), '/demo?x=/demo', '/?x=/demo'],
    ['strip whole segments only', strip('/demo'), '/demonstration', '/demonstration'],
    ['strip what is not there', strip('/demo'), '/other', '/other'],
    ['replace with a group', replace('^/v1/(.*)$', '/api/$1'), '/v1/a/b?q=/v1/', '/api/a/b?q=/v1/'],
    ['replace to nothing', replace('^.*$', ''), '/a?b', '/?b'],
    ['replace to another host', replace('^/', 'evil.example/'), '/a', '/evil.example/a'],
    ['replace without a match', replace('^/x', '/y'), '/a', '/a'],
  ])('%s', (_name, rewrite, target, expected) => {
    expect(compilePathRewrite(rewrite)(target)).toBe(expected);
  });
});

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
    ['strip what is escaped', strip('/demo'), '/%64emo/a%20b', '/a%20b'],
    ['strip what is escaped, all of it', strip('/demo'), '/dem%6f?x=/demo/y', '/?x=/demo/y'],
    ['strip behind repeated slashes', strip('/demo/v1'), '//demo//v1/a//b', '/a//b'],
    ['strip what the route spells with an escape', strip('/caf%C3%A9'), '/c%61f%C3%A9/a', '/a'],
    ['strip whole segments only, escaped', strip('/demo'), '/%64emos/a', '/%64emos/a'],
    ['strip no more than the path', strip('/demo/v1'), '/%64emo?/v1', '/%64emo?/v1'],
    ['replace with a group', replace('^/v1/(.*)$', '/api/$1'), '/v1/a/b?q=/v1/', '/api/a/b?q=/v1/'],
    ['replace to nothing', replace('^.*$', ''), '/a?b', '/?b'],
    ['replace to another host', replace('^/', 'evil.example/'), '/a', '/evil.example/a'],
    ['replace without a match', replace('^/x', '/y'), '/a', '/a'],
  ])('%s', (_name, rewrite, target, expected) => {
    expect(compilePathRewrite(rewrite)(target)).toBe(expected);
  });
});

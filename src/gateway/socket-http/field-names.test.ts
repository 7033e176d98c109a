import { expect, it } from 'vitest';

import { fieldNameOf, SPELLINGS_MAX } from './field-names.ts';

it('knows a field in any case, keeps its spelling, and gives one object per spelling', () => {
  expect(fieldNameOf('HOST')).toMatchObject({ text: 'HOST', kind: 'host', lead: '\r\nHOST: ' });
  expect(fieldNameOf('transfer-Encoding').kind).toBe('transfer-encoding');
  expect(fieldNameOf('hosts').kind).toBe('plain');
  expect(fieldNameOf('X-Some')).toBe(fieldNameOf(['X', 'Some'].join('-')));
});

it('remembers a bounded number of spellings and still knows those after', () => {
  for (let index = 0; index < SPELLINGS_MAX; index += 1) fieldNameOf(`x-invented-${index}`);
  expect(fieldNameOf('hOsT').kind).toBe('host');
  expect(fieldNameOf('x-one-more')).not.toBe(fieldNameOf('x-one-more'));
});
